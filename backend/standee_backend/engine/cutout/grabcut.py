"""GrabCut: a subject told from its surroundings by colour, from a box, a first guess, and points.

Needs no model; where a network guessed, it completes what the network was unsure of. Lengths are the picture's own px.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from standee.geometry import Bools
from standee.wire.messages import Point

Mask = NDArray[np.uint8]
"""(height, width): 255 on the subject, 0 around it, between them at its edge."""

Corners = tuple[int, int, int, int]
"""Left, top, right and bottom; the last two are just outside."""

Shares = NDArray[np.float32]
"""(height, width): how much of each pixel is the subject's, 0..1."""

CORE = 0.75
"""Without a box GrabCut starts from an ellipse of this share of the picture."""

COARSE_SIDE, FINE_SIDE = 512, 1024
"""px on the long side of the picture for GrabCut's first pass and for its second, along the edge."""

ITERATIONS = 6
LIKELY, UNLIKELY = 0.9, 0.05
"""A guess beyond these is sure of the subject, save along its edge, and of the surroundings, save near it."""
RIM, REACH = 0.02, 0.25
"""How wide that edge is, and how far the subject may go beyond a guess; shares of the guess' size."""
ALIKE = 24
"""How much (of 255) the colour may differ around a point for the point to count there too."""

_SUBJECT = (cv2.GC_FGD, cv2.GC_PR_FGD)


def grab_cut(
    pixels: NDArray[np.uint8],
    corners: Corners,
    points: Sequence[Point] = (),
    core: float = 1.0,
    guess: Shares | None = None,
) -> Bools:
    """Return what GrabCut takes for the subject in `pixels` (height, width, 3).

    Outside of `corners` is background for certain; the first guess is `guess` (height, width), or else the
    ellipse in them, scaled by `core`. Large pictures are cut at `COARSE_SIDE` px, and only the edge once
    more at `FINE_SIDE`.
    """
    height, width = pixels.shape[:2]
    inside = None
    for side, iterations in ((COARSE_SIDE, ITERATIONS), (FINE_SIDE, 1)):
        scale = min(1.0, side / max(width, height))
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        if inside is not None:
            marks = _band(inside, size)
        else:
            first = _ellipse(size, corners, scale, core) if guess is None else _guessed(size, guess)
            marks = _within(first, corners, scale)
        _mark_points(marks, small, points, scale, spread=inside is None)
        if np.isin(marks, _SUBJECT).all() or not np.isin(marks, _SUBJECT).any():
            break
        cv2.setRNGSeed(0)
        ground, figure = np.zeros((2, 1, 65))
        bgr = np.ascontiguousarray(small[..., ::-1])
        cv2.grabCut(bgr, marks, None, ground, figure, iterations, cv2.GC_INIT_WITH_MASK)
        inside = np.isin(marks, _SUBJECT)
        if scale == 1:
            break
    return (
        _resize(inside, (width, height)) if inside is not None else np.zeros((height, width), bool)
    )


def _ellipse(size: tuple[int, int], corners: Corners, scale: float, core: float) -> Mask:
    """Return GrabCut's first marks where nothing is known but a box: probably subject, probably around."""
    left, top, right, bottom = (round(c * scale) for c in corners)
    ellipse = np.zeros(size[::-1], np.uint8)
    middle = ((left + right) // 2, (top + bottom) // 2)
    axes = (max(1, round((right - left) / 2 * core)), max(1, round((bottom - top) / 2 * core)))
    cv2.ellipse(ellipse, middle, axes, 0, 0, 360, 1, -1)
    return np.where(ellipse, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)


def _guessed(size: tuple[int, int], guess: Shares) -> Mask:
    """Return GrabCut's first marks by a guess: sure well inside of it, open where it is unsure and nearby."""
    share = cv2.resize(guess, size, interpolation=cv2.INTER_AREA)
    extent = float(np.sqrt((share >= 0.5).sum()))
    near = cv2.distanceTransform((share <= UNLIKELY).astype(np.uint8), cv2.DIST_L2, 5)
    deep = cv2.distanceTransform((share >= LIKELY).astype(np.uint8), cv2.DIST_L2, 5)
    marks = np.full(share.shape, cv2.GC_BGD, np.uint8)
    marks[near <= max(1.0, REACH * extent)] = cv2.GC_PR_BGD
    marks[share >= 0.5] = cv2.GC_PR_FGD
    marks[deep > max(1.0, RIM * extent)] = cv2.GC_FGD
    return marks


def _within(marks: Mask, corners: Corners, scale: float) -> Mask:
    """Return marks with everything outside of a box marked as surroundings."""
    left, top, right, bottom = (round(c * scale) for c in corners)
    boxed = np.full_like(marks, cv2.GC_BGD)
    boxed[top:bottom, left:right] = marks[top:bottom, left:right]
    return boxed


def _mark_points(
    marks: Mask, pixels: NDArray[np.uint8], points: Sequence[Point], scale: float, spread: bool
) -> None:
    """Write points into GrabCut's marks: surely the place itself, and with `spread` probably all
    around of its colour, else a point would be too little for GrabCut to learn from.
    """
    radius = max(1, round(max(marks.shape) * 0.008))
    for point in points:
        at = (int(point.x * scale), int(point.y * scale))
        if spread:
            reached = np.zeros((marks.shape[0] + 2, marks.shape[1] + 2), np.uint8)
            flags = 4 | cv2.FLOODFILL_MASK_ONLY | cv2.FLOODFILL_FIXED_RANGE | 1 << 8
            cv2.floodFill(pixels.copy(), reached, at, 0, (ALIKE,) * 3, (ALIKE,) * 3, flags)
            unsure = (reached[1:-1, 1:-1] > 0) & (marks >= cv2.GC_PR_BGD)
            marks[unsure] = cv2.GC_PR_FGD if point.inside else cv2.GC_PR_BGD
        cv2.circle(marks, at, radius, cv2.GC_FGD if point.inside else cv2.GC_BGD, -1)


def _band(inside: Bools, size: tuple[int, int]) -> Mask:
    """Return GrabCut's marks for a finer pass: all is sure but a band along the edge."""
    larger = _resize(inside, size).astype(np.uint8)
    reach = np.ones((2 * round(max(size) / max(inside.shape)) + 3,) * 2, np.uint8)
    marks = np.where(larger, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    marks[cv2.erode(larger, reach) > 0] = cv2.GC_FGD
    marks[cv2.dilate(larger, reach) == 0] = cv2.GC_BGD
    return marks


def _resize(inside: Bools, size: tuple[int, int]) -> Bools:
    grown = cv2.resize(inside.astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    return np.asarray(grown >= 0.5)
