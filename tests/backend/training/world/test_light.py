from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.world import light

BEAR = Path(__file__).resolve().parents[4] / "examples/subjects/teddy_bear.png"


@pytest.fixture(scope="module")
def bear() -> np.ndarray:
    """(h, w, 4) in 0..1, cropped to what is seen."""
    picture = Image.open(BEAR).convert("RGBA")
    return np.asarray(picture.crop(picture.getchannel("A").getbbox()), np.float32) / 255


def mean_colour(pixels: np.ndarray) -> np.ndarray:
    return np.average(pixels[..., :3], (0, 1), np.repeat(pixels[..., 3:], 3, -1))


def shaded(bear: np.ndarray, kind: str) -> np.ndarray:
    """The factors on the mean colour, over several directions of the sun."""
    made = [
        mean_colour(light.shade(bear, light.of_kind(np.random.default_rng(seed), kind)))
        for seed in range(8)
    ]
    return np.mean(made, 0) / mean_colour(bear)


def test_noon_keeps_a_figures_colours(bear: np.ndarray) -> None:
    assert np.allclose(shaded(bear, "noon"), 1, atol=0.08)


def test_night_dims_a_figure_and_makes_it_bluer(bear: np.ndarray) -> None:
    red, green, blue = shaded(bear, "night")
    assert max(red, green, blue) < 0.6
    assert red < green < blue


def test_sunset_makes_a_figure_redder(bear: np.ndarray) -> None:
    red, _, blue = shaded(bear, "sunset")
    assert red > 1.3 * blue


def test_flat_light_leaves_a_figure_as_it_is(bear: np.ndarray) -> None:
    assert np.allclose(light.shade(bear, light.flat()), bear, atol=1e-6)


def test_the_side_that_faces_the_sun_is_brighter(bear: np.ndarray) -> None:
    sun = next(
        found
        for seed in range(50)
        if (found := light.of_kind(np.random.default_rng(seed), "sunset")).side < -0.7
    )
    factors = light.shade(bear, sun)[..., 0] / np.maximum(bear[..., 0], 0.05)
    seen, middle = bear[..., 3] > 0.9, bear.shape[1] // 2
    left, right = (
        factors[:, half][seen[:, half]].mean() for half in (slice(middle), slice(middle, None))
    )
    assert left > 1.05 * right


def test_a_low_sun_casts_a_longer_shadow_away_from_it(bear: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    alpha = np.ones((20, 10), np.float32)
    low = light.of_kind(rng, "sunset")
    cast = light.cast_shadow(alpha, 45, 50, low, (100, 100))
    columns = np.flatnonzero(cast.max(0) > 0.05)
    away = columns.max() - 55 if low.side < 0 else 45 - columns.min()
    assert away > 10
    assert not light.cast_shadow(alpha, 45, 50, light.flat(), (100, 100)).any()
