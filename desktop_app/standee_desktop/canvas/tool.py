"""What the mouse and the keys do on the canvas: one tool at a time.

`CanvasView.set_tool(tool)` puts a tool in charge, `set_tool(None)` the one that arranges layers.
Positions are canvas px. Zoom, pan and the wheel stay with the view, whatever the tool.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QKeyEvent, QPainter

if TYPE_CHECKING:
    from .view import CanvasView


@dataclass(frozen=True)
class Pointer:
    """A mouse or pen event. `at` is in canvas px, `scale` screen px per canvas px.

    `pressure` is a pen's, 0..1; a mouse always presses fully.
    """

    at: QPointF
    scale: float
    button: Qt.MouseButton
    modifiers: Qt.KeyboardModifier
    pressure: float = 1.0

    @property
    def shift(self) -> bool:
        """Whether Shift is held."""
        return bool(self.modifiers & Qt.KeyboardModifier.ShiftModifier)

    @property
    def ctrl(self) -> bool:
        """Whether Ctrl (Command on a Mac) is held."""
        return bool(self.modifiers & Qt.KeyboardModifier.ControlModifier)

    @property
    def alt(self) -> bool:
        """Whether Alt is held."""
        return bool(self.modifiers & Qt.KeyboardModifier.AltModifier)


class Tool:
    """A tool that does nothing: derive from it and say what differs. Call `canvas.update()` to repaint.

    `press`, `double_click` and `key` return whether they took the event.
    """

    draws = False
    """Whether it wants a pen's pressure."""

    def __init__(self, canvas: CanvasView) -> None:
        self.canvas = canvas

    def begin(self) -> None:
        """The tool was put in charge."""

    def end(self) -> None:
        """Another tool takes over: finish or give up what is under way."""

    def cursor(self, pointer: Pointer) -> Qt.CursorShape:
        """Return the cursor to show at a position."""
        return Qt.CursorShape.ArrowCursor

    def press(self, pointer: Pointer) -> bool:
        """The left button went down."""
        return False

    def hover(self, pointer: Pointer) -> None:
        """The mouse moved without a button."""

    def move(self, pointer: Pointer) -> None:
        """The mouse moved after a `press` that was taken."""

    def release(self, pointer: Pointer) -> None:
        """The button came up."""

    def double_click(self, pointer: Pointer) -> bool:
        """The left button went down twice."""
        return False

    def pick(self, at: QPointF) -> None:
        """A context menu is about to open here: select what it shall be about."""

    def key(self, event: QKeyEvent) -> bool:
        """A key went down, before shortcuts and the view see it."""
        return False

    def paint(self, painter: QPainter, scale: float) -> None:
        """Paint over the canvas, in canvas px; `scale` is screen px per canvas px."""
