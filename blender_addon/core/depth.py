"""Depth order of bound layers, and cut-outs without what is occluded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from standee.arrangement import MASK_SIDE
from standee.composition import Canvas, Rect
from standee.rotation import centre, turned_about

Bools = NDArray[np.bool_]
Floats = NDArray[np.floating]


def stacking_order(distances: Sequence[float | None]) -> list[int]:
    """Return the order, back to front, in which layers stand.

    `distances` has, for each layer of the list (back to front), its distance from the camera if it
    is bound, else `None`. Layers that are not bound keep their places; the places of bound ones go
    to bound ones, the farthest first.
    """
    bound = [index for index, distance in enumerate(distances) if distance is not None]
    far_first = sorted(bound, key=lambda index: -float(distances[index] or 0.0))
    order = list(range(len(distances)))
    for place, index in zip(bound, far_first, strict=True):
        order[place] = index
    return order


@dataclass(frozen=True)
class Samples:
    """A grid of points over the canvas, `step` px apart, in the part that `rect` covers.

    `blocked` arrays have the shape of the whole grid: (rows, columns) over the canvas.
    """

    canvas: Canvas
    step: float

    @property
    def shape(self) -> tuple[int, int]:
        rows, cols = self.canvas.height / self.step, self.canvas.width / self.step
        return max(1, int(np.ceil(rows))), max(1, int(np.ceil(cols)))

    def inside(self, rect: Rect) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the samples in `rect`: (n, 2) row and column, and (n, 2) canvas px."""
        rows, cols = self.shape
        top, left = (max(0, int(np.floor(v / self.step))) for v in (rect.y, rect.x))
        bottom = min(rows, int(np.ceil((rect.y + rect.h) / self.step)))
        right = min(cols, int(np.ceil((rect.x + rect.w) / self.step)))
        if bottom <= top or right <= left:
            return np.zeros((0, 2), np.int64), np.zeros((0, 2))
        grid = np.mgrid[top:bottom, left:right].reshape(2, -1).T
        px = (grid[:, ::-1] + 0.5) * self.step
        return grid.astype(np.int64), px.astype(np.float64)


def filled(rect: Rect) -> NDArray[np.float32]:
    """Return the cut-out (height, width) of a rectangle of words, which is all of it: about a value a px."""
    height, width = (min(MASK_SIDE, max(1, round(side))) for side in (rect.h, rect.w))
    return np.ones((height, width), np.float32)


def cut(
    alpha: Floats,
    placed: Rect,
    blocked: Bools,
    samples: Samples,
    flip: bool = False,
    rotation: float = 0.0,
) -> NDArray[np.float32]:
    """Return a cut-out (height, width; 0..1) without what `blocked` hides of it.

    The picture is stretched over `placed` (canvas px), mirrored if `flip`, and turned by `rotation`. What lies off the
    canvas is not hidden by anything.
    """
    height, width = alpha.shape
    xs = placed.x + (np.arange(width) + 0.5) / width * placed.w
    ys = placed.y + (np.arange(height) + 0.5) / height * placed.h
    if flip:
        xs = xs[::-1]
    across, down = turned_about(xs[None], ys[:, None], centre(placed), rotation)
    rows, cols = (np.floor(at / samples.step).astype(int) for at in (down, across))
    on_canvas = (rows >= 0) & (rows < blocked.shape[0])
    on_canvas = on_canvas & (cols >= 0) & (cols < blocked.shape[1])
    clipped = blocked[
        np.clip(rows, 0, blocked.shape[0] - 1), np.clip(cols, 0, blocked.shape[1] - 1)
    ]
    hidden = clipped & on_canvas
    return np.where(hidden, np.float32(0), alpha.astype(np.float32))
