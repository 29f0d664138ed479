"""Known values of the sRGB curve."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.core.color_space import srgb_to_linear


def test_colours_become_linear_and_alpha_stays():
    pixels = np.float32([[[0, 1, 0.5, 0.5], [0.04, 0.2, 0.75, 0]]])
    out = srgb_to_linear(pixels)
    assert out[0, 0] == pytest.approx([0, 1, 0.2140, 0.5], abs=1e-4)
    assert out[0, 1] == pytest.approx([0.0031, 0.0331, 0.5225, 0], abs=1e-4)
