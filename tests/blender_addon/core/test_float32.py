"""Round trip of numbers through Blender's 32 bits."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.core.float32 import as_float32, restore_float64, shortest_float


@pytest.mark.parametrize("value", [0.1, 1 / 3, 127.999999999, 2**53, 2**31, 7, 0, -12.5, 3])
def test_what_nobody_changed_comes_back_exactly(value):
    held = as_float32(value)
    assert restore_float64(held, value) == value
    assert type(restore_float64(held, value)) is type(value)


def test_what_was_changed_counts():
    assert restore_float64(0.25, 0.1) == 0.25
    assert restore_float64(8, 2**53) == 8
    assert restore_float64("new", "old") == "new"
    assert restore_float64(True, False) is True


def test_a_whole_number_in_a_float_field_comes_back():
    assert restore_float64(float(np.float32(64)), 64) == 64


def test_typed_numbers_are_the_shortest_that_mean_the_same():
    assert shortest_float(float(np.float32(0.1))) == 0.1
    assert shortest_float(float(np.float32(47.3))) == 47.3
