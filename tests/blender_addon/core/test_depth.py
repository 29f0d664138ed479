"""Depth order and occlusion of layers."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.core.depth import Samples, cut, stacking_order
from standee import Canvas, Rect


def test_bound_layers_stand_by_their_distance_and_others_keep_their_place():
    assert stacking_order([None, None]) == [0, 1]
    assert stacking_order([2.0, 5.0]) == [1, 0]
    assert stacking_order([2.0, None, 5.0, 3.0]) == [2, 1, 3, 0]


def test_layers_at_the_same_distance_keep_their_order():
    assert stacking_order([4.0, 4.0, 4.0]) == [0, 1, 2]


def test_samples_lie_in_the_rectangle_and_on_the_canvas():
    samples = Samples(Canvas(64, 32), 4)
    assert samples.shape == (8, 16)
    at, px = samples.inside(Rect(-8, 8, 16, 8))
    assert len(at) == 4
    assert px.min(axis=0) == pytest.approx([2, 10])
    assert px.max(axis=0) == pytest.approx([6, 14])
    assert len(samples.inside(Rect(100, 0, 8, 8))[0]) == 0


@pytest.mark.parametrize("flip", [False, True])
def test_what_is_hidden_is_cut_out_where_the_picture_stands(flip):
    samples = Samples(Canvas(64, 64), 4)
    blocked = np.zeros(samples.shape, bool)
    blocked[:, 8:] = True  # the right half of the canvas
    left = cut(np.ones((20, 10)), Rect(16, 0, 32, 64), blocked, samples, flip)
    kept = left[:, 5:] if flip else left[:, :5]
    assert (kept == 1).all()
    assert left.sum() == kept.sum()


def test_what_reaches_off_the_canvas_is_not_hidden():
    samples = Samples(Canvas(64, 64), 4)
    blocked = np.ones(samples.shape, bool)
    left = cut(np.full((8, 8), 0.5), Rect(-32, 0, 64, 64), blocked, samples)
    assert (left[:, :4] == 0.5).all()
    assert (left[:, 4:] == 0).all()


def test_a_turned_cut_out_loses_what_is_hidden_where_it_stands():
    samples = Samples(Canvas(64, 64), 1.0)
    blocked = np.zeros(samples.shape, bool)
    blocked[:32] = True  # the upper half of the canvas
    left = cut(np.ones((8, 8)), Rect(16, 16, 32, 32), blocked, samples, rotation=90.0)
    assert (left[:, :4] == 0).all()  # turned clockwise its left half is above
    assert (left[:, 4:] == 1).all()
