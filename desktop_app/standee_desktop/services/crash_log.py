"""Crash log: unexpected errors go to a file, and to one notice that opens it."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import threading
from types import TracebackType

from PySide6.QtCore import QObject, Qt, QUrl, Signal, Slot
from PySide6.QtGui import QDesktopServices

from ..model.notices import Notice, Notices
from ..storage.paths import log_file

log = logging.getLogger("standee_desktop")


class CrashLog(QObject):
    """Takes the place of `sys.excepthook` while it lives; errors of any thread come here."""

    _happened = Signal(str)

    def __init__(self, notices: Notices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notices = notices
        self._before = sys.excepthook, threading.excepthook
        self._handler = _handler()
        if self._handler is not None:
            log.addHandler(self._handler)
        self._happened.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        sys.excepthook = self._take
        threading.excepthook = self._take_from_thread

    def close(self) -> None:
        """Put the old hooks back."""
        sys.excepthook, threading.excepthook = self._before
        if self._handler is not None:
            log.removeHandler(self._handler)
            self._handler.close()

    def _take(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._before[0](kind, error, trace)
            return
        log.error("Unexpected error", exc_info=(kind, error, trace))
        self._happened.emit(f"{kind.__name__}: {error}"[:300])

    def _take_from_thread(self, told: threading.ExceptHookArgs) -> None:
        if told.exc_value is not None:
            self._take(told.exc_type, told.exc_value, told.exc_traceback)

    @Slot(str)
    def _tell(self, what: str) -> None:
        self._notices.show(
            Notice(
                self.tr("Something went wrong in the editor. Your work is safe."),
                what,
                "error",
                "crash",
                "open-log",
                open_log,
            )
        )


def open_log() -> None:
    """Show the log in the system's viewer."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(log_file())))


def _handler() -> logging.Handler | None:
    """Return what writes the log, of bounded size; without a place to write there is none."""
    try:
        log_file().parent.mkdir(parents=True, exist_ok=True)
        handler = logging.handlers.RotatingFileHandler(
            log_file(), maxBytes=1 << 20, backupCount=1, encoding="utf-8", delay=True
        )
    except OSError:
        return None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    return handler
