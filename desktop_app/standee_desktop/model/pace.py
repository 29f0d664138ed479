"""Time-left estimate of a job from the pace of its steps. Pure; the clock comes from outside.

The daemon counts from the start of a job, so that its first guesses hold the loading of the model.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from standee.wire.events import Event, Progress, Started, ends

from .jobs import Job


@dataclass
class Pace:
    """Knows of each job the first step that was told, and when (s)."""

    _first: dict[str, tuple[int, float]] = field(default_factory=dict)

    def timed(self, job: Job, event: Event, now: float) -> Job:
        """Return a job, as it is after an event at `now`, with the time left that its steps tell."""
        if isinstance(event, Started) or ends(event):
            self._first.pop(job.id, None)
        if not isinstance(event, Progress) or event.stage != "denoising":
            return job
        first, began = self._first.setdefault(job.id, (job.step, now))
        if job.step <= first:
            return replace(job, eta=None)  # one step tells no pace
        return replace(job, eta=(now - began) / (job.step - first) * (job.of - job.step))
