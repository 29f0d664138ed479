"""Result overlay over the canvas: a preview, a result, or both sides of a split.

While layers are dragged the picture turns translucent, so that the hand sees what it moves; events go
through it, whatever it shows.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from standee.composition import Composition
from standee.geometry import fit_picture

from ..model import Change
from ..model.rects import fit_on
from ..services.composer import Composer
from .painting import paint_image, qrect
from .view import CanvasView

THIN = 0.25
OVERLAY = "curtain"


class ResultOverlay:
    """The picture over the canvas."""

    def __init__(self, canvas: CanvasView, composer: Composer) -> None:
        self._canvas = canvas
        self._preview: QImage | None = None
        self._result: QImage | None = None
        self._other: QImage | None = None
        self._of: Composition | None = None
        self._chosen = False
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
        """What is shown at the moment: a result that was chosen later than the preview began wins."""
        return self._result if self._preview is None or self._chosen else self._preview

    def show_result(self, image: QImage | None, of: Composition | None = None) -> None:
        """Show a result, or nothing; it turns thin once the canvas shows another arrangement than `of`."""
        self._result, self._of, self._chosen = image, of, image is not None
        self._hang()

    def show_other(self, image: QImage | None) -> None:
        """Say what a result is compared with: another one, or the arrangement."""
        self._other = image
        self._canvas.update()

    def _drop(self) -> None:
        self.show_other(None)
        self.show_result(None)

    def _show_preview(self, image: QImage | None) -> None:
        if self._preview is None:
            self._chosen = False
        self._preview = image
        self._hang()

    def _on_change(self, change: Change) -> None:
        thin = change.gesture
        if thin != self._thin:
            self._thin = thin
            self._canvas.update()

    def _outdated(self) -> bool:
        """Whether what is shown is of another arrangement than the one on the canvas."""
        job = self._composer.jobs.current
        then = self._of
        if self.image is not self._result:
            then = job.composition if job is not None else None
        if then is None:
            return False
        now = self._canvas.document.composition
        return (now.canvas, now.layers, now.scene) != (then.canvas, then.layers, then.scene)

    def _hang(self) -> None:
        shown = self.image
        self._canvas.covered = "" if shown is None else "result" if self._chosen else "preview"
        self._canvas.set_overlay(OVERLAY, self._paint if shown is not None else None)

    def _paint(self, painter: QPainter, scale: float) -> None:
        image = self.image
        if image is None:
            return
        rect = self._canvas.canvas_rect()
        if self.comparing:
            if self._other is not None:
                paint_image(painter, self._other, self._area(self._other))
            painter.setClipRect(qrect(rect).adjusted(rect.w * self.split, 0, 0, 0))
        painter.setOpacity(THIN if self._thin or self._outdated() else 1.0)
        paint_image(painter, image, self._area(image))

    def _area(self, image: QImage) -> QRectF:
        """Return where an image lies on the canvas: as it is, never stretched."""
        canvas = self._canvas.document.composition.canvas
        width, height = max(image.width(), 1), max(image.height(), 1)
        fit = fit_on(canvas, width, height)
        return qrect(fit_picture(width, height, self._canvas.canvas_rect(), fit))
