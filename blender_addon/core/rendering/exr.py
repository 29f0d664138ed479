"""OpenEXR files of 32-bit floats: how a render's passes come out of Blender, and are kept.

Only what Blender is asked for here: one part, scan lines, not compressed.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from standee.errors import BadPicture

MAGIC = b"v/1\x01"
FLOAT = 2
"""The code of 32-bit floats."""
LONG_NAMES = 0x400
SINGLE_PART = 2
"""The version of files with one part."""

Floats = NDArray[np.float32]


def read(data: bytes) -> dict[str, Floats]:
    """Return the channels (height, width) by their names, the first row on top.

    Raises `BadPicture` for files of another build.
    """
    try:
        return _read(data)
    except (struct.error, IndexError, KeyError, UnicodeDecodeError) as error:
        raise _unknown(f"it is damaged ({error})") from None


def write(channels: Mapping[str, NDArray[np.floating]]) -> bytes:
    """Return a file of channels (height, width), all of one size, the first row on top."""
    names = sorted(channels)
    height, width = channels[names[0]].shape
    box = struct.pack("<4i", 0, 0, width - 1, height - 1)
    listed = b"".join(
        name.encode() + b"\0" + struct.pack("<iB3xii", FLOAT, 0, 1, 1) for name in names
    )
    attributes = (
        ("channels", "chlist", listed + b"\0"),
        ("compression", "compression", b"\0"),
        ("dataWindow", "box2i", box),
        ("displayWindow", "box2i", box),
        ("lineOrder", "lineOrder", b"\0"),
        ("pixelAspectRatio", "float", struct.pack("<f", 1.0)),
        ("screenWindowCenter", "v2f", struct.pack("<2f", 0.0, 0.0)),
        ("screenWindowWidth", "float", struct.pack("<f", 1.0)),
    )
    head = MAGIC + struct.pack("<I", SINGLE_PART)
    for name, kind, value in attributes:
        head += (
            name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(value)) + value
        )
    head += b"\0"
    length = 4 * width * len(names)
    first = len(head) + 8 * height
    table = b"".join(struct.pack("<Q", first + row * (length + 8)) for row in range(height))
    lines = np.stack([np.asarray(channels[name], "<f4") for name in names], axis=1)
    rows = b"".join(struct.pack("<ii", row, length) + lines[row].tobytes() for row in range(height))
    return head + table + rows


def _read(data: bytes) -> dict[str, Floats]:
    if data[:4] != MAGIC:
        raise _unknown("it is no OpenEXR file")
    (version,) = struct.unpack_from("<I", data, 4)
    if version & ~LONG_NAMES != SINGLE_PART:
        raise _unknown("it has tiles, depth or several parts")
    attributes, at = _attributes(data, 8)
    if attributes["compression"] != b"\0":
        raise _unknown("it is compressed")
    left, top, right, bottom = struct.unpack("<4i", attributes["dataWindow"])
    width, height = right - left + 1, bottom - top + 1
    names = _channels(attributes["channels"])
    length = 8 + 4 * width * len(names)
    starts = np.frombuffer(data, "<u8", height, at)
    out = np.empty((height, len(names), width), np.float32)
    for start in starts:
        row, size = struct.unpack_from("<ii", data, int(start))
        if size != length - 8:
            raise _unknown("its lines have another length")
        values = np.frombuffer(data, "<f4", width * len(names), int(start) + 8)
        out[row - top] = values.reshape(len(names), width)
    return {name: out[:, index] for index, name in enumerate(names)}


def _attributes(data: bytes, at: int) -> tuple[dict[str, bytes], int]:
    """Return the header's attributes, and where it ends."""
    found = {}
    while data[at] != 0:
        name, at = _text(data, at)
        _, at = _text(data, at)
        (size,) = struct.unpack_from("<i", data, at)
        found[name] = data[at + 4 : at + 4 + size]
        at += 4 + size
    return found, at + 1


def _channels(data: bytes) -> list[str]:
    names, at = [], 0
    while data[at] != 0:
        name, at = _text(data, at)
        kind, _, across, down = struct.unpack_from("<iB3xii", data, at)
        if (kind, across, down) != (FLOAT, 1, 1):
            raise _unknown(f"its channel {name} has no 32-bit floats")
        names.append(name)
        at += 16
    return names


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = data.index(b"\0", at)
    return data[at:end].decode(), end + 1


def _unknown(reason: str) -> BadPicture:
    return BadPicture(
        f"The passes of a render cannot be read: {reason}.",
        fix="Turn off add-ons that change how renders are saved.",
    )
