"""Floating bars over the canvas, which move nothing beneath them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRect, QTimer
from PySide6.QtWidgets import QWidget

from ..canvas.rulers import WIDTH as RULER

EDGE = 8
"""Px left free around a bar."""


class FloatingBars(QObject):
    """Puts widgets over a host, one below the other from the top, and keeps them there.

    A widget is as wide as it would like to be, as far as the host goes, and as high as it then has
    to be. Those with `widest` above 0 stand at the right, no wider than that.
    """

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        self._bars: list[tuple[QWidget, int]] = []
        self._soon = QTimer(self, interval=0, singleShot=True)
        self._soon.timeout.connect(self.arrange)
        host.installEventFilter(self)

    def add(self, bar: QWidget, widest: int = 0) -> None:
        """Let a widget float; it shows itself when it has something to show."""
        shown = not bar.isHidden()
        bar.setParent(self._host)
        bar.setVisible(shown)
        bar.installEventFilter(self)
        self._bars.append((bar, widest))
        self.arrange()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrange anew when there is more or less room, or more or less to show."""
        kinds = QEvent.Type
        if event.type() in (kinds.Resize, kinds.LayoutRequest, kinds.Show, kinds.Hide):
            self._soon.start()
        return False

    def arrange(self) -> None:
        """Put the bars where they belong."""
        top, room = RULER + EDGE, self._host.width() - RULER - 2 * EDGE
        for bar, widest in self._bars:
            if bar.isHidden():
                continue
            width = min(bar.sizeHint().width(), room)
            if widest:
                width = min(max(width, widest), widest, room)
            height = bar.heightForWidth(width)
            height = height if height > 0 else bar.sizeHint().height()
            left = RULER + EDGE + (room - width if widest else (room - width) // 2)
            place = QRect(left, top, max(width, 1), height)
            if bar.geometry() != place:
                bar.setGeometry(place)
            bar.raise_()
            top += height + EDGE
