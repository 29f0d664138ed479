"""Colours outside of a view transform's gamut: the nearest is asked for, all else stays as it is."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.core.rendering.view_gamut import EXACT, Colours, fit, nearest_table


def dull(colours: Colours) -> Colours:
    """A transform that shows no more than 0.7 between the channels, and folds what is beyond."""
    spread = colours.max(axis=1, keepdims=True) - colours.min(axis=1, keepdims=True)
    grey = colours.mean(axis=1, keepdims=True)
    part = np.where(spread > 0.7, 0.4 / np.maximum(spread, 1e-6), 1.0)
    shown: Colours = (grey + (colours - grey) * part).astype(np.float32)
    return shown


def test_what_can_be_shown_stays_and_asks_for_no_table() -> None:
    wanted = np.array([(0.8, 0.4, 0.2), (0.5, 0.5, 0.5)], np.float32)

    def never() -> Colours:
        raise AssertionError("no table is needed")

    fitted = fit(wanted, dull, never)
    assert np.array_equal(fitted.colours, wanted)
    assert fitted.off.max() <= EXACT


def test_what_cannot_comes_out_as_the_nearest() -> None:
    wanted = np.array([(0, 0.5, 1), (1, 0, 0), (0.8, 0.4, 0.2)], np.float32)
    fitted = fit(wanted, dull, lambda: nearest_table(dull))
    shown = dull(fitted.colours)
    assert fitted.off == pytest.approx(np.abs(shown - wanted).max(axis=1), abs=1e-6)
    assert np.abs(dull(wanted) - wanted).max(axis=1)[:2].min() > 0.25
    assert fitted.off[:2].max() < 0.2  # 0.15 is the least there is: 0.7 of the whole
    assert np.array_equal(fitted.colours[2], wanted[2])


def test_colours_between_those_of_the_cube_are_fitted_alike() -> None:
    wanted = np.array([(0.02, 0.51, 0.98), (0.97, 0.03, 0.01)], np.float32)
    fitted = fit(wanted, dull, lambda: nearest_table(dull))
    assert fitted.off.max() < 0.2
