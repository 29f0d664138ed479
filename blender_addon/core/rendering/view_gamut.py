"""Gamut of a view transform: the nearest colours it can show in place of those it cannot.

A film-like transform (AgX, Filmic) never shows the most saturated colours, whatever light it is given, and
asked for one its inverse gives something far off. Here the nearest is searched for; colours are
sRGB, 0..1, as they are seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float32]
Show = Callable[[Colours], Colours]
"""What is seen of each of these colours (n, 3), put through the inverse of the transform and then it."""

EXACT = 1.01 / 255
"""A colour that is seen so near is seen as it is."""
SIDE = 17
"""The colours that are searched for lie on a cube with so many along each edge."""
PALER = np.concatenate([[0.0], np.geomspace(0.01, 0.6, 15)]).astype(np.float32)
"""The search begins on the way to grey, so far along."""
STRIDES = tuple(stride / 255 for stride in (32, 16, 16, 8, 8, 4, 4, 2, 2, 1))
"""And goes on in strides to all sides."""
MANY = 8000
"""So many colours are searched for one by one; more lie between those of a cube that is searched once."""
SIDES = np.array(
    [way for way in product((-1, 0, 1), repeat=3) if sum(map(abs, way)) in (0, 1, 3)], np.float32
)


@dataclass(frozen=True)
class Fitted:
    """Colours (n, 3) to put through the inverse, and how far from those wanted they are seen (n; 0..1)."""

    colours: Colours
    off: NDArray[np.float32]


def fit(wanted: Colours, show: Show, table: Callable[[], Colours]) -> Fitted:
    """Return what to ask a transform for, so that it shows the nearest to each colour wanted (n, 3).

    `table` gives `nearest_table(show)`; it is asked for only if much cannot be shown.
    """
    off = _off(show(wanted), wanted)
    far = off > EXACT
    if not far.any():
        return Fitted(wanted, off)
    beyond = wanted[far]
    better = _nearest(beyond, show) if len(beyond) <= MANY else _interpolated(table(), beyond)
    there = _off(show(better), beyond)
    use = there < off[far]
    colours, places = wanted.copy(), np.flatnonzero(far)[use]
    colours[places], off[places] = better[use], there[use]
    return Fitted(colours, off)


def nearest_table(show: Show) -> Colours:
    """Return what to ask for in place of each colour of the cube (SIDE, SIDE, SIDE, 3)."""
    edge = np.linspace(0, 1, SIDE, dtype=np.float32)
    wanted = np.stack(np.meshgrid(edge, edge, edge, indexing="ij"), axis=-1).reshape(-1, 3)
    return _nearest(wanted, show).reshape(SIDE, SIDE, SIDE, 3)


def _nearest(wanted: Colours, show: Show) -> Colours:
    """Return what to ask for, so that the nearest to the wanted (n, 3) is seen; searched for."""
    grey = (wanted.max(axis=1, keepdims=True) + wanted.min(axis=1, keepdims=True)) / 2
    best = _best(wanted[None] + PALER[:, None, None] * (grey - wanted)[None], wanted, show)
    for stride in STRIDES:
        best = _best(np.clip(best[None] + stride * SIDES[:, None], 0, 1), wanted, show)
    return best


def _best(tried: Colours, wanted: Colours, show: Show) -> Colours:
    """Return of the colours tried (k, n, 3) those that are seen nearest to the wanted (n, 3)."""
    apart = np.abs(show(tried.reshape(-1, 3)).reshape(tried.shape) - wanted)
    score = apart.max(axis=2) + 0.1 * apart.sum(axis=2)  # the sum decides between equals
    found: Colours = tried[score.argmin(axis=0), np.arange(len(wanted))]
    return found


def _off(shown: Colours, wanted: Colours) -> NDArray[np.float32]:
    off: NDArray[np.float32] = np.abs(shown - wanted).max(axis=1).astype(np.float32)
    return off


def _interpolated(table: Colours, colours: Colours) -> Colours:
    """Return what a table has for colours (n, 3) between those of its cube."""
    at = np.clip(colours, 0, 1) * (SIDE - 1)
    low = np.minimum(at.astype(int), SIDE - 2)
    part = (at - low).astype(np.float32)
    out = np.zeros_like(colours)
    for corner in product((0, 1), repeat=3):
        weight = np.prod(np.where(corner, part, 1 - part), axis=1, keepdims=True)
        out += weight * table[tuple((low + np.array(corner)).T)]
    return out
