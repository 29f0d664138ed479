"""Overlay that shows a preview, a result, or both sides of a split over the canvas.

While layers are dragged the curtain turns thin, so that the hand sees what it moves; events go
through it, whatever it shows.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from ..model import Change
from ..services.composer import Composer
from .painting import paint_image
from .view import CanvasView

THIN = 0.25
OVERLAY = "curtain"


class Curtain:
    """The picture over the canvas."""

    def __init__(self, canvas: CanvasView, composer: Composer) -> None:
        self._canvas = canvas
        self._preview: QImage | None = None
        self._result: QImage | None = None
        self._other: QImage | None = None
        self._thin = False
        self._composer = composer
        self.split = 1.0
        """Where the line is while comparing, 0..1: left of it is the other side."""
        self.comparing = False
        composer.preview_changed.connect(self._show_preview)
        canvas.document.changed.connect(self._on_change)
        canvas.document.opened.connect(lambda _: self._drop())

    @property
    def image(self) -> QImage | None:
        """What is shown at the moment."""
        return self._result if self._preview is None else self._preview

    def show_result(self, image: QImage | None) -> None:
        """Show a result, or nothing."""
        self._result = image
        self._hang()

    def show_other(self, image: QImage | None) -> None:
        """Say what a result is compared with: another one, or the arrangement."""
        self._other = image
        self._canvas.update()

    def _drop(self) -> None:
        self.show_other(None)
        self.show_result(None)

    def _show_preview(self, image: QImage | None) -> None:
        self._preview = image
        self._hang()

    def _on_change(self, change: Change) -> None:
        thin = change.gesture
        if thin != self._thin:
            self._thin = thin
            self._canvas.update()

    def _outdated(self) -> bool:
        """Whether the preview is of another arrangement than the one on the canvas."""
        job = self._composer.jobs.current
        if self._preview is None or job is None:
            return False
        now, then = self._canvas.document.composition, job.composition
        return (now.canvas, now.layers, now.scene) != (then.canvas, then.layers, then.scene)

    def _hang(self) -> None:
        self._canvas.set_overlay(OVERLAY, self._paint if self.image is not None else None)

    def _paint(self, painter: QPainter, scale: float) -> None:
        image = self.image
        if image is None:
            return
        rect = self._canvas.canvas_rect()
        area = QRectF(0, 0, rect.w, rect.h)
        if self.comparing:
            if self._other is not None:
                paint_image(painter, self._other, area)
            painter.setClipRect(area.adjusted(rect.w * self.split, 0, 0, 0))
        painter.setOpacity(THIN if self._thin or self._outdated() else 1.0)
        paint_image(painter, image, area)
