"""Perturbation: local, seeded, and nothing at strength zero."""

from __future__ import annotations

import numpy as np

from standee_backend.engine.variation import WINDOW, morph, shuffle

BLOB = np.zeros((9, 9), bool)
BLOB[2:8, 1:7] = True


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_strength_zero_changes_nothing() -> None:
    assert (shuffle(BLOB, 0.0, random()) == np.arange(81)).all()
    assert (morph(BLOB, 0.0, random()) == BLOB).all()


def test_tokens_are_swapped_inside_windows_of_the_subject_only() -> None:
    source = shuffle(BLOB, 1.0, random())
    here, there = np.divmod(np.arange(81), 9), np.divmod(source, 9)
    assert (here[0] // WINDOW == there[0] // WINDOW).all()
    assert (here[1] // WINDOW == there[1] // WINDOW).all()
    assert (source[~BLOB.ravel()] == np.arange(81)[~BLOB.ravel()]).all()
    assert sorted(source) == list(range(81))
    assert (source != np.arange(81)).any()


def test_the_same_seed_shuffles_the_same_way() -> None:
    assert (shuffle(BLOB, 0.5, random(3)) == shuffle(BLOB, 0.5, random(3))).all()


def test_the_cut_out_grows_or_shrinks_by_one_cell() -> None:
    grown, shrunk = False, False
    for seed in range(20):
        result = morph(BLOB, 1.0, random(seed))
        grown |= bool((result > BLOB).any() and (result >= BLOB).all())
        shrunk |= bool((result < BLOB).any() and (result <= BLOB).all())
    assert grown
    assert shrunk


def test_a_single_cell_never_vanishes() -> None:
    cell = np.zeros((5, 5), bool)
    cell[2, 2] = True
    assert all(morph(cell, 1.0, random(seed)).any() for seed in range(20))
