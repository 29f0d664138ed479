"""Kept pixels: identical to the scene outside the edited region, with the seam inside the region."""

from __future__ import annotations

import cv2
import numpy as np

from standee.geometry import Arrangement, Bools

from .images import Array


def keep_pixels(pixels: Array, scene_pixels: Array, kept: Bools, feather: float) -> Array:
    """Return `pixels` (height, width, 3) with the scene's own where `kept` (height, width) is true.

    From the edge of the kept region inwards the scene fades out over `feather` px.
    """
    weight = np.clip(distance(~kept) / max(1.0, feather), 0.0, 1.0)[..., None]
    return weight * pixels + (1 - weight) * scene_pixels


def continued(pixels: Array, known: Bools) -> Array:
    """Return `pixels` (height, width, 3) where `known` (height, width); elsewhere the nearest known px continues."""
    if known.all() or not known.any():
        return pixels
    _, nearest = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((int(nearest.max()) + 1, 3), np.float32)
    colours[nearest[known]] = pixels[known]
    return np.asarray(colours[nearest], np.float32)


def around_subjects(
    arrangement: Arrangement, first: int, blend: float, patch: int
) -> tuple[Array, Array]:
    """Return the band of `blend` px around subjects: what is beside each and above its foot, and the ground below.

    Both (height, width), 1 inside, 0 outside. On the ground shadows fall.
    """
    above, ground = np.zeros((2, *(side * patch for side in arrangement.owner.shape)), np.float32)
    for index in range(first, len(arrangement.placements)):
        pixels = np.kron(arrangement.owner == index, np.ones((patch, patch), bool))
        if pixels.any():
            near = distance(~pixels) <= blend
            foot = np.flatnonzero(pixels.any(axis=1))[-1]
            above[: foot - patch // 2][near[: foot - patch // 2]] = 1.0
            ground[foot - patch // 2 :][near[foot - patch // 2 :]] = 1.0
    return above, ground * (1 - above)


def distance(inside: Bools) -> Array:
    """Return each true pixel's distance in px to the nearest false one; 0 on false pixels, inf where there is none."""
    if inside.all():
        return np.full(inside.shape, np.inf, np.float32)
    return np.asarray(
        cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE),
        np.float32,
    )
