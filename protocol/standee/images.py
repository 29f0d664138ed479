"""Image files: how they begin, and their digests."""

from __future__ import annotations

import hashlib
from pathlib import Path

PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", b"II*\0", b"MM\0*", b"BM", b"GIF8")
"""How the files of pictures begin: PNG, JPEG, WebP, TIFF, BMP, GIF."""


def digest_of(source: bytes | Path) -> str:
    """Return the SHA-256 of a picture's bytes, by which it is named everywhere."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(source).hexdigest()
