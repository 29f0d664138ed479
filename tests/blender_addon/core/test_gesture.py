"""Gestures, with the keys that every Blender user knows."""

from __future__ import annotations

import pytest

from blender_addon.core.gesture import SMALLEST, Gesture, Input
from blender_addon.core.picking import HANDLES
from standee import Rect

RECT = Rect(40, 60, 80, 40)


def drag(part: str, dx: float, dy: float, **held: bool) -> Rect:
    u, v = HANDLES[part]
    x, y = RECT.x + u * RECT.w, RECT.y + v * RECT.h
    gesture = Gesture.begin("resize", RECT, x, y, part)
    return gesture.feed(Input(x + dx, y + dy, **held)).rect


def move(*events: Input, patch: int = 16) -> Gesture:
    gesture = Gesture.begin("move", RECT, 50, 70, patch=patch)
    for event in events:
        gesture = gesture.feed(event)
    return gesture


def test_a_drag_moves_by_exactly_as_many_px():
    assert move(Input(57.25, 66)).rect == Rect(47.25, 56, 80, 40)


def test_ctrl_snaps_the_corner_to_the_grid():
    assert move(Input(57, 73, ctrl=True)).rect == Rect(48, 64, 80, 40)
    assert drag("se", 3, 9, ctrl=True) == Rect(40, 60, 88, 52)


def test_snapping_leaves_an_axis_that_does_not_move():
    assert move(Input(57, 70, ctrl=True)).rect == Rect(48, 60, 80, 40)


def test_shift_and_x_and_y_hold_an_axis():
    assert move(Input(60, 72, shift=True)).rect == Rect(50, 60, 80, 40)
    assert move(Input(60, 72), Input(60, 72, "key", "y")).rect == Rect(40, 62, 80, 40)
    once_more = Input(60, 72, "key", "y")
    assert move(once_more, once_more).rect == Rect(50, 62, 80, 40)


def test_digits_are_exact():
    keys = [Input(50, 70, "key", key) for key in "x12.5"]
    assert move(*keys).rect == Rect(52.5, 60, 80, 40)
    assert move(*keys, Input(50, 70, "key", "-")).rect == Rect(27.5, 60, 80, 40)
    assert move(*keys, *[Input(50, 70, "key", "backspace")] * 2).rect == Rect(52, 60, 80, 40)


@pytest.mark.parametrize("part", HANDLES)
def test_a_handle_moves_its_own_edges_only(part):
    got, (u, v) = drag(part, 5, 7), HANDLES[part]
    assert got.x == RECT.x + (5 if u == 0 else 0)
    assert got.y == RECT.y + (7 if v == 0 else 0)
    assert got.x + got.w == RECT.x + RECT.w + (5 if u == 1 else 0)
    assert got.y + got.h == RECT.y + RECT.h + (7 if v == 1 else 0)


@pytest.mark.parametrize("part", HANDLES)
def test_shift_keeps_the_aspect_and_the_opposite_point(part):
    got, (u, v) = drag(part, 12, 9, shift=True), HANDLES[part]
    assert got.w / got.h == pytest.approx(2)
    assert got.x + (1 - u) * got.w == pytest.approx(RECT.x + (1 - u) * RECT.w)
    assert got.y + (1 - v) * got.h == pytest.approx(RECT.y + (1 - v) * RECT.h)


@pytest.mark.parametrize("part", HANDLES)
def test_a_handle_dragged_past_the_other_side_leaves_a_rectangle(part):
    for sign in (-1000, 1000):
        got = drag(part, sign, sign)
        assert got.w >= SMALLEST
        assert got.h >= SMALLEST


def test_scaling_is_about_the_middle():
    gesture = Gesture.begin("scale", RECT, 120, 80)  # 40 px right of the middle
    assert gesture.feed(Input(160, 80)).rect == Rect(0, 40, 160, 80)
    assert gesture.feed(Input(120, 80, "key", "2")).rect == Rect(0, 40, 160, 80)
    only_x = gesture.feed(Input(120, 80, "key", "x"))
    assert only_x.feed(Input(160, 80)).rect == Rect(0, 60, 160, 40)


def test_cancel_restores_and_nothing_moves_after_the_end():
    cancelled = move(Input(90, 90), Input(90, 90, "cancel"))
    assert cancelled.state == "cancelled"
    assert cancelled.rect == RECT
    assert not cancelled.changed
    done = move(Input(90, 90), Input(90, 90, "confirm"), Input(200, 200))
    assert done.state == "done"
    assert done.rect == Rect(80, 80, 80, 40)
    assert done.changed


def test_a_rectangle_stays_within_what_a_composition_may_hold():
    assert move(Input(1e9, -1e9)).rect == Rect(16384, -16384, 80, 40)


def turn(*events: Input, turned: float = 0.0) -> Gesture:
    gesture = Gesture.begin("turn", RECT, 130, 80, turned=turned)  # to the right of the middle
    for event in events:
        gesture = gesture.feed(event)
    return gesture


def test_r_turns_about_the_middle_and_leaves_the_rectangle():
    gesture = turn(Input(80, 130))  # below it: a quarter turn clockwise
    assert gesture.rotation == pytest.approx(90)
    assert gesture.rect == RECT
    assert gesture.changed
    assert gesture.text == "90.0°"


def test_ctrl_turns_by_steps_digits_exactly_and_escape_back():
    assert turn(Input(128, 94, ctrl=True)).rotation == 15
    keys = [Input(130, 80, "key", key) for key in "-12.5"]
    assert turn(*keys, turned=10).rotation == -2.5
    gone = turn(Input(80, 130), Input(80, 130, "cancel"), turned=10)
    assert gone.rotation == 10
    assert not gone.changed


def test_a_handle_of_a_turned_rectangle_goes_along_its_own_axes():
    gesture = Gesture.begin("resize", RECT, 0, 0, "e", turned=90.0)
    rect = gesture.feed(Input(0, 20)).rect  # its right edge is below once it is turned
    assert (rect.w, rect.h) == pytest.approx((100, 40))
    assert (rect.x + rect.w / 2, rect.y + rect.h / 2) == pytest.approx((80, 90))
