"""Cut-outs are reduced and counted as the engine does it."""

from __future__ import annotations

import numpy as np
import pytest

from standee import Canvas, Rect
from standee.arrangement import Standing, arrangement, reduced


def test_a_small_cutout_stays_as_it_is():
    alpha = np.random.default_rng(0).random((30, 20)).astype(np.float32)
    assert (reduced(alpha, 30) == alpha).all()


def test_a_large_one_is_averaged_over_blocks_also_at_its_ragged_edges():
    alpha = np.random.default_rng(0).random((7, 10)).astype(np.float32)
    small = reduced(alpha, 4)
    assert small.shape == (3, 4)
    assert small[0, 0] == pytest.approx(alpha[:3, :3].mean())
    assert small[2, 3] == pytest.approx(alpha[6:, 9:].mean())


def test_front_layers_own_the_cells_and_flips_are_mirrored():
    half = np.zeros((4, 4))
    half[:, :2] = 1
    back = Standing(np.ones((4, 4)), Rect(0, 0, 64, 64), "stretch")
    front = Standing(half, Rect(0, 0, 64, 64), "stretch", flip=True)
    owner = arrangement([back, front], Canvas(64, 64), 16).owner
    assert (owner[:, :2] == 0).all()
    assert (owner[:, 2:] == 1).all()
