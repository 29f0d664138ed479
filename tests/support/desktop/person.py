"""What a person does at the editor: mouse and keys, in canvas px and by the names of commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest

from standee import Layer, Rect
from standee_desktop.model import edits

LEFT = Qt.MouseButton.LeftButton
NONE = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier


class Person:
    """Someone with a mouse and a keyboard in front of the window."""

    def __init__(
        self, window: Any, settle: Callable[..., None], picture: Callable[..., bytes]
    ) -> None:
        self.window, self.settle, self._picture = window, settle, picture
        self.canvas, self.document = window.canvas, window.document

    def has(self, *layers: tuple[str, float, float, float, float], **fields: Any) -> None:
        """Start with layers of these names and rectangles, and nothing to undo."""
        digest = self.document.document.add_picture(self._picture())
        made = [
            Layer(picture=digest, rect=Rect(*rect), id=name, name=name, **fields)
            for name, *rect in layers
        ]
        self.document.apply("Setting out", edits.added(self.document.composition, made))
        self.window.undo_stack.clear()
        self.settle(lambda: self.canvas.pictures.look(digest))

    def spot(self, x: float, y: float) -> QPoint:
        """Return where a canvas position is in the widget."""
        return QPointF(*self.canvas.camera.to_screen(x, y)).toPoint()

    def clicks(self, x: float, y: float, keys: Qt.KeyboardModifier = NONE) -> None:
        """Click on the canvas."""
        QTest.mouseClick(self.canvas, LEFT, keys, self.spot(x, y))
        self.settle()

    def drags(
        self,
        start: tuple[float, float],
        end: tuple[float, float],
        keys: Qt.KeyboardModifier = NONE,
        let_go: bool = True,
        steps: int = 6,
    ) -> None:
        """Drag on the canvas, in several moves."""
        first, last = self.spot(*start), self.spot(*end)
        QTest.mouseMove(self.canvas, first)
        QTest.mousePress(self.canvas, LEFT, keys, first)
        for n in range(1, steps + 1):
            self._moves(first + (last - first) * n / steps, keys)
        if let_go:
            QTest.mouseRelease(self.canvas, LEFT, keys, last)
        self.settle()

    def _moves(self, at: QPoint, keys: Qt.KeyboardModifier) -> None:
        """Move with the button down; `QTest.mouseMove` knows neither buttons nor keys."""
        from PySide6.QtCore import QEvent
        from PySide6.QtGui import QMouseEvent
        from PySide6.QtWidgets import QApplication

        where, globally = QPointF(at), QPointF(self.canvas.mapToGlobal(at))
        no = Qt.MouseButton.NoButton
        event = QMouseEvent(QEvent.Type.MouseMove, where, globally, no, LEFT, keys)
        QApplication.sendEvent(self.canvas, event)

    def types(self, key: Qt.Key, keys: Qt.KeyboardModifier = NONE, times: int = 1) -> None:
        """Press a key while the canvas has the focus."""
        self.canvas.setFocus()
        for _ in range(times):
            QTest.keyClick(self.canvas, key, keys)
        self.settle()

    def chooses(self, name: str) -> None:
        """Choose a command, as from its menu."""
        assert self.window.action(name).isEnabled(), f"{name} is disabled"
        self.window.action(name).trigger()
        self.settle()

    def selects(self, *names: str) -> None:
        """Select layers."""
        self.document.select(names)
        self.settle()

    def rect(self, name: str) -> tuple[float, float, float, float]:
        """Return a layer's rectangle."""
        rect = self.document.layer(name).rect
        return rect.x, rect.y, rect.w, rect.h

    @property
    def order(self) -> Iterable[str]:
        """The names of the layers, bottom to top."""
        return [layer.name for layer in self.document.composition.layers]
