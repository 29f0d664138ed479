"""Rectangles on the canvas: bounds, handles, and resizing by a handle. Canvas px."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from math import hypot

from standee.composition import Canvas, Fit, Layer, Rect
from standee.rotation import Point, bounds_turned, centre, turned_about

SMALLEST = 4.0
"""The shortest side that dragging a handle leaves."""


Seen = Callable[[Layer], Rect]
"""Returns the rectangle around what is seen of a layer, canvas px."""


def rect_of(layer: Layer) -> Rect:
    """Return the rectangle around a layer's own, turned: what is seen of it as far as nothing is known."""
    return bounds_turned(layer.rect, layer.rotation)


@dataclass(frozen=True)
class Frame:
    """What the handles of selected layers sit on: a single layer's own rectangle, turned, or one around them all."""

    rect: Rect
    rotation: float = 0.0

    @property
    def bounds(self) -> Rect:
        """The upright rectangle around it."""
        return bounds_turned(self.rect, self.rotation)

    def inward(self, x: float, y: float) -> Point:
        """Return where a position is once the frame, and it along, is turned upright."""
        return turned_about(x, y, centre(self.rect), -self.rotation)


def frame_of(layers: Iterable[Layer]) -> Frame | None:
    """Return the frame of layers, or None without any."""
    every = tuple(layers)
    if len(every) == 1:
        return Frame(every[0].rect, every[0].rotation)
    around = bounds(rect_of(one) for one in every)
    return None if around is None else Frame(around)


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


def refitted(layers: Collection[Layer], frame: Frame, new: Rect) -> dict[str, Rect]:
    """Return the rectangles of layers as the rectangle of their frame becomes `new`, on the frame's own axes.

    A layer that is turned within an upright frame keeps its rotation: its sides grow as they lie along each axis.
    """
    if frame.rotation:
        x, y = turned_about(*centre(new), centre(frame.rect), frame.rotation)
        return {one.id: Rect(x - new.w / 2, y - new.h / 2, new.w, new.h) for one in layers}
    rects = scale_with_bounds({one.id: one.rect for one in layers}, frame.rect, new)
    sx, sy = new.w / frame.rect.w, new.h / frame.rect.h
    for one in layers:
        if one.rotation:
            along, across = turned_about(1.0, 0.0, (0.0, 0.0), one.rotation)
            x, y = centre(rects[one.id])
            w = one.rect.w * hypot(along * sx, across * sy)
            h = one.rect.h * hypot(across * sx, along * sy)
            rects[one.id] = Rect(x - w / 2, y - h / 2, w, h)
    return rects


def fit_on(canvas: Canvas, width: int, height: int) -> Fit:
    """Return how a result of `width` x `height` px is put on a canvas: never out of its aspect.

    "stretch" is for one of the canvas' own aspect, to the px that its sides are rounded by: previews are small.
    """
    off = abs(width * canvas.height - height * canvas.width)
    return "stretch" if off <= canvas.width + canvas.height else "contain"
