"""Lists of pictures: keys that mean their rows, icons that look the same when they are selected."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent
from PySide6.QtGui import QIcon, QImage, QKeyEvent, QPixmap
from PySide6.QtWidgets import QListWidget, QWidget


class KeyedList(QListWidget):
    """A list with keys of its own: while it has the focus they mean its rows, not the layers.

    A key without anything to do is left to the list, but kept from the window's commands.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.keys: dict[int, Callable[[], object] | None] = {}

    def event(self, event: QEvent) -> bool:
        """Keep the keys from the shortcuts of the window."""
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and event.key() in self.keys:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what the key means here."""
        act = self.keys.get(event.key())
        if act is not None and self.state() != QListWidget.State.EditingState:
            act()
        else:
            super().keyPressEvent(event)


def thumbnail_icon(image: QImage) -> QIcon:
    """Return an icon that looks the same when it is selected."""
    pixmap, made = QPixmap.fromImage(image), QIcon()
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected, QIcon.Mode.Active):
        made.addPixmap(pixmap, mode)
    return made
