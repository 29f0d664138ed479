"""Compare tool: a movable line between the arrangement and a result."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter

from ...widgets import theme
from ..painting import pen
from ..result_overlay import ResultOverlay
from ..tool import Canvas, Pointer, Tool


class CompareTool(Tool):
    """A line across the canvas: the arrangement or another result left of it, the result right."""

    def __init__(self, canvas: Canvas, result_overlay: ResultOverlay) -> None:
        super().__init__(canvas)
        self._result_overlay = result_overlay

    def begin(self) -> None:
        """Begin in the middle."""
        self._result_overlay.comparing, self._result_overlay.split = True, 0.5
        self.canvas.update()

    def end(self) -> None:
        """Show all of the result again."""
        self._result_overlay.comparing = False
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
        self._result_overlay.split = min(max(pointer.at.x() / width, 0.0), 1.0)
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
        split = self._result_overlay.split + step
        self._result_overlay.split = min(max(split, 0.0), 1.0)
        self.canvas.update()
        return True

    def paint(self, painter: QPainter, scale: float) -> None:
        """Paint the line and its grip."""
        rect = self.canvas.canvas_rect()
        x, middle = rect.w * self._result_overlay.split, rect.h / 2
        painter.setPen(pen(QColor(255, 255, 255), 2))
        painter.drawLine(QPointF(x, 0), QPointF(x, rect.h))
        painter.setBrush(theme.current().colour("accent"))
        painter.drawEllipse(QPointF(x, middle), 9 / scale, 9 / scale)
