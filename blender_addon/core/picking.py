"""Hit testing under the pointer: a layer, or a handle of the selected one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from standee.composition import Rect
from standee.rotation import centre, turned_about

from .projection import Frame

BODY = "body"
HANDLES = {
    "nw": (0.0, 0.0),
    "n": (0.5, 0.0),
    "ne": (1.0, 0.0),
    "e": (1.0, 0.5),
    "se": (1.0, 1.0),
    "s": (0.5, 1.0),
    "sw": (0.0, 1.0),
    "w": (0.0, 0.5),
}
"""The handles of a rectangle and where they lie in it (parts of its width and height, y down)."""

HANDLE_RADIUS = 8.0
"""How near to a handle counts as on it, in px of a screen at 100 %."""


def to_picture(
    point: tuple[float, float],
    placed: Rect,
    size: tuple[int, int],
    flip: bool,
    rotation: float = 0.0,
) -> tuple[float, float]:
    """Return where a point of the canvas is in a picture of `size` px that lies at `placed`, turned by `rotation`."""
    across, down = turned_about(point[0], point[1], centre(placed), -rotation)
    x, y = (across - placed.x) / placed.w, (down - placed.y) / placed.h
    return (1 - x if flip else x) * size[0], y * size[1]


@dataclass(frozen=True)
class Item:
    """A layer as the view shows it; `rect` in canvas px, turned by `rotation`. `bound` ones follow a 3D object."""

    id: str
    rect: Rect
    name: str = ""
    visible: bool = True
    locked: bool = False
    bound: bool = False
    rotation: float = 0.0
    opacity: float = 1.0

    @property
    def movable(self) -> bool:
        """Whether a pointer may move it."""
        return self.visible and not self.locked and not self.bound


@dataclass(frozen=True)
class Hit:
    """What is under the pointer: `part` is the body or a handle's name."""

    id: str
    part: str = BODY


def handle_points(
    rect: Rect, frame: Frame, rotation: float = 0.0
) -> dict[str, tuple[float, float]]:
    """Return where each handle of a rectangle that is turned by `rotation` lies, in region px."""
    middle = centre(rect)
    return {
        name: frame.to_region(
            *turned_about(rect.x + u * rect.w, rect.y + v * rect.h, middle, rotation)
        )
        for name, (u, v) in HANDLES.items()
    }


def pick(
    items: Sequence[Item],
    frame: Frame,
    point: tuple[float, float],
    selected: str | None = None,
    ui_scale: float = 1.0,
) -> Hit | None:
    """Return what lies under `point` (region px). `items` go back to front, as they are drawn.

    The selected layer's handles win over every body. Corners win over edges, so that the smallest
    rectangle can still be sized both ways. Hidden and locked layers let the pointer through.
    """
    radius = HANDLE_RADIUS * ui_scale
    for item in items:
        if item.id == selected and item.movable:
            near = [
                (len(name) == 1, _distance(point, at), name)
                for name, at in handle_points(item.rect, frame, item.rotation).items()
                if _distance(point, at) <= radius
            ]
            upright = _turned_back(item, frame, point)
            if near and not _small_and_inside(item.rect, frame, upright, radius):
                return Hit(item.id, min(near)[2])
    for item in reversed(items):
        left, bottom, right, top = frame.box(item.rect)
        x, y = _turned_back(item, frame, point)
        inside = left <= x <= right and bottom <= y <= top
        if inside and item.visible and not item.locked:
            return Hit(item.id)
    return None


def _turned_back(item: Item, frame: Frame, point: tuple[float, float]) -> tuple[float, float]:
    """Return where a point (region px) is once the item under it is turned upright."""
    if not item.rotation:
        return point
    at = turned_about(*frame.to_canvas(*point), centre(item.rect), -item.rotation)
    return frame.to_region(*at)


def _small_and_inside(rect: Rect, frame: Frame, point: tuple[float, float], radius: float) -> bool:
    """Whether the pointer is in the middle of a rectangle that its own handles would fill."""
    left, bottom, right, top = frame.box(rect)
    if min(right - left, top - bottom) > 3 * radius:
        return False
    middle = ((left + right) / 2, (bottom + top) / 2)
    return (
        abs(point[0] - middle[0]) < (right - left) / 4
        and abs(point[1] - middle[1]) < (top - bottom) / 4
    )


def _distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    return max(abs(a[0] - b[0]), abs(a[1] - b[1]))
