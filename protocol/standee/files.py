"""Files and folders: the user's home folder, private files, files written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from .errors import StorageFull


def home() -> Path:
    """Return the folder of the user's daemon: `$STANDEE_HOME`, or the platform's place for data."""
    if given := os.environ.get("STANDEE_HOME"):
        return Path(given).expanduser().absolute()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
        return base / "Standee"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/Standee"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "standee"


def private_folder(folder: Path) -> Path:
    """Make `folder` one that only its user can enter, and return it. Raises `StorageFull`."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if sys.platform == "win32":
            user = f"{os.environ.get('USERDOMAIN', '.')}\\{os.environ.get('USERNAME', '')}"
            only_me = ["/inheritance:r", "/grant:r", f"{user}:(OI)(CI)F"]
            subprocess.run(["icacls", str(folder), *only_me], check=True, capture_output=True)
        elif stat.S_IMODE(folder.stat().st_mode) & 0o077:
            folder.chmod(0o700)
    except (OSError, subprocess.CalledProcessError) as error:
        raise StorageFull(
            f"The folder {folder} cannot be made private: {error}.",
            fix="Set STANDEE_HOME to a folder of your own.",
        ) from None
    return folder


def write_private(path: Path, data: bytes) -> None:
    """Write a file of mode 0600 so that others see the old one or the new one, never a part."""
    private_folder(path.parent)
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        with os.fdopen(os.open(part, flags, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise StorageFull(
            f"{path} cannot be written: {error}.", fix="Make room, or check the folder."
        ) from None


def sync_folder(folder: Path) -> None:
    """Make the renaming itself durable, where folders can be synced."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def not_saved(path: Path, error: OSError) -> StorageFull:
    """Say in an artist's words why the document could not be written to `path`."""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        reason, fix = "the disk is full", "Make room, or save to another disk."
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        reason, fix = "it cannot be written there", "Save to a folder of your own."
    elif error.errno in (errno.ENOENT, errno.ENOTDIR):
        reason, fix = f"the folder {path.parent} does not exist", "Make the folder first."
    else:
        reason, fix = error.strerror or str(error), "Save it elsewhere."
    return StorageFull(f"{path.name} was not saved: {reason}.", fix=fix)


def whole_path(path: str, folder: Path) -> str:
    """Return the full path of what is there relative to `folder`; anything else, a hub id, as it is."""
    try:
        there = folder / Path(path).expanduser()
        return str(there.resolve()) if there.exists() else path
    except (OSError, RuntimeError, ValueError):  # too long, no such user, a zero byte
        return path


O_BINARY = getattr(os, "O_BINARY", 0)
"""Windows would write line ends of its own."""


def check_writable(path: Path) -> None:
    """Refuse now what could not be written after minutes of work. Raises `StorageFull`."""
    folder = path.parent
    if not folder.is_dir():
        raise StorageFull(f"The folder {folder} does not exist.", fix="Make the folder first.")
    if path.is_dir():
        raise StorageFull(f"{path} is a folder.", fix="Name a file.")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise StorageFull(f"{path} cannot be written.", fix="Write to a folder of your own.")


def write_file(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a file so that others see the old one or the new one. Raises `StorageFull`."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | O_BINARY, mode)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
        part.replace(path)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise StorageFull(
            f"{path} could not be written: {error.strerror}.", fix="Make room, or write elsewhere."
        ) from None
