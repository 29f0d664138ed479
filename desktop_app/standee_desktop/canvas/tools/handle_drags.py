"""What belongs to a drag: the cursor of each handle, the step of each arrow, a corner on a line."""

from __future__ import annotations

from PySide6.QtCore import Qt

from standee.composition import Rect

from ...model.rects import Handle, resized

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


def pulled(
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
