"""Colour space conversion between sRGB pictures and linear light."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def srgb_to_linear(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return sRGB pixels (h, w, 4) as linear light; alpha stays."""
    colour = pixels[..., :3]
    out = pixels.astype(np.float32, copy=True)
    out[..., :3] = np.where(
        colour <= 0.04045, colour / 12.92, ((np.maximum(colour, 0) + 0.055) / 1.055) ** 2.4
    )
    return out


def linear_to_srgb(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return linear light (h, w, 4) as sRGB; alpha stays. What is brighter than white is white."""
    colour = np.clip(pixels[..., :3], 0.0, 1.0)
    out = pixels.astype(np.float32, copy=True)
    out[..., :3] = np.where(
        colour <= 0.0031308, colour * 12.92, 1.055 * colour ** (1 / 2.4) - 0.055
    )
    return out


def unpremultiply(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return pixels (h, w, 4) whose colours are multiplied by their alpha as they are without it."""
    out = pixels.astype(np.float32, copy=True)
    alpha = pixels[..., 3:]
    out[..., :3] = np.where(alpha > 0, pixels[..., :3] / np.maximum(alpha, 1e-6), pixels[..., :3])
    return out
