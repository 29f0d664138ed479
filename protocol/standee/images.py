"""Picture files: their kinds, limits and digests, and what their pixels mean to every face.

No picture library is needed here. `pictures.py` decodes by these rules with Pillow, Blender with its own readers;
`image_metadata.py` finds what files say beside their pixels.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import BadPicture, TooLarge

Floats = NDArray[np.float32]

HEAD = 64
"""How many bytes of a file tell its kind."""

READ = ("PNG", "JPEG", "WebP", "TIFF", "BMP", "GIF")
"""The kinds that every Standee reads."""
READ_WHERE_POSSIBLE = ("AVIF", "HEIC", "JPEG XL")
"""The kinds that are read where the picture library can."""
SUFFIXES = (
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".tif", ".tiff", ".bmp", ".gif"),
    *(".avif", ".heic", ".heif", ".jxl"),
)
"""How the names of such files end, for dialogs."""

MAX_PIXELS = 64_000_000
"""The most px of a picture in a composition."""

WIDE_RANGES = (1.0, 255.0, 65535.0)
"""What white may be in a picture of floating-point numbers: the least of these that most of it stays under."""

_STARTS = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),  # BigTIFF
    (b"MM\0+", "TIFF"),
    (b"BM", "BMP"),
    (b"GIF8", "GIF"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"%!PS", "EPS"),
    (b"\xc5\xd0\xd3\xc6", "EPS"),
    (b"%PDF", "PDF"),
    (b"8BPS", "Photoshop"),
    (b"gimp xcf", "GIMP"),
    (b"v/1\x01", "OpenEXR"),
    (b"#?", "Radiance"),
    (b"DDS ", "DDS"),
    (b"\0\0\1\0", "icon"),
    (b"PK\3\4", "ZIP"),
    (b"<svg", "SVG"),
)


def kind_of(head: bytes) -> str:
    """Return the kind of a file by its first `HEAD` bytes, "" if it is no picture that is known here."""
    if head[:4] == b"RIFF":
        return "WebP" if head[8:12] == b"WEBP" else ""
    if head[4:8] == b"ftyp":  # the brands of one container
        brands = head[8 : max(12, int.from_bytes(head[:4], "big"))]
        if b"avif" in brands or b"avis" in brands:
            return "AVIF"
        named = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
        return "HEIC" if any(brand in brands for brand in named) else ""
    return next((kind for start, kind in _STARTS if head.startswith(start)), "")


def is_read(head: bytes) -> bool:
    """Return whether a file that begins so is a picture that a composition may name."""
    return kind_of(head) in READ + READ_WHERE_POSSIBLE


def check_kind(head: bytes, name: str = "The file", path: str = "") -> str:
    """Return the kind of a picture that a composition may name. Raises `BadPicture`, naming the file."""
    kind = kind_of(head)
    if kind in READ + READ_WHERE_POSSIBLE:
        return kind
    what = f"a file of the kind {kind}, which is not read" if kind else "not a picture"
    raise BadPicture(
        f"{name} cannot be opened: it is {what}." if head else f"{name} is empty.",
        path=path,
        fix=f"Give a {', '.join(READ[:-1])} or {READ[-1]}.",
    )


def damaged(name: str, path: str = "") -> BadPicture:
    """Say that the pixels of a file cannot be read."""
    return BadPicture(
        f"{name} cannot be opened: it is damaged.",
        path=path,
        fix="Get it again from where it came, or save it again as PNG.",
    )


def check_size(
    width: int, height: int, name: str = "The picture", path: str = "", most: int = MAX_PIXELS
) -> None:
    """Raise `TooLarge` for more than `most` px. To be asked before anything is decoded."""
    if width * height > most:
        raise TooLarge(
            f"{name} has {width} x {height} px, more than can be opened.",
            path=path,
            fix=f"Scale it to at most {most:,} px in all.",
        )


def digest_of(source: bytes | Path) -> str:
    """Return the SHA-256 of a picture's bytes, by which it is named everywhere."""
    if isinstance(source, Path):
        with source.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(source).hexdigest()


# What pixels mean


def upright(pixels: NDArray[np.generic], orientation: int) -> NDArray[np.generic]:
    """Turn `pixels` (height, width[, channels]) as their EXIF orientation, 1..8, says."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def unit_range(values: NDArray[np.generic]) -> Floats:
    """Return deep greys (height, width) as 0..1.

    Whole numbers of 16 bits reach 65535. Floating-point numbers are 0..1 by the convention of the field, or count in
    255ths or 65535ths where most of them lie above 1; what is not finite is black.
    """
    if values.dtype.kind in "iu":
        largest = int(values.max(initial=0))
        white = 65535.0 if largest <= 65535 else float(2**31 - 1)
    else:
        values = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        usual = float(np.quantile(values.astype(np.float64), 0.75)) if values.size else 0.0
        white = next((one for one in WIDE_RANGES if usual <= one), max(usual, 1.0))
    scaled: Floats = np.clip(values.astype(np.float32) / np.float32(white), 0.0, 1.0)
    return scaled


def varies(channel: NDArray[np.generic]) -> bool:
    """Return whether a channel says anything: it is not the same everywhere."""
    return bool(channel.size) and bool(channel.min() != channel.max())


def as_mask(luminance: NDArray[np.generic], alpha: NDArray[np.generic] | None) -> Floats:
    """Return what a mask says, (height, width; 0..1), of its channels, 0..1 or 0..255 each.

    By its content, not its mode: its alpha where that varies, else its luminance. A stencil, which knows only 0 and one
    other number (such as the labels 0 and 1), is white where that other number is.
    """
    channel = alpha if alpha is not None and varies(alpha) else luminance
    white = np.float32(255 if channel.dtype == np.uint8 else 1)
    top = channel.max(initial=0)
    if 0 < top < white and bool(((channel == 0) | (channel == top)).all()) and varies(channel):
        white = np.float32(top)
    values: Floats = channel.astype(np.float32) / white
    return values
