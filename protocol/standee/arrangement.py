"""Cell ownership on a canvas: the layers' cut-outs, the scene behind, what subjects free around them.

The engine composes by it, and the faces draw it: there is no other implementation. Cut-outs and masks come in as arrays
(height, width) of 0..1, or 0..255 in bytes; px are the canvas'.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .composition import Canvas, Fit, Rect
from .geometry import (
    HALF,
    NOBODY,
    Arrangement,
    Bools,
    Placement,
    arrange,
    drawn_box,
    fit_picture,
    interpolate,
    place,
    token_grid,
)

Values = NDArray[np.floating] | NDArray[np.uint8]
Floats = NDArray[np.float32]

MASK_SIDE = 1024
"""Larger cut-outs are reduced by a whole factor to this many px before their cells are counted."""
KEPT_SIDE = 4096
"""Larger masks of scenes are reduced to this many px before their kept pixels are told."""


@dataclass(frozen=True)
class VisibleLayer:
    """A visible layer: its cut-out, unmirrored, stretched over its picture of `size` (width, height) px.

    The rectangle and what is in it are turned by `rotation` degrees.
    """

    alpha: Values
    rect: Rect
    fit: Fit = "contain"
    flip: bool = False
    size: tuple[int, int] | None = None
    rotation: float = 0.0
    opacity: float = 1.0

    def place(self, patch: int) -> Placement:
        """Return where it stands, and which cells it covers."""
        alpha = reduce_mask(self.alpha)
        size = self.size or (self.alpha.shape[1], self.alpha.shape[0])
        mask = alpha[:, ::-1] if self.flip else alpha
        return place(mask, self.rect, self.fit, patch, size, self.rotation, self.opacity)


def words_layer(
    mask: Values | None,
    rect: Rect,
    flip: bool = False,
    rotation: float = 0.0,
    opacity: float = 1.0,
) -> VisibleLayer:
    """Return a rectangle of words as it stands: all of `rect`, or as `mask` (rows, columns) says, stretched over it."""
    alpha = np.ones((1, 1)) if mask is None else mask
    return VisibleLayer(alpha, rect, "stretch", flip, None, rotation, opacity)


@dataclass(frozen=True)
class Backdrop:
    """The scene behind all layers: what of it stays, stretched over its picture of `size` (width, height) px.

    It fills `rect`, all of the canvas if `None`. Around each subject a band of it is free to change; `blend` is a share
    of the canvas' shorter side.
    """

    kept: Values
    size: tuple[int, int]
    rect: Rect | None = None
    fit: Fit = "cover"
    blend: float = 0.06


def reduce_mask(alpha: Values, side: int = MASK_SIDE) -> Floats:
    """Return `alpha` as 0..1, averaged over blocks of whole px so that neither side is over `side`.

    A mirrored or turned cut-out gives the mirrored or turned blocks.
    """
    white = np.float32(255 if alpha.dtype == np.uint8 else 1)
    factor = -(-max(alpha.shape) // side)
    if alpha.strides == (0, 0):  # one value, as of a picture without a cut-out
        height, width = (-(-length // factor) for length in alpha.shape)
        return np.broadcast_to(np.float32(alpha[0, 0]) / white, (height, width))
    if factor <= 1:
        values: Floats = alpha.astype(np.float32) / white
        return values
    down, across = (_block_edges(length, factor) for length in alpha.shape)
    rows = np.add.reduceat(alpha, down[:-1], 0, dtype=np.float32)
    sums = np.add.reduceat(rows, across[:-1], 1, dtype=np.float32)
    means: Floats = (sums / np.outer(np.diff(down), np.diff(across))).astype(np.float32) / white
    return means


def _block_edges(length: int, factor: int) -> NDArray[np.int64]:
    """Return the edges of blocks of about `factor` px, the same from either end."""
    count = -(-length // factor)
    count -= length % 2 and count > 1 and count % 2 == 0  # else the middle would lie in a px
    edges = np.floor(np.arange(count + 1) * length / count + 0.5).astype(np.int64)
    edges[count // 2 + 1 :] = length - edges[: (count + 1) // 2][::-1]
    return edges


def arrangement(
    layers: Sequence[VisibleLayer], canvas: Canvas, patch: int, scene: Backdrop | None = None
) -> Arrangement:
    """Return who owns which cell; `layers` go back to front. The scene is the first placement, where there is one."""
    grid = token_grid(canvas, patch)
    placements = [layer.place(patch) for layer in layers]
    if scene is None:
        return arrange(grid, placements)
    return over_scene(placements, kept_pixels(scene, canvas), scene.blend, canvas, patch)


def over_scene(
    placements: Sequence[Placement], kept: Bools, blend: float, canvas: Canvas, patch: int
) -> Arrangement:
    """Return the arrangement of `placements` before a scene that keeps the px `kept` (height, width) of the canvas.

    `blend` is the band around subjects, as a share of the canvas' shorter side.
    """
    grid = token_grid(canvas, patch)
    found = arrange(grid, [Placement(grid, majority_cells(kept, patch), 0.0), *placements])
    band = min(canvas.width, canvas.height) * blend
    left = majority_cells(kept & ~touched_pixels(found, 1, band, patch), patch)
    return replace(found, owner=np.where((found.owner == 0) & ~left, NOBODY, found.owner))


def scene_rect(rect: Rect | None, canvas: Canvas) -> Rect:
    """Return the whole px of the canvas that a scene fills; they may reach over it."""
    given = rect or Rect(0, 0, canvas.width, canvas.height)
    return Rect(round(given.x), round(given.y), max(1, round(given.w)), max(1, round(given.h)))


def kept_pixels(scene: Backdrop, canvas: Canvas) -> Bools:
    """Return the px (height, width) of the canvas that a scene keeps, before subjects stand in it.

    Between the px of a smaller mask it is interpolated, over those of a larger one averaged; half of it is enough.
    """
    kept = np.zeros((canvas.height, canvas.width), bool)
    rect, view = scene_rect(scene.rect, canvas), Rect(0, 0, canvas.width, canvas.height)
    left, top, right, bottom = drawn_box(scene.size, rect, scene.fit, view)
    if right <= left or bottom <= top:
        return kept
    placed = fit_picture(*scene.size, rect, scene.fit)
    mask = reduce_mask(scene.kept, KEPT_SIDE)
    if mask.strides == (0, 0):
        kept[top:bottom, left:right] = mask[0, 0] >= HALF
        return kept
    rows = _resample_rows(mask, top - placed.y, bottom - top, mask.shape[0] / placed.h)
    share = _resample_rows(rows.T, left - placed.x, right - left, mask.shape[1] / placed.w).T
    kept[top:bottom, left:right] = share >= HALF
    return kept


def majority_cells(pixels: Bools, patch: int) -> Bools:
    """Return the cells (rows, columns) of which at least half the px (height, width) are true."""
    height, width = pixels.shape
    blocks = pixels.reshape(height // patch, patch, width // patch, patch)
    cells: Bools = blocks.sum(axis=(1, 3), dtype=np.int64) * 2 >= patch * patch
    return cells


def touched_pixels(arrangement: Arrangement, first: int, blend: float, patch: int) -> Bools:
    """Return the px (height, width) that subjects may change: their visible cells and `blend` px around.

    Subjects are the placements from index `first` on. Distances are exact and Euclidean, from px to px.
    """
    across = _steps_across(np.repeat(arrangement.owner >= first, patch, axis=1)) ** 2
    rows, width = across.shape
    near = np.zeros((rows, patch, width), bool)
    inner = np.arange(patch)
    for away in range(-math.ceil(blend / patch), math.ceil(blend / patch) + 1):
        if away == 0:
            down = np.zeros(patch, int)
        else:
            down = away * patch - inner if away > 0 else inner - (away + 1) * patch + 1
        here = slice(max(0, -away), rows - max(0, away))
        there = slice(max(0, away), rows - max(0, -away))
        if here.start < here.stop:
            near[here] |= across[there, None] <= (blend**2 - down.astype(float) ** 2)[None, :, None]
    return near.reshape(rows * patch, width)


def _steps_across(chosen: Bools) -> NDArray[np.float64]:
    """Return how many steps each place of a row is away from the nearest true one in it."""
    at = np.arange(chosen.shape[1], dtype=np.float64)
    before = np.maximum.accumulate(np.where(chosen, at, -np.inf), axis=1)
    after = np.minimum.accumulate(np.where(chosen, at, np.inf)[:, ::-1], axis=1)[:, ::-1]
    steps: NDArray[np.float64] = np.minimum(at - before, after - at)
    return steps


def _resample_rows(
    values: NDArray[np.floating], start: float, count: int, step: float
) -> NDArray[np.float64]:
    """Return `count` samples along the rows' axis, `step` rows apart, the first px beginning at `start` steps.

    A sample is the mean over its own width, of one row at least: that interpolates where samples are denser.
    """
    length = len(values)
    centres = (start + np.arange(count) + 0.5) * step
    reach = max(1.0, step) / 2
    low, high = (np.clip(centres + side, 0, length) for side in (-reach, reach))
    sums = np.zeros((length + 1, values.shape[1]))
    np.cumsum(values, axis=0, dtype=np.float64, out=sums[1:])
    taken = interpolate(sums, high) - interpolate(sums, low)
    means: NDArray[np.float64] = taken / (high - low)[:, None]
    return means
