"""Job status, as the events tell it: the one account that all faces show."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

from ..errors import StandeeError
from ..formatting import IN_BYTES
from .events import Cancelled, Event, Failed, Preview, Progress, Queued, Result, Started
from .notes import Note

Standing = Literal["preparing", "sending", "queued", "running", "done", "failed", "cancelled"]
FINISHED = ("done", "failed", "cancelled")
COUNTED = ("denoising", *IN_BYTES)
"""Stages whose steps say how far the whole is."""


@dataclass(frozen=True)
class JobStatus:
    """A job after its events so far. Faces add what they know of it besides, and put it into words.

    `preparing` and `sending` are a face's own: the daemon does not have the job yet. `position`
    counts the jobs before it, `eta` is in seconds, `preview` an encoded small picture, `arrived`
    how many of its pictures are made.
    """

    id: str
    state: Standing = field(default="sending", kw_only=True)
    position: int = field(default=0, kw_only=True)
    attempt: int = field(default=1, kw_only=True)
    stage: str = field(default="", kw_only=True)
    step: int = field(default=0, kw_only=True)
    of: int = field(default=0, kw_only=True)
    eta: float | None = field(default=None, kw_only=True)
    notes: tuple[Note, ...] = field(default=(), kw_only=True)
    preview: bytes = field(default=b"", kw_only=True, repr=False)
    arrived: int = field(default=0, kw_only=True)
    error: StandeeError | None = field(default=None, kw_only=True)
    last_seq: int = field(default=0, kw_only=True)

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINISHED

    @property
    def part(self) -> float:
        """How far it is, 0..1."""
        if self.state == "done":
            return 1.0
        return self.step / self.of if self.of and self.stage in COUNTED else 0.0

    def after(self, event: Event) -> Self:
        """Return how the job stands after an event."""
        now = replace(self, last_seq=max(self.last_seq, event.seq))
        match event:
            case Queued():
                return replace(now, state="queued", position=event.position)
            case Started():
                fresh: dict[str, Any] = {"stage": "", "step": 0, "of": 0, "eta": None}
                return replace(now, state="running", attempt=event.attempt, **fresh)
            case Progress():
                notes = event.notes or now.notes
                how_far: dict[str, Any] = {"stage": event.stage, "step": event.step, "of": event.of}
                return replace(now, state="running", eta=event.eta, notes=notes, **how_far)
            case Preview():
                return replace(now, state="running", preview=event.data)
            case Result():
                arrived = max(now.arrived, event.index + 1)
                state: Standing = "done" if arrived >= event.of else "running"
                notes = event.notes or now.notes
                return replace(now, state=state, arrived=arrived, notes=notes)
            case Failed():
                return replace(now, state="failed", error=event.error.exception())
            case Cancelled():
                return replace(now, state="cancelled")
        return now
