"""Job list of the editor: each job's status and arrangement. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from standee.composition import Composition, validate
from standee.wire.jobs import JobStatus

from .signal import Signal

KEPT = 50
"""How many finished jobs stay in the list."""


@dataclass(frozen=True)
class Job(JobStatus):
    """One composing of one arrangement. `results` are the names of those that are kept.

    `download`: the artist has said yes to bringing what it lacks from the hub.
    """

    composition: Composition
    live: bool = False
    download: bool = False
    results: tuple[str, ...] = ()
    cancelling: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return what a later editor needs to go on with it."""
        composition = msgspec.to_builtins(self.composition)
        return {"id": self.id, "composition": composition, "download": self.download}


def of_json(data: dict[str, Any]) -> Job:
    """Read what `to_json` gave. Raises `InvalidField`, `KeyError`."""
    download = data.get("download") is True
    composition = validate(data["composition"])
    return Job(str(data["id"]), composition, download=download, state="queued")


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
