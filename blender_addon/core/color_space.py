"""Colours for the GPU: a 3D view expects linear light of a texture, and encodes it itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def linear(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return sRGB pixels (h, w, 4) as linear light; alpha stays."""
    colour = pixels[..., :3]
    out = pixels.astype(np.float32, copy=True)
    out[..., :3] = np.where(
        colour <= 0.04045, colour / 12.92, ((np.maximum(colour, 0) + 0.055) / 1.055) ** 2.4
    )
    return out
