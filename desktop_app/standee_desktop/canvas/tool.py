"""Tool interface: what the mouse and keys do on the canvas, one tool at a time.

`CanvasView.set_tool(tool)` puts a tool in charge, `set_tool(None)` the one that arranges layers.
Positions are canvas px. Zoom, pan and the wheel stay with the view, whatever the tool.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, Protocol

from PySide6.QtCore import QPointF, QRect, QRectF, Qt, SignalInstance
from PySide6.QtGui import QCursor, QKeyEvent, QPainter

from standee.composition import Rect

from ..model import EditorDocument
from ..model.camera import Camera
from ..services.image_cache import ImageCache

Cover = Literal["", "preview", "result"]
"""What hangs over the arrangement."""


class Canvas(Protocol):
    """What a tool uses of the widget that it works on; `CanvasView` is one."""

    document: EditorDocument
    pictures: ImageCache
    moving: Collection[str]
    covered: Cover
    uncover_wanted: SignalInstance
    layer_activated: SignalInstance

    @property
    def camera(self) -> Camera:
        """How the canvas is seen."""

    def set_camera(self, camera: Camera) -> None:
        """See the canvas this way."""

    def set_tool(self, tool: Tool | None) -> None:
        """Put a tool in charge; None brings back the one that arranges layers."""

    def canvas_rect(self) -> Rect:
        """Return the canvas as a rectangle, canvas px."""

    def to_screen(self, rect: Rect) -> QRectF:
        """Return a rectangle of the canvas in px of the widget."""

    def update(self) -> None:
        """Have all of it painted anew."""

    def update_area(self, rect: Rect) -> None:
        """Repaint a part of the canvas (canvas px) with its outline, handles and badge."""

    def rect(self) -> QRect:
        """Return the widget's area, px of the widget."""

    def width(self) -> int:
        """Return the widget's width."""

    def height(self) -> int:
        """Return the widget's height."""


SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier


def is_held(modifiers: Qt.KeyboardModifier, one: Qt.KeyboardModifier) -> bool:
    """Whether a key is among those that are held."""
    return bool(modifiers & one)


def is_alt(modifiers: Qt.KeyboardModifier) -> bool:
    """Whether Alt is held, or Ctrl with Shift: many desktops keep Alt and the mouse for themselves."""
    return is_held(modifiers, ALT) or (is_held(modifiers, CTRL) and is_held(modifiers, SHIFT))


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
        """Whether Shift is held, and not Ctrl."""
        return is_held(self.modifiers, SHIFT) and not is_held(self.modifiers, CTRL)

    @property
    def ctrl(self) -> bool:
        """Whether Ctrl (Command on a Mac) is held, and not Shift."""
        return is_held(self.modifiers, CTRL) and not is_held(self.modifiers, SHIFT)

    @property
    def alt(self) -> bool:
        """Whether Alt is held, or what stands for it."""
        return is_alt(self.modifiers)


class Tool:
    """A tool that does nothing: derive from it and say what differs. Call `canvas.update()` to repaint.

    `press`, `double_click` and `key` return whether they took the event.
    """

    draws = False
    """Whether it wants a pen's pressure."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas

    def begin(self) -> None:
        """The tool was put in charge."""

    def end(self) -> None:
        """Another tool takes over: finish or give up what is under way."""

    def cursor(self, pointer: Pointer) -> Qt.CursorShape | QCursor:
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
