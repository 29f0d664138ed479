"""Depth and normals as control models read them, against analytic surfaces."""

import numpy as np
import pytest

from blender_addon.core.rendering.control_pictures import depth_picture, normal_picture


def test_depth_is_inverse_near_is_white_and_nothing_is_black() -> None:
    """A plane 1 below the camera: at a slope of v downwards it is 1 / v away, so its picture is linear in v."""
    slope = np.linspace(1.0, -0.5, 16)[:, None] * np.ones((1, 4))
    with np.errstate(divide="ignore"):
        depth = np.where(slope > 0, 1 / slope, np.inf)
    picture = depth_picture(depth.astype(np.float32))
    assert picture == pytest.approx(np.maximum(slope, 0), abs=1e-6)


def test_a_wall_behind_is_the_farthest_and_black() -> None:
    depth = np.full((4, 4), 10.0, np.float32)
    depth[1:3, 1:3] = [[2.0, 2.0], [5.0, 5.0]]
    picture = depth_picture(depth)
    assert picture[0, 0] == 0
    assert picture[1, 1] == 1
    assert picture[2, 1] == pytest.approx((1 / 5 - 1 / 10) / (1 / 2 - 1 / 10))


@pytest.mark.parametrize(("depth", "level"), [(5.0, 1.0), (np.inf, 0.0)])
def test_what_is_as_far_everywhere_has_one_level(depth: float, level: float) -> None:
    assert (depth_picture(np.full((3, 5), depth, np.float32)) == level).all()


def test_normals_of_a_sphere_are_red_to_the_right_green_up_and_blue_towards_the_camera() -> None:
    y, x = np.mgrid[1:-1:65j, -1:1:65j]
    z = np.sqrt(np.maximum(1 - x**2 - y**2, 0))
    inside = x**2 + y**2 < 1
    normals = np.where(inside[..., None], np.stack([x, y, z], axis=2), 0).astype(np.float32)
    picture = normal_picture(normals)
    assert picture[32, 32] == pytest.approx([0.5, 0.5, 1.0])
    assert picture[32, 60][0] > 0.9
    assert picture[32, 4][0] < 0.1
    assert picture[4, 32][1] > 0.9
    assert picture[0, 0] == pytest.approx([0.5, 0.5, 1.0]), "nothing faces the camera"
    assert np.linalg.norm(picture[inside] * 2 - 1, axis=1) == pytest.approx(1.0, abs=1e-5)
