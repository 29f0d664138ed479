"""Drawing tablet input: pen pressure, and the eraser end, for tools that draw.

Tools that do not draw get the pen as a mouse, which Qt makes of it by itself.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QPointingDevice, QTabletEvent

from .tool import Pointer
from .view import CanvasView

LEFT = Qt.MouseButton.LeftButton
ALT = Qt.KeyboardModifier.AltModifier


class TabletInput(QObject):
    """Gives the events of a tablet to the canvas' tool, where that draws."""

    def __init__(self, canvas: CanvasView) -> None:
        super().__init__(canvas)
        self._canvas, self._down = canvas, False
        canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take what the pen does; the view still pans with it while Space is held."""
        tool = self._canvas.tool
        if not isinstance(event, QTabletEvent) or tool is None or not tool.draws:
            return False
        pointer, kind = self._pointer(event), event.type()
        if kind == QEvent.Type.TabletPress and event.button() == LEFT and not self._canvas.panning:
            self._down = tool.press(pointer)
        elif kind == QEvent.Type.TabletRelease and self._down:
            self._down = False
            tool.release(pointer)
        elif kind == QEvent.Type.TabletMove and not self._canvas.panning:
            tool.move(pointer) if self._down else tool.hover(pointer)
            self._canvas.setCursor(tool.cursor(pointer))
            self._canvas.hovered.emit(pointer.at)
        else:
            return False
        event.accept()
        return True

    def _pointer(self, event: QTabletEvent) -> Pointer:
        keys = event.modifiers()
        if event.pointerType() == QPointingDevice.PointerType.Eraser:
            keys ^= ALT
        at = self._canvas.to_canvas(event.position())
        return Pointer(at, self._canvas.camera.scale, event.button(), keys, event.pressure())
