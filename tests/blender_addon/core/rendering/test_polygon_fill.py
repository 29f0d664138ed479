"""Polygon fill: what an outline encloses, to the part of a pixel."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.core.rendering.polygon_fill import Outline, fill


def circle(x: float, y: float, radius: float, way: int = 1, turns: int = 1) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi * turns, 200 * turns, endpoint=False) * way
    return np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)


@pytest.mark.parametrize("way", [1, -1])
def test_a_circle_has_its_area_where_it_is(way: int) -> None:
    mask = fill([Outline(circle(20.5, 30.25, 10, way))], (64, 48))
    assert mask.shape == (48, 64)
    assert mask.sum() == pytest.approx(np.pi * 100, rel=0.01)
    ys, xs = np.mgrid[:48, :64] + 0.5
    assert (mask * xs).sum() / mask.sum() == pytest.approx(20.5, abs=0.05)
    assert (mask * ys).sum() / mask.sum() == pytest.approx(30.25, abs=0.05)


def test_an_edge_within_a_pixel_is_soft() -> None:
    square = np.array([(2.5, 2), (6, 2), (6, 5), (2.5, 5)])
    mask = fill([Outline(square)], (8, 8))
    assert mask[3].tolist() == [0, 0, 0.5, 1, 1, 1, 0, 0]
    assert mask[:, 4].tolist() == [0, 0, 1, 1, 1, 0, 0, 0]


def test_a_stroke_that_goes_round_twice_is_filled_and_a_hole_is_not() -> None:
    twice = Outline(circle(16, 16, 10, turns=2))
    assert fill([twice], (32, 32))[16, 16] == 1
    holed = fill([twice, Outline(circle(16, 16, 4), erases=True)], (32, 32))
    assert holed[16, 16] == 0
    assert holed[16, 9] == 1
    again = fill([Outline(circle(16, 16, 4), erases=True), twice], (32, 32))
    assert again[16, 16] == 1


def test_what_reaches_out_of_the_picture_is_cut_off() -> None:
    mask = fill([Outline(circle(0, 0, 10)), Outline(circle(500, -90, 5))], (32, 32))
    assert mask.sum() == pytest.approx(np.pi * 100 / 4, rel=0.02)
    assert fill([Outline(np.array([(1.0, 1.0), (9.0, 1.0)]))], (16, 16)).max() == 0


def test_a_large_picture_is_filled_too() -> None:
    assert fill([Outline(circle(2000, 900, 500))], (3000, 1500)).sum() == pytest.approx(
        np.pi * 500**2, rel=0.01
    )
