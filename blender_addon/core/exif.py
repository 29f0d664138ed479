"""EXIF orientation of picture files, which Blender ignores and the daemon follows."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

ORIENTATION = 274
"""The number of the field."""
UPRIGHT = 1


def orientation(data: bytes) -> int:
    """Return the orientation (1 to 8) that a JPEG, PNG, WebP or TIFF file names; 1 if none."""
    for block in _blocks(data):
        try:
            found = _field(block)
        except (struct.error, IndexError):  # damaged: no matter, the pixels are what counts
            continue
        if 1 <= found <= 8:
            return found
    return UPRIGHT


def apply_orientation(pixels: NDArray[np.float32], way: int) -> NDArray[np.float32]:
    """Return pixels (h, w, ...) as an orientation wants them shown."""
    flips = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 7: (-1, -1)}
    down, across = flips.get(way, (1, 1))
    out = pixels[::down, ::across]
    if way in (5, 7):
        out = out.swapaxes(0, 1)
    elif way in (6, 8):
        out = np.rot90(out, -1 if way == 6 else 1)
    return np.ascontiguousarray(out)


def _blocks(data: bytes) -> Iterator[bytes]:
    """Yield the TIFF blocks in which a file may name its orientation."""
    if data[:2] == b"\xff\xd8":
        yield from _of_jpeg(data)
    elif data[:8] == b"\x89PNG\r\n\x1a\n":
        yield from (body for kind, body in _chunks(data, 8, ">I4s", 4) if kind == b"eXIf")
    elif data[:4] == b"RIFF":
        for kind, body in _chunks(data, 12, "<4sI", 0):
            if kind == b"EXIF":
                yield body.removeprefix(b"Exif\0\0")
    elif data[:4] in (b"II*\0", b"MM\0*"):
        yield data


def _of_jpeg(data: bytes) -> Iterator[bytes]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        (length,) = struct.unpack_from(">H", data, at + 2)
        if data[at + 1] == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            yield data[at + 10 : at + 2 + length]
        at += 2 + max(2, length)


def _chunks(data: bytes, at: int, header: str, tail: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the (kind, body) of the chunks of a file, which have `tail` bytes after their body."""
    while at + 8 <= len(data):
        first, second = struct.unpack_from(header, data, at)
        kind, length = (first, second) if isinstance(first, bytes) else (second, first)
        yield kind, data[at + 8 : at + 8 + length]
        at += 8 + length + tail + (0 if tail else length % 2)


def _field(block: bytes) -> int:
    """Return the orientation in the first directory of a TIFF block; 0 if it has none."""
    order = {b"II": "<", b"MM": ">"}.get(block[:2], "")
    if not order:
        return 0
    (start,) = struct.unpack_from(f"{order}I", block, 4)
    (count,) = struct.unpack_from(f"{order}H", block, start)
    for index in range(count):
        entry = start + 2 + 12 * index
        number, _, _, value = struct.unpack_from(f"{order}HHIH", block, entry)
        if number == ORIENTATION:
            return int(value)
    return 0
