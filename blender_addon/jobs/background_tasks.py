"""Cooperative background tasks: generators advanced one step at a time by the timer."""

import contextlib
import time
from collections.abc import Iterator

BackgroundTask = Iterator[float | None]
"""Work in small steps; it may yield the seconds that it wants to rest."""


class BackgroundTasks:
    """Background tasks under way, taking turns."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, BackgroundTask]] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, task: BackgroundTask) -> None:
        """Take in another one; its first step is with its turn."""
        self._waiting.append((0.0, task))

    def clear(self) -> None:
        """Leave all of them where they are."""
        self._waiting.clear()

    def step(self) -> bool:
        """Do one step of the task that is next in turn; return whether there was any.

        Raises what the step raises; that task is over then, the others are not.
        """
        now = time.monotonic()
        turn = next((n for n, (rests, _) in enumerate(self._waiting) if rests <= now), None)
        if turn is None:
            return False
        _, task = self._waiting.pop(turn)
        with contextlib.suppress(StopIteration):
            self._waiting.append((now + (next(task) or 0.0), task))
        return True
