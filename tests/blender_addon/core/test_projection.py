"""Projection of world points as optics says; region px and canvas px are inverse."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.core.camera import Lens, enlarged
from blender_addon.core.projection import (
    BOX_EDGES,
    Frame,
    depths,
    frame_in_region,
    projected_bounds,
    rays,
    to_canvas,
)
from standee import Canvas, Rect

CUBE = np.array(
    [[-1, -1, -1], [-1, -1, 1], [-1, 1, 1], [-1, 1, -1], [1, -1, -1], [1, -1, 1], [1, 1, 1], [1, 1, -1]],
    dtype=float,
)  # fmt: skip
NO_EDGES = np.zeros((0, 2), np.int64)


def pinhole(lens: Lens, point: np.ndarray) -> tuple[float, float]:
    """Where a pinhole camera shows a point (x, y, -z): similar triangles, nothing else."""
    x, y, z = point
    px_per_mm = lens.across / lens.sensor_size
    scale = lens.focal / -z * px_per_mm if lens.kind == "PERSP" else lens.across / lens.ortho_scale
    u = lens.width / 2 + x * scale - lens.shift[0] * lens.across
    v = lens.height / 2 - y * scale + lens.shift[1] * lens.across
    return u, v


@pytest.mark.parametrize("kind", ["PERSP", "ORTHO"])
@pytest.mark.parametrize("fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
@pytest.mark.parametrize("size", [(640, 480), (480, 640), (256, 256)])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.2, -0.1)])
def test_a_lens_projects_like_a_pinhole(kind, fit, size, shift):
    lens = Lens(*size, kind=kind, fit=fit, focal=35, shift=shift, ortho_scale=5)
    points = np.array([[0.3, 0.4, -4], [-1, 0.2, -7], [0, 0, -2]])
    shown = to_canvas(points, lens.matrix(), Canvas(*size))
    assert shown == pytest.approx(np.array([pinhole(lens, point) for point in points]))


def test_points_behind_the_camera_have_no_place():
    assert np.isnan(to_canvas(np.array([[0, 0, 3.0]]), Lens(64, 64).matrix(), Canvas(64, 64))).all()


def test_the_bounds_of_a_body_hold_its_nearest_corners():
    lens = Lens(200, 100, focal=36, sensor=(36, 24))
    bounds = projected_bounds(
        CUBE + np.array([0, 0, -3]), NO_EDGES, lens.matrix(), Canvas(200, 100)
    )
    assert bounds is not None
    # The nearest face is at distance 2, 36 mm over 36 mm: 100 px per unit.
    assert (bounds.x, bounds.y, bounds.w, bounds.h) == pytest.approx((0, -50, 200, 200))


def test_a_body_that_reaches_behind_the_camera_shows_its_part_in_front():
    lens = Lens(100, 100, clip=(0.5, 100))
    beam = np.array([[0, 0, -10.0], [0.1, 0, 10.0]])
    whole = projected_bounds(beam, np.array([[0, 1]]), lens.matrix(), Canvas(100, 100))
    assert whole is not None
    part = (10 - 0.5) / 20
    crossing = to_canvas(beam[:1] + (beam[1:] - beam[:1]) * part, lens.matrix(), Canvas(100, 100))
    assert whole.x + whole.w == pytest.approx(crossing[0, 0])


def test_a_body_behind_the_camera_has_no_bounds():
    matrix = Lens(100, 100).matrix()
    assert projected_bounds(CUBE + np.array([0, 0, 5]), BOX_EDGES, matrix, Canvas(100, 100)) is None
    assert projected_bounds(np.zeros((0, 3)), BOX_EDGES[:0], matrix, Canvas(100, 100)) is None


def test_depth_is_along_the_cameras_axis():
    view = np.eye(4)
    view[2, 3] = -4  # the camera stands at z = 4
    assert depths(np.array([[5.0, 0, 0], [0, 0, 1]]), view) == pytest.approx([4, 3])


def test_a_ray_through_a_pixel_meets_the_point_that_projects_there():
    lens = Lens(320, 200, shift=(0.1, 0.05))
    point = np.array([[0.7, -0.3, -6.0]])
    [px] = to_canvas(point, lens.matrix(), Canvas(320, 200))
    origin, way = rays(px, lens.matrix(), Canvas(320, 200))
    along = (point - origin) @ way.T
    assert origin + along * way == pytest.approx(point, abs=1e-6)


@pytest.mark.parametrize("kind", ["PERSP", "ORTHO"])
@pytest.mark.parametrize("fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
@pytest.mark.parametrize("margins", [(64, 0, 0, 0), (0, 0, 160, 96), (32, 64, 16, 0)])
def test_an_enlarged_frame_shows_every_point_where_it_was_plus_the_margin(kind, fit, margins):
    lens = Lens(256, 192, kind=kind, fit=fit, shift=(0.1, -0.2))
    wider = enlarged(lens, *margins)
    left, right, top, bottom = margins
    assert (wider.width, wider.height) == (256 + left + right, 192 + top + bottom)
    points = np.array([[0.3, 0.4, -4], [-1, 0.2, -7]])
    before = to_canvas(points, lens.matrix(), Canvas(256, 192))
    after = to_canvas(points, wider.matrix(), Canvas(wider.width, wider.height))
    assert after == pytest.approx(before + np.array([left, top]))


def test_region_and_canvas_are_inverse_and_y_turns_over():
    frame = Frame(100, 50, 512, 256, Canvas(256, 128))
    assert frame.to_region(0, 0) == (100, 306)
    assert frame.to_canvas(*frame.to_region(33, 77)) == pytest.approx((33, 77))
    assert frame.box(Rect(0, 64, 128, 64)) == (100, 50, 356, 178)


def test_the_frame_is_found_in_a_region():
    lens = Lens(400, 200)
    left, right, bottom, top = lens.plane()
    corners = np.array([[left, bottom, -1], [right, bottom, -1], [right, top, -1], [left, top, -1]])
    frame = frame_in_region(corners * [0.5, 0.5, 1], lens.matrix(), (400, 200), Canvas(64, 32))
    assert frame is not None
    assert (frame.left, frame.bottom, frame.width, frame.height) == pytest.approx(
        (100, 50, 200, 100)
    )
    assert frame_in_region(corners * [1, 1, -1], lens.matrix(), (400, 200), Canvas(64, 32)) is None
