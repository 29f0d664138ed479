"""Job timeouts: how long a running job may be silent before it is ended."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from standee.wire.events import Event, Preview, Progress, Result, Started, ends

LONGEST = 900.0
"""Seconds that the daemon may work on any job without a word."""


class JobTimeouts(QObject):
    """Calls `over` with the id and the seconds of a job that gave no sign for so long.

    The time begins when the daemon starts on the job, and anew with every word of it: a job that
    waits for others, or that downloads a model, may take as long as it takes.
    """

    def __init__(self, over: Callable[[str, float], object], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._over = over
        self._timers: dict[str, tuple[QTimer, float]] = {}

    def have(self, job_id: str, seconds: float) -> None:
        """Wait so long for a word of a job."""
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(int(seconds * 1000))
        timer.timeout.connect(lambda: self._over(job_id, seconds))
        self._timers[job_id] = (timer, seconds)

    def renew(self, job_id: str) -> None:
        """Wait anew: it cannot tell anything at the moment."""
        if job_id in self._timers:
            self._timers[job_id][0].start()

    def hear(self, event: Event) -> None:
        """Take note of what is told of a job."""
        if ends(event):
            self.forget(event.job)
        elif isinstance(event, Started | Progress | Preview | Result):
            self.renew(event.job)

    def forget(self, job_id: str) -> None:
        """Nobody waits for it any more."""
        if job_id in self._timers:
            timer, _ = self._timers.pop(job_id)
            timer.stop()
            timer.deleteLater()
