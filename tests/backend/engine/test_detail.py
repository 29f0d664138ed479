"""Detail: what the autoencoder lost comes back where the result agrees, in the light of the place."""

from __future__ import annotations

import numpy as np
import pytest

from standee_backend.engine.detail import Detail, Details

SIDE = 96


@pytest.fixture
def kept() -> np.ndarray:
    """A reconstruction with some detail of its own: broad stripes."""
    columns = np.arange(SIDE)
    stripes = 0.5 + 0.2 * np.sign(np.sin(columns / 3))
    return np.repeat(np.tile(stripes, (SIDE, 1))[..., None], 3, axis=2).astype(np.float32)


@pytest.fixture
def details(kept) -> Details:
    lost = np.random.default_rng(0).normal(0, 0.03, kept.shape).astype(np.float32)
    everything = slice(0, SIDE), slice(0, SIDE)
    part = Detail(everything, lost, kept, np.ones((SIDE, SIDE), np.float32))
    return Details((part,), width=4.0)


def test_where_the_result_is_the_reconstruction_the_picture_comes_back(details, kept) -> None:
    truth = kept + details.parts[0].lost
    before, after = (np.abs(x - truth).mean() for x in (kept, details.add(kept)))
    assert after < 0.1 * before


def test_in_a_darker_place_it_is_darker(details, kept) -> None:
    added = details.add(kept * 0.5) - kept * 0.5
    share = (added * details.parts[0].lost).sum() / (details.parts[0].lost ** 2).sum()
    assert share == pytest.approx(0.5, abs=0.1)


def test_where_the_pose_changed_nothing_is_added(details, kept) -> None:
    moved = np.roll(kept, 9, axis=1)  # half a stripe and more
    assert np.abs(details.add(moved) - moved).mean() < 0.1 * np.abs(details.parts[0].lost).mean()


def test_outside_the_cut_out_nothing_is_added(details, kept) -> None:
    [part] = details.parts
    matte = part.matte.copy()
    matte[:, SIDE // 2 :] = 0
    half = Details((Detail(part.at, part.lost, part.kept, matte),), details.width)
    made = half.add(kept)
    assert (made[:, SIDE // 2 :] == kept[:, SIDE // 2 :]).all()
    assert (made[:, : SIDE // 2] != kept[:, : SIDE // 2]).any()
