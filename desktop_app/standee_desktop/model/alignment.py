"""Alignment and distribution of layers by their visible bounds. Locked layers stay.

A photograph's rectangle says little about where its cut-out stands: `seen` tells that.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from standee.composition import Composition, Layer, Rect
from standee.geometry import fit_picture

from .edits import unlocked, with_rects
from .rects import Seen, bounds, rect_of

Edge = Literal["left", "centre", "right", "top", "middle", "bottom"]
Direction = Literal["across", "down"]


def aligned(
    composition: Composition, ids: Collection[str], edge: Edge, seen: Seen = rect_of
) -> Composition:
    """Align what is seen of layers to the bounds of them all; a single one to the canvas."""
    chosen = [layer for layer in composition.layers if layer.id in ids]
    canvas = Rect(0, 0, composition.canvas.width, composition.canvas.height)
    frame = bounds(seen(layer) for layer in chosen) if len(chosen) > 1 else canvas
    assert frame is not None
    free = unlocked(composition, ids)
    rects = {}
    for layer in chosen:
        if layer.id in free:
            at = seen(layer)
            rects[layer.id] = _beside(layer.rect, at, _aligned(at, frame, edge))
    return with_rects(composition, rects)


def _aligned(rect: Rect, frame: Rect, edge: Edge) -> Rect:
    x, y = rect.x, rect.y
    if edge in ("left", "centre", "right"):
        part = {"left": 0.0, "centre": 0.5, "right": 1.0}[edge]
        x = frame.x + (frame.w - rect.w) * part
    else:
        part = {"top": 0.0, "middle": 0.5, "bottom": 1.0}[edge]
        y = frame.y + (frame.h - rect.h) * part
    return Rect(x, y, rect.w, rect.h)


def _beside(rect: Rect, old: Rect, new: Rect) -> Rect:
    """Return a layer's rectangle after what is seen of it went from `old` to `new`."""
    return Rect(rect.x + new.x - old.x, rect.y + new.y - old.y, rect.w, rect.h)


def distributed(
    composition: Composition, ids: Collection[str], direction: Direction, seen: Seen = rect_of
) -> Composition:
    """Make the gaps between layers equal; the outermost two stay. Fewer than three change nothing."""
    free = unlocked(composition, ids)
    chosen = [(layer, seen(layer)) for layer in composition.layers if layer.id in free]
    if len(chosen) < 3:
        return composition
    across = direction == "across"
    chosen.sort(key=lambda one: _centre(one[1], across))
    frame = bounds((chosen[0][1], chosen[-1][1]))
    assert frame is not None
    sizes = [at.w if across else at.h for _, at in chosen]
    gap = ((frame.w if across else frame.h) - sum(sizes)) / (len(chosen) - 1)
    place = frame.x if across else frame.y
    rects = {}
    for (layer, at), size in zip(chosen, sizes, strict=True):
        new = Rect(place if across else at.x, at.y if across else place, at.w, at.h)
        rects[layer.id] = _beside(layer.rect, at, new)
        place += size + gap
    return with_rects(composition, rects)


def _centre(rect: Rect, across: bool) -> float:
    return rect.x + rect.w / 2 if across else rect.y + rect.h / 2


def at_own_aspect(layer: Layer, width: int, height: int) -> Rect:
    """Return the layer's rectangle shrunk to the aspect of its picture, `width` x `height` px."""
    return fit_picture(width, height, layer.rect, "contain")
