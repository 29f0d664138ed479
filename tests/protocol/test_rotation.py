"""Rotation: quarter turns are exact, any other angle is what a matrix says, and directions come back."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from standee import Rect
from standee.rotation import (
    bounds_turned,
    centre,
    corners,
    normalized,
    quarter_turned,
    turn_of,
    turned_about,
    turned_pixels,
)

angles = st.floats(-36000, 36000)
places, lengths = st.floats(-500, 500), st.floats(1, 500)
rects = st.builds(Rect, places, places, lengths, lengths)


@given(angles)
def test_a_rotation_is_quarter_turns_and_a_rest_of_at_most_half_of_one(rotation: float) -> None:
    turn = turn_of(rotation)
    assert 0 <= turn.quarters < 4
    assert -45 <= turn.rest < 45
    assert math.isclose((turn.quarters * 90 + turn.rest - rotation + 180) % 360, 180, abs_tol=1e-6)


@given(angles)
def test_the_same_direction_is_within_half_a_turn(rotation: float) -> None:
    assert -180 < normalized(rotation) <= 180
    assert math.isclose((normalized(rotation) - rotation + 180) % 360, 180, abs_tol=1e-6)


@pytest.mark.parametrize("quarters", range(4))
def test_a_turned_picture_has_its_first_px_where_the_corner_of_its_rectangle_goes(
    quarters: int,
) -> None:
    pixels, rect = np.arange(6).reshape(2, 3), Rect(10, 20, 3, 2)
    turned, at = turned_pixels(pixels, quarters), quarter_turned(rect, quarters)
    x, y = turned_about(10.5, 20.5, centre(rect), 90 * quarters)
    assert turned.shape == (at.h, at.w)
    assert turned[int(y - at.y), int(x - at.x)] == 0


def test_clockwise_is_as_one_looks_at_it_with_y_down() -> None:
    assert turned_about(1.0, 0.0, (0.0, 0.0), 90) == (0.0, 1.0)


@given(rects, angles)
def test_the_bounds_of_a_turned_rectangle_touch_its_corners_and_keep_its_middle(
    rect: Rect, degrees: float
) -> None:
    box = bounds_turned(rect, degrees)
    xs, ys = zip(*corners(rect, degrees), strict=True)
    assert (box.x, box.y) == pytest.approx((min(xs), min(ys)), abs=1e-6)
    assert (box.x + box.w, box.y + box.h) == pytest.approx((max(xs), max(ys)), abs=1e-6)
    assert centre(box) == pytest.approx(centre(rect), abs=1e-6)


@given(places, places, rects, angles)
def test_turning_back_brings_a_point_back(x: float, y: float, rect: Rect, degrees: float) -> None:
    there = turned_about(x, y, centre(rect), degrees)
    assert turned_about(*there, centre(rect), -degrees) == pytest.approx((x, y), abs=1e-6)
