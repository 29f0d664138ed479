"""Containers that fit into small windows: a panel that scrolls, a bar that takes more rows."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QWidget

LOWEST = 120
"""How low it can be made, px."""
SIDES, ENDS, APART = 22, 10, 7
"""The margins of a bar, both sides, both ends, and what its parts and rows stand apart, px."""
WIDEST = 1000
"""A part that could be wider than that, px, is content with what it would like."""


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

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ask for more room where the widget has come to need more."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def sizeHint(self) -> QSize:
        """All of the widget."""
        return self._shown.sizeHint()

    def minimumSizeHint(self) -> QSize:
        """Its width, and some of its height."""
        return QSize(self._shown.minimumSizeHint().width(), LOWEST)


class WrappingBar(QFrame):
    """A title and parts beside each other, in as many rows as a width asks for; the title goes before a row more.

    `spare` are the px that it would like to have beside what its parts would like.
    """

    def __init__(self, spare: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spare = spare
        self._parts: list[QWidget] = []
        self.title = QLabel()
        self.title.setProperty("role", "heading")
        self.add_part().addWidget(self.title)

    def add_part(self) -> QHBoxLayout:
        """Return the layout of a new part, whose widgets stay beside each other."""
        part = QWidget(self)
        row = QHBoxLayout(part)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(APART)
        self._parts.append(part)
        return row

    def _rows(self, width: int) -> list[list[QWidget]]:
        """Return the parts that are shown at a width, row by row."""
        titled, untitled = self._wrapped(self._parts, width), self._wrapped(self._parts[1:], width)
        return titled if len(titled) == len(untitled) else untitled

    @staticmethod
    def _wrapped(parts: list[QWidget], width: int) -> list[list[QWidget]]:
        rows: list[list[QWidget]] = []
        left = -1
        for part in parts:
            needed = part.minimumSizeHint().width()
            if left < needed:
                rows.append([])
                left = width - SIDES
            rows[-1].append(part)
            left -= needed + APART
        return rows

    def hasHeightForWidth(self) -> bool:
        """It takes more rows where one is too narrow."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return how high it is at a width."""
        return sum(_height(row) + APART for row in self._rows(width)) - APART + ENDS

    def event(self, event: QEvent) -> bool:
        """Lay the parts out where there is other room, or a part has grown."""
        if event.type() in (QEvent.Type.Resize, QEvent.Type.LayoutRequest):
            self._place_parts()
        return super().event(event)

    def _place_parts(self) -> None:
        rows = self._rows(self.width())
        shown = [part for row in rows for part in row]
        self._parts[0].setVisible(self._parts[0] in shown)
        y = ENDS // 2
        for row in rows:
            x, height = SIDES // 2, _height(row)
            for part, width in zip(row, _widths(row, self.width() - SIDES), strict=True):
                if part is self._parts[-1]:  # which ends it
                    x = self.width() - SIDES // 2 - width
                part.setGeometry(x, y, width, height)
                x += width + APART
            y += height + APART

    def sizeHint(self) -> QSize:
        """One row."""
        hints = [part.sizeHint() for part in self._parts]
        width = sum(hint.width() + APART for hint in hints) - APART + SIDES + self._spare
        return QSize(width, _height(self._parts) + ENDS)

    def minimumSizeHint(self) -> QSize:
        """It never asks the window for room."""
        return QSize(0, 0)


def _height(row: list[QWidget]) -> int:
    return max(part.sizeHint().height() for part in row)


def _widths(row: list[QWidget], room: int) -> list[int]:
    """Return how wide the parts of a row are: what is left goes to those that can use it."""
    widths = [part.minimumSizeHint().width() for part in row]
    left = room - sum(widths) - APART * (len(row) - 1)
    wanted = [max(0, _wanted(part) - width) for part, width in zip(row, widths, strict=True)]
    rank = sorted(range(len(row)), key=wanted.__getitem__)
    for n, index in enumerate(rank):
        given = max(0, min(left // (len(row) - n), wanted[index]))
        widths[index] += given
        left -= given
    return widths


def _wanted(part: QWidget) -> int:
    """Return how wide a part would be."""
    layout = part.layout()
    most = layout.maximumSize().width() if layout is not None else WIDEST
    return max(part.sizeHint().width(), most if most < WIDEST else 0)
