"""The schedule of a picture: its noise levels, and thresholds as shares of its time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Schedule:
    """Noise levels `sigmas` (steps + 1,), falling to 0; `levels` are the same numbers on the host.

    *Time* runs from 1 to 0 in equal steps, before a model's schedule is shifted towards noise: a threshold in time
    means the same share of the steps for every model, canvas and number of steps, one in sigma does not.
    """

    sigmas: Tensor
    levels: tuple[float, ...]

    @staticmethod
    def of(sigmas: Tensor) -> Schedule:
        """Return the schedule with these noise levels."""
        return Schedule(sigmas, tuple(sigmas.tolist()))

    @property
    def steps(self) -> int:
        """How many steps it has."""
        return len(self.levels) - 1

    def time(self, step: int) -> float:
        """Return the time at which a step begins."""
        return 1 - step / self.steps

    def steps_above(self, time: float) -> int:
        """Return how many steps lie above a threshold in time, in part at least."""
        return math.ceil(round((1 - time) * self.steps, 6))

    def share_above(self, step: int, time: float) -> float:
        """Return how much of a step (0 is the first), 0..1, lies above a threshold in time.

        In the step that straddles the threshold it is a fraction, so that even few steps follow a threshold smoothly.
        """
        return min(1.0, max(0.0, round((1 - time) * self.steps - step, 6)))
