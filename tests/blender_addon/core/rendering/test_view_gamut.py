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


def never() -> Colours:
    """The table where none is needed."""
    raise AssertionError("no table is needed")


def test_what_can_be_shown_stays() -> None:
    wanted = np.array([(0.8, 0.4, 0.2), (0.5, 0.5, 0.5)], np.float32)
    fitted = fit(wanted, dull, never)
    assert np.array_equal(fitted.colours, wanted)
    assert fitted.off.max() <= EXACT


def test_what_cannot_comes_out_as_the_nearest() -> None:
    wanted = np.array([(0, 0.5, 1), (1, 0, 0), (0.8, 0.4, 0.2)], np.float32)
    fitted = fit(wanted, dull, never)
    shown = dull(fitted.colours)
    assert fitted.off == pytest.approx(np.abs(shown - wanted).max(axis=1), abs=1e-6)
    assert np.abs(dull(wanted) - wanted).max(axis=1)[:2].min() > 0.25
    assert fitted.off[:2].max() < 0.2  # 0.15 is the least there is: 0.7 of the whole
    assert np.array_equal(fitted.colours[2], wanted[2])


def test_many_colours_are_fitted_alike() -> None:
    spread = np.random.default_rng(3).random((20_000, 3)).astype(np.float32)
    wanted = np.concatenate([spread * (0.05, 0.05, 0.05), spread * 0.05 + (0.95, 0, 0)])
    wanted = wanted.astype(np.float32)
    fitted = fit(wanted, dull, lambda: nearest_table(dull))
    assert np.array_equal(fitted.colours[:20_000], wanted[:20_000])
    assert fitted.off[20_000:].max() < 0.2
    assert np.abs(dull(wanted) - wanted).max(axis=1)[20_000:].min() > 0.25
