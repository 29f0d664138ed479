"""Rotation of rectangles and points, in degrees, clockwise as one looks at it.

A rotation is the nearest number of quarter turns, which are exact, and a rest of at most 45 degrees. So a picture that
stands on its side is the turned picture itself, on whole cells, and between the quarters nothing jumps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from .composition import Rect

Point = tuple[float, float]
Numbers = TypeVar("Numbers", float, NDArray[np.floating])
Values = TypeVar("Values", bound=np.generic)


@dataclass(frozen=True)
class Turn:
    """A rotation: `quarters` (0 to 3) turns by 90 degrees, and then `rest` degrees, -45 <= rest < 45."""

    quarters: int
    rest: float


def turn_of(rotation: float) -> Turn:
    """Return any rotation in degrees as a `Turn`."""
    quarters = math.floor(rotation / 90 + 0.5)
    return Turn(quarters % 4, rotation - 90 * quarters)


def normalized(rotation: float) -> float:
    """Return the same direction as a rotation in -180 < degrees <= 180."""
    inside = rotation % 360
    return inside - 360 if inside > 180 else inside


def quarter_turned(rect: Rect, quarters: int) -> Rect:
    """Return the rectangle that `rect` is after quarter turns about its centre."""
    if quarters % 2 == 0:
        return rect
    return Rect(rect.x + (rect.w - rect.h) / 2, rect.y + (rect.h - rect.w) / 2, rect.h, rect.w)


def turned_pixels(pixels: NDArray[Values], quarters: int) -> NDArray[Values]:
    """Return an array (height, width, ...) after quarter turns clockwise."""
    return np.rot90(pixels, -quarters) if quarters else pixels


def centre(rect: Rect) -> Point:
    """Return the middle of a rectangle."""
    return rect.x + rect.w / 2, rect.y + rect.h / 2


def turned_about(x: Numbers, y: Numbers, middle: Point, degrees: float) -> tuple[Numbers, Numbers]:
    """Return points turned about `middle`. Quarter turns do not round."""
    cosine, sine = _direction(degrees)
    dx, dy = x - middle[0], y - middle[1]
    return middle[0] + cosine * dx - sine * dy, middle[1] + sine * dx + cosine * dy


def corners(rect: Rect, degrees: float) -> tuple[Point, Point, Point, Point]:
    """Return where the corners of a rectangle lie once it is turned: that of its upper left first, then clockwise."""
    right, bottom, middle = rect.x + rect.w, rect.y + rect.h, centre(rect)
    a, b, c, d = (
        turned_about(x, y, middle, degrees)
        for x, y in ((rect.x, rect.y), (right, rect.y), (right, bottom), (rect.x, bottom))
    )
    return a, b, c, d


def bounds_turned(rect: Rect, degrees: float) -> Rect:
    """Return the upright rectangle around `rect` once it is turned."""
    if not degrees:
        return rect
    w, h = _size_turned(rect.w, rect.h, degrees)
    return Rect(rect.x + (rect.w - w) / 2, rect.y + (rect.h - h) / 2, w, h)


@lru_cache(maxsize=4096)
def _size_turned(w: float, h: float, degrees: float) -> Point:
    """Return the sides of what is around a turned rectangle: the same wherever that is moved."""
    cosine, sine = map(abs, _direction(degrees))
    return w * cosine + h * sine, w * sine + h * cosine


@lru_cache(maxsize=4096)
def _direction(degrees: float) -> Point:
    """Return cosine and sine; of quarter turns exactly."""
    turn = turn_of(degrees)
    if not turn.rest:
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[turn.quarters]
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
