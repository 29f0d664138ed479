"""Pictures on a machine of the cluster: a cache by digest, shared by its slots."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from ..storage.blob_files import BlobFiles

LIMIT = 4 * 2**30
"""Bytes of pictures that a machine keeps."""


class NodeBlobs:
    """The cache in one folder. What was used longest ago gives way to what comes."""

    def __init__(self, folder: Path, limit: int = LIMIT) -> None:
        self.folder, self._limit = folder, limit
        self._files = BlobFiles(folder)

    def lacks(self, digests: Iterable[str]) -> list[str]:
        """Return which of the pictures are not here; the others count as used now."""
        lacking = []
        for digest in digests:
            try:
                os.utime(self._files.path(digest))
            except OSError:
                lacking.append(digest)
        return lacking

    def keep(self, data: bytes) -> str:
        """Keep a picture and return its digest. Raises `StorageFull`."""
        digest = self._files.put(data)
        self._trim()
        return digest

    def whole(self, digest: str) -> bytes:
        """Return a picture, checked. Raises `MissingBlob`."""
        return self._files.whole(digest)

    def _trim(self) -> None:
        """Delete what was used longest ago, beyond the limit."""
        found = []
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*"):
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime, status.st_size, path))
        room = sum(size for _, size, _ in found) - self._limit
        for _, size, path in sorted(found):
            if room <= 0:
                return
            path.unlink(missing_ok=True)
            room -= size
