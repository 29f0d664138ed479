"""List widgets with row keys of their own, and thumbnails that look the same when selected."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QIcon, QImage, QKeyEvent, QKeySequence, QPainter, QPixmap
from PySide6.QtWidgets import QListWidget, QWidget


class KeyedList(QListWidget):
    """A list with keys of its own: while it has the focus they mean its rows, not the layers.

    A key without anything to do is left to the list, but kept from the window's commands.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.keys: dict[int, Callable[[], object] | None] = {}
        self.copy: Callable[[], object] | None = None
        """What Ctrl+C does; the list itself would copy the words below a picture."""

    def event(self, event: QEvent) -> bool:
        """Keep the keys from the shortcuts of the window."""
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent):
            copies = self.copy is not None and event.matches(QKeySequence.StandardKey.Copy)
            if copies or event.key() in self.keys:
                event.accept()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Do what the key means here."""
        act = self.keys.get(event.key())
        if event.matches(QKeySequence.StandardKey.Copy):
            act = self.copy or (lambda: None)
        if act is not None and self.state() != QListWidget.State.EditingState:
            act()
        else:
            super().keyPressEvent(event)


def thumbnail_icon(image: QImage) -> QIcon:
    """Return a square icon that looks the same when it is selected: all stand level in a list."""
    side = max(image.width(), image.height(), 1)
    pixmap, made = QPixmap(side, side), QIcon()
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.drawImage((side - image.width()) // 2, (side - image.height()) // 2, image)
    painter.end()
    for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected, QIcon.Mode.Active):
        made.addPixmap(pixmap, mode)
    return made
