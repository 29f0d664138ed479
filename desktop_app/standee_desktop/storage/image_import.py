"""Image import: pictures decoded as the engine decodes them, and scaled when huge. No Qt.

Everything in this file may take a while and is called from worker threads. What comes out is the
encoded bytes that the document keeps. A file that needs no change is kept as it was given.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from standee.errors import BadPicture
from standee.pictures import decode

KEPT_SIDE = 4096
"""Longer pictures are scaled to this many px: no model here shows a subject larger than that."""
MAX_PIXELS = 256_000_000
"""What is decoded at most; 1 GB of memory for a moment."""
KEPT_KINDS = ("PNG", "JPEG", "WebP")
"""Kinds whose bytes go into the document as they are; others become PNG."""


@dataclass(frozen=True)
class Imported:
    """A picture that is ready for the document: its bytes, size in px, and what was done to it."""

    data: bytes
    name: str
    width: int
    height: int
    has_alpha: bool
    note: str = ""


def read_picture(source: Path | bytes, name: str = "") -> Imported:
    """Read a picture, a file or its bytes. Raises `BadPicture` and `TooLarge`, naming the file."""
    name = name or (source.stem if isinstance(source, Path) else "")
    title = source.name if isinstance(source, Path) else name or "The picture"
    try:
        data = source.read_bytes() if isinstance(source, Path) else bytes(source)
    except OSError as error:
        raise BadPicture(
            f"{title} cannot be read: {error.strerror}.", fix="Check its name and permissions."
        ) from error
    if not data:
        raise BadPicture(f"{title} is empty.", fix="Save it again from where it came.")
    decoded = decode(data, title, most=MAX_PIXELS, longest=KEPT_SIDE)
    picture, size = decoded.image, decoded.size
    note = ""
    if max(size) > KEPT_SIDE:
        picture.thumbnail((KEPT_SIDE, KEPT_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
        note = (
            f"{title} had {size[0]} × {size[1]} px and was scaled to"
            f" {picture.width} × {picture.height} px."
        )
    if note or not decoded.as_is or decoded.kind not in KEPT_KINDS:
        data = encode(picture)
    return Imported(data, name, picture.width, picture.height, picture.mode == "RGBA", note)


def open_picture(data: bytes, longest: int | None = None, name: str = "The picture") -> Image.Image:
    """Decode a picture of the document, upright, RGB or RGBA, reduced to `longest` px.

    Raises `BadPicture` and `TooLarge`.
    """
    picture = decode(data, name, most=MAX_PIXELS, longest=longest).image
    if longest is not None and max(picture.size) > longest:
        picture.thumbnail((longest, longest), Image.Resampling.BOX, reducing_gap=1.5)
    return picture


def encode(picture: Image.Image) -> bytes:
    """Encode as PNG, quickly rather than small; nothing of the camera's data is kept."""
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=3)
    return out.getvalue()
