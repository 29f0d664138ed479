"""The jobs that this Blender handed in: what they are for, how far they are; kept over restarts.

A job outlives Blender at the daemon, so what it is for is written to a file of the extension's own.
"""

import json
import time
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from standee.errors import StandeeError, StorageFull
from standee.formatting import how_far
from standee.wire.events import (
    STAGES,
    Cancelled,
    Event,
    Failed,
    Preview,
    Progress,
    Queued,
    Result,
    Started,
)

from .. import storage
from ..i18n.translations import say

FILE = "jobs.json"
STATES = {
    "preparing": "Looking at the scene",
    "uploading": "Sending the pictures",
    "done": "Done",
    "cancelled": "Cancelled",
}


@dataclass
class Job:
    """One job. `scene` is the identity of the scene that it is for; `folder` is set for a frame.

    `note` says how the daemon fitted it into the memory, `unkept` that its pictures could not be
    written here and wait at the daemon.
    """

    id: str
    scene: str
    label: str = ""
    frame: int | None = None
    folder: str = ""
    fingerprint: str = ""
    created: float = field(default_factory=time.time)
    state: str = "uploading"
    step: int = 0
    of: int = 0
    stage: str = ""
    eta: float | None = None
    note: str = ""
    position: int = 0
    results: int = 0
    kept: int = 0
    error: str = ""
    fix: str = ""
    unkept: bool = False
    preview: NDArray[np.float32] | None = field(default=None, repr=False)
    preview_data: bytes = field(default=b"", repr=False)

    @property
    def over(self) -> bool:
        """Whether nothing more comes."""
        return self.state in ("done", "failed", "cancelled")

    @property
    def handed_in(self) -> bool:
        """Whether the daemon knows of it, or will."""
        return self.state != "preparing"

    @property
    def factor(self) -> float:
        """How far it is, 0..1."""
        return self.step / self.of if self.of else 0.0

    @property
    def text(self) -> str:
        """How it stands, for a person."""
        if self.state == "preparing" and self.stage:
            return say("Rendering the scene")
        if self.state == "queued":
            ahead = self.position
            return say("Waiting, {count} before it", count=ahead) if ahead else say("Waiting")
        if self.state == "running":
            what = say(STAGES.get(self.stage, self.stage.capitalize() or "Composing"))
            left = say(", {seconds} s left", seconds=round(self.eta)) if self.eta else ""
            return f"{what} {how_far(self.stage, self.step, self.of)}{left}" if self.of else what
        return self.error if self.state == "failed" else say(STATES.get(self.state, self.state))

    def take(self, event: Event) -> None:
        """Take note of what happened."""
        if isinstance(event, Queued):
            self.state, self.position = "queued", event.position
        elif isinstance(event, Started):
            self.state = "running"
        elif isinstance(event, Progress):
            self.state, self.stage = "running", event.stage
            self.step, self.of, self.eta = event.step, event.of, event.eta
            self.note = event.note or self.note
        elif isinstance(event, Preview):
            self.preview_data = event.data
        elif isinstance(event, Result):
            self.results += 1
            self.state = "done" if event.index + 1 >= event.of else "running"
        elif isinstance(event, Failed):
            self.fail(event.error.exception())
        elif isinstance(event, Cancelled):
            self.state = "cancelled"

    def fail(self, error: StandeeError) -> None:
        """It came to nothing."""
        self.state = "failed"
        self.error, self.fix = error.message, error.fix

    def not_kept(self, error: OSError | StandeeError) -> StorageFull:
        """Its picture is made, but could not be written; return that as an error with its fix."""
        self.unkept = True
        why = error.message if isinstance(error, StandeeError) else error.strerror or str(error)
        return StorageFull(
            f"The picture is made, but cannot be kept: {why}",
            fix="Make room, and press Connect: the daemon still has it.",
        )


KEPT = ("id", "scene", "label", "frame", "folder", "fingerprint", "created")


def remember(jobs: list[Job]) -> None:
    """Write down the jobs that are not over, or whose pictures could not be kept."""
    lines = [
        {name: getattr(job, name) for name in KEPT}
        for job in jobs
        if job.handed_in and (not job.over or job.unkept)
    ]
    storage.write(storage.own_folder() / FILE, json.dumps(lines).encode())


def remembered() -> list[Job]:
    """Return the jobs that an earlier Blender handed in and did not see the end of."""
    try:
        lines: Any = json.loads((storage.own_folder() / FILE).read_text(encoding="utf-8"))
        known = {one.name for one in fields(Job)}
        return [Job(**{k: v for k, v in line.items() if k in known}) for line in lines]
    except (OSError, ValueError, TypeError, AttributeError):
        return []
