"""Measures of pictures that need no network: identity, seams, halos, and who stands in front.

Pictures are float arrays (height, width, 3) in 0..1, masks boolean (height, width).
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Bools = NDArray[np.bool_]


def psnr(picture: Array, reference: Array, mask: Bools) -> float:
    """Return the peak signal-to-noise ratio in dB inside `mask`; infinite where both are equal."""
    error = float(((picture - reference)[mask] ** 2).mean())
    return float("inf") if error == 0 else -10 * float(np.log10(error))


def ssim(picture: Array, reference: Array, mask: Bools) -> float:
    """Return the mean structural similarity (Wang et al. 2004, Gaussian window, sigma 1.5) inside `mask`."""

    def blur(a: Array) -> Array:
        return cv2.GaussianBlur(a, (11, 11), 1.5)

    mean_a, mean_b = blur(picture), blur(reference)
    var_a = blur(picture * picture) - mean_a**2
    var_b = blur(reference * reference) - mean_b**2
    both = blur(picture * reference) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    top = (2 * mean_a * mean_b + c1) * (2 * both + c2)
    bottom = (mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2)
    return float((top / bottom)[mask].mean())


def low_pass(picture: Array, mask: Bools, width: float) -> Array:
    """Return the low frequencies of a picture inside `mask`: Gaussian means over `width` px of what lies in it."""
    weight = mask.astype(np.float32)[..., None]
    summed = cv2.GaussianBlur(picture * weight, (0, 0), width)
    return summed / np.maximum(cv2.GaussianBlur(weight, (0, 0), width)[..., None], 1e-4)


def detail(picture: Array, mask: Bools, width: float) -> Array:
    """Return a picture without its low frequencies inside `mask`."""
    return picture - low_pass(picture, mask, width)


def halo(picture: Array, mask: Bools, reach: int) -> float:
    """Return how much a subject runs over its outline: the share of the ring of `reach` px that looks like it.

    A pixel does that is nearer to the mean colour of the subject's rim than to that of the place further out.
    """
    grown, far = (dilated(mask, size) for size in (reach, 3 * reach))
    rim = mask & dilated(~mask, reach)
    outside = far & ~grown
    if not outside.any() or not rim.any():
        return 0.0
    ring = picture[grown & ~mask]
    own, place = (
        np.linalg.norm(ring - picture[part].mean(axis=0), axis=1) for part in (rim, outside)
    )
    return float((own < 0.5 * place).mean())


def dilated(mask: Bools, reach: int) -> Bools:
    """Return a mask grown by `reach` px."""
    return cv2.dilate(mask.astype(np.uint8), _disc(reach)) > 0


def edges(picture: Array, mask: Bools) -> float:
    """Return the share of `mask` where the picture has strong edges: figures that nobody asked for have them."""
    grey = cv2.GaussianBlur(picture.mean(axis=2), (0, 0), 1.0)
    steps = np.hypot(*np.gradient(grey))
    return float((steps[mask] > 0.06).mean()) if mask.any() else 0.0


def _disc(radius: int) -> np.ndarray:
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))


def edge_gradient(picture: Array, mask: Bools) -> float:
    """Return the mean step in colour between neighbouring pixels across the edge of `mask`."""
    steps = []
    for axis in (0, 1):
        crosses = np.diff(mask, axis=axis)
        steps.append(np.abs(np.diff(picture, axis=axis)).mean(axis=2)[crosses])
    return float(np.concatenate(steps).mean())


def in_front(picture: Array, one: Array, other: Array, mask: Bools) -> float:
    """Return how surely a picture shows `one` and not `other` inside `mask`, where both would be: -1 to 1.

    Each is compared without its mean colour, which the place's light changes.
    """
    apart = []
    for subject in (one, other):
        difference = (picture - subject)[mask]
        apart.append(float(difference.var(axis=0).mean()))
    return (apart[1] - apart[0]) / max(sum(apart), 1e-12)
