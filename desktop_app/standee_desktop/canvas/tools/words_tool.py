"""Words tool: draw a rectangle and say what shall be in it."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QPointF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter

from standee.composition import MAX_LAYERS, Layer, Rect

from ...model import edits
from ...model.notices import Notices
from ...widgets.inputs import LineEdit
from ..painting import paint_words
from ..tool import Pointer, Tool
from ..view import CanvasView

LONGEST = 2000
WIDTH = 220
"""The width of the field that asks for the words, px; a wide rectangle gives it its own."""
SMALLEST = 8
"""Screen px that a drag must go to draw a rectangle; a click gives one of half the canvas."""


class WordsField(LineEdit):
    """A line of text that Escape leaves."""

    escaped = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Escape, which would go to the window."""
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        else:
            super().keyPressEvent(event)


class WordsTool(Tool):
    """Drag a rectangle, then write what shall be there: Return makes the layer, Escape does not."""

    def __init__(self, canvas: CanvasView, notices: Notices) -> None:
        super().__init__(canvas)
        self._view, self._notices = canvas, notices
        self._start: QPointF | None = None
        self._drawn: Rect | None = None
        self.words = WordsField(canvas)
        self.words.setObjectName("words-of-rectangle")
        self.words.setMaxLength(LONGEST)
        self.words.hide()
        self.words.returnPressed.connect(self._finish)
        self.words.escaped.connect(self._give_up)
        canvas.camera_changed.connect(self._place_field)
        self.begin()

    def begin(self) -> None:
        """Take the words of the interface's language."""
        translate = QCoreApplication.translate
        placeholder = translate("WordsTool", "What shall be here, e.g. a red boat")
        self.words.setPlaceholderText(placeholder)
        self.words.setAccessibleName(translate("WordsTool", "Words of the rectangle"))

    def end(self) -> None:
        """Make the layer if its words are there."""
        self._make()

    def cursor(self, pointer: Pointer) -> Qt.CursorShape:
        """Show that something is drawn."""
        return Qt.CursorShape.CrossCursor

    def press(self, pointer: Pointer) -> bool:
        """Begin a rectangle; one that has words already becomes a layer first."""
        self._make()
        self._start = pointer.at
        return True

    def move(self, pointer: Pointer) -> None:
        """Draw it."""
        if self._start is not None:
            self._drawn = self._between(self._start, pointer.at)
            self.canvas.update()

    def release(self, pointer: Pointer) -> None:
        """Ask for its words."""
        start, self._start = self._start, None
        if start is None:
            return
        rect = self._between(start, pointer.at)
        if min(rect.w, rect.h) * pointer.scale < SMALLEST:
            canvas = self.canvas.canvas_rect()
            w, h = canvas.w / 2, canvas.h / 2
            rect = Rect(pointer.at.x() - w / 2, pointer.at.y() - h / 2, w, h)
        self._drawn = edits.bounded(rect)
        self.words.clear()
        self._place_field()
        self.words.show()
        self.words.setFocus(Qt.FocusReason.OtherFocusReason)
        self.canvas.update()

    def key(self, event: QKeyEvent) -> bool:
        """Escape gives up the rectangle, and then leaves the tool."""
        if event.key() != Qt.Key.Key_Escape:
            return False
        if self._drawn is None:
            self.canvas.set_tool(None)
        self._give_up()
        return True

    def paint(self, painter: QPainter, scale: float) -> None:
        """Paint the rectangle as its layer will be."""
        if self._drawn is not None:
            paint_words(painter, Layer(self._drawn), scale)

    def _between(self, one: QPointF, other: QPointF) -> Rect:
        left, right = sorted((one.x(), other.x()))
        top, bottom = sorted((one.y(), other.y()))
        return Rect(left, top, max(right - left, edits.SMALLEST), max(bottom - top, edits.SMALLEST))

    def _place_field(self) -> None:
        """Keep the field in the middle of its rectangle, and inside the view."""
        if self._drawn is None:
            return
        frame, height = self.canvas.to_screen(self._drawn), self.words.sizeHint().height()
        width = min(max(WIDTH, round(frame.width()) - 24), self.canvas.width() - 16)
        x = min(max(round(frame.center().x()) - width // 2, 8), self.canvas.width() - width - 8)
        y = round(frame.center().y()) - height // 2
        y = min(max(y, 8), self.canvas.height() - height - 8)
        self.words.setGeometry(x, y, width, height)

    def _finish(self) -> None:
        """Make the layer and give the mouse back to arranging."""
        if self.words.text().strip():
            self._make()
            self.canvas.set_tool(None)

    def _make(self) -> None:
        """Add the layer on top and select it; without words there is none."""
        rect, words, document = self._drawn, self.words.text().strip(), self.canvas.document
        self._give_up()
        if rect is None or not words:
            return
        if len(document.composition.layers) >= MAX_LAYERS:
            said = QCoreApplication.translate("WordsTool", "A composition has at most %1 layers.")
            self._notices.tell(said.replace("%1", str(MAX_LAYERS)), topic="layers")
            return
        layer = Layer(rect=rect, prompt=words, name=words[:200])
        text = QCoreApplication.translate("WordsTool", "Rectangle of words")
        document.apply(text, edits.added(document.composition, [layer]), select=[layer.id])

    def _give_up(self) -> None:
        self._drawn = self._start = None
        self.words.clear()
        if self.words.hasFocus():
            self._view.setFocus(Qt.FocusReason.OtherFocusReason)
        self.words.hide()
        self.canvas.update()


def without_picture(layer: Layer | None) -> str:
    """Return why a rectangle of words cannot be cut out; nothing for other layers."""
    if layer is None or layer.picture is not None:
        return ""
    return QCoreApplication.translate(
        "WordsTool",
        "A rectangle of words has no picture to cut out. Paint its region with the brush.",
    )
