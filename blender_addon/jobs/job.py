"""Job state: which scene or frame a job is for, and its status, kept over restarts.

A job outlives Blender at the daemon, so what it is for is written to a file of the extension's own.
"""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from standee.errors import StandeeError, StorageFull
from standee.files import write_atomically
from standee.formatting import how_far
from standee.wire.events import STAGES, Event
from standee.wire.jobs import JobStatus, Standing
from standee.wire.notes import Note

from .. import storage
from ..i18n.translations import say

FILE = "jobs.json"
STATES = {
    "preparing": "Looking at the scene",
    "sending": "Sending the pictures",
    "done": "Done",
    "cancelled": "Cancelled",
}


@dataclass
class Job:
    """One job. `scene` is the identity of the scene that it is for; `folder` is set for a frame,
    `layer` (its id) for a cut-out.

    `status` is what is known of it; the properties read that. `kept` counts the pictures that are
    safe here; `unkept` says that one could not be written, so that all wait at the daemon. With
    `download` the artist has said yes to bringing what it lacks from the hub.
    """

    id: str
    scene: str
    label: str = ""
    frame: int | None = None
    folder: str = ""
    layer: str = ""
    fingerprint: str = ""
    status: JobStatus = field(default_factory=lambda: JobStatus(""))
    kept: int = 0
    unkept: bool = False
    download: bool = False
    preview: NDArray[np.float32] | None = field(default=None, repr=False)

    @property
    def state(self) -> str:
        return self.status.state

    @property
    def step(self) -> int:
        return self.status.step

    @property
    def notes(self) -> tuple[Note, ...]:
        return self.status.notes

    @property
    def error(self) -> str:
        return self.status.error.message if self.status.error else ""

    @property
    def fix(self) -> str:
        return self.status.error.fix if self.status.error else ""

    def becomes(self, state: Standing, stage: str = "") -> None:
        """Take note of what this Blender does with it."""
        self.status = replace(self.status, state=state, stage=stage)

    @property
    def over(self) -> bool:
        """Whether nothing more comes."""
        return self.status.finished

    @property
    def handed_in(self) -> bool:
        """Whether the daemon knows of it, or will."""
        return self.state != "preparing"

    @property
    def part(self) -> float:
        """How far it is, 0..1."""
        return self.status.part

    @property
    def text(self) -> str:
        """How it stands, for a person."""
        now = self.status
        if now.state == "preparing" and now.stage:
            return say("Rendering the scene")
        if now.state == "queued":
            ahead = now.position
            return say("Waiting, {count} before it", count=ahead) if ahead else say("Waiting")
        if now.state == "running":
            what = say(STAGES.get(now.stage, now.stage.capitalize() or "Composing"))
            left = say(", {seconds} s left", seconds=round(now.eta)) if now.eta else ""
            return f"{what} {how_far(now.stage, now.step, now.of)}{left}" if now.of else what
        return self.error if now.state == "failed" else say(STATES.get(now.state, now.state))

    def take(self, event: Event) -> None:
        """Take note of what happened."""
        self.status = self.status.after(event)

    def take_preview(self) -> bytes:
        """Return the encoded preview that came last, once."""
        data, self.status = self.status.preview, replace(self.status, preview=b"")
        return data

    def fail(self, error: StandeeError) -> None:
        """It came to nothing."""
        self.status = replace(self.status, state="failed", error=error)

    def begins_again(self) -> None:
        """Its pictures are asked for once more, all of them."""
        self.status = replace(self.status, state="queued", arrived=0, error=None)
        self.kept, self.unkept = 0, False

    def not_kept(self, error: OSError | StandeeError) -> StorageFull:
        """Its picture is made, but could not be written; return that as an error with its fix."""
        self.unkept = True
        why = error.message if isinstance(error, StandeeError) else error.strerror or str(error)
        return StorageFull(
            f"The picture is made, but cannot be kept: {why}",
            fix="Make room, and press Look Again, beside the daemon's state: it still has it.",
        )


KEPT = ("id", "scene", "label", "frame", "folder", "layer", "fingerprint")


def remember(jobs: list[Job]) -> None:
    """Write down the jobs that are not over, or whose pictures could not be kept."""
    lines = [
        {name: getattr(job, name) for name in KEPT}
        for job in jobs
        if job.handed_in and (not job.over or job.unkept)
    ]
    write_atomically(storage.own_folder() / FILE, json.dumps(lines).encode())


def remembered() -> list[Job]:
    """Return the jobs that an earlier Blender handed in and did not see the end of."""
    try:
        lines: Any = json.loads((storage.own_folder() / FILE).read_text(encoding="utf-8"))
        return [Job(**{k: v for k, v in line.items() if k in KEPT}) for line in lines]
    except (OSError, ValueError, TypeError, AttributeError):
        return []
