"""Canvas widget: zoom, pan, painting, and event dispatch to the current tool.

What is arranged lives in the `EditorDocument`; the view keeps only the camera and what a gesture
shows for the moment. One screen px is one device-independent px of the widget.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QNativeGestureEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from standee.composition import Rect

from ..model import Change, EditorDocument
from ..model.camera import Camera
from ..model.rects import bounds
from ..model.token_counts import on_tokens
from ..services.image_cache import ImageCache
from .layer_cache import LayerCache
from .painting import enter_canvas, paint_guides, paint_outside
from .tool import Cover, Pointer, Tool

MARGIN = 48
"""Screen px left free around what is fitted into the view."""
AROUND = 150
"""Screen px around a moving layer in which a tool paints."""
WHEEL_NOTCH = 120
ZOOM_PER_NOTCH = 1.2

Overlay = Callable[[QPainter, float], None]
"""Paints over the layers in canvas px; the second argument is screen px per canvas px."""


class CanvasView(QWidget):
    """Shows the document and lets a tool edit it."""

    camera_changed = Signal()
    tool_changed = Signal(object)
    hovered = Signal(object)
    """The canvas position under the mouse as `QPointF`, or None when it left."""
    menu_wanted = Signal(QPoint)
    """A context menu is asked for at a global position."""
    uncover_wanted = Signal()
    """The arrangement is to be seen instead of the result that hangs over it."""
    layer_activated = Signal(str)
    """A layer was double-clicked."""

    def __init__(
        self, document: EditorDocument, pictures: ImageCache, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.document, self.pictures = document, pictures
        self.moving: Collection[str] = ()
        """The ids of the layers that a gesture moves at the moment."""
        self.covered: Cover = ""
        """What hangs over what is arranged."""
        self._backdrop = LayerCache(pictures)
        self._sharpen = QTimer(self, singleShot=True, interval=0)
        self._sharpen.timeout.connect(
            lambda: self.update() if self._backdrop.go_on() else self._sharpen.start()
        )
        self._ahead = QTimer(self, singleShot=True, interval=0)
        self._ahead.timeout.connect(self._get_ready)
        self._camera = Camera()
        self._tool: Tool | None = None
        self._default_tool: Tool | None = None
        self._overlays: dict[str, Overlay] = {}
        self._fitting = True
        self._pan_from: QPointF | None = None
        self._space = self._pressed = False
        self.setObjectName("canvas")
        self.setAccessibleName(self.tr("Canvas"))
        self._describe()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(240, 200)
        document.changed.connect(self._on_change)
        document.selection_changed.connect(lambda _: self._on_selection())
        document.view_changed.connect(lambda _: self._repaint())
        document.opened.connect(lambda _: self._on_opened())
        for come in (pictures.ready, pictures.failed):
            come.connect(lambda *_: self.update())

    # -- tools and overlays ----------------------------------------------------------------------

    @property
    def tool(self) -> Tool | None:
        """The tool in charge."""
        return self._tool

    def set_default_tool(self, tool: Tool) -> None:
        """Say which tool is in charge when no other is."""
        self._default_tool = tool
        if self._tool is None:
            self.set_tool(None)

    def set_tool(self, tool: Tool | None) -> None:
        """Put a tool in charge; None brings back the one that arranges layers."""
        tool = tool or self._default_tool
        if tool is self._tool:
            return
        if self._tool is not None:
            self._tool.end()
        self._tool, self._pressed = tool, False
        if tool is not None:
            tool.begin()
        self.unsetCursor()
        self.tool_changed.emit(tool)
        self.update()

    def set_overlay(self, name: str, paint: Overlay | None) -> None:
        """Paint something over the layers, under the tool: a preview, the kept region, tokens."""
        if paint is None:
            self._overlays.pop(name, None)
        else:
            self._overlays[name] = paint
        self.update()

    def set_veil(self, paint: Overlay | None) -> None:
        """Set what is painted between the scene and the layers."""
        self._backdrop.veil = paint
        self._repaint()

    def update_area(self, rect: Rect) -> None:
        """Repaint a part of the canvas (canvas px) with its outline, handles and badge."""
        area = self.to_screen(rect).adjusted(-AROUND, -AROUND, AROUND, AROUND)
        self.update(area.toAlignedRect())

    def _repaint(self) -> None:
        self._backdrop.repaint()
        self.update()

    # -- the camera ------------------------------------------------------------------------------

    @property
    def camera(self) -> Camera:
        """How the canvas is seen."""
        return self._camera

    def set_camera(self, camera: Camera) -> None:
        """See the canvas this way."""
        if camera != self._camera:
            self._camera, self._fitting = camera, False
            self.camera_changed.emit()
            self.update()

    def fit(self) -> None:
        """Show the whole canvas, and keep to it while the window changes its size."""
        self.set_camera(self._fitted(self.canvas_rect()))
        self._fitting = True

    def fit_selection(self) -> None:
        """Show the selected layers as large as they go."""
        rect = bounds(self.pictures.seen(layer) for layer in self.document.selected)
        if rect is not None:
            self.set_camera(self._fitted(rect))

    def zoom_to(self, scale: float) -> None:
        """Zoom around the middle of the view."""
        self.set_camera(
            self._camera.zoomed(scale / self._camera.scale, self.width() / 2, self.height() / 2)
        )

    def zoom_step(self, up: bool) -> None:
        """Zoom to the next round percentage."""
        self.set_camera(self._camera.stepped(up, self.width() / 2, self.height() / 2))

    def canvas_rect(self) -> Rect:
        """Return the canvas as a rectangle, canvas px."""
        canvas = self.document.composition.canvas
        return Rect(0, 0, canvas.width, canvas.height)

    def to_canvas(self, at: QPointF) -> QPointF:
        """Return the canvas position under a position of the widget."""
        return QPointF(*self._camera.to_canvas(at.x(), at.y()))

    def to_screen(self, rect: Rect) -> QRectF:
        """Return a rectangle of the canvas in px of the widget."""
        x, y = self._camera.to_screen(rect.x, rect.y)
        return QRectF(x, y, rect.w * self._camera.scale, rect.h * self._camera.scale)

    def _fitted(self, rect: Rect) -> Camera:
        return Camera.fitted(rect, self.width(), self.height(), MARGIN)

    # -- painting --------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint everything, bottom to top."""
        painter = QPainter(self)
        composition, view = self.document.composition, self.document.view
        area = QRectF(self.rect())
        if view.token_view:  # where the engine will place them
            composition = on_tokens(composition, view.patch)
        at_rest = self._backdrop.paint(
            painter, composition, self.moving, self._camera, self.size(), self.devicePixelRatioF()
        )
        if not at_rest:
            self._sharpen.start()
        elif len(self.document.selection) > 1 and not self.moving:
            self._ahead.start()
        paint_outside(painter, area, self.to_screen(self.canvas_rect()))
        painter.save()
        enter_canvas(painter, self._camera)
        for overlay in tuple(self._overlays.values()):
            painter.save()
            overlay(painter, self._camera.scale)
            painter.restore()
        painter.restore()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, at_rest)  # it takes time
        paint_guides(painter, area, self._camera, view.guides_x, view.guides_y)
        if self._tool is not None:
            enter_canvas(painter, self._camera)
            self._tool.paint(painter, self._camera.scale)
        painter.end()

    def _get_ready(self) -> None:
        """Paint what a drag of the selection will need, between what is done meanwhile."""
        if not self.moving and not self._backdrop.get_ready(self.document.selection):
            self._ahead.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the canvas fitted, or its middle in the middle."""
        if self._fitting and not self._pressed:
            self.fit()
        elif event.oldSize().isValid() and not self._pressed:  # never under a hand that drags
            grown = event.size() - event.oldSize()
            self.set_camera(self._camera.panned(grown.width() / 2, grown.height() / 2))

    def changeEvent(self, event: QEvent) -> None:
        """Repaint when the theme or the language is another."""
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.StyleChange):
            self._repaint()
        super().changeEvent(event)

    def _on_change(self, change: Change) -> None:
        if change.gesture and self.moving:
            return  # the tool says what to paint anew
        if change.before.canvas != change.after.canvas and self._fitting and not self._pressed:
            self.fit()
        self.update()

    def _on_selection(self) -> None:
        self._describe()
        self.update()

    def _describe(self) -> None:
        """Tell screen readers what is selected, or how to select."""
        names = [layer.name or self.tr("Unnamed") for layer in self.document.selected]
        hint = self.tr("Arrange layers: Tab selects, arrow keys move, Alt and arrow keys resize.")
        self.setAccessibleDescription(", ".join(names) or hint)

    def _on_opened(self) -> None:
        self.moving = ()
        self._backdrop.forget()
        self.update()
        self.set_tool(None)
        self.fit()

    # -- events ----------------------------------------------------------------------------------

    @property
    def panning(self) -> bool:
        """Whether Space is held, or the canvas is being panned."""
        return self._space or self._pan_from is not None

    def _pointer(self, event: QMouseEvent) -> Pointer:
        at = self.to_canvas(event.position())
        return Pointer(at, self._camera.scale, event.button(), event.modifiers())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pan with the middle button or space; the left button is the tool's."""
        left = event.button() == Qt.MouseButton.LeftButton
        if event.button() == Qt.MouseButton.MiddleButton or (left and self._space):
            self._pan_from = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        elif left and self._tool is not None:
            self._pressed = self._tool.press(self._pointer(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pan, drag or hover."""
        pointer = self._pointer(event)
        if self._pan_from is not None:
            moved = event.position() - self._pan_from
            self._pan_from = event.position()
            self.set_camera(self._camera.panned(moved.x(), moved.y()))
        elif self._tool is not None:
            if self._pressed:
                self._tool.move(pointer)
            else:
                self._tool.hover(pointer)
            if not self._space:
                self.setCursor(self._tool.cursor(pointer))
        self.hovered.emit(pointer.at)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End a pan or a drag."""
        if self._pan_from is not None:
            self._pan_from, shape = None, Qt.CursorShape
            self.setCursor(shape.OpenHandCursor if self._space else shape.ArrowCursor)
        elif event.button() == Qt.MouseButton.LeftButton and self._pressed:
            self._pressed = False
            if self._tool is not None:
                self._tool.release(self._pointer(event))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """A double click is the tool's, and a press where it does not want it."""
        left = event.button() == Qt.MouseButton.LeftButton and not self._space
        if not (left and self._tool is not None and self._tool.double_click(self._pointer(event))):
            self.mousePressEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is hovered any more."""
        self.hovered.emit(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom around the mouse; a touchpad pans, and zooms with Ctrl."""
        pixels, notches = event.pixelDelta(), event.angleDelta()
        at = event.position()
        ctrl = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if not pixels.isNull() and not ctrl:
            self.set_camera(self._camera.panned(pixels.x(), pixels.y()))
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.set_camera(self._camera.panned((notches.y() or notches.x()) / 2, 0))
        else:
            factor = ZOOM_PER_NOTCH ** (notches.y() / WHEEL_NOTCH)
            self.set_camera(self._camera.zoomed(factor, at.x(), at.y()))
        event.accept()

    def event(self, event: QEvent) -> bool:
        """Pinch to zoom; Tab belongs to the canvas while layers can be walked through."""
        if isinstance(event, QNativeGestureEvent):
            if event.gestureType() == Qt.NativeGestureType.ZoomNativeGesture:
                at = event.position()
                self.set_camera(self._camera.zoomed(1 + event.value(), at.x(), at.y()))
                return True
        elif (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() in (*_ARROWS, Qt.Key.Key_Space)
        ):
            event.accept()
            return True
        return super().event(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab goes through the layers, and leaves the canvas after the last one."""
        event_key = Qt.Key.Key_Tab if forward else Qt.Key.Key_Backtab
        shift = Qt.KeyboardModifier.NoModifier if forward else Qt.KeyboardModifier.ShiftModifier
        key = QKeyEvent(QEvent.Type.KeyPress, event_key, shift)
        if self._tool is not None and self._tool.key(key):
            return True
        return super().focusNextPrevChild(forward)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space pans; other keys are the tool's."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._space = True
            self.setCursor(Qt.CursorShape.OpenHandCursor)
        elif self._tool is None or not self._tool.key(event):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """Let go of space."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat():
            self._let_go_of_space()
        super().keyReleaseEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Space may be let go where the canvas does not see it: in a dialog, in another window."""
        self._let_go_of_space()
        super().focusOutEvent(event)

    def _let_go_of_space(self) -> None:
        self._space = False
        if self._pan_from is None:
            self.unsetCursor()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for the context menu of what is under the mouse, or of the selection."""
        if event.reason() != QContextMenuEvent.Reason.Keyboard and self._tool is not None:
            self._tool.pick(self.to_canvas(QPointF(event.pos())))
        self.menu_wanted.emit(event.globalPos())


_ARROWS = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down)
