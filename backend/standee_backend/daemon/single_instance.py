"""One daemon per user: a lock that the system lets go of when its holder ends, however it ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..storage.file_lock import lock


class AlreadyRunning(Exception):
    """Another daemon serves this folder; the text is its process id."""


@contextmanager
def single_instance(folder: Path) -> Iterator[None]:
    """Hold the lock of a daemon's folder. Raises `AlreadyRunning`."""
    with (folder / "daemon.lock").open("a+b") as file:
        try:
            lock(file)
        except OSError:
            raise AlreadyRunning(_pid(folder)) from None
        # A second file: on Windows the locked one cannot be read.
        (folder / "daemon.pid").write_text(str(os.getpid()))
        yield


def _pid(folder: Path) -> str:
    with suppress(OSError):
        return (folder / "daemon.pid").read_text().strip()
    return "unknown"
