"""Turned pictures: drawn at any angle by one interpolation of colours weighed by their coverage.

So nothing of what lies under a cut-out's transparent pixels comes into its edge. Arrays are float32, 0..1.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from standee.composition import Rect
from standee.rotation import Point, bounds_turned, centre, turned_about

Array = NDArray[np.float32]

FINER = 2
"""A picture is drawn so many times finer than it is wanted, and then averaged."""
FINEST = 4096
"""One of more px a side is drawn as it is wanted."""
REACH = 4
"""How many px around a px an interpolation looks at, at most."""
LEAST = 1e-3
"""A px of which less is covered has no colour."""

Upright = Callable[[Rect, tuple[int, int]], tuple[Array, Array, Array]]
"""Returns colour (h, w, 3), its coverage (h, w) and the matte (h, w) of a part of a picture that stands upright, in
so many px (w, h)."""


def paint_turned(
    upright: Upright, part: Rect | None, middle: Point, view: Rect, degrees: float
) -> tuple[Array, Array, Array]:
    """Return colour (h, w, 3), matte and extent (h, w) of what is seen in `view` of a picture.

    Upright, `part` is where it lies; it is turned about `middle`.
    """
    colour = np.zeros((round(view.h), round(view.w), 3), np.float32)
    matte, extent = np.zeros((2, *colour.shape[:2]), np.float32)
    part = common(part, _grown(_around(view, middle, -degrees), REACH))
    box = common(part and _around(part, middle, degrees), view)
    if part is None or box is None:
        return colour, matte, extent
    left, top = (int(np.floor(edge)) for edge in (box.x, box.y))
    size = int(np.ceil(box.x + box.w)) - left, int(np.ceil(box.y + box.h)) - top
    finer = FINER if max(part.w, part.h) <= FINEST else 1
    drawn = max(1, round(part.w * finer)), max(1, round(part.h * finer))
    pixels, own, soft = upright(part, drawn)
    matrix = _back(degrees, middle, (left, top), finer, part, drawn)
    weighed = _warped(own[..., None] * pixels, matrix, size, finer)
    shares = _warped(np.dstack([own, soft, np.ones_like(soft)]), matrix, size, finer)
    x, y = left - round(view.x), top - round(view.y)
    seen = np.s_[y : y + size[1], x : x + size[0]]
    weight, matte[seen], extent[seen] = np.moveaxis(shares, 2, 0)
    np.divide(weighed, weight[..., None], out=colour[seen], where=weight[..., None] > LEAST)
    return np.clip(colour, 0, 1), matte, extent


def common(a: Rect | None, b: Rect) -> Rect | None:
    """Return the rectangle that two share, or `None`."""
    if a is None:
        return None
    x, y = max(a.x, b.x), max(a.y, b.y)
    w, h = min(a.x + a.w, b.x + b.w) - x, min(a.y + a.h, b.y + b.h) - y
    return Rect(x, y, w, h) if w > 0 and h > 0 else None


def _around(rect: Rect, middle: Point, degrees: float) -> Rect:
    """Return the upright rectangle around one that is turned about `middle`."""
    x, y = turned_about(*centre(rect), middle, degrees)
    size = bounds_turned(rect, degrees)
    return Rect(x - size.w / 2, y - size.h / 2, size.w, size.h)


def _grown(rect: Rect, margin: float) -> Rect:
    return Rect(rect.x - margin, rect.y - margin, rect.w + 2 * margin, rect.h + 2 * margin)


def _back(
    degrees: float,
    middle: Point,
    corner: tuple[int, int],
    finer: int,
    part: Rect,
    size: tuple[int, int],
) -> NDArray[np.float64]:
    """Return the matrix (2, 3) from px, `finer` than the canvas' from its `corner` on, to px of an upright `part`."""
    places = []
    for x, y in ((0.5, 0.5), (1.5, 0.5), (0.5, 1.5)):
        at = corner[0] + x / finer, corner[1] + y / finer
        back = turned_about(*at, middle, -degrees)
        across, down = (back[0] - part.x) / part.w, (back[1] - part.y) / part.h
        places.append((across * size[0] - 0.5, down * size[1] - 0.5))
    origin, right, below = np.array(places)
    return np.stack([right - origin, below - origin, origin], axis=1)


def _warped(pixels: Array, matrix: NDArray[np.float64], size: tuple[int, int], finer: int) -> Array:
    """Return pixels (height, width, channels) where `matrix` has them from, averaged to `size` (w, h) px."""
    fine = cv2.warpAffine(
        pixels, matrix, (size[0] * finer, size[1] * finer),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_CONSTANT,
    )  # fmt: skip
    small = cv2.resize(fine, size, interpolation=cv2.INTER_AREA) if finer > 1 else fine
    return np.asarray(np.clip(small, 0, 1), np.float32)
