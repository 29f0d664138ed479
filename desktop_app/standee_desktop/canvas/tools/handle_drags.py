"""Arithmetic of handle drags: cursors, arrow steps, corners and sides in canvas px."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import Qt

from standee.composition import Rect

from ...model.rects import SMALLEST, Handle, resized
from ...model.snapping import Line

CURSORS = {
    (0, -1): Qt.CursorShape.SizeVerCursor,
    (0, 1): Qt.CursorShape.SizeVerCursor,
    (-1, 0): Qt.CursorShape.SizeHorCursor,
    (1, 0): Qt.CursorShape.SizeHorCursor,
    (-1, -1): Qt.CursorShape.SizeFDiagCursor,
    (1, 1): Qt.CursorShape.SizeFDiagCursor,
    (1, -1): Qt.CursorShape.SizeBDiagCursor,
    (-1, 1): Qt.CursorShape.SizeBDiagCursor,
}

STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


def drag_handle(
    frame: Rect,
    now: Rect,
    handle: Handle,
    pull: tuple[float, float],
    keep_aspect: bool,
    from_centre: bool,
) -> Rect:
    """Return `now`, resized from `frame`, with its handle drawn on by `pull`.

    On the aspect only one side can land on a line: the one that is nearer to its own.
    """
    by_x, by_y = pull
    x, y = handle.at(now)
    dx, dy = x + by_x - handle.at(frame)[0], y + by_y - handle.at(frame)[1]
    if keep_aspect and (by_x or by_y):
        if by_x and (not by_y or abs(by_x) <= abs(by_y)):
            dy = dx * handle.x * handle.y * frame.h / frame.w
        else:
            dx = dy * handle.x * handle.y * frame.w / frame.h
    return resized(frame, handle, dx, dy, keep_aspect=keep_aspect, from_centre=from_centre)


def pull_of_handle(
    pull: tuple[float, float], seen: Rect, now: Rect, handle: Handle, from_centre: bool
) -> tuple[float, float]:
    """Return how far a handle of `now` must go for what is seen within it to go by `pull`.

    Both grow from the side that stands still, so the one goes a part of the other's way.
    """
    fixed = Handle(0, 0) if from_centre else Handle(-handle.x, -handle.y)
    parts = []
    for by, stands, edge, end in zip(
        pull, fixed.at(now), handle.at(seen), handle.at(now), strict=True
    ):
        way = edge - stands
        parts.append(by * (end - stands) / way if abs(way) > 1e-6 else 0.0)
    return parts[0], parts[1]


def round_moved_sides(rect: Rect, handle: Handle, lines: Iterable[Line]) -> Rect:
    """Return the rectangle with the sides that its handle moves on whole px, but for those on a line."""
    met = {line.upright for line in lines}
    left, top, right, bottom = rect.x, rect.y, rect.x + rect.w, rect.y + rect.h
    if True not in met:
        left = round(left) if handle.x < 0 else left
        right = round(right) if handle.x > 0 else right
    if False not in met:
        top = round(top) if handle.y < 0 else top
        bottom = round(bottom) if handle.y > 0 else bottom
    return Rect(left, top, max(right - left, SMALLEST), max(bottom - top, SMALLEST))
