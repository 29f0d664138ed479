"""Rectangles on the canvas: bounds, handles, and resizing by a handle. Canvas px."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from standee.composition import Canvas, Fit, Layer, Rect

SMALLEST = 4.0
"""The shortest side that dragging a handle leaves."""
SAME = 1.03
"""How far two aspects may be apart and count as one: small previews are rounded to whole px."""


Seen = Callable[[Layer], Rect]
"""Returns the rectangle around what is seen of a layer, canvas px."""


def rect_of(layer: Layer) -> Rect:
    """Return a layer's own rectangle: what is seen of it as far as nothing is known."""
    return layer.rect


@dataclass(frozen=True)
class Handle:
    """One of the eight handles: which sides move with it. -1 is left or top, 1 right or bottom."""

    x: int
    y: int

    @property
    def corner(self) -> bool:
        """Whether it moves two sides."""
        return self.x != 0 and self.y != 0

    def at(self, rect: Rect) -> tuple[float, float]:
        """Return where it sits on a rectangle."""
        return rect.x + rect.w * (self.x + 1) / 2, rect.y + rect.h * (self.y + 1) / 2


HANDLES = tuple(Handle(x, y) for y in (-1, 0, 1) for x in (-1, 0, 1) if (x, y) != (0, 0))


def bounds(rects: Iterable[Rect]) -> Rect | None:
    """Return the smallest rectangle around all, or None without any."""
    every = tuple(rects)
    if not every:
        return None
    left, top = min(r.x for r in every), min(r.y for r in every)
    right, bottom = max(r.x + r.w for r in every), max(r.y + r.h for r in every)
    return Rect(left, top, right - left, bottom - top)


def contains(rect: Rect, x: float, y: float) -> bool:
    """Whether a point lies in the rectangle."""
    return rect.x <= x < rect.x + rect.w and rect.y <= y < rect.y + rect.h


def overlaps(a: Rect, b: Rect) -> bool:
    """Whether two rectangles share some area."""
    return a.x < b.x + b.w and b.x < a.x + a.w and a.y < b.y + b.h and b.y < a.y + a.h


def rect_between(x0: float, y0: float, x1: float, y1: float) -> Rect:
    """Return the rectangle between two corners; at least a hair wide."""
    return Rect(min(x0, x1), min(y0, y1), max(abs(x1 - x0), 1e-6), max(abs(y1 - y0), 1e-6))


def resized(
    rect: Rect, handle: Handle, dx: float, dy: float, *, keep_aspect: bool, from_centre: bool
) -> Rect:
    """Return the rectangle after its handle was dragged by (dx, dy).

    With `keep_aspect` the longer of both movements decides; with `from_centre` the opposite side
    moves too. A side never turns over: it stops at `SMALLEST`.
    """
    factor = 2 if from_centre else 1
    w = max(rect.w + handle.x * dx * factor, SMALLEST)
    h = max(rect.h + handle.y * dy * factor, SMALLEST)
    if keep_aspect:
        scales = [w / rect.w] * (handle.x != 0) + [h / rect.h] * (handle.y != 0)
        scale = max(scales, key=lambda one: abs(one - 1))
        scale = max(scale, SMALLEST / min(rect.w, rect.h))
        w, h = rect.w * scale, rect.h * scale
    anchor_x = 0.5 if from_centre or handle.x == 0 else (1 - handle.x) / 2
    anchor_y = 0.5 if from_centre or handle.y == 0 else (1 - handle.y) / 2
    return Rect(rect.x + (rect.w - w) * anchor_x, rect.y + (rect.h - h) * anchor_y, w, h)


def scale_with_bounds(rects: Mapping[str, Rect], old: Rect, new: Rect) -> dict[str, Rect]:
    """Return rectangles carried along as their common bounds go from `old` to `new`."""
    sx, sy = new.w / old.w, new.h / old.h
    return {
        key: Rect(new.x + (r.x - old.x) * sx, new.y + (r.y - old.y) * sy, r.w * sx, r.h * sy)
        for key, r in rects.items()
    }


def fit_on(canvas: Canvas, width: int, height: int) -> Fit:
    """Return how a result of `width` x `height` px is put on a canvas: never out of its aspect."""
    ratio = (width * canvas.height) / max(height * canvas.width, 1)
    return "stretch" if 1 / SAME <= ratio <= SAME else "contain"
