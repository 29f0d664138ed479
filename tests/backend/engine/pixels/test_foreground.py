"""Foreground colours: what a photograph mixed into a subject's edge is taken out again."""

from __future__ import annotations

import cv2
import numpy as np

from standee_backend.engine.pixels.foreground import own_colours

RED, GREEN = np.array([0.8, 0.2, 0.1], np.float32), np.array([0.1, 0.7, 0.2], np.float32)


def mixed() -> tuple[np.ndarray, np.ndarray]:
    disc = np.zeros((96, 96), np.float32)
    cv2.circle(disc, (48, 48), 24, 1.0, -1)
    share = cv2.GaussianBlur(disc, (0, 0), 2.0)
    return share[..., None] * RED + (1 - share[..., None]) * GREEN, share


def test_an_edge_has_the_subjects_colour_alone() -> None:
    colour, share = mixed()
    edge = (share > 0.05) & (share < 0.95)
    clean = own_colours(colour, share)
    assert np.abs(colour[edge] - RED).max() > 0.5
    assert np.abs(clean[edge] - RED).max() < 0.06


def test_what_is_all_the_subjects_or_none_of_it_stays_bit_for_bit() -> None:
    colour, share = mixed()
    clean = own_colours(colour, share)
    sure = (share == 0) | (share == 1)
    assert np.array_equal(clean[sure], colour[sure])
    whole = np.ones_like(share)
    assert np.array_equal(own_colours(colour, whole), colour)
    assert np.array_equal(own_colours(colour, 0 * whole), colour)


def test_a_speck_of_a_pixel_is_no_trouble() -> None:
    colour, share = mixed()
    speck = np.zeros_like(share)
    speck[0, 95] = 0.4
    clean = own_colours(colour, speck)
    assert np.isfinite(clean).all()
    assert clean.dtype == np.float32
