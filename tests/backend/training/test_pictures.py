from __future__ import annotations

import numpy as np
import pytest

from training import pictures

SCENE, PHOTOGRAPH = (np.full((64, 96, 3), level, np.uint8) for level in (10, 200))


@pytest.fixture(scope="module")
def crops() -> pictures.Crops:
    return pictures.Crops([SCENE], [PHOTOGRAPH, PHOTOGRAPH[:16]])


def test_the_crops_of_a_step_depend_on_the_step_alone(crops: pictures.Crops) -> None:
    first, other = crops.draw(5, 8, 32), crops.draw(6, 8, 32)
    assert first.shape == (8, 32, 32, 3)
    assert np.array_equal(first, crops.draw(5, 8, 32))
    assert not np.array_equal(first, other)


def test_crops_are_of_scenes_photographs_and_textures_in_their_shares(
    crops: pictures.Crops,
) -> None:
    drawn = [crop for step in range(40) for crop in crops.draw(step, 8, 32)]
    scenes = np.mean([(crop == 10).all() for crop in drawn])
    photographs = np.mean([(crop == 200).all() for crop in drawn])
    assert scenes == pytest.approx(pictures.SHARES["scenes"], abs=0.1)
    assert photographs == pytest.approx(pictures.SHARES["photographs"], abs=0.1)
    assert all(crop.std() > 1 for crop in drawn if not (crop == crop.flat[0]).all())
