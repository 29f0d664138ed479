"""Panel that scrolls where the window is too low for it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QScrollArea, QWidget

LOWEST = 120
"""How low it can be made, px."""


class ScrollPanel(QScrollArea):
    """Shows a widget as wide as that needs at least, and as high as there is room."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__()
        self.setObjectName("scroll-panel")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidgetResizable(True)
        self.setWidget(widget)

    def sizeHint(self) -> QSize:
        """All of the widget."""
        return self.widget().sizeHint()

    def minimumSizeHint(self) -> QSize:
        """Its width, with room for the scroll bar."""
        width = self.widget().minimumSizeHint().width()
        return QSize(width + self.verticalScrollBar().sizeHint().width(), LOWEST)
