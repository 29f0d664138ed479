"""Icons: line drawings on 24 x 24, painted in the theme's colours at the screen's resolution."""

from __future__ import annotations

import json
from pathlib import Path

from PySide6.QtCore import QByteArray, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from . import theme

RESOURCES = Path(__file__).parents[1] / "resources"
SHAPES: dict[str, str] = json.loads((RESOURCES / "icons.json").read_text(encoding="utf-8"))
"""The path of each icon, by name."""


def icon(name: str, colour: str = "text") -> QIcon:
    """Return an icon in one of the theme's colours; it follows the theme by itself."""
    return QIcon(LineIcon(name, colour))


def emblem() -> QIcon:
    """Return the application's own icon."""
    return QIcon(str(RESOURCES / "standee.svg"))


class LineIcon(QIconEngine):
    """Paints one of `SHAPES`: dimmed when disabled, in the accent colour when checked."""

    def __init__(self, name: str, colour: str) -> None:
        super().__init__()
        self._name, self._colour = name, colour

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        """Paint into `rect`."""
        colour = self._colour
        if mode == QIcon.Mode.Disabled:
            colour = "disabled"
        elif state == QIcon.State.On and colour == "text":
            colour = "accent"
        paint_icon(painter, self._name, QRectF(rect), getattr(theme.current(), colour))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """Return it as a pixmap."""
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(
        self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float
    ) -> QPixmap:
        """Return it as a pixmap of `size`, with `scale` times as many px."""
        pixmap = QPixmap(size * scale)
        pixmap.setDevicePixelRatio(scale)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, QRect(0, 0, size.width(), size.height()), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        """Return a copy."""
        return LineIcon(self._name, self._colour)


def paint_icon(painter: QPainter, name: str, rect: QRectF, colour: str) -> None:
    """Paint an icon anywhere; `colour` is `#rrggbb`."""
    svg = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'>"
        f"<path d='{SHAPES[name]}' fill='none' stroke='{colour}' stroke-width='1.7'"
        " stroke-linecap='round' stroke-linejoin='round'/></svg>"
    )
    QSvgRenderer(QByteArray(svg.encode())).render(painter, rect)
