"""What the daemon writes down: one line per event, with its facts as fields."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Any, Literal


def event(log: logging.Logger, name: str, *, level: int = logging.INFO, **fields: Any) -> None:
    """Write down that `name` happened."""
    log.log(level, name, extra={"fields": fields})


def set_up(style: Literal["text", "json"], level: int = logging.INFO) -> None:
    """Send what Standee writes down to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Json() if style == "json" else Text())
    root = logging.getLogger("standee")
    root.handlers[:] = [handler]
    root.setLevel(level)
    root.propagate = False


class Json(logging.Formatter):
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


class Text(logging.Formatter):
    """One readable line, for people."""

    def format(self, record: logging.LogRecord) -> str:
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        facts = " ".join(f"{name}={value}" for name, value in getattr(record, "fields", {}).items())
        line = f"{clock} {record.getMessage()} {facts}".rstrip()
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line
