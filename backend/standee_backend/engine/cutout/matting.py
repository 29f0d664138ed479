"""Closed-form matting: how much of each pixel along a subject's edge is the subject's own.

Levin, Lischinski and Weiss: A closed-form solution to natural image matting, 2006. In a window of 3 x 3 px
the subject's share is taken for a linear function of the colour; what contradicts that least, and what is
known inside and outside of a band along the edge, decides the band. The equations are solved by conjugate
gradients over the band's own windows, at a bounded size; the same linear functions carry the result over to
the picture's full size. Arrays are (height, width), shares and colours 0..1.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from standee.geometry import Bools

from .grabcut import Mask

Shares = NDArray[np.float32]

SIDE = 1024
"""px on the long side of the picture at which the equations are solved, at most."""
NEAR, FAR = 0.008, 0.06
"""How far from the edge a pixel may be open: any, and one that a network is unsure of; shares of the subject's size."""
UNSURE = 0.03
"""What a network's share must keep from 0 and 1 to count as unsure."""
MOST = 200_000
"""Open pixels; a wider band is narrowed until it has no more."""
SMOOTH = 1e-5
"""Variance of the colours of a window that says nothing."""
TRUST = 0.02
"""Weight of the first guess against the windows' equations."""
ITERATIONS = 60
CLEAR = 0.04
"""Shares nearer than this to 0 or 1 are taken for it."""
GUIDE = 4
"""px (radius) of the windows that carry a share over to a larger picture."""


def refine(
    pixels: NDArray[np.uint8],
    inside: Bools,
    guess: Shares | None = None,
    check: Callable[[], None] = lambda: None,
) -> Mask:
    """Return the soft cut-out of the subject that fills `inside` in `pixels` (height, width, 3).

    `guess` is what a network takes for the shares; it counts where it agrees with `inside`. `check` is called
    now and then: what it raises ends this.
    """
    height, width = inside.shape
    scale = min(1.0, SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    solid = _shrunk(inside.astype(np.float32), size) >= 0.5
    first = cv2.GaussianBlur(solid.astype(np.float32), (0, 0), 1.0)
    soft = None
    if guess is not None:
        soft = _shrunk(guess, size)
        first = np.where((soft >= 0.5) == solid, soft, first)
    band = _band(solid, soft)
    share = solid.astype(np.float32)
    if band.any():
        share = _solved(small, share, first, band, check)
    if scale < 1:
        share = _enlarged(share, small, pixels, band)
        check()
    share = np.clip((share - CLEAR) / (1 - 2 * CLEAR), 0, 1)
    return np.rint(share * 255).astype(np.uint8)


def _shrunk(values: Shares, size: tuple[int, int]) -> Shares:
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _band(solid: Bools, soft: Shares | None) -> Bools:
    """Return the pixels whose shares are open: along the edge, and farther from it where a network is unsure."""
    away = cv2.distanceTransform(solid.astype(np.uint8), cv2.DIST_L2, 5) + cv2.distanceTransform(
        (~solid).astype(np.uint8), cv2.DIST_L2, 5
    )
    extent = float(np.sqrt(solid.sum()))
    near, far = max(2.0, NEAR * extent), max(2.0, FAR * extent)
    unsure = np.zeros_like(solid)
    if soft is not None:
        unsure = (soft > UNSURE) & (soft < 1 - UNSURE) & ((soft >= 0.5) == solid)
    band = (away <= near) | (unsure & (away <= far))
    if band.sum() > MOST:
        band &= away <= np.partition(away[band], MOST)[MOST]
    return np.asarray(band)


def _solved(
    colours: Shares, known: Shares, first: Shares, band: Bools, check: Callable[[], None]
) -> Shares:
    """Return the shares: `known` outside of the band, in it those that fit the colours best, from `first` on."""
    centres = cv2.dilate(band.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    centres[[0, -1]] = centres[:, [0, -1]] = False
    rows, cols = np.nonzero(centres)
    down, across = (part.ravel() - 1 for part in np.indices((3, 3)))
    places = (rows[:, None] + down) * band.shape[1] + cols[:, None] + across  # (windows, 9)
    there, at = np.unique(places, return_inverse=True)
    at = at.reshape(places.shape)
    windows = _equations(colours.reshape(-1, 3)[places])
    check()

    def strain(values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Apply the matting Laplacian to the shares of the pixels `there`."""
        pulls = np.matmul(windows, values[at].astype(np.float32)[..., None])
        return np.asarray(np.bincount(at.ravel(), pulls.ravel(), len(there)), np.float64)

    free = band.ravel()[there]
    fixed = np.where(free, 0.0, known.ravel()[there])
    start = np.where(free, first.ravel()[there], 0.0)
    diagonal = np.bincount(at.ravel(), np.einsum("kii->ki", windows).ravel(), minlength=len(there))
    scales = free / np.maximum(diagonal + TRUST, 1e-6)
    goal = free * (TRUST * start - strain(fixed))

    def apply(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return free * (strain(values) + TRUST * values)

    values = start
    left = goal - apply(values)
    ahead = scaled = scales * left
    weight = left @ scaled
    for _ in range(ITERATIONS):
        if weight < 1e-9:
            break
        check()
        pull = apply(ahead)
        step = weight / (ahead @ pull)
        values, left = values + step * ahead, left - step * pull
        scaled = scales * left
        before, weight = weight, left @ scaled
        ahead = scaled + weight / before * ahead
    shares = known.copy().ravel()
    shares[there[free]] = np.clip(values[free], 0, 1)
    return shares.reshape(known.shape)


def _equations(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return each window's part of the matting Laplacian (windows, 9, 9), of its colours (windows, 9, 3)."""
    apart = colours - colours.mean(axis=1, keepdims=True)
    spread = np.matmul(apart.transpose(0, 2, 1), apart) / 9 + SMOOTH / 9 * np.eye(
        3, dtype=np.float32
    )
    alike = np.matmul(np.matmul(apart, np.linalg.inv(spread)), apart.transpose(0, 2, 1))
    return np.asarray(np.eye(9, dtype=np.float32) - (1 + alike) / 9, np.float32)


def _enlarged(share: Shares, small: Shares, pixels: NDArray[np.uint8], band: Bools) -> Shares:
    """Carry shares over to a larger picture by the linear functions of the colour that they follow locally."""

    def mean(values: Shares) -> Shares:
        return cv2.blur(values, (2 * GUIDE + 1,) * 2)

    middle, level = mean(small), mean(share)
    moved = mean(small * share[..., None]) - middle * level[..., None]
    products = small[..., :, None] * small[..., None, :]
    spread = mean(products.reshape(*share.shape, 9)).reshape(*share.shape, 3, 3)
    spread = spread - middle[..., :, None] * middle[..., None, :]
    spread += 1e-4 * np.eye(3, dtype=np.float32)
    slope = np.linalg.solve(spread, moved[..., None])[..., 0].astype(np.float32)
    start = mean(level - (slope * middle).sum(-1))
    size = pixels.shape[1::-1]
    larger = cv2.resize(mean(slope), size, interpolation=cv2.INTER_LINEAR)
    fine = (larger * (pixels.astype(np.float32) / 255)).sum(-1)
    fine += cv2.resize(start, size, interpolation=cv2.INTER_LINEAR)
    plain = cv2.resize(share, size, interpolation=cv2.INTER_LINEAR)
    open_ = cv2.resize(band.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(plain + np.clip(open_, 0, 1) * (np.clip(fine, 0, 1) - plain), np.float32)
