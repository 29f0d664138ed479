"""Shortcuts dialog: mouse gestures on the canvas and every command's keys, searchable."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QCoreApplication, QKeyCombination, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QLabel,
    QMenu,
    QMenuBar,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ..widgets.fields import heading, muted
from ..widgets.inputs import LineEdit

Row = tuple[str, str]
"""What is done, and with which keys."""


def canvas_rows() -> list[Row]:
    """Return what mouse and keys do on the canvas."""

    translate = QCoreApplication.translate
    return [
        (translate("Keys", "Select what lies beneath"), translate("Keys", "Ctrl+click")),
        (translate("Keys", "Add to the selection"), translate("Keys", "Shift+click")),
        (translate("Keys", "Move along one axis"), translate("Keys", "Shift+drag")),
        (translate("Keys", "Drag a copy"), translate("Keys", "Alt+drag, Ctrl+Shift+drag")),
        (translate("Keys", "Move without snapping"), translate("Keys", "Ctrl+drag")),
        (translate("Keys", "Resize freely"), translate("Keys", "Shift+drag a corner")),
        (
            translate("Keys", "Resize from the centre"),
            translate("Keys", "Alt+drag or Ctrl+Shift+drag a handle"),
        ),
        (translate("Keys", "Turn"), translate("Keys", "Drag a dot outside a corner")),
        (translate("Keys", "Turn by steps of 15°"), translate("Keys", "Shift+drag the dot")),
        (translate("Keys", "One layer of a group"), translate("Keys", "Click again, Ctrl+click")),
        (translate("Keys", "Move by 1 px, by a token"), translate("Keys", "Arrows, Shift+arrows")),
        (translate("Keys", "Change the size"), translate("Keys", "Alt+arrows, Ctrl+Shift+arrows")),
        (translate("Keys", "Next layer, layer before"), "Tab, Shift+Tab"),
        (translate("Keys", "Pan"), translate("Keys", "Space+drag, middle button")),
        (translate("Keys", "Zoom"), translate("Keys", "Wheel")),
        (translate("Keys", "Give up a drag, leave a tool"), "Esc"),
        (translate("Keys", "Smaller and larger brush"), "[  ]"),
        (translate("Keys", "Exchange adding and taking away"), "X"),
        (
            translate("Keys", "Take away while the brush adds"),
            translate("Keys", "Alt or Ctrl+drag"),
        ),
        (translate("Keys", "A straight line of the brush"), translate("Keys", "Shift+click")),
    ]


def command_rows(menu: QMenu) -> Iterator[Row]:
    """Yield the commands of a menu, and of those in it, that have a shortcut."""
    for action in menu.actions():
        inner = action.menu()
        if isinstance(inner, QMenu):
            yield from command_rows(inner)
        elif not action.shortcut().isEmpty():
            yield command_name(action), shortcut_text(action)


def command_name(action: QAction) -> str:
    """Return what a command is called, without its mnemonic."""
    return action.text().replace("&", "").removesuffix("…")


def shortcut_text(action: QAction) -> str:
    """Return the shortcuts of a command as this system writes them; not keys that few boards have."""
    native = QKeySequence.SequenceFormat.NativeText
    common = [one for one in action.shortcuts() if _is_common(one)]
    return ", ".join(one.toString(native) for one in common)


def _is_common(shortcut: QKeySequence) -> bool:
    first: QKeyCombination = shortcut[0]  # type: ignore[index]
    return first.key() < Qt.Key.Key_Back  # beyond are keys for the web, mail and media


class ShortcutsDialog(QDialog):
    """The page. What is typed above it leaves the rows that have it."""

    def __init__(self, menus: QMenuBar, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Keyboard and mouse"))
        self.resize(460, 560)
        self.search = LineEdit()
        self.search.setPlaceholderText(self.tr("Find"))
        self.search.setAccessibleName(self.tr("Find"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(self._find)
        self._rows: list[tuple[str, QWidget, QWidget]] = []
        self._parts: list[tuple[QWidget, int, int]] = []
        page = QWidget()
        self._grid = QGridLayout(page)
        self._grid.setContentsMargins(16, 8, 16, 12)
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(5)
        self._grid.setColumnStretch(0, 1)
        self._add_part(self.tr("Canvas"), canvas_rows())
        for action in menus.actions():
            menu = action.menu()
            if isinstance(menu, QMenu) and (rows := list(command_rows(menu))):
                self._add_part(command_name(action), rows)
        self._grid.setRowStretch(self._grid.rowCount(), 1)
        scroll = QScrollArea()
        scroll.setWidget(page)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        beside = scroll.verticalScrollBar().sizeHint().width()
        scroll.setMinimumWidth(page.minimumSizeHint().width() + beside)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        top = QVBoxLayout()
        top.setContentsMargins(16, 14, 16, 6)
        top.addWidget(self.search)
        column.addLayout(top)
        column.addWidget(scroll, 1)

    @property
    def shown(self) -> list[str]:
        """What the rows say that are shown, for tests."""
        return [text for text, left, _ in self._rows if not left.isHidden()]

    def _add_part(self, title: str, rows: list[Row]) -> None:
        label = heading(title)
        label.setContentsMargins(0, 12, 0, 2)
        self._grid.addWidget(label, self._grid.rowCount(), 0, 1, 2)
        first = len(self._rows)
        for what, how in rows:
            left, right = QLabel(what), muted(how)
            right.setWordWrap(False)
            at = self._grid.rowCount()
            self._grid.addWidget(left, at, 0)
            self._grid.addWidget(right, at, 1)
            self._rows.append((f"{what} {how}", left, right))
        self._parts.append((label, first, len(self._rows)))

    def _find(self, text: str) -> None:
        for row, left, right in self._rows:
            there = text.casefold() in row.casefold()
            left.setVisible(there)
            right.setVisible(there)
        for label, first, last in self._parts:
            label.setVisible(any(not left.isHidden() for _, left, _ in self._rows[first:last]))
