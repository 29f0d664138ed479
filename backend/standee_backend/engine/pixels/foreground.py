"""Foreground colours: a subject's own along its edge, where a photograph mixes in what is behind.

Forte: Approximate fast foreground colour estimation, 2021. Both sides' colours are averaged around each pixel,
weighted by their shares of it, and the subject's takes up what its mixture leaves unexplained; a second pass
looks at what is near. Where the subject has a pixel to itself, nothing changes.
"""

from __future__ import annotations

import cv2
import numpy as np

from .images import Array

REACHES = ((0.06, 8), (0.012, 3))
"""How far the two passes look: shares of the subject's longer side, and px, at least."""
SURE = 3
"""The power of its share that a pixel's colour counts with: what is mixed tells little."""
NOTHING = 1e-4
"""Weights that tell nothing are below this."""


def own_colours(colour: Array, matte: Array) -> Array:
    """Return the subject's own `colour` (height, width, 3), of which `matte` (height, width) is its share."""
    edge = (matte > 0) & (matte < 1)
    if not edge.any():
        return colour
    rows, cols = np.nonzero((matte > 0).any(axis=1))[0], np.nonzero((matte > 0).any(axis=0))[0]
    longer = max(np.ptp(rows), np.ptp(cols)) + 1
    margin = max(REACHES[0][1], round(REACHES[0][0] * longer))
    part = np.s_[
        max(0, rows[0] - margin) : rows[-1] + margin + 1,
        max(0, cols[0] - margin) : cols[-1] + margin + 1,
    ]
    mixed, share = colour[part], matte[part][..., None]
    own = behind = mixed
    for reach, least in REACHES:
        size = 2 * max(least, round(reach * longer)) + 1
        near, far = _mean(own, share**SURE, size), _mean(behind, (1 - share) ** SURE, size)
        own = np.clip(near + share * (mixed - share * near - (1 - share) * far), 0, 1)
        behind = far
    clean = colour.copy()
    clean[part] = np.where(edge[part][..., None], own, mixed)
    return clean


def _mean(colour: Array, weight: Array, size: int) -> Array:
    """Return colours averaged over windows of `size` px by their weights (height, width, 1)."""
    total = cv2.blur(colour * weight, (size, size))
    weights = cv2.blur(weight, (size, size))[..., None]
    return np.where(weights > NOTHING, total / np.maximum(weights, NOTHING), colour).astype(
        np.float32
    )
