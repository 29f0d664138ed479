"""Perturbation for variety (section 3.3 of the paper): token shuffling and cut-out morphology.

`strength` is a layer's `variation`, 0..1; 0 changes nothing. Everything is drawn from the given generator.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Bools = NDArray[np.bool_]

WINDOW = 3
"""Tokens are shuffled inside windows of this many cells a side, as in the paper."""


def generator(layer_id: str, seed: int) -> np.random.Generator:
    """Return the random generator of one layer in one picture."""
    word = hashlib.sha256(f"{layer_id}:{seed}".encode()).digest()[:8]
    return np.random.default_rng(int.from_bytes(word, "big"))


def morph(covered: Bools, strength: float, random: np.random.Generator) -> Bools:
    """Grow or shrink a map of cells (rows, columns) by one cell, with probability `strength`.

    A map that would vanish stays as it is.
    """
    if random.random() >= strength:
        return covered
    grow = random.random() < 0.5
    edge = np.pad(covered if grow else ~covered, 1)
    spread = edge[1:-1, 1:-1] | edge[:-2, 1:-1] | edge[2:, 1:-1] | edge[1:-1, :-2] | edge[1:-1, 2:]
    result = spread if grow else ~spread
    return result if result.any() else covered


def shuffle(cells: Bools, strength: float, random: np.random.Generator) -> NDArray[np.int64]:
    """Return which cell's token each cell of `cells` (rows, columns) takes: a flat index map (rows * columns,).

    Inside each window a share `strength` of the subject's cells swap their tokens; all others keep their own.
    """
    rows, cols = cells.shape
    source = np.arange(rows * cols)
    for top in range(0, rows, WINDOW):
        for left in range(0, cols, WINDOW):
            r, c = np.nonzero(cells[top : top + WINDOW, left : left + WINDOW])
            window = (r + top) * cols + c + left
            chosen = window[random.random(len(window)) < strength]
            source[chosen] = random.permutation(chosen)
    return source
