"""Rectangles to tokens: where a subject stands, for the engine and for the overlays of both faces.

There is no other implementation. Lengths are canvas px, y down. A *cell* is one image token,
`patch` x `patch` px. Boolean and index maps are numpy arrays of shape (rows, columns). Nothing here
reads a picture file: masks come in as arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .composition import Canvas, Fit, Rect
from .rotation import bounds_turned, centre, quarter_turned, turn_of, turned_about, turned_pixels

PATCH = 16
"""The side of a token in px, where nothing is known of the model."""
NOBODY = -1
"""The owner of a cell that belongs to no placement."""

HALF = 0.5 - 1e-6
"""How much of a cell a cut-out must cover to own it: half, whatever way the sum was rounded."""

SAMPLE = 2
"""The px between the places at which a turned cut-out is looked at."""
MOST_SAMPLES = 2048
"""A cut-out of more of those a side is looked at farther apart, at each cell once at least."""
BAND = 1 << 20
"""So many of those are worked out at once: a layer may be many times larger than its canvas."""

Bools = NDArray[np.bool_]
Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Cells:
    """A rectangle of whole cells, which may reach over the canvas. Units: cells."""

    row: int
    col: int
    rows: int
    cols: int

    def grow(self, margin: int) -> Cells:
        """Return the rectangle with `margin` more cells on every side."""
        return Cells(
            self.row - margin, self.col - margin, self.rows + 2 * margin, self.cols + 2 * margin
        )

    def rect(self, patch: int) -> Rect:
        """Return the rectangle in px."""
        return Rect(self.col * patch, self.row * patch, self.cols * patch, self.rows * patch)

    def clip(self, grid: Cells) -> Cells:
        """Return the part inside `grid`; it has zero rows or columns when there is none."""
        row, col = max(self.row, grid.row), max(self.col, grid.col)
        return Cells(
            row,
            col,
            max(0, min(self.row + self.rows, grid.row + grid.rows) - row),
            max(0, min(self.col + self.cols, grid.col + grid.cols) - col),
        )

    def within(self, outer: Cells) -> tuple[slice, slice]:
        """Return the (rows, columns) slices of this rectangle in an array that spans `outer`."""
        row, col = self.row - outer.row, self.col - outer.col
        return slice(row, row + self.rows), slice(col, col + self.cols)


@dataclass(frozen=True)
class Placement:
    """Where one picture stands: its rectangle of cells and which of them it covers.

    `covered` has the shape of `cells`: the cut-out covers at least half of the cell. A cut-out too
    thin for that covers the cells that it fills at least half as much as its fullest one, so that
    it never vanishes. `opacity` 0 is for a scene, which gives way to whatever stands before it.
    """

    cells: Cells
    covered: Bools
    opacity: float = 1.0


@dataclass(frozen=True)
class Arrangement:
    """All placements of a canvas, back to front, and who owns each cell of it.

    `owner` (rows, columns) holds the index of the placement that shows most in a cell that it
    covers, or `NOBODY`: of opaque ones it is the foremost. `share` (rows, columns) is how much of
    the cell that placement shows, 1 where all are opaque.
    """

    grid: Cells
    placements: tuple[Placement, ...]
    owner: NDArray[np.int64]
    share: NDArray[np.float64]

    def visible(self, index: int) -> Bools:
        """Return the cells of placement `index` that it owns, in the shape of its own `cells`.

        Cells off the canvas and cells behind another placement are not among them.
        """
        return self._on_canvas(index, self.owner == index)

    def hidden(self, index: int) -> Bools:
        """Return the covered cells of placement `index` that others own, in its `cells`."""
        others = (self.owner != index) & (self.owner != NOBODY)
        return self.placements[index].covered & self._on_canvas(index, others)

    def clipped(self, index: int) -> Bools:
        """Return the covered cells of placement `index` off the canvas, in its `cells`."""
        inside = self._on_canvas(index, np.ones_like(self.owner, dtype=bool))
        return self.placements[index].covered & ~inside

    def _on_canvas(self, index: int, canvas_map: Bools) -> Bools:
        cells = self.placements[index].cells
        part = cells.clip(self.grid)
        out = np.zeros((cells.rows, cells.cols), dtype=bool)
        out[part.within(cells)] = canvas_map[part.within(self.grid)]
        return out


def token_grid(canvas: Canvas, patch: int) -> Cells:
    """Return the canvas in cells. Its sides are multiples of `patch` (the engine checks that)."""
    return Cells(0, 0, canvas.height // patch, canvas.width // patch)


def snap(rect: Rect, patch: int) -> Cells:
    """Return the whole cells nearest to `rect`; at least one row and one column."""
    row, col = _round(rect.y / patch), _round(rect.x / patch)
    rows = _round((rect.y + rect.h) / patch) - row
    cols = _round((rect.x + rect.w) / patch) - col
    return Cells(row, col, max(1, rows), max(1, cols))


def fit_picture(width: int, height: int, rect: Rect, fit: Fit) -> Rect:
    """Return where a picture of `width` x `height` px lies so that it fits `rect`.

    `contain` shows all of it, `cover` fills the rectangle and reaches over it, `stretch` ignores
    its aspect. Centred.
    """
    if fit == "stretch":
        return rect
    scales = (rect.w / width, rect.h / height)
    scale = min(scales) if fit == "contain" else max(scales)
    w, h = width * scale, height * scale
    return Rect(rect.x + (rect.w - w) / 2, rect.y + (rect.h - h) / 2, w, h)


def drawn_box(size: tuple[int, int], rect: Rect, fit: Fit, view: Rect) -> tuple[int, int, int, int]:
    """Return the whole px (left, top, right, bottom) of `view` that a picture of `size`, fitted into `rect`, fills.

    There are none where right <= left or bottom <= top.
    """
    placed = fit_picture(*size, rect, fit)
    left, top = (
        round(max(a, b, c)) for a, b, c in ((placed.x, rect.x, view.x), (placed.y, rect.y, view.y))
    )
    right = round(min(placed.x + placed.w, rect.x + rect.w, view.x + view.w))
    bottom = round(min(placed.y + placed.h, rect.y + rect.h, view.y + view.h))
    return left, top, right, bottom


def snap_turned(rect: Rect, rotation: float, patch: int) -> Rect:
    """Return a layer's rectangle as it is placed: with its nearest quarter turn it lies on whole cells."""
    quarters = turn_of(rotation).quarters
    return quarter_turned(snap(quarter_turned(rect, quarters), patch).rect(patch), quarters)


