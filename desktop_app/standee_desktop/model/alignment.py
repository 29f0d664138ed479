"""Align and distribute the rectangles of layers. Locked layers stay where they are."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from standee.composition import Composition, Layer, Rect
from standee.geometry import fit_picture

from .edits import unlocked, with_rects
from .rects import bounds

Edge = Literal["left", "centre", "right", "top", "middle", "bottom"]
Direction = Literal["across", "down"]


def aligned(composition: Composition, ids: Collection[str], edge: Edge) -> Composition:
    """Align layers to the bounds of them all; a single one to the canvas."""
    chosen = [layer for layer in composition.layers if layer.id in ids]
    canvas = Rect(0, 0, composition.canvas.width, composition.canvas.height)
    frame = bounds(layer.rect for layer in chosen) if len(chosen) > 1 else canvas
    assert frame is not None
    free = unlocked(composition, ids)
    return with_rects(
        composition, {one.id: _aligned(one.rect, frame, edge) for one in chosen if one.id in free}
    )


def _aligned(rect: Rect, frame: Rect, edge: Edge) -> Rect:
    x, y = rect.x, rect.y
    if edge in ("left", "centre", "right"):
        part = {"left": 0.0, "centre": 0.5, "right": 1.0}[edge]
        x = frame.x + (frame.w - rect.w) * part
    else:
        part = {"top": 0.0, "middle": 0.5, "bottom": 1.0}[edge]
        y = frame.y + (frame.h - rect.h) * part
    return Rect(x, y, rect.w, rect.h)


def distributed(
    composition: Composition, ids: Collection[str], direction: Direction
) -> Composition:
    """Make the gaps between layers equal; the outermost two stay. Fewer than three change nothing."""
    free = unlocked(composition, ids)
    chosen = [layer for layer in composition.layers if layer.id in free]
    if len(chosen) < 3:
        return composition
    across = direction == "across"
    chosen.sort(key=lambda one: _centre(one, across))
    frame = bounds((chosen[0].rect, chosen[-1].rect))
    assert frame is not None
    sizes = [one.rect.w if across else one.rect.h for one in chosen]
    gap = ((frame.w if across else frame.h) - sum(sizes)) / (len(chosen) - 1)
    at = frame.x if across else frame.y
    rects = {}
    for layer, size in zip(chosen, sizes, strict=True):
        rect = layer.rect
        rects[layer.id] = Rect(at if across else rect.x, rect.y if across else at, rect.w, rect.h)
        at += size + gap
    return with_rects(composition, rects)


def _centre(layer: Layer, across: bool) -> float:
    rect = layer.rect
    return rect.x + rect.w / 2 if across else rect.y + rect.h / 2


def at_own_aspect(layer: Layer, width: int, height: int) -> Rect:
    """Return the layer's rectangle shrunk to the aspect of its picture, `width` x `height` px."""
    return fit_picture(width, height, layer.rect, "contain")
