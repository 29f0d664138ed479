"""Pending history steps: edits still being computed, and calls that wait for them. No Qt.

A brush stroke is a step once its mask is encoded. Undoing, saving or leaving before that would miss
it, so they wait, in the order in which they were asked for.
"""

from __future__ import annotations

from collections.abc import Callable

from .signal import Signal

Act = Callable[[], object]


class PendingSteps:
    """What is on its way to the history of one document. Emits `changed` with whether anything is."""

    def __init__(self) -> None:
        self.changed: Signal[bool] = Signal()
        self._coming: set[object] = set()
        self._waiting: list[Act] = []

    def expect(self) -> Callable[[], None]:
        """Say that a step is on its way; call what is returned once it has come, or never will."""
        step = object()
        self._coming.add(step)
        self.changed.emit(True)

        def arrived() -> None:
            if step in self._coming:
                self._coming.remove(step)
                self.changed.emit(bool(self._coming))
                self._go_on()

        return arrived

    def after(self, act: Act) -> None:
        """Do something when nothing is on its way: at once, or after what waits already."""
        self._waiting.append(act)
        self._go_on()

    def forget(self) -> None:
        """Another document is open: nothing arrives in it any more, and nothing waits."""
        self._coming.clear()
        self._waiting.clear()
        self.changed.emit(False)

    def _go_on(self) -> None:
        while self._waiting and not self._coming:
            self._waiting.pop(0)()
