"""What Blender's view transforms show: a trial agrees with F12, and saturated colours come out near."""

import numpy as np
import pytest

WANTED = np.array([(200, 100, 50), (20, 60, 200), (230, 30, 30), (128, 128, 128)]) / 255
"""The first and last can be shown by every transform, the others nearly."""
SATURATED = np.array([(0, 128, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)]) / 255


@pytest.fixture(params=["AgX", "Filmic", "Khronos PBR Neutral"])
def transform(request, addon):
    """(view transform, its colour space)."""
    return request.param, addon("rendering.billboard_material").SPACES[request.param]


def test_what_can_be_shown_is_exact_and_what_nearly_can_is_near(addon, transform):
    colours = addon("rendering.shown_colours")
    fitted = colours.fit_colours(WANTED.astype(np.float32), *transform)
    assert (fitted.off * 255)[[0, 3]].max() <= 1.01
    assert (fitted.off * 255).max() <= (9.5 if transform[0] == "AgX" else 4.5)


def test_what_cannot_is_nearer_than_the_plain_inverse(addon, transform):
    colours = addon("rendering.shown_colours")
    wanted = SATURATED.astype(np.float32)
    plain = np.abs(colours._shown(wanted, *transform) - wanted).max(axis=1) * 255
    fitted = colours.fit_colours(wanted, *transform)
    shown = colours._shown(fitted.colours, *transform)
    assert fitted.off == pytest.approx(np.abs(shown - wanted).max(axis=1), abs=1e-6)
    assert (fitted.off * 255 <= plain + 1e-3).all()
    most = {"AgX": 70, "Filmic": 3, "Khronos PBR Neutral": 20}[transform[0]]
    assert (fitted.off * 255).max() <= most


def test_nothing_is_left_behind(addon, transform):
    import bpy

    before = len(bpy.data.scenes), len(bpy.data.images)
    addon("rendering.shown_colours").fit_colours(WANTED.astype(np.float32), *transform)
    assert (len(bpy.data.scenes), len(bpy.data.images)) == before
