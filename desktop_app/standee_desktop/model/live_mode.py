"""Live mode: recompose after each change to the arrangement, one job at a time. Pure.

The clock comes from outside. A change waits until the hand rests for `REST` seconds, but not longer
than `LONGEST`. A job for an older arrangement goes on until there is something to see of it, however
slow the machine is; then its successor takes its place.
"""

from __future__ import annotations

from dataclasses import dataclass

from standee.composition import Composition

REST = 0.25
LONGEST = 1.0


@dataclass
class LiveMode:
    """Decides when to compose again. `composed` is the arrangement that was handed in last."""

    on: bool = False
    composed: Composition | None = None
    _since: float | None = None
    _last: float = 0.0
    _unseen: bool = False

    def changed(self, now: float) -> None:
        """The arrangement has changed."""
        if self._since is None:
            self._since = now
        self._last = now

    def due_in(self, now: float) -> float | None:
        """Return in how many seconds to look again, or `None` while nothing is to be done."""
        if not self.on or self._since is None or self._unseen:
            return None
        return max(0.0, min(self._last + REST, self._since + LONGEST) - now)

    def take(self, composition: Composition, now: float) -> bool:
        """Return whether `composition` is to be composed now; from then on it counts as composed."""
        due = self.due_in(now)
        if due is None or due > 0.0:
            return False
        self._since = None
        if composition == self.composed:
            return False
        self.composed = composition
        return True

    def hand_in(self) -> None:
        """A job begins: nothing is to be seen of it yet."""
        self._unseen = True

    def shown(self) -> None:
        """The job has a first preview, or is over."""
        self._unseen = False

    def switch(self, on: bool, now: float) -> None:
        """Turn live mode on, which composes at once, or off."""
        self.on, self._unseen = on, False
        self.composed = None
        self._since = now - LONGEST if on else None
