"""Cell ownership as the faces show it: colours, runs of cells, borders.

Pure arrays over the cells of `geometry`; each face paints them with its own toolkit.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .geometry import NOBODY, Bools

SUBJECTS = (
    "#5b8cff",
    "#ff8a5b",
    "#3cc7a1",
    "#e26bd0",
    "#f2c14e",
    "#8f7bff",
    "#ff6b81",
    "#4fc3f7",
    "#9ccc65",
    "#d59a6a",
)
"""Colours of subjects, by their number from the bottom; they go round."""
SCENE = "#8a93a6"
"""The colour of the cells that the scene keeps."""

Run = tuple[int, int, int]
"""(start, end, line): an unbroken stretch of cells, or of edges between cells."""


def runs(chosen: Bools) -> Iterator[Run]:
    """Yield the unbroken stretches in the rows of a map, as (first column, past the last, row)."""
    steps = np.diff(np.pad(chosen.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(steps == 1)
    _, ends = np.nonzero(steps == -1)
    yield from zip(starts.tolist(), ends.tolist(), rows.tolist(), strict=True)


def borders(chosen: Bools, owner: NDArray[np.int64]) -> tuple[list[Run], list[Run]]:
    """Return the edges around what the chosen cells of each owner make up.

    The first list is level: (from column, to column, edge's row); the second upright: (from row, to
    row, edge's column). Edge 0 is the upper or left side of cell 0. `owner` (rows, columns) tells
    neighbours apart that are both chosen.
    """
    own, who = np.pad(chosen, 1), np.pad(owner, 1, constant_values=NOBODY)
    level = (who[1:, 1:-1] != who[:-1, 1:-1]) & (own[1:, 1:-1] | own[:-1, 1:-1])
    upright = (who[1:-1, 1:] != who[1:-1, :-1]) & (own[1:-1, 1:] | own[1:-1, :-1])
    return list(runs(level)), list(runs(upright.T))
