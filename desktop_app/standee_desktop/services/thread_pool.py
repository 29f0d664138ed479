"""Thread pool whose outcomes arrive as signals on the GUI thread.

Decoding, hashing, thumbnails and saving go through here. Each `ThreadPool` has a pool of its own, so
that a slow disk does not hold up thumbnails. `in_order` makes a pool of one thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal, Slot
from shiboken6 import isValid

from standee.errors import StandeeError

T = TypeVar("T")


class ThreadPool(QObject):
    """A pool of threads whose outcomes arrive on the thread that owns this object."""

    _finished = Signal(object, object)

    def __init__(
        self, parent: QObject | None = None, *, threads: int = 2, in_order: bool = False
    ) -> None:
        super().__init__(parent)
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1 if in_order else threads)
        self._pool.setExpiryTimeout(-1)
        self._open = 0
        self._closed = False
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether anything runs or waits."""
        return self._open > 0

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], object] | None = None,
        failed: Callable[[StandeeError], object] | None = None,
    ) -> None:
        """Run `work` in the pool; then call `done` with its value or `failed` with its error here.

        A method of a widget that is gone by then is not called. An error that is no `StandeeError`
        goes to `sys.excepthook`, and `failed` gets a word of it.
        """
        if self._closed:
            return
        self._open += 1
        self._pool.start(_Job(work, lambda outcome: self._finished.emit((done, failed), outcome)))

    def close(self, milliseconds: int = 5000) -> bool:
        """Finish what runs, begin nothing new, call nobody back. Returns whether all ended."""
        self._closed = True
        return self._pool.waitForDone(milliseconds)

    @Slot(object, object)
    def _deliver(self, callbacks: Any, outcome: Any) -> None:
        self._open -= 1
        if self._closed:
            return
        done, failed = callbacks
        value, error = outcome
        callback = done if error is None else failed
        if callback is not None and not _is_gone(callback):
            callback(value if error is None else error)


def _is_gone(callback: Callable[..., object]) -> bool:
    """Whether a callback is a method of a Qt object that was deleted meanwhile."""
    owner = getattr(callback, "__self__", None)
    return isinstance(owner, QObject) and not isValid(owner)


class _Job(QRunnable):
    def __init__(self, work: Callable[[], Any], report: Callable[[Any], None]) -> None:
        super().__init__()
        self._work, self._report = work, report

    def run(self) -> None:
        outcome: tuple[Any, StandeeError | None]
        try:
            outcome = (self._work(), None)
        except StandeeError as error:
            outcome = (None, error)
        except Exception as error:
            threading.excepthook(
                threading.ExceptHookArgs((type(error), error, error.__traceback__, None))
            )
            outcome = (None, StandeeError(f"Something went wrong: {error}.", fix="Try again."))
        with suppress(RuntimeError):  # the window closed meanwhile
            self._report(outcome)
