"""Captured tokens on disk: they outlive the process, and more of them fit than in memory.

Each entry of the token cache is a file, named by the digest of its key. A thread writes them while pictures go on, and
others read. Nothing is synced: a file that is lost is a miss, and one that is torn is known by its checksums. Processes
may share a folder: any file may be gone at any time. Whatever is wrong with the disk ends the keeping, and no job.

A file is `HEAD` (what it is, the header's length and checksum, the pieces' checksum), the header (a `TensorLayout` as
JSON) and the pieces.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import struct
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from zlib import crc32

import msgspec
import torch

from .entries import CacheEntry, TensorLayout

log = logging.getLogger(__name__)

QUEUE = 2**30
"""Most bytes that wait for being written; a single entry may be larger."""

READERS = 2
"""Files that are read at a time."""

STALE = 60.0
"""Seconds after which nobody writes on at a part."""

SHARE = 8
"""The folder, which other processes write into as well, is looked at again after every such part of its limit; where it
is full, so much is deleted."""

HEAD = struct.Struct("<8sIII")
MAGIC = b"tokens 1"
"""How a file begins: another number whenever its format changes, or one key comes to mean other tokens."""

DONE, PART = ".tokens", ".part"


class TornFile(Exception):
    """A file does not hold what was written into it."""


class TokenFiles:
    """Entries by key in the files of `folder`, the longest unused making room; at most `limit` bytes.

    `on` until the disk makes trouble: from then on nothing is found or kept.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit, self.on = folder, limit, True
        self._writer = ThreadPoolExecutor(1, "token writer")
        self._reader = ThreadPoolExecutor(READERS, "token reader")
        self._lock = threading.Lock()
        self._waiting, self._room = 0, -1
        with self._trouble_ends_it():
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._drop_parts()
            self._make_room(0)

    def read(self, key: str, device: torch.device) -> Future[CacheEntry | None]:
        """Begin to read an entry, into memory that suits `device`; `None` comes of it where there is no such file.

        The result raises `RuntimeError` where the host's memory is full.
        """
        return self._reader.submit(self._read, self._path(key), device)

    def takes(self, size: int) -> bool:
        """Return whether an entry of `size` bytes would be written, or too much is waiting for that already."""
        with self._lock:
            fits = self._waiting == 0 or self._waiting + size <= QUEUE
        return self.on and fits and size <= self.limit

    def keep(self, key: str, entry: CacheEntry) -> None:
        """Write an entry in the background, if that can be; of one that the disk has already, note that it was used."""
        if entry.filed:
            self._writer.submit(self._touch, self._path(key))
        elif self.takes(entry.bytes):
            entry.filed = True
            with self._lock:
                self._waiting += entry.bytes
            self._writer.submit(self._write, self._path(key), entry)

    def flush(self) -> None:
        """Wait until all that was to be written is."""
        self._writer.submit(int).result()

    def _path(self, key: str) -> Path:
        return self.folder / (hashlib.sha256(key.encode()).hexdigest() + DONE)

    def _read(self, path: Path, device: torch.device) -> CacheEntry | None:
        with self._trouble_ends_it():
            try:
                return read_entry(path, device) if self.on else None
            except TornFile:
                log.info("%s was torn; its tokens are captured again.", path)
                path.unlink(missing_ok=True)
        return None

    def _touch(self, path: Path) -> None:
        with self._trouble_ends_it():
            if self.on:
                os.utime(path)

    def _write(self, path: Path, entry: CacheEntry) -> None:
        try:
            with self._trouble_ends_it():
                if not self.on:
                    return
                if path.exists():
                    os.utime(path)
                elif self._make_room(file_size(entry.layout)):
                    part = path.with_suffix(f".{secrets.token_hex(4)}{PART}")
                    try:
                        write_entry(part, entry)
                        part.replace(path)
                    finally:
                        part.unlink(missing_ok=True)
        finally:
            with self._lock:
                self._waiting -= entry.bytes

    def _make_room(self, size: int) -> bool:
        """Delete the longest unused files until `size` more bytes fit; false if they cannot."""
        if size > self._room:
            files = sorted(self._index_files())
            room = self.limit - sum(length for _, length, _ in files)
            share = max(size, self.limit // SHARE)
            aim = share if room < size else room
            for _, length, path in files:
                if room >= aim:
                    break
                path.unlink(missing_ok=True)
                room += length
            self._room = min(share, room)
        if size > self._room:
            return False
        self._room -= size
        return True

    def _index_files(self) -> Iterator[tuple[int, int, Path]]:
        """Yield when each file was used last, its bytes, and itself."""
        for path in self.folder.iterdir():
            if path.suffix in (DONE, PART):
                with suppress(FileNotFoundError):
                    facts = path.stat()
                    yield facts.st_mtime_ns, facts.st_size, path

    def _drop_parts(self) -> None:
        """Delete what a process that was ended has left half-written."""
        for used, _, path in list(self._index_files()):
            if path.suffix == PART and time.time() - used / 1e9 > STALE:
                path.unlink(missing_ok=True)

    @contextmanager
    def _trouble_ends_it(self) -> Iterator[None]:
        """Turn the disk off at its first error, with a word in the log; that a file is gone is none."""
        try:
            yield
        except OSError as error:
            gone = isinstance(error, FileNotFoundError) and self.folder.is_dir()
            if self.on and not gone:
                self.on = False
                log.warning("Tokens are not kept on disk any more: %s", error)


def file_size(layout: TensorLayout) -> int:
    """Return the bytes of an entry's file."""
    return HEAD.size + len(_header(layout)) + sum(layout.sizes)


def write_entry(path: Path, entry: CacheEntry) -> None:
    """Write an entry into a new file that only its user can read."""
    if entry.filled is not None:
        entry.filled.synchronize()
    header = _header(entry.layout)
    pieces = [memoryview(piece.numpy()) for piece in entry.pieces]
    head = HEAD.pack(MAGIC, len(header), crc32(header), _checksum(pieces))
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(head + header)
        file.writelines(pieces)


def read_entry(path: Path, device: torch.device) -> CacheEntry:
    """Read an entry into memory for `device`. Raises `TornFile`, `OSError`, and `RuntimeError` without memory."""
    with path.open("rb") as file:
        head = file.read(HEAD.size)
        if len(head) < HEAD.size:
            raise TornFile
        magic, length, of_header, of_pieces = HEAD.unpack(head)
        header = file.read(length)
        if magic != MAGIC or crc32(header) != of_header:
            raise TornFile
        layout = msgspec.json.decode(header, type=TensorLayout, dec_hook=_dtype)
        if os.fstat(file.fileno()).st_size != HEAD.size + length + sum(layout.sizes):
            raise TornFile
        entry = layout.reserve(device)
        pieces = [memoryview(piece.numpy()) for piece in entry.pieces]
        for piece in pieces:
            file.readinto(piece)
    if _checksum(pieces) != of_pieces:
        raise TornFile
    entry.filed = True
    return entry


def _header(layout: TensorLayout) -> bytes:
    return msgspec.json.encode(layout, enc_hook=str)


def _checksum(pieces: list[memoryview]) -> int:
    total = 0
    for piece in pieces:
        total = crc32(piece, total)
    return total


def _dtype(_: type, name: str) -> Any:
    """Return torch's dtype of a name such as torch.bfloat16."""
    return getattr(torch, name.removeprefix("torch."))
