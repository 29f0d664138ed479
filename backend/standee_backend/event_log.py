"""Structured logging: one line per event, with its facts as fields."""

from __future__ import annotations

import atexit
import json
import logging
import queue
import sys
import threading
import time
from contextlib import suppress
from typing import Any, Literal, TextIO

WAITING = 1000
"""How many lines wait for a reader of the log; those that come then are lost, and nothing stands still for them."""
LAST_WORDS = 1.0
"""Seconds that an ending process gives the lines that wait."""


def event(log: logging.Logger, name: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Write down that `name` happened."""
    log.log(level, name, extra={"fields": fields})


def set_up(style: Literal["text", "json"], level: int = logging.INFO) -> None:
    """Send what Standee writes down to stderr."""
    handler = Writer(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    root = logging.getLogger("standee")
    root.handlers[:] = [handler]
    root.setLevel(level)
    root.propagate = False


class Writer(logging.Handler):
    """Writes to a stream in a thread of its own: whoever reads it may be slow, or not read at all."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._lines: queue.Queue[str] = queue.Queue(WAITING)
        threading.Thread(target=self._write, args=(stream,), daemon=True, name="log").start()
        atexit.register(self._end)

    def emit(self, record: logging.LogRecord) -> None:
        """Have a record written, if there is room for it."""
        with suppress(queue.Full):
            self._lines.put_nowait(self.format(record))

    def _write(self, stream: TextIO) -> None:
        while True:
            line = self._lines.get()
            with suppress(OSError, ValueError):  # nobody is there to read it
                stream.write(line + "\n")
                stream.flush()
            self._lines.task_done()

    def _end(self) -> None:
        deadline = time.monotonic() + LAST_WORDS
        while self._lines.unfinished_tasks and time.monotonic() < deadline:
            time.sleep(0.01)


class JsonFormatter(logging.Formatter):
    """One JSON map a line, for programs."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": round(record.created, 3),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)


class TextFormatter(logging.Formatter):
    """One readable line, for people."""

    def format(self, record: logging.LogRecord) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        facts = " ".join(f"{name}={value}" for name, value in getattr(record, "fields", {}).items())
        line = f"{clock} {record.getMessage()} {facts}".rstrip()
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line
