"""Outlines of the selected layers, and the frame around them with its handles and a badge."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPainter

from standee.composition import Layer
from standee.rotation import corners

from ...model.rects import Frame
from ..painting import (
    paint_badge,
    paint_faint_outlines,
    paint_handles,
    paint_outline,
    paint_turn_handles,
    turned,
)
from ..tool import Canvas

FEW = 8
"""Of more layers that are dragged together the common frame is shown alone: it keeps up with the hand."""


def paint_selection(
    painter: QPainter, canvas: Canvas, frame: Frame | None, dragged: str, text: str
) -> None:
    """Paint in px of the screen; `dragged` is the gesture that is going on, `text` what its badge says."""
    selected = canvas.document.selected
    crowd = dragged and len(selected) > FEW
    if len(selected) == 1:
        place = canvas.to_screen(selected[0].rect)
        with turned(painter, place.center(), selected[0].rotation):
            paint_outline(painter, place, locked=selected[0].locked)
    elif not crowd:
        for locked in (False, True):
            layers = [one for one in selected if one.locked == locked]
            paint_faint_outlines(painter, [_corners(canvas, one) for one in layers], locked)
    if frame is None:
        return
    place = canvas.to_screen(frame.rect)
    with turned(painter, place.center(), frame.rotation):
        if len(selected) > 1:
            paint_outline(painter, place)
        if dragged in ("", "resize"):
            paint_handles(painter, place)
        if not dragged:
            paint_turn_handles(painter, place)
    if text:
        below = canvas.to_screen(frame.bounds)
        at = QPointF(below.left(), below.bottom() + 10)
        paint_badge(painter, at, text, QRectF(canvas.rect()))


def _corners(canvas: Canvas, layer: Layer) -> list[QPointF]:
    """Return where the corners of a layer lie, px of the screen."""
    there = corners(layer.rect, layer.rotation)
    return [QPointF(*canvas.camera.to_screen(x, y)) for x, y in there]


def badge(kind: str, frame: Frame | None, degrees: float) -> str:
    """Return what a drag's badge says: where the frame is, how large, or how far it is turned."""
    if frame is None:
        return ""
    rect = frame.rect
    return {
        "move": f"{round(rect.x)}, {round(rect.y)}",
        "resize": f"{round(rect.w)} × {round(rect.h)}",
        "turn": f"{degrees:.1f}°".replace(".0°", "°"),
    }.get(kind, "")
