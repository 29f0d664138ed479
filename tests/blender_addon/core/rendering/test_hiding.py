"""Occlusion by two depths; and which layers can be rendered together."""

from __future__ import annotations

import numpy as np

from blender_addon.core.rendering.hiding import apart, hidden
from standee.composition import Rect

INF = np.inf


def test_what_is_nearer_hides_and_what_touches_does_not() -> None:
    own = np.array([[5.0, 5.0, 5.0, 5.0]])
    others = np.array([[4.0, 5.0, 6.0, INF]])
    assert hidden(others, own, nearest=5.0).tolist() == [[True, False, False, False]]


def test_beside_the_body_its_nearest_point_counts() -> None:
    own = np.array([[8.0, INF, INF]])
    others = np.array([[6.0, 6.0, 4.0]])
    assert hidden(others, own, nearest=5.0).tolist() == [[True, False, True]]


def test_rectangles_that_overlap_are_in_different_groups() -> None:
    rects = [Rect(0, 0, 10, 10), Rect(5, 5, 10, 10), Rect(10, 0, 10, 5), Rect(50, 50, 1, 1)]
    assert apart(rects) == [[0, 2, 3], [1]]
    assert apart([]) == []