def cells_of(rect: Rect, rotation: float, patch: int) -> Cells:
    """Return the whole cells that a layer's turned rectangle takes up, once it is placed."""
    turn = turn_of(rotation)
    upright = snap(quarter_turned(rect, turn.quarters), patch)
    if not turn.rest:
        return upright
    box = bounds_turned(Rect(0, 0, upright.cols * patch, upright.rows * patch), turn.rest)
    row, col = int(np.floor(box.y / patch)), int(np.floor(box.x / patch))
    below, right = np.ceil((box.y + box.h) / patch), np.ceil((box.x + box.w) / patch)
    return Cells(upright.row + row, upright.col + col, int(below) - row, int(right) - col)


def coverage(mask: Floats, placed: Rect, cells: Cells, patch: float) -> NDArray[np.float64]:
    """Return how much of each cell a cut-out covers, 0..1, shape (rows, columns) of `cells`.

    `mask` (height, width) holds 0..1 and is stretched over `placed` (canvas px). The areas are
    exact: the integral of the mask is bilinear between its pixels' corners.
    """
    height, width = mask.shape
    integral = np.zeros((height + 1, width + 1))
    integral[1:, 1:] = np.cumsum(np.cumsum(mask, axis=0, dtype=np.float64), axis=1)
    ys = (np.arange(cells.row, cells.row + cells.rows + 1) * patch - placed.y) * height / placed.h
    xs = (np.arange(cells.col, cells.col + cells.cols + 1) * patch - placed.x) * width / placed.w
    corners = interpolate(interpolate(integral, ys).T, xs).T
    areas = np.diff(np.diff(corners, axis=0), axis=1)
    whole = patch * height / placed.h * patch * width / placed.w
    share: NDArray[np.float64] = np.clip(areas / whole, 0.0, 1.0)
    return share


