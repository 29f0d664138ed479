"""Cut-outs as the engine counts them, and which cells each layer of a canvas owns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .composition import Canvas, Fit, Rect
from .geometry import Arrangement, Bools, Placement, arrange, place, token_grid

Floats = NDArray[np.floating]

MASK_SIDE = 1024
"""Larger cut-outs are reduced by a whole factor to this many px before their cells are counted."""


@dataclass(frozen=True)
class Standing:
    """A visible layer: its cut-out (height, width; 0..1, unmirrored) and where it stands."""

    alpha: Floats
    rect: Rect
    fit: Fit = "contain"
    flip: bool = False


def reduced(alpha: Floats, side: int = MASK_SIDE) -> NDArray[np.float32]:
    """Return `alpha` averaged over blocks so that neither side is over `side`."""
    factor = -(-max(alpha.shape) // side)
    if factor <= 1:
        return alpha.astype(np.float32)
    starts = [np.arange(0, length, factor) for length in alpha.shape]
    sums = np.add.reduceat(np.add.reduceat(alpha, starts[0], 0), starts[1], 1)
    counts = [
        np.diff(np.append(at, length)) for at, length in zip(starts, alpha.shape, strict=True)
    ]
    return (sums / np.outer(*counts)).astype(np.float32)


def arrangement(
    layers: Sequence[Standing], canvas: Canvas, patch: int, kept: Bools | None = None
) -> Arrangement:
    """Return who owns which cell; `layers` go back to front.

    `kept` (rows, columns) are the cells that a scene keeps: it is behind all layers, the first one.
    """
    grid = token_grid(canvas, patch)
    placements = [] if kept is None else [Placement(grid, kept)]
    for layer in layers:
        alpha = layer.alpha[:, ::-1] if layer.flip else layer.alpha
        placements.append(place(alpha, layer.rect, layer.fit, patch))
    return arrange(grid, placements)
