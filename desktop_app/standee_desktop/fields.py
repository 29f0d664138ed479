"""Fields that panels share: a text that undoes with the document, a seed, a number or the default."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QIcon,
    QImage,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPixmap,
    QRegularExpressionValidator,
)
from PySide6.QtWidgets import (
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QSpinBox,
    QToolButton,
    QWidget,
)

from .icons import icon
from .panels.layer_settings import make_plain

LARGEST_SEED = 2**53


class PromptEdit(QPlainTextEdit):
    """Words. Typing is one step of the document's history until the focus goes elsewhere."""

    edited = Signal(str)
    finished = Signal()

    def __init__(self, limit: int = 2000, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._limit = limit
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)
        self.textChanged.connect(self._tell)

    def show_text(self, text: str) -> None:
        """Show the document's text, unless it is what stands here."""
        if text != self.toPlainText():
            with QSignalBlocker(self):
                at = self.textCursor().position()
                self.setPlainText(text)
                cursor = self.textCursor()
                cursor.setPosition(min(at, len(text)))
                self.setTextCursor(cursor)

    def _tell(self) -> None:
        text = self.toPlainText()
        if len(text) > self._limit:
            self.show_text(text[: self._limit])
            text = text[: self._limit]
        self.edited.emit(text)

    def event(self, event: QEvent) -> bool:
        """Leave undo and redo to the document's history."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            undoes = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
            ctrl = event.modifiers() & Qt.KeyboardModifier.ControlModifier
            if any(event.matches(key) for key in undoes) or (
                ctrl and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Y)
            ):
                event.ignore()
                return False
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """What is typed later is a step of its own."""
        self.finished.emit()
        super().focusOutEvent(event)


class SeedField(QLineEdit):
    """A seed: any whole number up to 2^53."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setValidator(QRegularExpressionValidator(r"\d{1,16}", self))
        self.editingFinished.connect(self._tell)

    def show_seed(self, seed: int) -> None:
        """Show the document's seed."""
        if not self.hasFocus() or not self.isModified():
            self.setText(str(seed))

    def _tell(self) -> None:
        if self.text().isdecimal():
            self.setModified(False)
            self.chosen.emit(min(int(self.text()), LARGEST_SEED))


class AutoSpin(QSpinBox):
    """A whole number, or the model's own default when it stands at its least."""

    def __init__(self, most: int, auto: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(0, most)
        self.setSpecialValueText(auto)
        self.setKeyboardTracking(False)
        make_plain(self)

    def show_number(self, number: int | None) -> None:
        """Show a number or, with None, the default."""
        with QSignalBlocker(self):
            self.setValue(number or 0)

    @property
    def number(self) -> int | None:
        """The number, or None for the default."""
        return self.value() or None


class AutoDoubleSpin(QDoubleSpinBox):
    """A number, or the model's own default when it stands below zero."""

    def __init__(self, most: float, auto: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(-0.5, most)
        self.setSingleStep(0.5)
        self.setDecimals(1)
        self.setSpecialValueText(auto)
        self.setKeyboardTracking(False)
        make_plain(self)

    def show_number(self, number: float | None) -> None:
        """Show a number or, with None, the default."""
        with QSignalBlocker(self):
            self.setValue(-0.5 if number is None else number)

    @property
    def number(self) -> float | None:
        """The number, or None for the default."""
        return None if self.value() < 0 else self.value()


class PercentSlider(QSlider):
    """A slider for 0..1, moved in hundredths."""

    moved = Signal(float)

    def __init__(self, most: float = 1.0, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.setRange(0, round(most * 100))
        self.setPageStep(10)
        self.valueChanged.connect(lambda value: self.moved.emit(value / 100))

    def show_part(self, part: float) -> None:
        """Show a value."""
        with QSignalBlocker(self):
            self.setValue(round(part * 100))


def tool_button(name: str, words: str, parent: QWidget | None = None) -> QToolButton:
    """Return a small button with an icon; `words` is its tooltip and its accessible name."""
    button = QToolButton(parent)
    button.setIcon(icon(name))
    button.setIconSize(QSize(18, 18))
    button.setToolTip(words)
    button.setAccessibleName(words)
    button.setAutoRaise(True)
    return button


class ElidedLabel(QLabel):
    """A label of one line that ends in … where there is no room for all of it."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setMinimumWidth(24)

    def minimumSizeHint(self) -> QSize:
        """Any width will do."""
        return QSize(24, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what there is room for."""
        painter = QPainter(self)
        mode, width = Qt.TextElideMode.ElideRight, self.contentsRect().width()
        text = self.fontMetrics().elidedText(self.text(), mode, width)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(self.contentsRect(), self.alignment(), text)


def thumbnail_icon(image: QImage) -> QIcon:
    """Return an icon that looks the same when it is selected."""
    pixmap, made = QPixmap.fromImage(image), QIcon()
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected, QIcon.Mode.Active):
        made.addPixmap(pixmap, mode)
    return made


def heading(text: str) -> QLabel:
    """Return a label above a part of a panel."""
    label = QLabel(text)
    label.setProperty("role", "heading")
    return label


def muted(text: str = "") -> QLabel:
    """Return a label for what is said quietly."""
    label = QLabel(text)
    label.setProperty("role", "muted")
    label.setWordWrap(True)
    return label


def form() -> QFormLayout:
    """Return a layout of labels and fields."""
    layout = QFormLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(8)
    layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return layout
