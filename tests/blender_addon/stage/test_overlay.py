"""The drawing data: in z-order, at the right px, and the cells of the geometry."""

from __future__ import annotations

import numpy as np

from blender_addon.stage.overlay import Style, overlay, tint
from blender_addon.stage.picking import Item
from blender_addon.stage.projection import Frame
from standee import Canvas, Rect

FRAME = Frame(0, 0, 256, 256, Canvas(128, 128))
STYLE = Style()
A = Item("a", Rect(0, 0, 64, 64), "Anna")
B = Item("b", Rect(32, 32, 64, 64), "Ben")


def test_pictures_come_back_to_front_at_their_own_place():
    drawn = overlay([A, B], FRAME, STYLE, placed={"a": Rect(16, 0, 32, 64), "b": B.rect})
    assert [picture.id for picture in drawn.pictures] == ["a", "b"]
    assert drawn.pictures[0].box == (32, 128, 96, 256)


def test_hidden_layers_show_a_dim_outline_and_no_picture():
    hidden = Item("a", A.rect, "Anna", visible=False)
    drawn = overlay([hidden], FRAME, STYLE, placed={"a": A.rect})
    assert drawn.pictures == ()
    assert drawn.words[0].colour[3] < STYLE.outline[3]


def test_names_stand_above_their_rectangle():
    [word] = overlay([B], FRAME, STYLE).words
    assert word.text == "Ben"
    assert (word.x, word.y) == (64, 192 + 5)


def test_only_the_selected_layer_has_handles_and_a_bound_one_has_none():
    plain = len(overlay([A, B], FRAME, STYLE).lines.points)
    selected = len(overlay([A, B], FRAME, STYLE, selected="a").lines.points)
    assert selected - plain == 2 * 8 * 6  # eight handles, each with its shadow, of two triangles
    bound = Item("a", A.rect, "Anna", bound=True)
    assert len(overlay([bound, B], FRAME, STYLE, selected="a").lines.points) == plain


def test_handles_and_lines_follow_the_screens_scale():
    def width(scale: float) -> float:
        points = overlay([A], FRAME, Style(ui_scale=scale)).lines.points
        return float(points[:, 0].max() - points[:, 0].min())

    assert width(2) - width(1) == STYLE.line


def test_cells_cover_what_their_layer_owns():
    owner = np.full((8, 8), -1)
    owner[0, 0], owner[7, 7] = 0, 1
    cells = overlay([A, B], FRAME, STYLE, owner=owner, patch=16).cells
    assert len(cells.points) == 12
    first, second = cells.points[:6], cells.points[6:]
    assert first.min() > 0
    assert first[:, 0].max() <= 32
    assert first[:, 1].min() >= 224
    assert second[:, 0].min() >= 224
    assert tuple(cells.colours[0]) == tuple(np.float32(tint(0)))


def test_neighbouring_tints_differ():
    colours = np.array([tint(index)[:3] for index in range(12)])
    apart = np.abs(np.diff(colours, axis=0)).sum(axis=1)
    assert apart.min() > 0.5
