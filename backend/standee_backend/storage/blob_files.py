"""Pictures on disk, each in a file named by the SHA-256 of its bytes.

A file gets its name only when all its bytes are on the disk and hash to it: `.part` -> fsync ->
rename. Who may see which picture, and how much of it, is the store's business.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from standee.errors import BadMessage, MissingBlob, StorageFull

DAY = 86400.0
FRESH = 60.0
"""Seconds that a new picture is safe from deletion until it is claimed."""


class BlobFiles:
    """The pictures in one folder. Safe to use from several threads and processes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts = folder / "parts"
        self._lock = threading.Lock()
        with _storing():
            self._parts.mkdir(parents=True, exist_ok=True, mode=0o700)

    def path(self, digest: str) -> Path:
        """Return where the picture lies or would lie."""
        return self._folder / digest[:2] / digest

    def has(self, digest: str) -> bool:
        return self.path(digest).is_file()

    def size(self, digest: str) -> int:
        """Return the picture's bytes. Raises `MissingBlob`."""
        try:
            return self.path(digest).stat().st_size
        except OSError:
            raise missing(digest) from None

    def read(self, digest: str, offset: int = 0, length: int = -1) -> bytes:
        """Return (a part of) a picture. Raises `MissingBlob`."""
        try:
            with self.path(digest).open("rb") as file:
                file.seek(offset)
                return file.read(length)
        except OSError:
            raise missing(digest) from None

    def put(self, data: bytes) -> str:
        """Keep a picture made here and return its digest. Raises `StorageFull`."""
        digest = hashlib.sha256(data).hexdigest()
        part = self._parts / f"made-{secrets.token_hex(8)}.part"
        try:
            with _storing():
                part.write_bytes(data)
                self._settle(part, digest)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
        return digest

    def whole(self, digest: str) -> bytes:
        """Return a picture, checked. One that is damaged is deleted: it can be sent again.

        Raises `MissingBlob`.
        """
        data = self.read(digest)
        if hashlib.sha256(data).hexdigest() != digest:
            self.path(digest).unlink(missing_ok=True)
            raise missing(digest)
        return data

    # -- uploads ---------------------------------------------------------------------------------

    def received(self, owner: str, digest: str) -> int:
        """Return how many bytes of an upload are there."""
        try:
            return self._part(owner, digest).stat().st_size
        except OSError:
            return 0

    def append(self, owner: str, digest: str, offset: int, data: bytes) -> int:
        """Add to an upload what lies at its end; return how many bytes are there now.

        Bytes from elsewhere change nothing: the sender sees from the answer where to go on.
        """
        with self._lock, _storing(), self._part(owner, digest).open("ab") as file:
            end = file.tell()
            if offset <= end < offset + len(data):
                file.write(data[end - offset :])
                end = offset + len(data)
        return end

    def commit(self, owner: str, digest: str) -> int:
        """End an upload and return its size.

        Raises `BadMessage` if the bytes are not the digest's (they are dropped), `StorageFull`.
        """
        part = self._part(owner, digest)
        with self._lock, _storing():
            part.touch(mode=0o600)  # an empty picture has none yet
            with part.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != digest:
                part.unlink()
                raise BadMessage(
                    "The bytes that arrived are not those of the digest.",
                    path="$.digest",
                    fix="Name the picture by the SHA-256 of its bytes and send it again.",
                )
            self._settle(part, digest)
        return self.size(digest)

    def claim(self, digest: str) -> None:
        """Note that somebody holds a picture, so that it need not be kept once nobody does.

        Its time says so: whoever puts the same picture anew makes it fresh again.
        """
        with contextlib.suppress(OSError):
            os.utime(self.path(digest), (0, 0))

    def drop(self, digest: str) -> bool:
        """Delete a picture; return `False` if it came so lately that nobody may have claimed it yet."""
        path = self.path(digest)
        return _delete_if_older(path, FRESH) or not path.exists()

    def drop_upload(self, owner: str, digest: str) -> None:
        """Delete what came of an upload."""
        self._part(owner, digest).unlink(missing_ok=True)

    def sweep(self, keep: set[str]) -> int:
        """Delete pictures that nobody holds and uploads of yesterday; return how many."""
        dropped = 0
        for path in list(self._folder.glob("[0-9a-f][0-9a-f]/*")):
            dropped += path.name not in keep and _delete_if_older(path, 10 * FRESH)
        for path in list(self._parts.glob("*.part")):
            dropped += _delete_if_older(path, DAY)
        return dropped

    def _part(self, owner: str, digest: str) -> Path:
        whose = hashlib.sha256(owner.encode()).hexdigest()[:16]
        return self._parts / f"{whose}-{digest}.part"

    def _settle(self, part: Path, digest: str) -> None:
        """Make sure that the bytes are on the disk, then give them their name."""
        path = self.path(digest)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        if not path.parent.exists():
            path.parent.mkdir(exist_ok=True, mode=0o700)
            _sync_folder(self._folder)
        part.replace(path)
        _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    """Make sure that the names in a folder are on the disk, where a system can say so."""
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _delete_if_older(path: Path, seconds: float) -> bool:
    with contextlib.suppress(OSError):
        if abs(time.time() - path.stat().st_mtime) > seconds:  # a clock may have been wrong
            path.unlink()
            return True
    return False


def missing(digest: str, path: str = "$.digest") -> MissingBlob:
    """Return the error that says that a picture is not here."""
    return MissingBlob(
        f"The daemon does not hold the picture {digest[:12]}….",
        path=path,
        fix="Upload it before it is used.",
    )


@contextlib.contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageFull(
            f"A picture cannot be stored: {error}.", fix="Make room on the disk.", retry_after=10.0
        ) from None
