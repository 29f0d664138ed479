"""Paths of the editor's data folder, beside the daemon's.

`$STANDEE_HOME` moves all of it, for tests and for people with several set-ups.
"""

from __future__ import annotations

from pathlib import Path

from standee.files import home, not_saved, write_atomically


def data_folder() -> Path:
    """Return the editor's folder; it need not exist yet."""
    return home() / "editor"


def recovery_folder() -> Path:
    """Return where unsaved work lies."""
    return data_folder() / "recovery"


def library_folder() -> Path:
    """Return where the subjects lie that are kept across scenes."""
    return data_folder() / "library"


def log_file() -> Path:
    """Return the file that tells what went wrong."""
    return data_folder() / "editor.log"


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all, and the folder that it lies in. Raises `StorageFull`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise not_saved(path, error) from error
    write_atomically(path, data)
