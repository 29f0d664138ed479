"""Strokes on masks: round on the canvas, counted once, exact when grown."""

import io

import numpy as np
import pytest
from PIL import Image

from standee.composition import Rect
from standee_desktop.brush import (
    Frame,
    Stroke,
    decode_mask,
    empty_mask,
    encode_mask,
    grown,
    mask_size,
    softened,
)


def painted(mask: np.ndarray) -> np.ndarray:
    return np.argwhere(mask >= 128)


def test_a_dab_is_round_and_where_the_canvas_was_touched() -> None:
    mask = np.zeros((100, 100), np.uint8)
    stroke = Stroke(mask, Frame(Rect(50, 0, 200, 200), 100, 100), radius=20)
    stroke.to(150, 100)  # the middle of the picture
    where = painted(mask)
    assert where.mean(axis=0) == pytest.approx((49.5, 49.5), abs=0.6)
    assert len(where) == pytest.approx(np.pi * 10**2, rel=0.1)


def test_on_a_stretched_picture_the_brush_stays_round_on_the_canvas() -> None:
    mask = np.zeros((100, 100), np.uint8)
    stroke = Stroke(mask, Frame(Rect(0, 0, 400, 100), 100, 100), radius=20)
    stroke.to(200, 50)
    rows, columns = np.ptp(painted(mask), axis=0) + 1
    assert rows == pytest.approx(40, abs=2)
    assert columns == pytest.approx(10, abs=2)


def test_a_mirrored_layer_is_painted_where_it_is_seen() -> None:
    mask = np.zeros((100, 100), np.uint8)
    Stroke(mask, Frame(Rect(0, 0, 100, 100), 100, 100, flip=True), 5).to(10, 50)
    assert painted(mask)[:, 1].mean() == pytest.approx(89.5, abs=0.6)


def test_a_stroke_that_crosses_itself_counts_once_and_erases_as_far_as_it_covers() -> None:
    frame = Frame(Rect(0, 0, 64, 64), 64, 64)
    once, twice = empty_mask((64, 64)), empty_mask((64, 64))
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
    stroke = Stroke(empty_mask((32, 32)), Frame(Rect(0, 0, 32, 32), 32, 32), 4, erase=True)
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


def test_masks_survive_as_pngs_in_any_form() -> None:
    mask = np.zeros((8, 8), np.uint8)
    mask[2:5, 3:6] = 255
    assert (decode_mask(encode_mask(mask), (8, 8)) == mask).all()
    picture, out = Image.new("RGBA", (8, 8), (9, 9, 9, 0)), io.BytesIO()
    picture.putalpha(Image.fromarray(mask))
    picture.save(out, "PNG")
    assert (decode_mask(out.getvalue(), (8, 8)) == mask).all()


def test_painted_masks_are_no_larger_than_needed() -> None:
    assert mask_size(4096, 2048) == (1024, 512)
    assert mask_size(250, 100) == (250, 100)
