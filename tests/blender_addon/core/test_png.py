"""PNG encoder, read by another program's reader."""

from __future__ import annotations

import io

import numpy as np
import pytest

from blender_addon.core.png import encode, strip_metadata

Image = pytest.importorskip("PIL.Image", reason="pillow comes with standee[backend]")


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pixels_come_back(channels):
    values = np.random.default_rng(0).integers(0, 256, (5, 7, channels))
    data = encode(values / 255)
    read = np.asarray(Image.open(io.BytesIO(data))).reshape(5, 7, channels)
    assert (read == values).all()


def test_words_are_taken_out_and_pixels_stay():
    from PIL.PngImagePlugin import PngInfo

    picture, words = Image.new("RGB", (4, 4), (9, 8, 7)), PngInfo()
    words.add_text("Date", "today")
    plain, noted = io.BytesIO(), io.BytesIO()
    picture.save(plain, "PNG")
    picture.save(noted, "PNG", pnginfo=words)
    assert noted.getvalue() != plain.getvalue()
    assert strip_metadata(noted.getvalue()) == plain.getvalue()
    assert strip_metadata(encode(np.zeros((2, 2)))) == encode(np.zeros((2, 2)))
