"""Geometry of a billboard: on the ground, and as large as its picture is in the camera.

Matrices and px are those of `projection`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from standee.composition import Canvas, Rect

from ..projection import to_clip

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Card:
    """A billboard's edges, from its feet along its own axes (scene units): `left`, `bottom` <= 0."""

    left: float
    right: float
    bottom: float
    top: float


def on_plane(start: Floats, way: Floats, height: float = 0.0) -> Floats | None:
    """Return where a ray meets the horizontal plane at `height`; `None` if it does not."""
    if abs(way[2]) < 1e-6:
        return None
    distance = (height - start[2]) / way[2]
    return start + distance * way if distance > 0 else None


def feet(alpha: NDArray[np.floating]) -> tuple[float, float]:
    """Return where a picture with this alpha (height, width) stands, as parts of its size, y down.

    It is the middle of what is solid, and its lowest point.
    """
    rows, cols = np.nonzero(alpha > 0.5)
    if not len(rows):
        return 0.5, 1.0
    height, width = alpha.shape
    return float(cols.min() + cols.max() + 1) / 2 / width, float(rows.max() + 1) / height


def card(
    foot: Floats, across: Floats, up: Floats, matrix: Floats, canvas: Canvas, wanted: Rect
) -> Card | None:
    """Return the billboard at `foot` whose bounds in the camera are the rectangle `wanted`.

    `across` and `up` are its axes in the world (unit). `None` if the camera sees it from its edge.
    """
    right_at, top_at = wanted.x + wanted.w, wanted.y + wanted.h
    columns = [2 * x / canvas.width - 1 for x in (wanted.x, right_at)]
    rows = [1 - 2 * y / canvas.height for y in (top_at, wanted.y)]
    bottom, top = (_reach(foot, up, matrix, 1, row) for row in rows)
    if bottom is None or top is None or top - bottom <= 0:
        return None
    sides = []
    for column in columns:  # the nearer edge is the wider one: its ends are the bounds
        ends = [_reach(foot + up * z, across, matrix, 0, column) for z in (bottom, top)]
        known = [one for one in ends if one is not None]
        if len(known) < len(ends):
            return None
        sides.append(min(known, key=abs))
    left, right = sides
    return Card(left, right, bottom, top) if right - left > 0 else None


def _reach(foot: Floats, way: Floats, matrix: Floats, axis: int, target: float) -> float | None:
    """Return how far to go from `foot` along `way` until clip coordinate `axis` is `target`."""
    start = to_clip(foot, matrix)[0]
    step = to_clip(foot + way, matrix)[0] - start
    slope = step[axis] - target * step[3]
    if abs(slope) < 1e-9:
        return None
    distance = float((target * start[3] - start[axis]) / slope)
    return distance if start[3] + distance * step[3] > 1e-9 else None
