"""Overwrite guard: tells a write-protected file, or one that someone else changed.

For worker threads: a file may be on a slow disk.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Hindrance = Literal["", "protected", "changed"]

WRITERS = 0o222


@dataclass(frozen=True)
class Stamp:
    """How a file looked when it was read or written."""

    changed: int
    size: int
    number: int


def stamp_of(path: Path) -> Stamp | None:
    """Return how a file looks now, or None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return Stamp(found.st_mtime_ns, found.st_size, found.st_ino)


def hindrance(path: Path, known: Stamp | None) -> Hindrance:
    """Return what a person must be asked about before `path` is replaced.

    `known` is how it looked when this editor last read or wrote it; None where it never did.
    """
    now = stamp_of(path)
    if now is None:
        return ""
    # The mode counts for everybody: replacing a file needs no right to write into it.
    if not path.stat().st_mode & WRITERS or not os.access(path, os.W_OK):
        return "protected"
    return "changed" if known is not None and now != known else ""
