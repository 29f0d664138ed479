"""Form fields of panels: text with undo steps, seeds, numbers with a default, sliders, labels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QEvent, QMimeData, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QRegularExpressionValidator,
    QTextCursor,
)
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from ..model.history import TypingSteps
from .icons import icon
from .inputs import DoubleSpinBox, LineEdit, Slider, SpinBox, is_picture_paste, is_undo, is_words

LARGEST_SEED = 2**53
TICKS = 100
"""Steps of a slider from 0 to 1."""


def make_plain(number: QAbstractSpinBox) -> None:
    """Show a number without buttons, with some room beside it that style sheets do not give it."""
    number.setProperty("plain", True)
    number.lineEdit().setTextMargins(6, 0, 6, 0)


class PromptEdit(QPlainTextEdit):
    """Words. Each word typed is one step of the document's history: `finished` ends it."""

    edited = Signal(str)
    finished = Signal()

    def __init__(self, limit: int = 2000, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._limit = limit
        self._steps = TypingSteps()
        self.setTabChangesFocus(True)
        self.setUndoRedoEnabled(False)
        self.textChanged.connect(self._tell)

    def show_text(self, text: str) -> None:
        """Show the document's text, unless it is what stands here."""
        self._steps.shown(text)
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
            text = text[: self._limit]
            with QSignalBlocker(self):
                self.setPlainText(text)
                self.moveCursor(QTextCursor.MoveOperation.End)
        _tell_words(self, self._steps, text)

    def event(self, event: QEvent) -> bool:
        """Leave undo and redo to the document's history, and pictures that are pasted to the canvas."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            ctrl = event.modifiers() & Qt.KeyboardModifier.ControlModifier
            enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if is_undo(event) or is_picture_paste(event) or (ctrl and enter):
                event.ignore()
                return False
        return super().event(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Words only: a picture that is dropped here is no prompt."""
        return is_words(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Take words; Qt asks `canInsertFromMimeData` of drops only."""
        if is_words(source):
            super().insertFromMimeData(source)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """What is typed later is a step of its own."""
        self.finished.emit()
        super().focusOutEvent(event)


class WordsEdit(LineEdit):
    """A line of words. Each word typed is one step of the document's history."""

    edited = Signal(str)
    finished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._steps = TypingSteps()
        self.textEdited.connect(lambda text: _tell_words(self, self._steps, text))
        self.editingFinished.connect(self.finished)

    def show_text(self, text: str) -> None:
        """Show the document's text, unless it is what stands here."""
        self._steps.shown(text)
        if text != self.text():
            self.setText(text)


def _tell_words(field: PromptEdit | WordsEdit, steps: TypingSteps, text: str) -> None:
    ends_before, ends_with = steps.typed(text)
    if ends_before:
        field.finished.emit()
    field.edited.emit(text)
    if ends_with:
        field.finished.emit()


class SeedField(LineEdit):
    """A seed: any whole number up to 2^53."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown, self._random = "", False
        self.setValidator(QRegularExpressionValidator(r"\d{1,16}", self))
        self.editingFinished.connect(self._tell)

    def show_seed(self, seed: int) -> None:
        """Show the document's seed."""
        self._shown = str(seed)
        if not self.hasFocus() or not self.isModified():
            self.revert()

    def show_random(self, on: bool) -> None:
        """Say that the seed is left to chance, instead of showing the document's."""
        self._random = on
        self.setPlaceholderText(self.tr("Random"))
        if not self.is_typed():
            self.revert()

    def is_typed(self) -> bool:
        """Whether another seed stands here than the document's."""
        return self.isModified() and self.text() != self._shown

    def revert(self) -> None:
        """Show the document's seed again."""
        self.setText("" if self._random else self._shown)

    def _tell(self) -> None:
        if self.text().isdecimal():
            self.setModified(False)
            self.chosen.emit(min(int(self.text()), LARGEST_SEED))


class AutoSpin(SpinBox):
    """A whole number, or the model's own default when it stands at its least."""

    def __init__(self, most: int, auto: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(0, most)
        self.setSpecialValueText(auto)
        make_plain(self)

    def show_number(self, number: int | None) -> None:
        """Show a number or, with None, the default."""
        with QSignalBlocker(self):
            self.setValue(number or 0)

    @property
    def number(self) -> int | None:
        """The number, or None for the default."""
        return self.value() or None


class AutoDoubleSpin(DoubleSpinBox):
    """A number, or the model's own default when it stands below zero."""

    def __init__(self, most: float, auto: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setRange(-0.5, most)
        self.setSingleStep(0.5)
        self.setDecimals(1)
        self.setSpecialValueText(auto)
        make_plain(self)

    def show_number(self, number: float | None) -> None:
        """Show a number or, with None, the default."""
        with QSignalBlocker(self):
            self.setValue(-0.5 if number is None else number)

    @property
    def number(self) -> float | None:
        """The number, or None for the default."""
        return None if self.value() < 0 else self.value()


class StrengthSlider(QWidget):
    """A slider with its number: for values of 0 to `most`."""

    def __init__(self, most: float, name: str, tip: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.changed: Callable[[float], None] = lambda _: None
        self.let_go: Callable[[], None] = lambda: None
        self.slider = Slider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, round(most * TICKS))
        self.slider.setPageStep(10)
        self.number = DoubleSpinBox(self)
        self.number.setRange(0, most)
        self.number.setSingleStep(0.05)
        make_plain(self.number)
        self.number.setFixedWidth(52)
        self.number.setAlignment(Qt.AlignmentFlag.AlignRight)
        for widget in (self.slider, self.number):
            widget.setAccessibleName(name)
            widget.setAccessibleDescription(tip)
            widget.setToolTip(tip)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.slider, 1)
        row.addWidget(self.number)
        self.slider.valueChanged.connect(lambda value: self._tell(value / TICKS))
        self.slider.sliderReleased.connect(lambda: self.let_go())
        self.number.valueChanged.connect(self._tell)
        self.number.editingFinished.connect(self._finish)

    def _tell(self, value: float) -> None:
        self.show_value(value)
        self.changed(value)

    def _finish(self) -> None:
        """What was typed over a dash counts even where it is the number beneath."""
        if self.number.mixed and self.number.typed:
            self._tell(self.number.value())
        self.let_go()

    def show_value(self, value: float, mixed: bool = False) -> None:
        """Show a value without telling anybody; `mixed` says that others are selected too."""
        with QSignalBlocker(self.slider), QSignalBlocker(self.number):
            self.slider.setValue(round(value * TICKS))
            self.number.setValue(value)
            self.number.show_mixed(mixed)
        if self.slider.property("mixed") is not mixed:
            self.slider.setProperty("mixed", mixed)
            self.slider.style().unpolish(self.slider)
            self.slider.style().polish(self.slider)


class PercentSlider(Slider):
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


class Form(QFormLayout):
    """Rows of a label and a field, level with each other."""

    def addRow(self, *row: Any) -> None:
        """Add a row; a label in words gets the height that the style gives to fields."""
        super().addRow(*row)
        if len(row) == 2 and isinstance(row[0], str) and row[0]:
            label = self.labelForField(row[1])
            label.setProperty("role", "field")
            label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)


def form() -> QFormLayout:
    """Return a layout of labels and fields."""
    layout = Form()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(8)
    layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return layout
