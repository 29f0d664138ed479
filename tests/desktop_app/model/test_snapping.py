"""Snapping, handles and the camera as plain numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standee import Canvas, Composition, Layer, Rect
from standee_desktop.model import ViewState
from standee_desktop.model.camera import Camera
from standee_desktop.model.rects import HANDLES, Handle, resized, scale_with_bounds
from standee_desktop.model.snapping import snap_targets

DIGEST = "0" * 64
NOTHING = ViewState(snap_canvas=False, snap_layers=False, snap_tokens=False, snap_guides=False)
CORNER = Handle(1, 1)


def two() -> Composition:
    still = Layer(picture=DIGEST, rect=Rect(100, 100, 40, 40), id="still")
    moving = Layer(picture=DIGEST, rect=Rect(0, 0, 20, 20), id="moving")
    return Composition(canvas=Canvas(256, 256), layers=(still, moving))


def test_an_edge_is_drawn_to_the_canvas() -> None:
    view = ViewState(snap_layers=False, snap_tokens=False)
    snapped = snap_targets(two(), {"moving"}, view).move(Rect(3, 50.5, 20, 20), 5)
    assert (snapped.dx, snapped.dy) == (-3, 0)
    assert [(line.upright, line.at) for line in snapped.lines] == [(True, 0)]


def test_centres_are_drawn_to_another_layer_but_not_to_the_layer_itself() -> None:
    view = ViewState(snap_canvas=False, snap_tokens=False)
    found = snap_targets(two(), {"moving"}, view)
    assert found.move(Rect(108, 60, 20, 20), 4).dx == 2
    assert found.move(Rect(1, 1, 20, 20), 4).dx == 0


def test_guides_draw() -> None:
    from dataclasses import replace

    view = replace(NOTHING, snap_guides=True, guides_x=(77.0,))
    assert snap_targets(two(), {"moving"}, view).move(Rect(75, 0, 20, 20), 4).dx == 2


def test_the_token_grid_draws_where_no_line_is_near() -> None:
    from dataclasses import replace

    found = snap_targets(two(), {"moving"}, replace(NOTHING, snap_tokens=True))
    snapped = found.move(Rect(30, 65, 20, 20), 3)
    assert (snapped.dx, snapped.dy, snapped.lines) == (2, -1, ())


def test_with_everything_off_nothing_snaps() -> None:
    snapped = snap_targets(two(), {"moving"}, NOTHING).move(Rect(1, 1, 20, 20), 50)
    assert (snapped.dx, snapped.dy) == (0, 0)


def test_a_corner_keeps_the_aspect_and_the_opposite_corner_stays() -> None:
    rect = resized(Rect(10, 10, 40, 20), CORNER, 20, 0, keep_aspect=True, from_centre=False)
    assert rect == Rect(10, 10, 60, 30)


def test_from_the_centre_both_sides_move() -> None:
    rect = resized(Rect(10, 10, 40, 20), CORNER, 5, 5, keep_aspect=False, from_centre=True)
    assert rect == Rect(5, 5, 50, 30)


@given(
    st.sampled_from(HANDLES),
    st.floats(-500, 500),
    st.floats(-500, 500),
    st.booleans(),
    st.booleans(),
)
def test_no_drag_turns_a_rectangle_over(
    handle: Handle, dx: float, dy: float, keep: bool, centre: bool
) -> None:
    rect = resized(Rect(0, 0, 40, 20), handle, dx, dy, keep_aspect=keep, from_centre=centre)
    assert rect.w > 0
    assert rect.h > 0
    if keep:
        assert rect.w / rect.h == pytest.approx(2)


def test_layers_are_carried_along_with_their_common_bounds() -> None:
    rects = {"a": Rect(0, 0, 10, 10), "b": Rect(30, 0, 10, 10)}
    moved = scale_with_bounds(rects, Rect(0, 0, 40, 10), Rect(10, 10, 80, 20))
    assert moved == {"a": Rect(10, 10, 20, 20), "b": Rect(70, 10, 20, 20)}


@given(st.floats(0.1, 10), st.floats(-500, 500), st.floats(-500, 500), st.floats(0.5, 2))
def test_what_is_under_the_mouse_stays_there_while_zooming(
    scale: float, x: float, y: float, factor: float
) -> None:
    camera = Camera(scale, 12, 34)
    before, after = camera.to_canvas(x, y), camera.zoomed(factor, x, y).to_canvas(x, y)
    assert after == pytest.approx(before, abs=1e-6)


def test_a_fitted_canvas_is_in_the_middle() -> None:
    camera = Camera.fitted(Rect(0, 0, 100, 50), 300, 300, 50)
    assert camera.scale == 2
    assert camera.to_screen(50, 25) == (150, 150)
