"""Mask strokes: round on the canvas, counted once, exact when grown."""

import io

import numpy as np
import pytest
from PIL import Image

from standee.composition import Rect
from standee_desktop.model.mask_strokes import MaskPlacement, Stroke, encode_mask, grown, softened


def painted(mask: np.ndarray) -> np.ndarray:
    return np.argwhere(mask >= 128)


def test_a_dab_is_round_and_where_the_canvas_was_touched() -> None:
    mask = np.zeros((100, 100), np.uint8)
    stroke = Stroke(mask, MaskPlacement(Rect(50, 0, 200, 200), 100, 100), radius=20)
    stroke.to(150, 100)  # the middle of the picture
    where = painted(mask)
    assert where.mean(axis=0) == pytest.approx((49.5, 49.5), abs=0.6)
    assert len(where) == pytest.approx(np.pi * 10**2, rel=0.1)


def test_on_a_stretched_picture_the_brush_stays_round_on_the_canvas() -> None:
    mask = np.zeros((100, 100), np.uint8)
    stroke = Stroke(mask, MaskPlacement(Rect(0, 0, 400, 100), 100, 100), radius=20)
    stroke.to(200, 50)
    rows, columns = np.ptp(painted(mask), axis=0) + 1
    assert rows == pytest.approx(40, abs=2)
    assert columns == pytest.approx(10, abs=2)


def test_a_mirrored_layer_is_painted_where_it_is_seen() -> None:
    mask = np.zeros((100, 100), np.uint8)
    Stroke(mask, MaskPlacement(Rect(0, 0, 100, 100), 100, 100, flip=True), 5).to(10, 50)
    assert painted(mask)[:, 1].mean() == pytest.approx(89.5, abs=0.6)


def test_a_stroke_that_crosses_itself_counts_once_and_erases_as_far_as_it_covers() -> None:
    frame = MaskPlacement(Rect(0, 0, 64, 64), 64, 64)
    once, twice = np.full((64, 64), 255, np.uint8), np.full((64, 64), 255, np.uint8)
    for mask, times in ((once, 1), (twice, 3)):
        stroke = Stroke(mask, frame, 10, softness=0.8, erase=True)
        for _ in range(times):
            stroke.to(20, 32)
            stroke.to(44, 32)
        assert stroke.changed
    assert (once == twice).all()
    assert once.min() == 0
    assert once.max() == 255


def test_a_stroke_beside_the_picture_changes_nothing() -> None:
    stroke = Stroke(
        np.full((32, 32), 255, np.uint8), MaskPlacement(Rect(0, 0, 32, 32), 32, 32), 4, erase=True
    )
    assert stroke.to(200, 200) is None
    assert not stroke.changed


@pytest.mark.parametrize("radius", [1, 4, 9])
def test_growing_is_by_a_disc_up_to_the_edges(radius: int) -> None:
    mask = np.zeros((40, 50), np.uint8)
    mask[2, 3] = mask[39, 49] = mask[20, 25] = 255
    ys, xs = np.mgrid[:40, :50]
    wanted = np.zeros_like(mask, bool)
    for y, x in ((2, 3), (39, 49), (20, 25)):
        wanted |= (ys - y) ** 2 + (xs - x) ** 2 <= radius**2
    assert ((grown(mask, radius) > 0) == wanted).all()


def test_shrinking_is_growing_of_the_rest() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[10:30, 10:30] = 255
    assert (grown(mask, -3) > 0).sum() == 14 * 14
    assert (grown(mask, 0) == mask).all()


def test_a_softened_edge_keeps_the_inside_and_the_outside() -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[:, 32:] = 255
    soft = softened(mask, 8)
    assert soft[0, 0] == 0
    assert soft[0, 63] == 255
    assert 100 < soft[32, 32] < 200


def test_a_mask_is_encoded_as_a_png_of_its_very_values() -> None:
    mask = np.random.default_rng(0).integers(0, 256, (8, 9), np.uint8)
    assert (np.asarray(Image.open(io.BytesIO(encode_mask(mask)))) == mask).all()


def test_a_light_pen_draws_a_thinner_line_than_a_heavy_one() -> None:
    sizes = []
    for pressure in (0.0, 0.5, 1.0):
        mask = np.zeros((64, 64), np.uint8)
        Stroke(mask, MaskPlacement(Rect(0, 0, 64, 64), 64, 64), 20).to(32, 32, pressure)
        sizes.append(len(painted(mask)))
    assert 0 < sizes[0] < sizes[1] < sizes[2]
    assert sizes[1] < 0.5 * sizes[2]


def test_nothing_is_added_where_the_picture_is_empty_but_all_can_be_taken_away() -> None:
    frame = MaskPlacement(Rect(0, 0, 64, 64), 64, 64)
    limit = np.zeros((64, 64), np.uint8)
    limit[:, 32:] = 255
    mask = np.zeros((64, 64), np.uint8)
    Stroke(mask, frame, 20, limit=limit).to(32, 32)
    where = painted(mask)
    assert len(where)
    assert where[:, 1].min() == 32
    Stroke(mask, frame, 30, erase=True, limit=limit).to(32, 32)
    assert not len(painted(mask))


def test_a_stroke_on_a_turned_layer_is_painted_where_the_picture_is():
    mask = np.zeros((100, 200), np.uint8)
    frame = MaskPlacement(Rect(100, 100, 200, 100), 200, 100, rotation=90.0)
    Stroke(mask, frame, radius=5).to(200, 60)  # above the middle: the left part of the picture
    assert mask[50, 10] == 255
    assert mask[50, 190] == 0


@pytest.mark.parametrize("flip", [False, True])
def test_a_px_of_a_turned_mask_goes_to_the_canvas_and_back(flip: bool):
    frame = MaskPlacement(Rect(20, -30, 70, 90), 140, 60, flip, rotation=33.0)
    assert frame.to_mask(*frame.to_canvas(17, 41)) == pytest.approx((17, 41))
