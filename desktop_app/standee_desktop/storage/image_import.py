"""Pictures from outside: read safely, set upright, and scaled when they are huge. No Qt in here.

Everything in this file may take a while and is called from worker threads. What comes out is the
encoded bytes that the document keeps. A file that needs no change is kept as it was given.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from standee.errors import BadPicture, TooLarge

KEPT_SIDE = 4096
"""Longer pictures are scaled to this many px: no model here shows a subject larger than that."""
MAX_PIXELS = 256_000_000
"""What is decoded at most; 1 GB of memory for a moment."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif")
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")
KEPT_FORMATS = ("PNG", "JPEG", "WEBP")
"""Formats whose bytes go into the document as they are; others become PNG."""
ORIENTATION, UPRIGHT, SIDEWAYS = 0x0112, 1, (5, 6, 7, 8)
"""The EXIF field, and its values that exchange width and height."""

Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit comes before a JPEG can be read at a fraction

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, MemoryError)


@dataclass(frozen=True)
class Imported:
    """A picture that is ready for the document: its bytes, size in px, and what was done to it."""

    data: bytes
    name: str
    width: int
    height: int
    has_alpha: bool
    note: str = ""


def is_picture(path: Path) -> bool:
    """Return whether the name of a file says that it is a picture."""
    return path.suffix.lower() in SUFFIXES


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
    picture, size = _decode(data, title)
    same = picture.format in KEPT_FORMATS and getattr(picture, "n_frames", 1) == 1
    orientation = picture.getexif().get(ORIENTATION, UPRIGHT)
    turned = orientation != UPRIGHT
    if orientation in SIDEWAYS:
        size = size[::-1]
    try:
        picture = upright(picture)
    except _BROKEN as error:
        raise _broken(title, error) from None
    alpha = picture.mode == "RGBA" and picture.getchannel("A").getextrema() != (255, 255)
    if picture.mode == "RGBA" and not alpha:
        picture = picture.convert("RGB")
    note = ""
    if max(size) > KEPT_SIDE:
        picture.thumbnail((KEPT_SIDE, KEPT_SIDE), Image.Resampling.LANCZOS, reducing_gap=2.0)
        note = (
            f"{title} had {size[0]} × {size[1]} px and was scaled to"
            f" {picture.width} × {picture.height} px."
        )
        same = False
    if not same or turned:
        data = encode(picture)
    return Imported(data, name, picture.width, picture.height, alpha, note)


def open_picture(data: bytes, longest: int | None = None, name: str = "The picture") -> Image.Image:
    """Decode a picture of the document, upright, RGB or RGBA, reduced to `longest` px.

    Raises `BadPicture` and `TooLarge`.
    """
    picture, _ = _decode(data, name, longest)
    try:
        picture = upright(picture)
        if longest is not None and max(picture.size) > longest:
            picture.thumbnail((longest, longest), Image.Resampling.BOX, reducing_gap=1.5)
    except _BROKEN as error:
        raise _broken(name, error) from None
    return picture


def upright(picture: Image.Image) -> Image.Image:
    """Decode `picture` fully, turned as its EXIF says, as RGB or RGBA."""
    turned = ImageOps.exif_transpose(picture)
    if turned.mode in ("I;16", "I", "F"):
        low, high = turned.getextrema()
        span = max(float(high) - float(low), 1e-9)  # type: ignore[arg-type]
        scale = 255.0 / 65535.0 if turned.mode != "F" else 255.0 / span
        turned = turned.point(lambda value: value * scale).convert("L")
    has_alpha = turned.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in turned.info
    return turned.convert("RGBA" if has_alpha else "RGB")


def encode(picture: Image.Image) -> bytes:
    """Encode as PNG, quickly rather than small; nothing of the camera's data is kept."""
    out = io.BytesIO()
    picture.save(out, "PNG", compress_level=3)
    return out.getvalue()


def _decode(
    data: bytes, title: str, longest: int | None = KEPT_SIDE
) -> tuple[Image.Image, tuple[int, int]]:
    """Open a picture, and return it with its real size; a large JPEG is decoded at a fraction."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
            size = picture.size
            if picture.format == "JPEG" and longest is not None:
                picture.draft("RGB" if picture.mode != "L" else "L", (longest, longest))
            if picture.width * picture.height > MAX_PIXELS:
                raise TooLarge(
                    f"{title} has {size[0]} × {size[1]} px, more than can be opened.",
                    fix=f"Scale it to at most {KEPT_SIDE} px first.",
                )
            picture.load()
    except _BROKEN as error:
        raise _broken(title, error) from None
    return picture, size


def _broken(title: str, error: BaseException) -> BadPicture:
    reason = (
        "it is damaged"
        if not isinstance(error, UnidentifiedImageError)
        else ("it is not a PNG, JPEG, WebP or TIFF")
    )
    return BadPicture(
        f"{title} cannot be opened: {reason}.", fix="Save it again as PNG, JPEG or WebP."
    )
