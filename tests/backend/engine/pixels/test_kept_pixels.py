"""Kept pixels: exact outside the edited region, soft inside it."""

from __future__ import annotations

import numpy as np

from standee_backend.engine.pixels.kept_pixels import keep_pixels

MADE, SCENE = np.zeros((40, 60, 3), np.float32), np.ones((40, 60, 3), np.float32)
KEPT = np.zeros((40, 60), bool)
KEPT[:, :30] = True


def test_kept_pixels_are_the_scenes() -> None:
    assert (keep_pixels(MADE, SCENE, KEPT, 8)[KEPT] == 1).all()


def test_the_seam_fades_over_the_feather_and_ends_there() -> None:
    row = keep_pixels(MADE, SCENE, KEPT, 8)[20, :, 0]
    assert (np.diff(row[29:39]) <= 0).all()
    assert 0 < row[33] < 1
    assert (row[38:] == 0).all()


def test_with_nothing_kept_the_picture_is_as_made() -> None:
    assert (keep_pixels(MADE, SCENE, np.zeros_like(KEPT), 8) == 0).all()


def test_with_everything_kept_the_picture_is_the_scene() -> None:
    assert (keep_pixels(MADE, SCENE, np.ones_like(KEPT), 8) == 1).all()
