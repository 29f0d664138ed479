"""Shadows of subjects as a layer: where a result is darker than its scene, outside of the subjects.

The layer multiplies. The scene under it looks there as the result does, so that the subjects can be taken away or
others laid over it in a painting program.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .raster_layers import SHADOWS, RasterLayer, ShadowsTold, png_of

if TYPE_CHECKING:
    from PIL import Image

Floats = NDArray[np.floating]
Placed = tuple["Image.Image", int, int, float]
"""A picture, where its upper left corner is on the canvas, px, and its opacity."""

ALIKE = 0.06
"""How far, 0..1, a px of the result may be from the scene's and count as the scene's own."""
LEAST_ALIKE = 0.3
"""Such a share of the px outside of subjects must be; or else the result shows another place."""
FAINT, PLAIN = 0.03, 0.08
"""How much darker, 0..1, a place is that begins to be shadow, and that is all of it."""
SMOOTH = 128
"""The canvas' shorter side has so many of the radius over which shadows are smoothed."""
COVERED = 0.02
"""A subject that covers a px by this hides what is behind."""


def shadow_layer(
    scene: Placed, subjects: Iterable[Placed], result: Image.Image
) -> tuple[RasterLayer | None, ShadowsTold]:
    """Return the layer that makes `scene` as dark as `result`, of the canvas' size, and whether that was told."""
    size = result.size
    place, there = _on_canvas(scene, size)
    covered = np.zeros(there.shape, np.float32)
    for one in subjects:
        covered = np.maximum(covered, _on_canvas(one, size)[1])
    seen = (there > 1 - COVERED) & (covered < COVERED)
    after = np.asarray(result.convert("RGB"), np.float32) / 255
    if not seen.any():
        return None, "unlike"
    if (abs(after - place).mean(2) < ALIKE)[seen].mean() < LEAST_ALIKE:
        return None, "unlike"
    ratio = _ratio(place, after, seen, max(1, min(size) // SMOOTH))
    depth = 1 - ratio.mean(2)
    alpha = np.clip((depth - FAINT) / (PLAIN - FAINT), 0, 1)
    alpha = np.where(seen, alpha * alpha * (3 - 2 * alpha), 0)
    if not (alpha > 0.5).any():
        return None, "none"
    return _cropped(ratio, alpha), "told"


def _ratio(place: Floats, after: Floats, seen: NDArray[np.bool_], radius: int) -> Floats:
    """Return how much darker each channel is (height, width, 3), at most 1, smoothed over what is `seen`."""
    weight = seen[..., None].astype(np.float32)
    least = 1 / 255  # black has no ratio
    dark, light = (_smoothed(one * weight, radius) + least for one in (after, place))
    ratio: Floats = np.minimum(dark / light, 1)
    return ratio


def _smoothed(values: Floats, radius: int) -> Floats:
    """Return means of means over squares of 2 `radius` + 1 px: nearly a Gaussian; beyond the edges there is nothing."""
    for axis in (0, 1, 0, 1):
        length = values.shape[axis]
        sums = np.insert(np.cumsum(values, axis, dtype=np.float64), 0, 0, axis)
        at = np.arange(length)
        high, low = np.minimum(at + radius + 1, length), np.maximum(at - radius, 0)
        values = ((sums.take(high, axis) - sums.take(low, axis)) / (2 * radius + 1)).astype("f4")
    return values


def _on_canvas(placed: Placed, size: tuple[int, int]) -> tuple[Floats, Floats]:
    """Return a picture's colours (height, width, 3) and how much it covers (height, width) of a canvas of `size`."""
    from PIL import Image

    image, x, y, opacity = placed
    whole = Image.new("RGBA", size)
    whole.paste(image.convert("RGBA"), (x, y))
    values = np.asarray(whole, np.float32) / 255
    return values[..., :3], values[..., 3] * np.float32(opacity)


def _cropped(ratio: Floats, alpha: Floats) -> RasterLayer:
    from PIL import Image

    values = np.concatenate([ratio, alpha[..., None]], 2)
    image = Image.fromarray(np.rint(values * 255).astype(np.uint8), "RGBA")
    box = image.getchannel("A").getbbox()
    assert box is not None
    image = image.crop(box)
    return RasterLayer(
        SHADOWS, png_of(image), *box[:2], *image.size, covers=False, blend="multiply"
    )
