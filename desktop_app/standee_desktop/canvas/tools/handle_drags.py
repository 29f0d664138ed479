"""Arithmetic of handle drags: cursors, arrow steps, corners and sides in canvas px."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QCursor

from standee.composition import Rect
from standee.rotation import Point

from ...model.rects import SMALLEST, Handle, resized
from ...model.snapping import Line
from ...widgets.icons import icon

ROUND = (
    Qt.CursorShape.SizeHorCursor,
    Qt.CursorShape.SizeFDiagCursor,
    Qt.CursorShape.SizeVerCursor,
    Qt.CursorShape.SizeBDiagCursor,
)
"""The cursors of the directions 0, 45, 90 and 135 degrees clockwise from the right."""
STEP = 15.0
"""Degrees between the rotations that Shift allows."""
NEAR = 1.5
"""A rotation this near to a quarter turn, degrees, becomes one."""

STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, -1),
    Qt.Key.Key_Down: (0, 1),
}


def cursor_of(handle: Handle, rotation: float) -> Qt.CursorShape:
    """Return the cursor of a handle on a frame that is turned."""
    degrees = math.degrees(math.atan2(handle.y, handle.x)) + rotation
    return ROUND[round(degrees / 45) % 4]


@cache
def turn_cursor() -> QCursor:
    """Return the cursor over handles that turn."""
    return QCursor(icon("rotate").pixmap(24, 24), 12, 12)


def turned_by(
    middle: Point, start: QPointF, at: QPointF, before: float, shift: bool, free: bool
) -> float:
    """Return by how many degrees a frame with rotation `before` is turned as the mouse goes from `start` to `at`.

    `shift` allows whole steps only; unless it is to be `free`, what is nearly a quarter turn is one.
    """
    angles = (math.atan2(one.y() - middle[1], one.x() - middle[0]) for one in (start, at))
    first, now = (math.degrees(angle) for angle in angles)
    rotation = before + now - first
    quarter = round(rotation / 90) * 90
    if shift:
        rotation = round(rotation / STEP) * STEP
    elif not free and abs(rotation - quarter) <= NEAR:
        rotation = quarter
    return round(rotation, 1) - before


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
