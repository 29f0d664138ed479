"""Billboard geometry: what the camera shows of a billboard is its picture."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.core.camera import Lens
from blender_addon.core.projection import projected_bounds, rays
from blender_addon.core.rendering.billboard import card, feet, on_plane
from standee.composition import Canvas, Rect

CANVAS = Canvas(256, 192)
EDGES = np.array([[0, 1], [1, 2], [2, 3], [3, 0]])
NOTHING = np.zeros(3)


def camera(tilt: float, kind: str = "PERSP", height: float = 2.0) -> np.ndarray:
    """The world-to-clip matrix of a camera at (0, -6, height) that looks along y, and down by `tilt`."""
    c, s = np.cos(np.radians(tilt)), np.sin(np.radians(tilt))
    right, up, back = [1, 0, 0], [0, s, c], [0, -c, s]
    view = np.eye(4)
    view[:3, :3] = [right, up, back]
    view[:3, 3] = -view[:3, :3] @ [0, -6, height]
    return Lens(CANVAS.width, CANVAS.height, kind).matrix() @ view  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["PERSP", "ORTHO"])
@pytest.mark.parametrize("tilt", [0, 15, 40])
def test_its_bounds_are_the_picture(tilt: float, kind: str) -> None:
    matrix, wanted = camera(tilt, kind), Rect(100, 60, 60, 90)
    starts, ways = rays(np.array([[130.0, 140.0]]), matrix, CANVAS)
    foot = starts[0] + ways[0] * 5
    across, up = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
    found = card(foot, across, up, matrix, CANVAS, wanted)
    assert found is not None
    assert found.left < 0 < found.right
    assert found.bottom < 0 < found.top
    corners = [
        foot + across * x + up * z
        for x, z in (
            (found.left, found.bottom),
            (found.right, found.bottom),
            (found.right, found.top),
            (found.left, found.top),
        )
    ]
    bounds = projected_bounds(np.array(corners), EDGES, matrix, CANVAS)
    assert bounds is not None
    got = (bounds.x, bounds.y, bounds.w, bounds.h)
    assert got == pytest.approx((wanted.x, wanted.y, wanted.w, wanted.h), abs=1e-6)


def test_from_above_it_is_seen_from_its_edge() -> None:
    across, up = np.array([1.0, 0, 0]), np.array([0, 0, 1.0])
    assert card(np.array([0, -6, 0.0]), across, up, camera(90), CANVAS, Rect(9, 9, 9, 9)) is None


def test_a_ray_meets_the_ground_before_it_or_never() -> None:
    start = np.array([0.0, 0, 2])
    assert on_plane(start, np.array([0, 1.0, -1])) == pytest.approx([0, 2, 0])
    assert on_plane(start, np.array([0, 1.0, 1])) is None
    assert on_plane(start, np.array([0, 1.0, 0])) is None


def test_feet_are_the_lowest_of_what_is_solid() -> None:
    alpha = np.zeros((10, 20))
    alpha[2:8, 4:8] = 1
    assert feet(alpha) == pytest.approx((0.3, 0.8))
    assert feet(np.zeros((4, 4))) == (0.5, 1.0)
