"""A lock that one process at a time holds on a file; the system lets go of it when its holder ends."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

AGAIN = 0.2
"""Seconds between two tries."""


def lock(file: BinaryIO) -> None:
    """Lock an open file until it is closed. Raises `OSError` where another process has."""
    if sys.platform == "win32":
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def locked(path: Path, meanwhile: Callable[[], None]) -> Iterator[None]:
    """Hold the lock of the file at `path`, which is made; call `meanwhile` while another has it."""
    with path.open("a+b") as file:
        while True:
            try:
                lock(file)
                break
            except OSError:
                meanwhile()
                time.sleep(AGAIN)
        yield
