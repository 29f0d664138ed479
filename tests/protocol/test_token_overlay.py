"""Runs and borders of cells."""

from __future__ import annotations

import numpy as np

from standee.token_overlay import borders, runs


def test_runs_are_the_unbroken_stretches_of_each_row():
    chosen = np.array([[1, 1, 0, 1], [0, 0, 0, 0], [1, 1, 1, 1]], bool)
    assert list(runs(chosen)) == [(0, 2, 0), (3, 4, 0), (0, 4, 2)]


def test_borders_run_around_the_cells_of_each_owner():
    owner = np.array([[-1, 0, 1], [-1, 0, -1]])
    level, upright = borders(owner == 0, owner)
    assert sorted(level) == [(1, 2, 0), (1, 2, 2)]
    assert sorted(upright) == [(0, 2, 1), (0, 2, 2)]
