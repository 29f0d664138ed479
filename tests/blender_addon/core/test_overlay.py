"""Overlay data: z-order, px, and the cells of the geometry."""

from __future__ import annotations

import numpy as np

from blender_addon.core.overlay import Progress, Style, overlay
from blender_addon.core.picking import Item
from blender_addon.core.projection import Frame
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
    assert 64 <= word.x < 72
    assert 192 < word.y < 204


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

    assert width(2) - width(1) == STYLE.line + 1  # half of both outlines, and of the dark rim


def test_names_have_a_ground_that_they_stand_out_from():
    for word in overlay([A, B], FRAME, STYLE, selected="a").words:
        ink, ground = np.array(word.colour[:3]), np.array(word.chip[:3])
        assert abs(ink.mean() - ground.mean()) > 0.4
        assert word.chip[3] > 0.6


def test_the_selected_one_is_drawn_last_so_that_nothing_covers_its_outline():
    assert [word.text for word in overlay([A, B], FRAME, STYLE, selected="a").words] == [
        "Ben",
        "Anna",
    ]


def test_progress_is_a_bar_in_the_frame_as_long_as_the_job_is_far():
    def bar(factor: float) -> float:
        lines = overlay([], FRAME, STYLE, progress=Progress(factor, "half")).lines
        filled = (lines.colours == np.float32(STYLE.selected)).all(axis=1)
        xs = lines.points[filled][:, 0]
        return float(xs.max() - xs.min())

    assert bar(0.5) == bar(1.0) / 2
    assert bar(1.0) < FRAME.width
    assert overlay([], FRAME, STYLE, progress=Progress(0.1, "half")).words[0].text == "half"


def test_a_turned_layer_is_drawn_turned_and_as_transparent():
    plank = Item("a", Rect(32, 48, 64, 32), rotation=90.0, opacity=0.5)
    drawn = overlay([plank], FRAME, STYLE, placed={"a": plank.rect})
    [quad] = drawn.pictures
    assert quad.opacity == STYLE.opacity / 2
    np.testing.assert_allclose(quad.corners, [(160, 192), (160, 64), (96, 64), (96, 192)])
    assert 190 < drawn.lines.points[48:, 1].max() < 196


def test_an_upright_one_has_the_corners_of_its_box():
    [quad] = overlay([A], FRAME, STYLE, placed={"a": A.rect}).pictures
    assert quad.corners == ((0, 256), (128, 256), (128, 128), (0, 128))
