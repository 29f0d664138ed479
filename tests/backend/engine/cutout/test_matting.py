"""Closed-form matting: soft edges as they were mixed, at any size, in bounded time."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from standee.errors import JobCancelled
from standee_backend.engine.cutout import matting

FIGURE, GROUND = np.array([210, 60, 40]), np.array([50, 130, 60])


def mixed(side: int, blur: float) -> tuple[np.ndarray, np.ndarray]:
    """Return a picture with a soft disc in it, and the true shares (height, width), 0..1."""
    disc = np.zeros((side, side), np.float32)
    cv2.circle(disc, (side // 2, side // 2), side // 4, 1.0, -1)
    share = cv2.GaussianBlur(disc, (0, 0), blur)
    pixels = share[..., None] * FIGURE + (1 - share[..., None]) * GROUND
    return pixels.astype(np.uint8), share


def test_a_soft_edge_is_found_from_a_hard_one() -> None:
    pixels, share = mixed(128, 1.0)
    mask = matting.refine(pixels, share > 0.5) / 255
    assert np.abs(mask - share).max() < 0.12
    assert np.abs(mask - share).mean() < 0.004
    hard = (share > 0.5).astype(float)
    assert np.abs(mask - share).sum() < 0.25 * np.abs(hard - share).sum()


def test_what_a_network_is_unsure_of_is_open_farther_from_the_edge() -> None:
    """Hair of the figure's colour, 1 px wide, that the first answer leaves out."""
    pixels, share = mixed(320, 0.6)
    pixels[68:81, 160] = FIGURE
    guess = share.copy()
    guess[68:81, 158:163] = np.maximum(guess[68:81, 158:163], 0.3)
    inside = share > 0.5
    assert matting.refine(pixels, inside)[73:77, 160].max() < 30
    assert matting.refine(pixels, inside, guess)[74:79, 160].min() > 60


def test_a_large_picture_is_solved_small_and_keeps_its_detail(monkeypatch) -> None:
    monkeypatch.setattr(matting, "SIDE", 128)
    pixels, share = mixed(512, 2.0)
    coarse = cv2.resize(cv2.resize(share, (128, 128)), (512, 512)) > 0.5
    mask = matting.refine(pixels, coarse) / 255
    assert mask.shape == (512, 512)
    assert np.abs(mask - share).max() < 0.25
    assert np.abs(mask - share).mean() < 0.006


def test_where_there_is_no_edge_nothing_is_soft() -> None:
    pixels, _ = mixed(64, 1.0)
    assert (matting.refine(pixels, np.ones((64, 64), bool)) == 255).all()
    assert not matting.refine(pixels, np.zeros((64, 64), bool)).any()


def test_a_band_of_too_many_pixels_is_narrowed(monkeypatch) -> None:
    pixels, share = mixed(128, 1.0)

    def soft() -> int:
        mask = matting.refine(pixels, share > 0.5)
        return int(np.count_nonzero((mask > 0) & (mask < 255)))

    wide = soft()
    monkeypatch.setattr(matting, "MOST", 300)
    assert 0 < soft() < 0.7 * wide


def test_it_ends_when_it_is_cancelled() -> None:
    looked: list[None] = []

    def cancel() -> None:
        looked.append(None)
        if len(looked) > 3:
            raise JobCancelled("The job was cancelled.")

    pixels, share = mixed(128, 1.0)
    with pytest.raises(JobCancelled):
        matting.refine(pixels, share > 0.5, check=cancel)
    assert len(looked) == 4
