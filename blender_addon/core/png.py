"""PNG encoder with nothing but zlib: Blender brings no picture library."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

_COLOUR = {1: 0, 3: 2, 4: 6}
"""PNG's colour types by the number of channels."""


def encode(pixels: NDArray[np.floating], profile: bytes = b"") -> bytes:
    """Return the PNG of (height, width[, 1, 3 or 4]) values 0..1, the first row on top; 8 bits.

    `profile` is the ICC profile that says what its numbers mean, where they are not sRGB.
    """
    work = encode_in_steps(pixels, len(pixels), profile)
    while True:
        try:
            next(work)
        except StopIteration as end:
            data: bytes = end.value
            return data


def encode_in_steps(
    pixels: NDArray[np.floating], rows: int = 32, profile: bytes = b""
) -> Generator[None, None, bytes]:
    """Like `encode`, as a generator that pauses after so many rows."""
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    height, width, channels = pixels.shape
    header = struct.pack(">IIBBBBB", width, height, 8, _COLOUR[channels], 0, 0, 0)
    packer, parts = zlib.compressobj(6), []
    for at in range(0, height, rows):
        part = pixels[at : at + rows]
        values = np.rint(np.clip(part, 0.0, 1.0) * 255).astype(np.uint8).reshape(len(part), -1)
        lines = np.zeros((len(part), values.shape[1] + 1), np.uint8)  # 0: no filter
        lines[:, 1:] = values
        parts.append(packer.compress(lines.tobytes()))
        yield
    data = b"".join([*parts, packer.flush()])
    colours = [(b"iCCP", b"ICC\0\0" + zlib.compress(profile))] if profile else []
    chunks = [(b"IHDR", header), *colours, (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def strip_metadata(data: bytes) -> bytes:
    """Return a PNG without its texts and times: the same pixels are the same bytes again.

    Blender writes into every render when it was made, and how long that took.
    """
    out, at = [data[:8]], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] not in (b"tEXt", b"zTXt", b"iTXt", b"tIME"):
            out.append(data[at : at + 12 + length])
        at += 12 + length
    return b"".join(out)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
