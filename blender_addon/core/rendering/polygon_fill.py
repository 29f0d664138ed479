"""Polygon fill: the mask of what closed strokes enclose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

FINE = ((1024, 4), (2048, 2))
"""Up to a mask's longer side (px), into how many parts each px is divided both ways for soft edges."""


@dataclass(frozen=True)
class Outline:
    """A stroke (n, 2) in px, y down, that its end closes. One that `erases` cuts a hole."""

    points: Floats
    erases: bool = False


def fill(outlines: Iterable[Outline], size: tuple[int, int]) -> NDArray[np.float32]:
    """Return the mask (height, width; 0..1) of what lies in any outline, `size` px (width, height) large.

    Outlines are taken in their order. What a stroke winds around twice is inside, too.
    """
    width, height = size
    fine = next((parts for side, parts in FINE if max(size) <= side), 1)
    inside = np.zeros((height * fine, width * fine), bool)
    for one in outlines:
        _wind(inside, np.asarray(one.points, np.float64) * fine, not one.erases)
    return inside.reshape(height, fine, width, fine).mean(axis=(1, 3), dtype=np.float32)


def _wind(inside: NDArray[np.bool_], points: Floats, value: bool) -> None:
    """Set what an outline winds around."""
    height, width = inside.shape
    ends = np.roll(points, -1, axis=0)
    top, bottom = (
        np.clip(np.ceil(edge - 0.5), 0, height).astype(int)
        for edge in (np.minimum(points[:, 1], ends[:, 1]), np.maximum(points[:, 1], ends[:, 1]))
    )
    counts = bottom - top
    first, last = int(top.min()), int(bottom.max())
    if last <= first:
        return
    edge = np.repeat(np.arange(len(points)), counts)
    rows = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts) + top[edge]
    (x0, y0), (x1, y1) = points[edge].T, ends[edge].T
    x = x0 + (rows + 0.5 - y0) * (x1 - x0) / (y1 - y0)
    columns = np.clip(np.ceil(x - 0.5), 0, width).astype(int)
    turns = np.zeros((last - first, width + 1), np.int32)
    np.add.at(turns, (rows - first, columns), np.where(y1 > y0, 1, -1))
    inside[first:last][turns.cumsum(axis=1)[:, :width] != 0] = value
