"""Token view geometry: owned, hidden and clipped cells as triangles.

The same picture as the desktop editor's: fills and borders for what a subject owns, hatching for cells
that another covers, crosses for those that the canvas cuts off, grey for what the scene keeps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from standee.geometry import NOBODY, Arrangement
from standee.token_overlay import SCENE, SUBJECTS, borders, runs

from .projection import Frame
from .triangles import Colour, Triangles

FINEST = 5.0
"""Lines between cells are drawn when a cell is this many px wide."""
VEIL: Colour = (0.04, 0.05, 0.07, 0.28)
GRID: Colour = (1.0, 1.0, 1.0, 0.07)
FILL = 0.5


@dataclass(frozen=True)
class CellView:
    """An arrangement, and for each of its placements the subject's number from the back.

    `None` is the scene.
    """

    arrangement: Arrangement
    numbers: tuple[int | None, ...]

    def owner(self) -> NDArray[np.int64]:
        """Return (rows, columns) the number of the subject that owns each cell, else `NOBODY`."""
        numbers = [NOBODY if one is None else one for one in self.numbers]
        return np.array([*numbers, NOBODY], np.int64)[self.arrangement.owner]


def colour_of(number: int | None, alpha: float = 1.0, lighter: float = 0.0) -> Colour:
    """Return the colour of a subject by its number from the back, mixed with that much white."""
    text = SCENE if number is None else SUBJECTS[number % len(SUBJECTS)]
    parts = (int(text[at : at + 2], 16) / 255 for at in (1, 3, 5))
    r, g, b = (part + (1 - part) * lighter for part in parts)
    return (r, g, b, alpha)


def cell_triangles(view: CellView, frame: Frame, patch: int, ui_scale: float = 1.0) -> Triangles:
    """Return the token view in region px."""
    out, grid = Triangles(), view.arrangement.grid
    out.quads(np.array([frame.box(grid.rect(patch))]), VEIL)
    owner = view.arrangement.owner
    for index, number in enumerate(view.numbers):
        _strips(out, owner == index, (0, 0), frame, patch, colour_of(number, FILL))
    if patch * min(frame.scale) >= FINEST * ui_scale:
        _grid(out, frame, patch)
    for index, number in enumerate(view.numbers):
        if number is None:
            continue
        cells = view.arrangement.placements[index].cells
        at, colour = (cells.col, cells.row), colour_of(number, 0.9, 0.25)
        _hatch(out, view.arrangement.hidden(index), at, frame, patch, colour, ui_scale)
        clipped = view.arrangement.clipped(index)
        _hatch(out, clipped, at, frame, patch, colour, ui_scale)
        _hatch(out, clipped, at, frame, patch, colour, ui_scale, rising=True)
    for index, number in enumerate(view.numbers):
        if number is not None:
            colour = colour_of(number, 1.0, 0.15)
            _borders(out, owner == index, owner, frame, patch, colour, 2 * ui_scale)
    return out


def _strips(
    out: Triangles,
    chosen: NDArray[np.bool_],
    at: tuple[int, int],
    frame: Frame,
    patch: int,
    colour: Colour,
) -> None:
    strips = np.array(list(runs(chosen)), np.float64).reshape(-1, 3)
    if len(strips):
        x0, y0 = _px(strips[:, 0] + at[0], strips[:, 2] + at[1] + 1, frame, patch)
        x1, y1 = _px(strips[:, 1] + at[0], strips[:, 2] + at[1], frame, patch)
        out.quads(np.stack([x0, y0, x1, y1], axis=1), colour)


def _grid(out: Triangles, frame: Frame, patch: int) -> None:
    left, bottom, right, top = (
        frame.left, frame.bottom, frame.left + frame.width, frame.bottom + frame.height,
    )  # fmt: skip
    xs = np.arange(left, right + 0.5, patch * frame.scale[0])
    ys = np.arange(top, bottom - 0.5, -patch * frame.scale[1])
    level = np.stack([np.full_like(ys, left), ys - 0.5, np.full_like(ys, right), ys + 0.5], axis=1)
    upright = [xs - 0.5, np.full_like(xs, bottom), xs + 0.5, np.full_like(xs, top)]
    out.quads(np.concatenate([level, np.stack(upright, axis=1)]), GRID)


def _hatch(
    out: Triangles,
    chosen: NDArray[np.bool_],
    at: tuple[int, int],
    frame: Frame,
    patch: int,
    colour: Colour,
    width: float,
    rising: bool = False,
) -> None:
    """Add three slanting lines to every chosen cell."""
    rows, cols = np.nonzero(chosen)
    if not len(rows):
        return
    for a, b in (((0.0, 0.5), (0.5, 0.0)), ((0.0, 1.0), (1.0, 0.0)), ((0.5, 1.0), (1.0, 0.5))):
        ends = []
        for u, v in (a, b):
            across = 1.0 - u if rising else u
            ends.append(np.stack(_px(cols + at[0] + across, rows + at[1] + v, frame, patch), 1))
        out.strokes(ends[0], ends[1], colour, width)


def _borders(
    out: Triangles,
    chosen: NDArray[np.bool_],
    owner: NDArray[np.int64],
    frame: Frame,
    patch: int,
    colour: Colour,
    width: float,
) -> None:
    half = width / 2
    level, upright = (np.array(one, np.float64).reshape(-1, 3) for one in borders(chosen, owner))
    x0, y = _px(level[:, 0], level[:, 2], frame, patch)
    x1, _ = _px(level[:, 1], level[:, 2], frame, patch)
    out.quads(np.stack([x0 - half, y - half, x1 + half, y + half], axis=1), colour)
    x, top = _px(upright[:, 2], upright[:, 0], frame, patch)
    _, bottom = _px(upright[:, 2], upright[:, 1], frame, patch)
    out.quads(np.stack([x - half, bottom - half, x + half, top + half], axis=1), colour)


def _px(
    cols: NDArray[np.floating], rows: NDArray[np.floating], frame: Frame, patch: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    sx, sy = frame.scale
    x = frame.left + cols * patch * sx
    y = frame.bottom + frame.height - rows * patch * sy
    return x.astype(np.float64), y.astype(np.float64)
