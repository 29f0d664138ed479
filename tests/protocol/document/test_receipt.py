"""Receipts in pictures: they survive, they replace each other, and broken files say so."""

import io
import random
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from standee.document.receipt import embed, extract, pack
from standee.errors import BadPicture

RECEIPT = {"composition": {"prompt": "a café by the sea"}, "versions": {"standee": "0.1.0"}}


def png(side: int = 5) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), "teal").save(out, "PNG")
    return out.getvalue()


def test_a_receipt_comes_back_from_the_picture() -> None:
    assert extract(embed(png(), RECEIPT)) == RECEIPT


def test_the_pixels_stay_and_other_programs_can_read_the_receipt() -> None:
    with Image.open(io.BytesIO(embed(png(), RECEIPT))) as picture:
        assert picture.getpixel((2, 2)) == (0, 128, 128)
        assert '"prompt":"a caf\\u00e9 by the sea"' in picture.text["standee"]  # type: ignore[attr-defined]


def test_a_second_receipt_replaces_the_first() -> None:
    twice = embed(embed(png(), {"seed": 1}), {"seed": 2})
    assert extract(twice) == {"seed": 2}
    assert twice == embed(png(), {"seed": 2})


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
@pytest.mark.parametrize(
    ("composition", "word"),
    [
        ({"prompt": "a beach"}, "/trainedAlgorithmicMedia"),
        ({"scene": {"picture": "a" * 64}}, "/compositeWithTrainedAlgorithmicMedia"),
    ],
)
def test_a_picture_says_that_a_model_made_it_and_of_a_scene_that_it_is_mixed(
    form: str, composition: dict[str, Any], word: str
) -> None:
    out = io.BytesIO()
    Image.new("RGB", (5, 5), "teal").save(out, form)
    receipt = {"composition": composition}
    picture = Image.open(io.BytesIO(embed(embed(out.getvalue(), receipt), receipt)))
    packet = picture.info["xmp"]
    assert packet.count(b"DigitalSourceType") == 1
    assert f'digitalsourcetype{word}"'.encode() in packet
    ElementTree.fromstring(packet.decode().removeprefix("\ufeff"))
    plain = embed(embed(out.getvalue(), receipt), receipt, marked=False)
    assert "xmp" not in Image.open(io.BytesIO(plain)).info
    assert extract(plain) == receipt


def test_a_picture_without_a_receipt_says_so() -> None:
    with pytest.raises(BadPicture, match="no receipt"):
        extract(png())


@pytest.mark.parametrize("data", [b"", b"GIF89a", png()[:20], png()[:-4]])
def test_what_is_no_whole_png_is_refused(data: bytes) -> None:
    with pytest.raises(BadPicture, match="PNG"):
        extract(data)
    with pytest.raises(BadPicture):
        embed(data, RECEIPT)


def saved(kind: str, side: int = 5, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), "teal").save(out, kind, **options)
    return out.getvalue()


def test_a_jpeg_carries_a_receipt_and_is_the_same_picture() -> None:
    plain = saved("JPEG", comment=b"holiday", dpi=(300, 300))
    data = embed(embed(plain, {"seed": 1}), RECEIPT)
    assert extract(data) == RECEIPT
    with Image.open(io.BytesIO(data)) as picture, Image.open(io.BytesIO(plain)) as before:
        assert picture.tobytes() == before.tobytes()
        assert picture.info["dpi"] == (300, 300)
    assert data.count(b"holiday") == 1
    assert data.count(b"standee-receipt:") == 1  # the first one is gone


def test_a_receipt_longer_than_a_comment_of_a_jpeg_takes_several() -> None:
    long = {"noise": random.Random(0).randbytes(150_000).hex()}
    data = embed(saved("JPEG"), long)
    assert extract(data) == long
    Image.open(io.BytesIO(data)).load()


def test_the_exif_of_a_webp_carries_a_receipt() -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0" + pack(RECEIPT)
    assert extract(saved("WEBP", exif=exif)) == RECEIPT


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_other_formats_without_a_receipt_say_so_too(kind: str) -> None:
    with pytest.raises(BadPicture, match="no receipt"):
        extract(saved(kind))
    with pytest.raises(BadPicture, match=r"cut off|damaged"):
        extract(saved(kind)[:30])


@given(st.sampled_from(["JPEG", "WEBP"]), st.data())
def test_a_damaged_receipt_of_another_format_is_never_believed(kind: str, changes: Any) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = pack(RECEIPT)
    whole = embed(saved(kind), RECEIPT) if kind == "JPEG" else saved(kind, exif=exif)
    damaged = bytearray(whole)
    at = changes.draw(st.integers(3, len(whole) - 1))
    damaged[at] ^= changes.draw(st.integers(1, 255))
    try:
        assert extract(bytes(damaged)) == RECEIPT
    except BadPicture as error:
        assert error.fix  # noqa: PT017


@given(st.data())
def test_a_damaged_receipt_is_refused_and_never_believed(changes: Any) -> None:
    whole = bytearray(embed(png(), RECEIPT))
    at = changes.draw(st.integers(8, len(whole) - 1))
    whole[at] ^= changes.draw(st.integers(1, 255))
    try:
        assert extract(bytes(whole)) == RECEIPT
    except BadPicture as error:
        assert error.fix  # noqa: PT017


@given(
    st.dictionaries(
        st.text(max_size=5),
        st.none() | st.booleans() | st.integers() | st.text(max_size=20),
        max_size=4,
    )
)
def test_any_receipt_survives(receipt: dict[str, Any]) -> None:
    assert extract(embed(png(), receipt)) == receipt
