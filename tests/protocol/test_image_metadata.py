"""EXIF orientation of every kind of picture file that names one, and pixels turned by it."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from standee.image_metadata import orientation_of
from standee.images import upright

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"


def directory(way: int, order: str = "<") -> bytes:
    head = {"<": b"II*\0", ">": b"MM\0*"}[order]
    entries = struct.pack(f"{order}HHIHH", 256, 3, 1, 7, 0)
    entries += struct.pack(f"{order}HHIHH", 274, 3, 1, way, 0)
    return head + struct.pack(f"{order}IH", 8, 2) + entries + bytes(4)


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def jpeg(block: bytes) -> bytes:
    comment = b"\xff\xfe" + struct.pack(">H", 6) + b"abcd"
    body = b"Exif\0\0" + block
    return (
        b"\xff\xd8" + comment + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + b"\xff\xda"
    )


def png(block: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13)) + chunk(b"eXIf", block)


def webp(block: bytes) -> bytes:
    odd = b"VP8X" + struct.pack("<I", 3) + b"abc\0"
    return b"RIFF\0\0\0\0WEBP" + odd + b"EXIF" + struct.pack("<I", len(block)) + block


@pytest.mark.parametrize("way", range(1, 9))
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", [jpeg, png, webp, bytes], ids=["jpeg", "png", "webp", "tiff"])
def test_every_kind_of_file_names_it(kind, order, way) -> None:
    assert orientation_of(kind(directory(way, order))) == way


@pytest.mark.parametrize("kind", [jpeg, png, webp, bytes], ids=["jpeg", "png", "webp", "tiff"])
@pytest.mark.parametrize(
    "block", [b"", b"II", b"nonsense at all", directory(6)[:12], directory(99)]
)
def test_a_damaged_one_is_upright(kind, block) -> None:
    assert orientation_of(kind(block)) == 1


@pytest.mark.parametrize("name", ["21_badexif.png", "22_shortexif.png", "00_plain.png"])
def test_files_of_the_wild_are_upright(name: str) -> None:
    if not (CASES / name).is_file():
        pytest.skip("needs the cases that lie beside the checkout")
    assert orientation_of((CASES / name).read_bytes()) == 1


def test_pixels_are_turned_as_the_standard_says() -> None:
    # Where the first row and the first column of the file lie, in what is shown.
    pixels = np.arange(6, dtype=np.float32).reshape(2, 3, 1)
    shown = {way: upright(pixels, way)[..., 0].tolist() for way in range(1, 9)}
    assert shown == {
        1: [[0, 1, 2], [3, 4, 5]],
        2: [[2, 1, 0], [5, 4, 3]],
        3: [[5, 4, 3], [2, 1, 0]],
        4: [[3, 4, 5], [0, 1, 2]],
        5: [[0, 3], [1, 4], [2, 5]],
        6: [[3, 0], [4, 1], [5, 2]],
        7: [[5, 2], [4, 1], [3, 0]],
        8: [[2, 5], [1, 4], [0, 3]],
    }
