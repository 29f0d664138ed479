"""One daemon per user: a lock that the system lets go of when its holder ends, however it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class AlreadyRunning(Exception):
    """Another daemon serves this folder; the text is its process id."""


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the lock of a daemon's folder. Raises `AlreadyRunning`."""
    with (folder / "daemon.lock").open("a+b") as file:
        try:
            _lock(file)
        except OSError:
            raise AlreadyRunning(_pid(folder)) from None
        # A second file: on Windows the locked one cannot be read.
        (folder / "daemon.pid").write_text(str(os.getpid()))
        yield


def _lock(file: BinaryIO) -> None:
    if sys.platform == "win32":
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _pid(folder: Path) -> str:
    with suppress(OSError):
        return (folder / "daemon.pid").read_text().strip()
    return "unknown"
