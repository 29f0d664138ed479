"""Image import: upright and bounded, and one clear sentence for a broken file."""

import io
import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from standee.errors import BadPicture, TooLarge
from standee_desktop.storage.image_import import KEPT_SIDE, open_picture, read_picture


def encoded(picture: Image.Image, format: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, format, **options)
    return out.getvalue()


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_a_picture_that_needs_no_change_keeps_its_bytes(format: str) -> None:
    data = encoded(Image.new("RGB", (40, 20), "red"), format)
    imported = read_picture(data, "a")
    assert imported.data == data
    assert (imported.width, imported.height, imported.note) == (40, 20, "")


def test_a_tiff_becomes_a_png_of_the_same_pixels() -> None:
    picture = Image.effect_noise((31, 17), 90).convert("RGB")
    imported = read_picture(encoded(picture, "TIFF"), "a")
    assert Image.open(io.BytesIO(imported.data)).format == "PNG"
    assert open_picture(imported.data).tobytes() == picture.tobytes()


def test_a_photograph_on_its_side_is_set_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    imported = read_picture(encoded(Image.new("RGB", (40, 20)), "JPEG", exif=exif), "a")
    assert (imported.width, imported.height) == (20, 40)
    assert open_picture(imported.data).size == (20, 40)
    assert not Image.open(io.BytesIO(imported.data)).getexif()


def test_a_huge_photograph_is_scaled_and_the_user_told() -> None:
    imported = read_picture(encoded(Image.new("RGB", (30_000, 300), "red"), "JPEG"), "wide")
    assert max(imported.width, imported.height) == KEPT_SIDE
    assert "30000 × 300" in imported.note
    assert str(KEPT_SIDE) in imported.note


def vast_png(side: int = 30_000) -> bytes:
    """Return a square PNG of one bit a px, made without ever holding its pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    packer, row = zlib.compressobj(1), bytes(1 + side // 8)
    body = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", body), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_picture_beyond_all_bounds_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(TooLarge, match="30000 x 30000 px"):
        read_picture(vast_png(), "vast")


def test_alpha_counts_only_where_something_is_transparent() -> None:
    solid = Image.new("RGBA", (8, 8), (1, 2, 3, 255))
    assert not read_picture(encoded(solid), "a").has_alpha
    solid.putpixel((0, 0), (0, 0, 0, 0))
    assert read_picture(encoded(solid), "a").has_alpha


def test_deep_grey_becomes_ordinary_grey() -> None:
    deep = Image.new("I;16", (4, 4), 65535)
    assert open_picture(encoded(deep)).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"hello", "not a picture"),
        (encoded(Image.effect_noise((64, 64), 90))[:900], "is damaged"),
        (encoded(Image.effect_noise((64, 64), 90), "JPEG")[:700], "is damaged"),
    ],
)
def test_a_broken_picture_gives_one_clear_sentence(data: bytes, reason: str) -> None:
    with pytest.raises(BadPicture, match=reason) as caught:
        read_picture(data, "cat.png")
    assert "cat.png" in str(caught.value)
    assert caught.value.fix


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadPicture, match=r"gone\.png cannot be read"):
        read_picture(tmp_path / "gone.png")
