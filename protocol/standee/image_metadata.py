"""Metadata of picture files: which way is up, and what their numbers mean as colours.

It is read from the bytes, within bounds, and never ends a picture: what is broken or too long says nothing.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from .images import kind_of

MAX_PROFILE = 16 << 20
"""The most bytes of a colour profile; those of printers have a few MB."""
ORIENTATION = 0x0112
_SIGNATURE = 8
_PIXELS_OF_PNG = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT")
_PIXELS_OF_JPEG = (0xE0, 0xEE)
"""The application segments that say how the pixels are coded: JFIF's and Adobe's."""


def orientation_of(data: bytes) -> int:
    """Return the EXIF orientation of a PNG, JPEG, WebP or TIFF, 1..8; 1, upright, where it says none."""
    try:
        return _orientation(_exif(data))
    except (struct.error, IndexError, ValueError):
        return 1


def profile_of(data: bytes) -> bytes:
    """Return the ICC profile in a PNG, JPEG or WebP; nothing where there is none that can be read."""
    kind = kind_of(data[:64])
    if kind == "PNG":
        body = next((body for name, body in png_chunks(data) if name == b"iCCP"), b"")
        _, _, packed = body.partition(b"\0")
        unpacker = zlib.decompressobj()
        try:
            profile = unpacker.decompress(packed[1:], MAX_PROFILE)
        except zlib.error:
            return b""
        return profile if unpacker.eof else b""
    if kind == "JPEG":
        parts = {}
        for name, body in jpeg_segments(data):
            if name == 0xE2 and body.startswith(b"ICC_PROFILE\0") and len(body) > 14:
                parts[body[12]] = body[14:]
        return b"".join(parts[n] for n in sorted(parts))
    if kind == "WebP":
        return next((body for name, body in webp_chunks(data) if name == b"ICCP"), b"")
    return b""


def without_metadata(data: bytes) -> bytes:
    """Return a PNG or JPEG with nothing in it but its pixels; other files as they are."""
    kind = kind_of(data[:64])
    if kind == "PNG":
        chunks = [
            struct.pack(">I", len(body)) + name + body + data[end - 4 : end]
            for name, body, end in _walk_png(data)
            if name in _PIXELS_OF_PNG
        ]
        at = sum(12 + len(body) for _, body, _ in _walk_png(data)) + _SIGNATURE
        return b"".join([data[:_SIGNATURE], *chunks, data[at:]])  # a cut chunk stays cut
    if kind == "JPEG":
        kept, at = [data[:2]], 2
        for name, start, end in _walk_jpeg(data):
            if name not in range(0xE0, 0xF0) or name in _PIXELS_OF_JPEG:
                kept.append(data[start:end])
            at = end
        return b"".join([*kept, data[at:]])
    return data


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the body of each whole chunk of a PNG."""
    return ((name, body) for name, body, _ in _walk_png(data))


def jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the marker and the body of each segment of a JPEG before its pixels."""
    return ((name, data[start + 4 : end]) for name, start, end in _walk_jpeg(data))


def webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the name and the body of each whole chunk of a WebP."""
    at = 12
    while at + 8 <= len(data):
        end = at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")
        if end > len(data):
            return
        yield data[at : at + 4], data[at + 8 : end]
        at = end + end % 2


def _walk_png(data: bytes) -> Iterator[tuple[bytes, bytes, int]]:
    at = _SIGNATURE
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if end > len(data):
            return
        yield data[at + 4 : at + 8], data[at + 8 : end - 4], end
        at = end


def _walk_jpeg(data: bytes) -> Iterator[tuple[int, int, int]]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] not in (0xFF, 0xDA, 0x00):
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end > len(data) or end < at + 4:
            return
        yield data[at + 1], at, end
        at = end


def _exif(data: bytes) -> bytes:
    """Return the TIFF structure that holds a file's EXIF, or nothing."""
    kind = kind_of(data[:64])
    if kind == "TIFF":
        return data
    if kind == "PNG":
        return next((body for name, body in png_chunks(data) if name == b"eXIf"), b"")
    if kind == "JPEG":
        parts = (body for name, body in jpeg_segments(data) if name == 0xE1)
        return next((one[6:] for one in parts if one.startswith(b"Exif\0")), b"")
    if kind == "WebP":
        body = next((body for name, body in webp_chunks(data) if name == b"EXIF"), b"")
        return body.removeprefix(b"Exif\0\0")
    return b""


def _orientation(tiff: bytes) -> int:
    """Look for the orientation among the first directory's fields."""
    if tiff[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return 1
    order = "<" if tiff[:2] == b"II" else ">"
    if tiff[2 if order == "<" else 3] == 0x2B:  # BigTIFF
        (at,) = struct.unpack_from(f"{order}Q", tiff, 8)
        (count,) = struct.unpack_from(f"{order}Q", tiff, at)
        first, size, inline = at + 8, 20, 12
    else:
        (at,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, at)
        first, size, inline = at + 2, 12, 8
    for n in range(min(count, 1000)):
        tag, kind = struct.unpack_from(f"{order}HH", tiff, first + n * size)
        if tag == ORIENTATION and kind in (3, 4):
            form = f"{order}{'H' if kind == 3 else 'I'}"
            (value,) = struct.unpack_from(form, tiff, first + n * size + inline)
            return int(value) if 1 <= value <= 8 else 1
    return 1
