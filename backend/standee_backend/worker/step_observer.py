"""Observer of a picture's steps: progress with its stages and the time left, previews, cancellation."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from standee.composition import Composition
from standee.errors import JobCancelled
from standee.wire.events import Preview, Progress

from ..engine.compose import Step
from ..engine.families.base import Family
from ..engine.preview import encode_preview

log = logging.getLogger(__name__)

PREVIEWS = 12
"""About how many previews a picture sends on its way, after its first step."""

Report = Callable[[Progress | Preview], None]
Cancelled = Callable[[], bool]


class Pace:
    """How long a job's steps take, of all its pictures; those apart in which subjects were read or a model loaded."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._since = clock, clock()
        self._apart, self._seconds, self._steps = False, 0.0, 0

    def begin(self) -> None:
        """A picture begins."""
        self._since, self._apart = self._clock(), False

    def read(self) -> None:
        """Something is done in this step that the others are spared."""
        self._apart = True

    def step(self) -> None:
        """A step is done."""
        now = self._clock()
        if not self._apart:
            self._seconds += now - self._since
            self._steps += 1
        self._since, self._apart = now, False

    def left(self, steps: int) -> float | None:
        """Return how long so many steps will take, s; `None` while no step has told."""
        if not steps:
            return 0.0
        return self._seconds / self._steps * steps if self._steps else None


class StepObserver:
    """Follows a picture: reports, sends previews, and stops when the job is cancelled."""

    def __init__(
        self,
        family: Family,
        composition: Composition,
        index: int,
        pace: Pace,
        report: Report,
        cancelled: Cancelled,
    ) -> None:
        self.family, self.index, self.pace = family, index, pace
        self.report, self.cancelled = report, cancelled
        self.count = composition.sampling.count
        self.rows = composition.canvas.height // family.patch
        self.cols = composition.canvas.width // family.patch
        self.check()
        pace.begin()

    def stage(self, name: str, number: int, of: int) -> None:
        """Tell what comes beside the steps; see `engine.compose.OnStage`."""
        self.check()
        self.pace.read()
        self.report(Progress(stage=name, step=number, of=of))

    def step(self, step: Step) -> None:
        """Tell that a step is done."""
        self.check()
        self.pace.step()
        done, of = self.index * step.of + step.done, self.count * step.of
        left = self.pace.left(of - done)
        self.report(Progress(stage="denoising", step=done, of=of, eta=left))
        due = step.done == 1 or step.done % max(1, step.of // PREVIEWS) == 0
        if step.done < step.of and due:
            self.show(step, done)

    def show(self, step: Step, done: int) -> None:
        """Send a preview. Where none can be made, the picture is what counts."""
        try:
            data = encode_preview(self.family, step.predicted, self.rows, self.cols)
        except JobCancelled:
            raise
        except Exception as error:
            log.warning("There is no preview of step %d: %s", done, error)
            return
        self.report(Preview(step=done, data=data))

    def reading(self, read: Callable[[str], bytes]) -> Callable[[str], bytes]:
        """Return what reads pictures, and stops before the next one when the job is cancelled."""

        def checked(digest: str) -> bytes:
            self.check()
            return read(digest)

        return checked

    def check(self) -> None:
        """Raise `JobCancelled` where the job shall stop."""
        if self.cancelled():
            raise JobCancelled("The job was cancelled.")
