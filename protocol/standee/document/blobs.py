"""Bytes that lie in a file until they are asked for, and where a document puts what is added to it.

Pictures are large and an artist adds many, so they wait on the disk, not in memory.
"""

from __future__ import annotations

import hashlib
import io
import re
import tempfile
import threading
from collections.abc import Iterator, Mapping
from typing import IO, Any, Protocol

import msgspec

from ..errors import BadDocument, StorageFull, TooLarge

CHUNK = 1 << 20
MAX_PICTURE = 1 << 28
"""The most bytes of one picture, as the daemon takes them."""

DIGEST_LETTERS = 64
DIGEST = re.compile(rb"(?<![0-9a-f])[0-9a-f]{64}")
"""A digest in a text; at the end of a piece of it, what more may follow does not matter."""


class Source(Protocol):
    """Bytes that lie in a file until they are asked for."""

    @property
    def size(self) -> int:
        """How many bytes there are."""

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes in pieces."""


class Spool:
    """Bytes added to a document before it is saved: an anonymous file that vanishes with it."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._lock = threading.Lock()

    def add(self, stream: IO[bytes]) -> tuple[str, SpoolPart]:
        """Copy `stream` in; return the SHA-256 of its bytes and where they are now.

        Raises `TooLarge`, and `StorageFull` when the disk is full.
        """
        digest = hashlib.sha256()
        with self._lock:
            try:
                if self._file is None:
                    self._file = tempfile.TemporaryFile(prefix="standee-")  # noqa: SIM115
                start = self._file.seek(0, io.SEEK_END)
                size = 0
                while chunk := stream.read(CHUNK):
                    size += len(chunk)
                    if size > MAX_PICTURE:
                        self._file.truncate(start)
                        raise TooLarge(
                            f"The picture has more than {MAX_PICTURE >> 20} MiB.",
                            fix="Save it smaller, or as JPEG or WebP.",
                        )
                    digest.update(chunk)
                    self._file.write(chunk)
                self._file.flush()
            except OSError as error:
                raise StorageFull(
                    f"The picture could not be put aside: {error.strerror}.",
                    fix=f"Make room in {tempfile.gettempdir()}.",
                ) from error
        return digest.hexdigest(), SpoolPart(self, start, size)

    def read(self, start: int, size: int) -> bytes:
        """Return `size` bytes from `start`. Raises `BadDocument` when it is closed."""
        with self._lock:
            if self._file is None:
                raise BadDocument("The document is closed.", fix="Open it again.")
            self._file.seek(start)
            return self._file.read(size)

    def close(self) -> None:
        """Give the disk space back."""
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


class SpoolPart:
    """A piece of a `Spool`."""

    def __init__(self, spool: Spool, start: int, size: int) -> None:
        self._spool, self._start, self.size = spool, start, size

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes in pieces."""
        for at in range(0, self.size, CHUNK):
            yield self._spool.read(self._start + at, min(CHUNK, self.size - at))


class StoredResult:
    """A picture that was made, and the receipt that says how; both are read when they are asked for."""

    def __init__(self, source: Source, receipt: Source | None, lock: threading.RLock) -> None:
        self.source, self.text_source, self._lock = source, receipt, lock

    @property
    def data(self) -> bytes:
        """The bytes of the PNG, read now."""
        with self._lock:
            return b"".join(self.source.chunks())

    @property
    def text(self) -> bytes:
        """The receipt as JSON, read now; an empty one where it is damaged: its picture still counts."""
        return msgspec.json.encode(self.receipt)

    @property
    def receipt(self) -> dict[str, Any]:
        """The settings, the seed, the digests, read and decoded now; nothing where they are damaged."""
        if self.text_source is None:
            return {}
        try:
            with self._lock:
                text = b"".join(self.text_source.chunks())
            return msgspec.json.decode(text, type=dict[str, Any])
        except (BadDocument, msgspec.DecodeError, UnicodeError, RecursionError):
            return {}

    def digests(self) -> Iterator[str]:
        """Yield the digests that the receipt names, from its text, which is read in pieces."""
        tail = b""
        try:
            with self._lock:
                for chunk in self.text_source.chunks() if self.text_source else ():
                    piece = tail + chunk
                    yield from (found[0].decode() for found in DIGEST.finditer(piece))
                    tail = piece[-DIGEST_LETTERS:]
        except BadDocument:
            return


class Blobs(Mapping[str, bytes]):
    """The pictures of a document by their digest; the bytes are read and checked on each access."""

    def __init__(self, sources: dict[str, Source], lock: threading.RLock) -> None:
        self._sources, self._lock = sources, lock

    def __getitem__(self, digest: str) -> bytes:
        with self._lock:
            data = b"".join(_verify_chunks(digest, self._sources[digest]))
        return data

    def __contains__(self, digest: object) -> bool:
        return digest in self._sources

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._sources))

    def __len__(self) -> int:
        return len(self._sources)

    def size(self, digest: str) -> int:
        """Return how many bytes a picture has, without reading it."""
        return self._sources[digest].size


def _verify_chunks(digest: str, source: Source) -> Iterator[bytes]:
    found = hashlib.sha256()
    for chunk in source.chunks():
        found.update(chunk)
        yield chunk
    if found.hexdigest() != digest:
        raise BadDocument(
            f"The picture {digest[:12]} in the document is damaged: its bytes have another digest.",
            fix="Remove the layer that shows it, or open a backup.",
        )
