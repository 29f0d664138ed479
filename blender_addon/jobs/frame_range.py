"""Frame range composing: one picture per frame with the same noise, resumable.

First every frame's composition is taken (the playhead runs through the range once), then those
whose picture is not there yet are handed in, a few at a time, and frames of the same composition
once. The seed is the same for all of them, and a subject's noise belongs to the subject, so what does
not change stays calm. The pictures lie in takes (`core.takes`).
"""

import uuid
from dataclasses import dataclass, field
from pathlib import Path

import bpy
import msgspec

from standee.composition import Composition, to_json
from standee.document.receipt import embed
from standee.errors import InvalidField, StandeeError, StorageFull
from standee.wire.events import Result
from standee.wire.notes import Note

from ..core import takes
from ..core.frame_ledger import FrameLedger
from ..core.timeline import fingerprint, frames
from ..i18n.translations import say
from ..preferences import preferences
from ..scene.composition_io import Blobs, Work
from ..scene.identity import identity
from . import submit
from .background_tasks import BackgroundTask
from .daemon_link import link
from .job import Job

TRIES = 3
"""So often a frame is taken anew when somebody else moves the playhead."""
AT_ONCE = 2
"""So many frames are at the daemon at a time: it never waits, and a stop is soon."""


@dataclass
class FrameRange:
    """A range under way."""

    scene: str
    folder: Path
    frames: list[int]
    ledger: FrameLedger
    plan: dict[int, tuple[Composition, Blobs, str]] = field(default_factory=dict)
    waiting: list[int] = field(default_factory=list)
    under_way: dict[str, int] = field(default_factory=dict)
    noted: list[tuple[Note, list[int]]] = field(default_factory=list)
    prepared: int = 0
    planned: bool = False
    stopped: bool = False
    error: str = ""

    @property
    def done(self) -> int:
        """How many frames have their picture."""
        return sum(1 for frame, (_, _, of) in self.plan.items() if self.ledger.done(frame, of))

    def note(self, about: tuple[Note, ...], of: list[int]) -> None:
        """Take in what the daemon noted of the picture of some frames."""
        for one in about:
            known = next((where for note, where in self.noted if note == one), None)
            if known is None:
                known = []
                self.noted.append((one, known))
            known[:] = sorted({*known, *of})

    @property
    def over(self) -> bool:
        """Whether nothing more comes."""
        return (self.stopped or (self.planned and not self.waiting)) and not self.under_way

    @property
    def text(self) -> str:
        """How it stands, for a person."""
        if self.error:
            return self.error
        if not self.planned and not self.stopped:
            return say("Looking at frame {at} of {all}", at=self.prepared, all=len(self.frames))
        ending = say(" (stopped)") if self.stopped else ""
        return say("{done} of {all} frames", done=self.done, all=len(self.frames)) + ending


current: FrameRange | None = None


def frames_of(scene: bpy.types.Scene) -> list[int]:
    """Return the frames of the scene's range, or of its preview range if that is on."""
    if scene.use_preview_range:
        return frames(scene.frame_preview_start, scene.frame_preview_end, scene.frame_step)
    return frames(scene.frame_start, scene.frame_end, scene.frame_step)


def folder_of(scene: bpy.types.Scene) -> Path:
    """Return where the range's takes go. Raises `StorageFull`."""
    text = scene.standee.range_folder or "//standee/"
    if text.startswith("//") and not bpy.data.filepath:
        raise StorageFull(
            "The folder of the range is relative to the .blend file, which is not saved yet.",
            fix="Save the file first, or choose another folder.",
        )
    return Path(bpy.path.abspath(text))


def start(context: bpy.types.Context) -> FrameRange:
    """Begin a range, or go on with it. Raises `StandeeError`."""
    global current
    scene = context.scene
    folder = folder_of(scene)
    try:
        takes.probe(folder)
    except OSError as error:
        raise _unwritable(folder, error) from None
    last = takes.newest(folder)
    ledger = FrameLedger.read(last) if last is not None else FrameLedger(folder)
    current = FrameRange(scene.name, folder, frames_of(scene), ledger)
    link().run_in_background(_prepare(current))
    return current


def _unwritable(folder: Path, error: OSError | StorageFull) -> StorageFull:
    why = error.message if isinstance(error, StorageFull) else f"{error.strerror}."
    return StorageFull(
        f"No pictures can be written into {folder}: {why}",
        fix="Choose another folder, or make room.",
    )


def stop() -> None:
    """Stop the range; the frames that are done stay, and the next start goes on from them."""
    if current is not None:
        current.stopped = True
        current.waiting.clear()
        for job_id in list(current.under_way):
            link().cancel(link().jobs[job_id])


