"""Base input widgets: the wheel scrolls past them, undo is the document's, files fall through.

Panels take these and not Qt's own, so that no input differs from its neighbours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QMimeData, Qt
from PySide6.QtGui import QDragEnterEvent, QGuiApplication, QKeyEvent, QKeySequence, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QSlider,
    QSpinBox,
    QWidget,
)

if TYPE_CHECKING:  # what the habits are mixed into; at run time Qt's own class comes after them
    _Base = QWidget
    _NumberBase = QAbstractSpinBox
else:
    _Base = object
    _NumberBase = object

MIXED = "—"
"""What stands in a number that differs among the selected layers."""


def is_undo(event: QEvent) -> bool:
    """Whether an event asks whose the undo and redo keys are."""
    if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    keys = (QKeySequence.StandardKey.Undo, QKeySequence.StandardKey.Redo)
    ctrl = event.modifiers() == Qt.KeyboardModifier.ControlModifier
    return any(event.matches(key) for key in keys) or (ctrl and event.key() == Qt.Key.Key_Y)


def is_picture_paste(event: QEvent) -> bool:
    """Whether an event asks whose the key is that pastes a picture or files, not words."""
    if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
        return False
    held = QGuiApplication.clipboard().mimeData()
    return (
        event.matches(QKeySequence.StandardKey.Paste)
        and bool(held.formats())
        and not is_words(held)
    )


def is_words(data: QMimeData) -> bool:
    """Whether what is dragged is text that someone marked, and no files by their addresses."""
    return data.hasText() and not data.hasUrls()


class Input(_Base):
    """The habits of every input."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # the wheel gives no focus

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Change the value only where a person has gone to it; otherwise scroll what it lies in."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def event(self, event: QEvent) -> bool:
        """Leave undo, and pictures that are pasted, to the document; what is only typed is given up first."""
        if is_picture_paste(event):
            event.ignore()
            return False
        if is_undo(event):
            if self.is_typed():
                self.revert()
                event.accept()
                return True
            event.ignore()
            return False
        return super().event(event)

    def is_typed(self) -> bool:
        """Whether there is something in it that was typed and is not in the document yet."""
        return False

    def revert(self) -> None:
        """Show what the document says again."""

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take words; files are for what it lies in."""
        if is_words(event.mimeData()):
            super().dragEnterEvent(event)
        else:
            event.ignore()


class _Number(Input, _NumberBase):
    """A number in a field without drops: it is typed, or stepped with the arrows."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lineEdit().setAcceptDrops(False)
        self.setKeyboardTracking(False)

    def is_typed(self) -> bool:
        return self.lineEdit().isModified()

    def revert(self) -> None:
        self.setValue(self.value())  # type: ignore[attr-defined]


class SpinBox(_Number, QSpinBox):
    """A whole number."""


class DoubleSpinBox(_Number, QDoubleSpinBox):
    """A number; `show_mixed` says that there are several."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.mixed = self.typed = False
        super().__init__(*args, **kwargs)
        self.lineEdit().textEdited.connect(self._type)

    def _type(self, _: str) -> None:
        self.typed = True

    def show_mixed(self, mixed: bool) -> None:
        """Show a dash instead of the number, which belongs to one of several only."""
        self.mixed, self.typed = mixed, False
        self.revert()

    def textFromValue(self, value: float) -> str:
        """Return the number, or a dash."""
        return MIXED if self.mixed and not self.typed else super().textFromValue(value)


class Slider(Input, QSlider):
    """A slider."""


class ComboBox(Input, QComboBox):
    """A choice."""


class LineEdit(Input, QLineEdit):
    """A line of text."""
