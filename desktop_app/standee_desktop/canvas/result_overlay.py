"""What hangs over the arrangement: a preview, a result, or both sides of a split. Never in the way.

While layers are dragged the curtain turns thin, so that the hand sees what it moves; events go
through it, whatever it shows.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QKeyEvent, QPainter

from ..model import Change
from ..services.composer import Composer
from ..widgets import theme
from .painting import paint_image, pen
from .tool import Canvas, Pointer, Tool
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


class CompareTool(Tool):
    """A line across the canvas: the arrangement or another result left of it, the result right."""

    def __init__(self, canvas: Canvas, curtain: Curtain) -> None:
        super().__init__(canvas)
        self._curtain = curtain

    def begin(self) -> None:
        """Begin in the middle."""
        self._curtain.comparing, self._curtain.split = True, 0.5
        self.canvas.update()

    def end(self) -> None:
        """Show all of the result again."""
        self._curtain.comparing = False
        self.canvas.update()

    def cursor(self, pointer: Pointer) -> Qt.CursorShape:
        """Say that it goes from side to side."""
        return Qt.CursorShape.SplitHCursor

    def press(self, pointer: Pointer) -> bool:
        """Bring the line here."""
        self.move(pointer)
        return True

    def move(self, pointer: Pointer) -> None:
        """Drag the line."""
        width = self.canvas.canvas_rect().w
        self._curtain.split = min(max(pointer.at.x() / width, 0.0), 1.0)
        self.canvas.update()

    def key(self, event: QKeyEvent) -> bool:
        """Arrows move the line, Escape ends the comparison."""
        steps = {Qt.Key.Key_Left: -0.02, Qt.Key.Key_Right: 0.02}
        if event.key() == Qt.Key.Key_Escape:
            self.canvas.set_tool(None)
            return True
        step = steps.get(Qt.Key(event.key()))
        if step is None:
            return False
        split = self._curtain.split + step
        self._curtain.split = min(max(split, 0.0), 1.0)
        self.canvas.update()
        return True

    def paint(self, painter: QPainter, scale: float) -> None:
        """Paint the line and its grip."""
        rect = self.canvas.canvas_rect()
        x, middle = rect.w * self._curtain.split, rect.h / 2
        painter.setPen(pen(QColor(255, 255, 255), 2))
        painter.drawLine(QPointF(x, 0), QPointF(x, rect.h))
        painter.setBrush(theme.current().colour("accent"))
        painter.drawEllipse(QPointF(x, middle), 9 / scale, 9 / scale)
