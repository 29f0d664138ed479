"""Containers that fit into small windows: a panel that scrolls, a bar that takes a second row."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLabel, QScrollArea, QWidget

LOWEST = 120
"""How low it can be made, px."""


class ScrollPanel(QScrollArea):
    """Shows a widget as wide as that needs at least, and as high as there is room.

    The scroll bar lies in the widget's right margin.
    """

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self._shown = widget
        self.setObjectName("scroll-panel")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setWidget(widget)

    def sizeHint(self) -> QSize:
        """All of the widget."""
        return self._shown.sizeHint()

    def minimumSizeHint(self) -> QSize:
        """Its width, and some of its height."""
        return QSize(self._shown.minimumSizeHint().width(), LOWEST)


class TwoRowBar(QFrame):
    """A title and two parts beside each other; where that is too narrow, one below the other.

    `spare` are the px that it would like to have beside what its parts would like.
    """

    def __init__(self, spare: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spare = spare
        self.title = QLabel()
        self.title.setProperty("role", "heading")
        self.first, self.second = self._parts = QHBoxLayout(), QHBoxLayout()
        for row in self._parts:
            row.setSpacing(6)
        self.first.addWidget(self.title)
        self.first.addSpacing(6)
        self._rows = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._rows.setContentsMargins(12, 5, 10, 5)
        self._rows.setSpacing(8)
        self._rows.addLayout(self.first, 1)
        self._rows.addLayout(self.second)

    def hasHeightForWidth(self) -> bool:
        """It takes a second row where one is too narrow."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return how high it is at a width, which may make it two rows, and take its title."""
        margins = self._rows.contentsMargins()
        sides = margins.left() + margins.right()
        titled = self.first.minimumSize().width() + sides
        if self.title.isHidden():
            titled += self.title.minimumSizeHint().width() + self.first.spacing()
        if (titled > width) != self.title.isHidden():
            self.title.setVisible(titled <= width)
            self.first.invalidate()
            self._rows.invalidate()
        parts = [part.minimumSize() for part in self._parts]
        edges = margins.top() + margins.bottom()
        needed = sum(part.width() for part in parts) + self._rows.spacing() + sides
        directions = QBoxLayout.Direction
        wide = width >= needed
        self._rows.setDirection(directions.LeftToRight if wide else directions.TopToBottom)
        heights = [part.height() for part in parts]
        return (max(heights) if wide else sum(heights) + self._rows.spacing()) + edges

    def sizeHint(self) -> QSize:
        """One row."""
        parts = [part.sizeHint() for part in self._parts]
        return QSize(sum(part.width() for part in parts) + self._spare, parts[0].height() + 10)

    def minimumSizeHint(self) -> QSize:
        """It never asks the window for room."""
        return QSize(0, 0)