def take(job: Job, event: Result) -> BackgroundTask:
    """Keep the picture of one frame, and of all others of the very same composition."""
    ledger, alike = FrameLedger.read(Path(job.folder)), [int(job.frame or 0)]
    if current is not None and _ours(job):
        ledger = current.ledger
        alike += [f for f, (_, _, of) in current.plan.items() if of == job.fingerprint]
        current.note(event.notes or job.notes, alike)
    yield
    png = embed(event.data, event.receipt, marked=preferences().marked)
    try:
        for frame in dict.fromkeys(alike):
            ledger.add(frame, job.fingerprint, png)
            yield
    except (OSError, StorageFull) as error:
        raise StorageFull(
            f"The picture of frame {job.frame} could not be written: {error}",
            fix="Make room, and compose the range again; it goes on from there.",
        ) from None
    yield


def over(job: Job) -> None:
    """A frame's job ended: hand in the next."""
    if current is None or not _ours(job):
        return
    current.under_way.pop(job.id, None)
    if job.state == "failed":
        current.error = current.error or f"Frame {job.frame}: {job.error}"
        current.stopped = True
        current.waiting.clear()
    elif job.state == "cancelled":
        current.stopped = True
        current.waiting.clear()
    if current.planned:
        link().run_in_background(_hand_in(current))


def _ours(job: Job) -> bool:
    return current is not None and job.id in current.under_way


def _prepare(work: FrameRange) -> BackgroundTask:
    """Take every frame's composition; the playhead is put back in the end."""
    scene = bpy.data.scenes.get(work.scene)
    if scene is None:
        return
    back = scene.frame_current
    try:
        for frame in work.frames:
            if work.stopped or bpy.context.scene != scene:
                work.stopped = True
                break
            composition, blobs = yield from _snapshot_frame(scene, frame)
            once = msgspec.structs.replace(composition.sampling, count=1)
            composition = msgspec.structs.replace(composition, sampling=once)
            of = fingerprint(to_json(composition))
            work.plan[frame] = (composition, blobs, of)
            work.prepared += 1
            yield
    except StandeeError as error:
        work.error, work.stopped = f"Frame {scene.frame_current}: {error.message}", True
        raise
    except Exception as error:  # such as what undo took away meanwhile
        work.error, work.stopped = f"The frames could not be taken: {error}.", True
        raise
    finally:
        if bpy.data.scenes.get(work.scene) is not None:
            scene.frame_set(back)
    if not work.stopped:
        try:
            work.ledger = takes.take_for(
                work.folder, {frame: of for frame, (_, _, of) in work.plan.items()}
            )
            yield
            for frame in _missing(work):
                of = work.plan[frame][2]
                made = work.ledger.made_of(of)
                if made is not None:
                    work.ledger.adopt(frame, of, made)
        except (OSError, StorageFull) as error:
            failed = _unwritable(work.folder, error)
            work.error, work.stopped = failed.message, True
            raise failed from None
        yield
        first: dict[str, int] = {}
        for frame in _missing(work):
            first.setdefault(work.plan[frame][2], frame)
        work.waiting = sorted(first.values())
        work.planned = True
        yield from _hand_in(work)


def _snapshot_frame(scene: bpy.types.Scene, frame: int) -> Work:
    """Take one frame's composition, and once more if somebody moved the playhead meanwhile."""
    for _ in range(TRIES):
        scene.frame_set(frame)
        yield
        if scene.frame_current != frame:
            continue
        made: tuple[Composition, Blobs] = yield from submit.complete_in_steps(
            scene, *submit.snapshot(bpy.context)
        )
        if scene.frame_current == frame:
            return made
    raise InvalidField(
        "The playhead was moved while the frames were looked at.",
        fix="Compose the range again, and leave the playhead alone until the frames are counted.",
    )


def _missing(work: FrameRange) -> list[int]:
    """Return the frames that have no picture of what they are now."""
    return work.ledger.missing([(frame, of) for frame, (_, _, of) in work.plan.items()])


def _hand_in(work: FrameRange) -> BackgroundTask:
    while work.waiting and len(work.under_way) < AT_ONCE and not work.stopped:
        frame = work.waiting.pop(0)
        composition, blobs, of = work.plan[frame]
        scene = bpy.data.scenes.get(work.scene)
        job = Job(
            id=uuid.uuid4().hex,
            scene=identity(scene) if scene is not None else "",
            label=f"Frame {frame}",
            frame=frame,
            folder=str(work.ledger.folder),
            fingerprint=of,
        )
        work.under_way[job.id] = frame
        try:
            link().submit(job, composition, blobs)
        except StandeeError as error:
            work.under_way.pop(job.id)
            work.error, work.stopped = error.message, True
            raise
        yield
