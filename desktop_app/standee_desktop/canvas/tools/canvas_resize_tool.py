"""Canvas resize tool: drags the canvas' edges; a larger canvas around a scene is an outpainting."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QPainter

from standee.composition import Composition

from ...model import edits
from ...model.camera import Camera
from ...model.rects import Handle
from ...widgets import theme
from ..painting import handle_places, paint_badge, paint_handles, pen
from ..tool import Pointer, Tool

REACH = 9.0


@dataclass
class Drag:
    """An edge on its way. The camera follows, so that what is arranged stays where it is seen."""

    handle: Handle
    start: QPointF
    composition: Composition
    camera: Camera


class CanvasResizeTool(Tool):
    """Drag the edges of the canvas; they go by whole tokens. Alt drags both sides."""

    _drag: Drag | None = None

    def end(self) -> None:
        """Let go."""
        self._drag = None
        self.canvas.document.end_gesture()

    def cursor(self, pointer: Pointer) -> Qt.CursorShape:
        """Show which way an edge goes."""
        handle = self._drag.handle if self._drag else self._handle_at(pointer.at)
        if handle is None:
            return Qt.CursorShape.ArrowCursor
        if handle.corner:
            falling = handle.x == handle.y
            return Qt.CursorShape.SizeFDiagCursor if falling else Qt.CursorShape.SizeBDiagCursor
        return Qt.CursorShape.SizeHorCursor if handle.x else Qt.CursorShape.SizeVerCursor

    def press(self, pointer: Pointer) -> bool:
        """Take an edge or a corner."""
        handle = self._handle_at(pointer.at)
        if handle is None:
            return False
        document = self.canvas.document
        document.end_gesture()
        screen = QPointF(*self.canvas.camera.to_screen(pointer.at.x(), pointer.at.y()))
        self._drag = Drag(handle, screen, document.composition, self.canvas.camera)
        return True

    def move(self, pointer: Pointer) -> None:
        """Drag it."""
        if (drag := self._drag) is None:
            return
        screen = QPointF(*self.canvas.camera.to_screen(pointer.at.x(), pointer.at.y()))
        moved = (screen - drag.start) / drag.camera.scale
        self._resize(drag, moved.x() * drag.handle.x, moved.y() * drag.handle.y, pointer.alt)

    def release(self, pointer: Pointer) -> None:
        """Let go: one step of the history."""
        self.end()
        self.canvas.update()

    def key(self, event: QKeyEvent) -> bool:
        """Arrows grow the canvas to their side, with Shift they shrink it; Escape leaves the tool."""
        document, patch = self.canvas.document, self.canvas.document.view.patch
        if event.key() == Qt.Key.Key_Escape:
            if self._drag is not None:
                document.apply(self._text(), self._drag.composition, "frame")
                self.canvas.set_camera(self._drag.camera)
                self.end()
            else:
                self.canvas.set_tool(None)
            return True
        side = _SIDES.get(Qt.Key(event.key()))
        if side is None:
            return False
        step = -patch if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else patch
        drag = Drag(side, QPointF(), document.composition, self.canvas.camera)
        self._resize(drag, step * abs(side.x), step * abs(side.y), False)
        document.end_gesture()
        return True

    def _resize(self, drag: Drag, grow_x: float, grow_y: float, both: bool) -> None:
        """Grow the canvas by px on the handle's sides; a negative number shrinks it."""
        canvas, patch = drag.composition.canvas, self.canvas.document.view.patch
        x, y = (round(grow / patch) * patch for grow in (grow_x, grow_y))
        x, y = max(x, patch - canvas.width), max(y, patch - canvas.height)
        left = x if both or drag.handle.x < 0 else 0
        top = y if both or drag.handle.y < 0 else 0
        width = canvas.width + x * (2 if both and drag.handle.x else 1)
        height = canvas.height + y * (2 if both and drag.handle.y else 1)
        wanted = edits.with_canvas(drag.composition, width, height, patch, left, top)
        if (wanted.canvas.width, wanted.canvas.height) != (width, height):
            return  # beyond what the format allows
        camera = drag.camera.panned(-left * drag.camera.scale, -top * drag.camera.scale)
        self.canvas.set_camera(camera)
        self.canvas.document.apply(self._text(), wanted, "frame")

    def _handle_at(self, at: QPointF) -> Handle | None:
        frame = self.canvas.to_screen(self.canvas.canvas_rect())
        spot = QPointF(*self.canvas.camera.to_screen(at.x(), at.y()))
        for handle, place in handle_places(frame).items():
            if max(abs(place.x() - spot.x()), abs(place.y() - spot.y())) <= REACH:
                return handle
        if not frame.adjusted(-REACH, -REACH, REACH, REACH).contains(spot):
            return None
        x = _side(spot.x(), frame.left(), frame.right())
        y = _side(spot.y(), frame.top(), frame.bottom())
        return Handle(x, y) if x or y else None

    def paint(self, painter: QPainter, scale: float) -> None:
        """Paint the border, its handles and the size."""
        painter.resetTransform()
        frame = self.canvas.to_screen(self.canvas.canvas_rect())
        painter.setPen(pen(theme.current().colour("accent"), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame)
        paint_handles(painter, frame)
        canvas = self.canvas.document.composition.canvas
        at = QPointF(frame.left(), frame.bottom() + 12)
        text = f"{canvas.width} × {canvas.height}"
        paint_badge(painter, at, text, QRectF(self.canvas.rect()))

    @staticmethod
    def _text() -> str:
        return QCoreApplication.translate("CanvasResizeTool", "Canvas size")


def _side(at: float, low: float, high: float) -> int:
    if abs(at - low) <= REACH:
        return -1
    return 1 if abs(at - high) <= REACH else 0


_SIDES = {
    Qt.Key.Key_Left: Handle(-1, 0),
    Qt.Key.Key_Right: Handle(1, 0),
    Qt.Key.Key_Up: Handle(0, -1),
    Qt.Key.Key_Down: Handle(0, 1),
}