def coverage_turned(
    mask: Floats, placed: Rect, window: Rect, degrees: float, cells: Cells, patch: int
) -> NDArray[np.float64]:
    """Return how much of each cell a cut-out covers, 0..1, that is turned about the middle of `window`.

    `mask` (height, width; 0..1) is stretched over `placed` and seen inside `window` (both as they are before they are
    turned), which is whole samples wide and high. Cells are looked at `SAMPLE` px apart.
    """
    if not degrees:
        return coverage(mask, placed, cells, patch)
    dense = min(round(patch / SAMPLE), int(MOST_SAMPLES * patch / max(window.w, window.h)))
    dense = max(1, dense)
    step = patch / dense
    rows, cols = round(window.h / step), round(window.w / step)
    moved = Rect(placed.x - window.x, placed.y - window.y, placed.w, placed.h)
    upright = np.pad(coverage(mask, moved, Cells(0, 0, rows, cols), step), 1)
    share = np.empty((cells.rows, cells.cols))
    xs = (np.arange(cells.cols * dense)[None] + 0.5) * step + cells.col * patch
    band = max(1, BAND // (cells.cols * dense**2))
    for first in range(0, cells.rows, band):
        part = share[first : first + band]
        ys = (np.arange(len(part) * dense)[:, None] + 0.5) * step + (cells.row + first) * patch
        back_x, back_y = turned_about(xs, ys, centre(window), -degrees)
        down = np.clip((back_y - window.y) / step + 0.5, 0, rows + 1)
        across = np.clip((back_x - window.x) / step + 0.5, 0, cols + 1)
        samples = _bilinear(upright, down, across)
        part[:] = samples.reshape(len(part), dense, cells.cols, dense).mean(axis=(1, 3))
    return share


def _bilinear(table: Floats, down: Floats, across: Floats) -> NDArray[np.floating]:
    """Return `table` (rows, columns) at places within it, interpolated."""
    top = np.minimum(down.astype(int), table.shape[0] - 2)
    left = np.minimum(across.astype(int), table.shape[1] - 2)
    low, near = down - top, across - left
    above = table[top, left] * (1 - near) + table[top, left + 1] * near
    below = table[top + 1, left] * (1 - near) + table[top + 1, left + 1] * near
    result: NDArray[np.floating] = above * (1 - low) + below * low
    return result


def place(
    mask: Floats,
    rect: Rect,
    fit: Fit,
    patch: int,
    size: tuple[int, int] | None = None,
    rotation: float = 0.0,
    opacity: float = 1.0,
) -> Placement:
    """Place a picture of `size` (width, height) px into `rect`, snapped to cells and turned by `rotation` degrees.

    `mask` (height, width; 0..1) cuts it out: it is stretched over the picture, whose size is its own if none is given.
    Moved by whole cells it covers the same ones.
    """
    turn = turn_of(rotation)
    width, height = size or mask.shape[::-1]
    if turn.quarters % 2:
        width, height = height, width
    stands, cells = (
        snap(quarter_turned(rect, turn.quarters), patch),
        cells_of(rect, rotation, patch),
    )
    window = Rect(
        0, 0, stands.cols * patch, stands.rows * patch
    )  # at one place, so that all are alike
    placed = fit_picture(width, height, window, fit)
    there = Cells(cells.row - stands.row, cells.col - stands.col, cells.rows, cells.cols)
    upright = turned_pixels(mask, turn.quarters)
    share = coverage_turned(upright, placed, window, turn.rest, there, patch)
    fullest = float(share.max())
    enough = HALF if fullest >= HALF else fullest / 2
    return Placement(cells, (share >= enough) & (share > 0.0), opacity)


def arrange(grid: Cells, placements: Sequence[Placement]) -> Arrangement:
    """Stack placements back to front: of several that cover a cell, the one that shows most owns it.

    The front one shows as much as its opacity, those behind it what each leaves of the rest. Of two that show as much
    the front one wins.
    """
    owner = np.full((grid.rows, grid.cols), NOBODY, dtype=np.int64)
    share = np.zeros((grid.rows, grid.cols))
    for index, placement in enumerate(placements):
        part = placement.cells.clip(grid)
        here = part.within(grid)
        covered = placement.covered[part.within(placement.cells)]
        share[here][covered] *= 1 - placement.opacity
        wins = covered & (share[here] <= placement.opacity)
        owner[here][wins], share[here][wins] = index, placement.opacity
    return Arrangement(grid, tuple(placements), owner, share)


def _round(value: float) -> int:
    """Round half up: Python's own rounding to even would make a dragged rectangle jump."""
    return int(np.floor(value + 0.5))


def interpolate(table: Floats, at: Floats) -> NDArray[np.float64]:
    """Interpolate `table` linearly along its first axis at `at`, clamped to its ends."""
    at = np.clip(at, 0, len(table) - 1)
    low = np.minimum(at.astype(int), len(table) - 2)
    part = (at - low)[:, None]
    result: NDArray[np.float64] = table[low] * (1 - part) + table[low + 1] * part
    return result
