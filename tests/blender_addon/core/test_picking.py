"""Hit testing of layers and handles under the pointer."""

from __future__ import annotations

import pytest

from blender_addon.core.picking import HANDLES, Hit, Item, handle_points, pick, to_picture
from blender_addon.core.projection import Frame
from standee import Canvas, Rect

FRAME = Frame(10, 20, 512, 512, Canvas(256, 256))
BACK = Item("back", Rect(32, 32, 128, 128), "Back")
FRONT = Item("front", Rect(96, 96, 96, 96), "Front")


def at(x: float, y: float) -> tuple[float, float]:
    return FRAME.to_region(x, y)


def test_the_foremost_layer_wins():
    assert pick([BACK, FRONT], FRAME, at(120, 120)) == Hit("front")
    assert pick([FRONT, BACK], FRAME, at(120, 120)) == Hit("back")
    assert pick([BACK, FRONT], FRAME, at(40, 40)) == Hit("back")
    assert pick([BACK, FRONT], FRAME, at(250, 10)) is None


@pytest.mark.parametrize("name", HANDLES)
def test_each_handle_of_the_selected_layer_is_found_even_behind_others(name):
    point = handle_points(BACK.rect, FRAME)[name]
    assert pick([BACK, FRONT], FRAME, point, selected="back") == Hit("back", name)


def test_layers_that_are_not_selected_have_no_handles():
    assert pick([BACK], FRAME, at(32, 32)) == Hit("back")


def test_hidden_and_locked_layers_let_the_pointer_through():
    hidden = Item("front", FRONT.rect, visible=False)
    locked = Item("front", FRONT.rect, locked=True)
    for item in (hidden, locked):
        assert pick([BACK, item], FRAME, at(120, 120), selected="front") == Hit("back")


def test_a_bound_layer_can_be_selected_but_has_no_handles():
    bound = Item("back", BACK.rect, bound=True)
    assert pick([bound], FRAME, at(33, 33), selected="back") == Hit("back")


def test_handles_grow_with_the_screens_scale():
    x, y = at(32, 32)
    assert pick([BACK], FRAME, (x - 12, y), selected="back") is None
    assert pick([BACK], FRAME, (x - 12, y), selected="back", ui_scale=2) == Hit("back", "nw")


def test_a_tiny_rectangle_can_still_be_moved_by_its_middle():
    tiny = Item("tiny", Rect(100, 100, 10, 10))
    assert pick([tiny], FRAME, at(105, 105), selected="tiny") == Hit("tiny")
    assert pick([tiny], FRAME, at(110, 110), selected="tiny") == Hit("tiny", "se")


def test_a_point_of_the_canvas_is_a_point_of_the_picture() -> None:
    placed = Rect(10, 20, 100, 50)
    assert to_picture((35, 45), placed, (400, 200), False) == (100, 100)
    assert to_picture((35, 45), placed, (400, 200), True) == (300, 100)


def test_a_turned_layer_is_hit_where_it_shows_with_its_handles():
    plank = Item("plank", Rect(78, 118, 100, 20), rotation=90.0)
    assert pick([plank], FRAME, at(128, 170)) == Hit("plank")
    assert pick([plank], FRAME, at(90, 128)) is None
    corner = handle_points(plank.rect, FRAME, 90.0)["nw"]
    assert corner == pytest.approx(at(138, 78))
    assert pick([plank], FRAME, corner, selected="plank") == Hit("plank", "nw")


def test_a_click_on_a_turned_picture_is_turned_back():
    placed = Rect(0, 0, 200, 100)
    assert to_picture((100, -50), placed, (400, 200), False, 90.0) == pytest.approx((0, 100))
