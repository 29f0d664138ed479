"""Panel that scrolls where the window is too low for it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QScrollArea, QWidget

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
