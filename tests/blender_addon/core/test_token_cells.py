"""Token view geometry: owned, hidden and clipped cells."""

from __future__ import annotations

import numpy as np

from blender_addon.core.projection import Frame
from blender_addon.core.token_cells import FILL, VEIL, CellView, cell_triangles, colour_of
from blender_addon.core.triangles import Triangles
from standee import Canvas, Rect
from standee.arrangement import Backdrop, VisibleLayer, arrangement

CANVAS = Canvas(128, 128)
FRAME = Frame(0, 0, 256, 256, CANVAS)
WHOLE = np.ones((8, 8), np.float32)


def shown(*rects: Rect, kept: np.ndarray | None = None) -> tuple[CellView, Triangles]:
    layers = [VisibleLayer(WHOLE, rect, "stretch") for rect in rects]
    scene = None if kept is None else Backdrop(kept, (8, 8), blend=0)
    found = arrangement(layers, CANVAS, 16, scene)
    numbers = ([None] if kept is not None else []) + list(range(len(rects)))
    view = CellView(found, tuple(numbers))
    return view, cell_triangles(view, FRAME, 16)


def box_of(drawn: Triangles, colour: tuple[float, ...]) -> list[float]:
    points = drawn.points[(drawn.colours == np.float32(colour)).all(axis=1)]
    return [float(v) for v in (*points.min(axis=0), *points.max(axis=0))]


def test_a_subjects_cells_are_filled_with_its_colour():
    _, drawn = shown(Rect(0, 0, 32, 16), Rect(96, 96, 32, 32))
    assert box_of(drawn, colour_of(0, FILL)) == [0, 224, 64, 256]
    assert box_of(drawn, colour_of(1, FILL)) == [192, 0, 256, 64]
    assert box_of(drawn, VEIL) == [0, 0, 256, 256]


def test_hidden_cells_belong_to_the_one_in_front_and_are_hatched_for_the_other():
    view, drawn = shown(Rect(0, 0, 32, 32), Rect(16, 16, 32, 32))
    assert view.owner()[1, 1] == 1
    assert view.owner()[0, 0] == 0
    left, bottom, right, top = box_of(drawn, colour_of(0, 0.9, 0.25))
    assert 31 < left < right < 65
    assert 191 < bottom < top < 225


def test_cells_off_the_canvas_are_crossed_where_they_would_be():
    _, drawn = shown(Rect(-32, 0, 64, 16))
    left, _, right, _ = box_of(drawn, colour_of(0, 0.9, 0.25))
    assert -65 < left < right < 1


def test_what_the_scene_keeps_is_grey_and_behind_all():
    kept = np.zeros((8, 8), np.float32)
    kept[:, :4] = 1
    view, drawn = shown(Rect(0, 0, 16, 16), kept=kept)
    assert view.owner()[0, 0] == 0
    assert box_of(drawn, colour_of(None, FILL)) == [0, 0, 128, 256]


def test_the_border_runs_around_what_one_owns():
    _, drawn = shown(Rect(32, 32, 32, 32))
    assert box_of(drawn, colour_of(0, 1.0, 0.15)) == [63, 127, 129, 193]


def test_neighbouring_subjects_have_colours_that_differ():
    colours = np.array([colour_of(number)[:3] for number in range(12)])
    apart = np.abs(np.diff(colours, axis=0)).sum(axis=1)
    assert apart.min() > 0.4


def test_lines_between_cells_are_left_out_where_they_would_fill_the_view():
    far = Frame(0, 0, 24, 24, CANVAS)
    found = CellView(arrangement([], CANVAS, 16), ())
    assert len(cell_triangles(found, far, 16).points) == 6  # the veil alone
    assert len(cell_triangles(found, FRAME, 16).points) > 6
