"""Occlusion of a layer by depth: where a render shows something before what it is bound to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from standee.composition import Rect

Floats = NDArray[np.floating]

TOUCHING = 1e-4
"""Surfaces whose depths differ by less than this part of them are at one place."""


def hidden(others: Floats, own: Floats, nearest: float) -> NDArray[np.bool_]:
    """Return where other bodies stand before a layer's own.

    `others` and `own` are depths from the camera (height, width; `inf` where nothing is). Where the
    own bodies are not seen, what stands before their `nearest` point hides.
    """
    place = np.where(np.isfinite(own), own, nearest)
    found: NDArray[np.bool_] = others < place * (1.0 - TOUCHING)
    return found


def apart(rects: Sequence[Rect]) -> list[list[int]]:
    """Return groups of the rectangles' indices, so that in none of them two overlap."""
    groups: list[list[int]] = []
    for index, rect in enumerate(rects):
        free = (one for one in groups if not any(_overlap(rect, rects[other]) for other in one))
        group = next(free, None)
        if group is None:
            groups.append([index])
        else:
            group.append(index)
    return groups


def _overlap(a: Rect, b: Rect) -> bool:
    return a.x < b.x + b.w and b.x < a.x + a.w and a.y < b.y + b.h and b.y < a.y + a.h
