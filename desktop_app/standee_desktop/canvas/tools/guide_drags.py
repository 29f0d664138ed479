"""Drags of the artist's own guides: along the canvas, and back to their ruler."""

from __future__ import annotations

from PySide6.QtCore import QPointF

from ..tool import Canvas

Guide = tuple[bool, int]
"""Whether a guide is upright, and its number among those."""


def move_guide(canvas: Canvas, guide: Guide, at: QPointF) -> None:
    """Put a guide under the mouse, on a whole px."""
    name, places = _places(canvas, guide)
    places[guide[1]] = round(at.x() if guide[0] else at.y())
    canvas.document.look(**{name: tuple(places)})


def drop_guide(canvas: Canvas, guide: Guide) -> None:
    """Remove a guide that was dragged out of the view, back to its ruler."""
    (upright, index), (name, places) = guide, _places(canvas, guide)
    at = canvas.camera.to_screen(places[index], places[index])[0 if upright else 1]
    if not 0 <= at <= (canvas.width() if upright else canvas.height()):
        del places[index]
        canvas.document.look(**{name: tuple(places)})


def _places(canvas: Canvas, guide: Guide) -> tuple[str, list[float]]:
    name = "guides_x" if guide[0] else "guides_y"
    return name, list(getattr(canvas.document.view, name))
