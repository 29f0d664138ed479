"""Files and folders: the user's home folder, private files, files written whole or not at all."""

from __future__ import annotations

import codecs
import errno
import os
import secrets
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from .errors import StorageFull

O_BINARY = getattr(os, "O_BINARY", 0)
"""Windows would write line ends of its own."""
NETWORK = ("\\\\", "//", "\\/", "/\\")
"""How paths begin that Windows asks another computer for, with the user's name and password."""


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
    with replacing(path, mode=0o600, links=False) as stream:
        stream.write(data)


def write_atomically(path: Path, data: bytes, *, mode: int | None = None) -> None:
    """Write a file so that others see the old one or the new one, and a crash leaves one of them.

    Raises `StorageFull`. `mode` is the file's in any case; without one an old file's is kept.
    """
    with replacing(path, mode=mode) as stream:
        stream.write(data)


@contextmanager
def replacing(
    path: Path,
    *,
    mode: int | None = None,
    links: bool = True,
    swap: Callable[[Path, Path], object] = os.replace,
) -> Iterator[BinaryIO]:
    """Give a stream into a new file; when it is whole and on the disk, it takes the place of `path`, by `swap`.

    Where `path` is a link, what it leads to is replaced; without `links` the link itself is. The new file's name is
    short, so one that `path` may have is never too long for it. Raises `StorageFull`; whatever is raised, the old file
    is as it was.
    """
    try:
        target = regular_file(path) if links else path
        part = target.with_name(f".standee-{secrets.token_hex(8)}.part")
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | O_BINARY | getattr(os, "O_NOFOLLOW", 0)
        handle = os.open(part, flags, 0o666 if mode is None else mode)
    except OSError as error:
        raise not_saved(path, error) from error
    try:
        with os.fdopen(handle, "w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if mode is None and target.exists():
            shutil.copymode(target, part)
        swap(part, target)
        sync_folder(target.parent)
    except OSError as error:
        raise not_saved(path, error) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def regular_file(path: Path) -> Path:
    """Return where a file that is written to `path` will lie, links followed.

    Raises `StorageFull` where something else than a file is there, and `OSError`.
    """
    target = path.resolve()
    try:
        kind = target.lstat().st_mode
    except FileNotFoundError:
        return target
    if stat.S_ISDIR(kind):
        raise StorageFull(f"{path} is a folder.", fix="Name a file.")
    if not stat.S_ISREG(kind):
        raise StorageFull(
            f"{path} is no ordinary file.", fix="Name a file, or write to stdout with `-o -`."
        )
    return target


def check_writable(path: Path, size: int = 0) -> None:
    """Refuse now what could not be written after minutes of work: `size` bytes at `path`. Raises `StorageFull`."""
    with replacing(path, swap=_check_swap) as stream:
        stream.write(b"standee")
        stream.flush()
        free = shutil.disk_usage(path.resolve().parent).free
    if free < size:
        raise StorageFull(
            f"{path} needs {size / 2**20:.0f} MiB, and {free / 2**20:.0f} are free there.",
            fix="Make room, or write to another disk.",
        )


def _check_swap(part: Path, target: Path) -> None:
    """Leave all as it is where `part` could take the place of `target`. Raises `OSError`."""
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


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
    """Say in an artist's words why something could not be written to `path`."""
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        reason, fix = "the disk is full", "Make room, or save to another disk."
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        reason, fix = "it cannot be written there", "Save to a folder of your own."
    elif error.errno == errno.ENAMETOOLONG:
        reason, fix = "its name is too long", "Use a shorter name."
    elif error.errno in (errno.ENOENT, errno.ENOTDIR):
        reason, fix = f"the folder {path.parent} does not exist", "Make the folder first."
    else:
        reason, fix = error.strerror or str(error), "Save it elsewhere."
    return StorageFull(f"{path.name} was not saved: {reason}.", fix=fix)


def text_of(data: bytes) -> str:
    """Return the text of a file that a person may have edited: UTF-8, or UTF-16, with its mark or without.

    Raises `UnicodeError`.
    """
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if wide else "utf-8-sig")


def is_file(path: Path) -> bool:
    """Return whether there is a regular file; a name that no system could have is none."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long, a zero byte
        return False


def read_regular(path: Path, most: int) -> bytes:
    """Return the bytes of a regular file of at most `most`: anything else may never end. Raises `OSError`."""
    with open(path, "rb", opener=_without_waiting) as stream:
        state = os.fstat(stream.fileno())
        if not stat.S_ISREG(state.st_mode):
            raise OSError(errno.EINVAL, "It is not a regular file")
        if state.st_size > most:
            raise OSError(errno.EFBIG, f"It has more than {most:,} bytes")
        return stream.read(most)


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe that nobody writes to is not waited for."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | O_BINARY)


def whole_path(path: str, folder: Path) -> str:
    """Return the full path of what is there relative to `folder`; anything else, such as a hub id, as it is."""
    if path.startswith(NETWORK):
        return path
    try:
        there = folder / Path(path).expanduser()
        return str(there.resolve()) if there.exists() else path
    except (OSError, RuntimeError, ValueError):  # too long, no such user, a zero byte
        return path
