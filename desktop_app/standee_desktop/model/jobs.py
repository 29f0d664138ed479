"""The editor's jobs as data: what became of each, told by its events. No Qt, no sockets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal

import msgspec

from standee.composition import Composition, validate
from standee.errors import StandeeError
from standee.formatting import IN_BYTES
from standee.wire.events import Cancelled, Event, Failed, Preview, Progress, Queued, Result, Started

from .signal import Event as Signal

State = Literal["sending", "queued", "running", "done", "failed", "cancelled"]
FINISHED = ("done", "failed", "cancelled")
KEPT = 50
"""How many finished jobs stay in the list."""


@dataclass(frozen=True)
class Job:
    """One composing of one arrangement. `eta` is in seconds; `preview` an encoded small picture.

    `note` says how the daemon fitted it into the memory.
    """

    id: str
    composition: Composition
    live: bool = False
    state: State = "sending"
    position: int = 0
    stage: str = ""
    step: int = 0
    of: int = 0
    eta: float | None = None
    note: str = ""
    preview: bytes = b""
    results: tuple[str, ...] = ()
    error: StandeeError | None = None
    last_seq: int = 0
    cancelling: bool = False

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINISHED

    @property
    def part(self) -> float:
        """How far it is, 0..1."""
        counted = self.stage in ("denoising", *IN_BYTES)
        return self.step / self.of if self.of and counted else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return what a later editor needs to go on with it."""
        return {"id": self.id, "composition": msgspec.to_builtins(self.composition)}


def of_json(data: dict[str, Any]) -> Job:
    """Read what `to_json` gave. Raises `InvalidField`, `KeyError`."""
    return Job(str(data["id"]), validate(data["composition"]), state="queued")


def after(job: Job, event: Event) -> Job:
    """Return the job as it is after an event. Results are named by whoever keeps them."""
    job = replace(job, last_seq=max(job.last_seq, event.seq))
    if isinstance(event, Queued):
        return replace(job, state="queued", position=event.position)
    if isinstance(event, Started):
        return replace(job, state="running", stage="", step=0, of=0, eta=None)
    if isinstance(event, Progress):
        job = replace(job, state="running", note=event.note or job.note)
        return replace(job, stage=event.stage, step=event.step, of=event.of, eta=event.eta)
    if isinstance(event, Preview):
        return replace(job, state="running", preview=event.data)
    if isinstance(event, Result):
        return replace(job, state="done" if event.index + 1 >= event.of else "running")
    if isinstance(event, Failed):
        return replace(job, state="failed", error=event.error.exception())
    if isinstance(event, Cancelled):
        return replace(job, state="cancelled")
    return job


@dataclass
class Jobs:
    """All jobs of this editor, oldest first. Emits `changed(job)` for each that is new or differs."""

    changed: Signal[Job] = field(default_factory=Signal)
    removed: Signal[Job] = field(default_factory=Signal)
    _jobs: dict[str, Job] = field(default_factory=dict)

    def __iter__(self) -> Any:
        return iter(list(self._jobs.values()))

    def __len__(self) -> int:
        return len(self._jobs)

    def get(self, job_id: str) -> Job | None:
        """Return a job by its id."""
        return self._jobs.get(job_id)

    @property
    def unfinished(self) -> list[Job]:
        """The jobs that something can still happen to."""
        return [job for job in self._jobs.values() if not job.finished]

    @property
    def current(self) -> Job | None:
        """The job that is worked on, or else the next one."""
        running = [job for job in self.unfinished if job.state == "running"]
        return next(iter(running or self.unfinished), None)

    def put(self, job: Job) -> None:
        """Add a job or take over its new state."""
        if self._jobs.get(job.id) == job:
            return
        self._jobs[job.id] = job
        self.changed.emit(job)
        finished = [one for one in self._jobs.values() if one.finished]
        for old in finished[: max(0, len(finished) - KEPT)]:
            self.remove(old.id)

    def remove(self, job_id: str) -> None:
        """Take a job off the list."""
        if (job := self._jobs.pop(job_id, None)) is not None:
            self.removed.emit(job)
