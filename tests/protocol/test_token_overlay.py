"""Runs and borders of cells, and what a scene keeps."""

from __future__ import annotations

import numpy as np

from standee import Canvas, Rect
from standee.token_overlay import borders, kept_cells, runs


def test_runs_are_the_unbroken_stretches_of_each_row():
    chosen = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]], bool)
    assert list(runs(chosen)) == [(0, 2, 0), (3, 4, 0), (0, 4, 2)]


def test_borders_run_around_the_cells_of_each_owner():
    owner = np.array([[-1, 0, 1], [-1, 0, -1]])
    level, upright = borders(owner == 0, owner)
    assert sorted(level) == [(1, 2, 0), (1, 2, 2)]
    assert sorted(upright) == [(0, 2, 1), (0, 2, 2)]


def test_a_scene_without_a_mask_keeps_the_cells_that_it_fills():
    kept = kept_cells(np.ones((4, 4), np.float32), Rect(16, 0, 32, 64), "cover", Canvas(64, 64), 16)
    assert kept.tolist() == [[False, True, True, False]] * 4


def test_a_mask_says_what_of_a_scene_is_kept():
    mask = np.zeros((4, 4), np.float32)
    mask[:, :2] = 1
    kept = kept_cells(mask, None, "cover", Canvas(64, 64), 16)
    assert kept.tolist() == [[True, True, False, False]] * 4
