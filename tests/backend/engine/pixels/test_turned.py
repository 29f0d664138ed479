"""Turned pictures: where they are drawn, how sharp they stay, and that nothing gets a fringe."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from standee import Rect
from standee.rotation import centre, turned_about
from standee_backend.engine.pixels.images import Picture

VIEW = Rect(0, 0, 96, 96)


def pattern(xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Soft waves, several px long, at px of a picture of 60 x 40."""
    waves = np.sin(xs / 3.1), np.cos(ys / 3.7), np.sin((xs + ys) / 4.3)
    return np.stack([0.5 + 0.4 * wave for wave in waves], axis=-1)


@pytest.mark.parametrize("degrees", [-44.0, -7.0, 30.0])
@pytest.mark.parametrize("scale", [1, 3])
def test_a_turned_picture_shows_each_px_where_turning_back_finds_it(degrees, scale) -> None:
    ys, xs = (np.mgrid[: 40 * scale, : 60 * scale] + 0.5) / scale
    picture = Picture.build(Image.fromarray((pattern(xs, ys) * 255 + 0.5).astype(np.uint8)))
    at = Rect(18, 28, 60, 40)
    colour, matte, extent = picture.paint(at, "contain", VIEW, degrees)
    down, across = np.mgrid[:96, :96] + 0.5
    back_x, back_y = turned_about(across, down, centre(at), -degrees)
    inside = (abs(back_x - 48) < 28) & (abs(back_y - 48) < 18)
    beyond = (abs(back_x - 48) > 31) | (abs(back_y - 48) > 21)
    expected = pattern(back_x - 18, back_y - 28)
    assert abs(colour - expected)[inside].max() < 0.05
    assert extent[inside].min() > 0.999
    assert not extent[beyond].any()
    np.testing.assert_array_equal(matte, extent)


def test_what_lies_under_transparent_pixels_never_comes_into_the_edge() -> None:
    rgba = np.zeros((64, 64, 4), np.uint8)
    rgba[..., 1] = 255  # a green that nobody is to see
    rgba[16:48, 16:48] = (255, 0, 0, 255)
    colour, matte, _ = Picture.build(Image.fromarray(rgba)).paint(
        Rect(16, 16, 64, 64), "contain", VIEW, 33.0
    )
    assert matte.max() == 1
    assert (colour * matte[..., None])[..., 1].max() < 0.02


def test_a_turned_picture_is_cut_off_at_its_own_turned_rectangle() -> None:
    wide = Picture.build(Image.new("RGB", (200, 50), "white"))
    _, matte, _ = wide.paint(Rect(32, 32, 32, 32), "cover", VIEW, 45.0 - 1e-9)
    assert matte.sum() == pytest.approx(32 * 32, rel=0.01)
    assert matte[48, 48] == 1
    assert matte[30, 48] == 1  # the corner of a square on its tip
    assert matte[34, 34] == 0


def test_a_view_beside_a_turned_picture_shows_nothing_and_a_part_shows_the_part() -> None:
    picture = Picture.build(Image.new("RGB", (40, 40), "white"))
    whole = picture.paint(Rect(32, 32, 32, 32), "contain", VIEW, 20.0)[1]
    part = picture.paint(Rect(32, 32, 32, 32), "contain", Rect(40, 24, 16, 32), 20.0)[1]
    np.testing.assert_allclose(part, whole[24:56, 40:56], atol=1e-3)
    assert not picture.paint(Rect(200, 32, 32, 32), "contain", VIEW, 20.0)[1].any()
