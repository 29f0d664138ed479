"""Controls and words of a window that have too little room."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QLabel,
    QLineEdit,
    QProgressBar,
    QScrollBar,
    QWidget,
)

from standee_desktop.widgets.fields import ElidedLabel

CONTROLS = QAbstractButton, QAbstractSlider, QAbstractSpinBox, QLabel, QLineEdit, QProgressBar
COLUMN = 150
"""Words in many lines are this wide at least, px, or they stand in a narrow column."""


def cut_off(bar: QWidget) -> list[str]:
    """Return the controls of a bar that are not seen as large as they must be."""
    found = []
    for name, one in _controls(bar):
        if one.visibleRegion().boundingRect() != one.rect():
            found.append(f"{name} is cut")
        elif one.width() < one.minimumSizeHint().width():
            found.append(f"{name} is {one.width()} px wide")
    return found


def squeezed(panel: QWidget) -> list[str]:
    """Return the controls and words of a panel that are too narrow, even where one scrolls down to them."""
    found = []
    for name, one in _controls(panel):
        left = one.mapTo(panel, QPoint()).x()
        if left < 0 or left + one.width() > panel.width():
            found.append(f"{name} ends {left + one.width() - panel.width()} px beyond the panel")
        elif one.width() < min(one.minimumSizeHint().width(), one.maximumWidth()):
            found.append(f"{name} is {one.width()} px wide")
        elif isinstance(one, QLabel) and one.wordWrap() and one.width() < COLUMN:
            font, column = one.fontMetrics(), QRect(0, 0, one.width(), 1000)
            words = font.boundingRect(column, Qt.TextFlag.TextWordWrap, one.text())
            lines = words.height() // font.lineSpacing()
            if lines > 2:
                found.append(f"{name} stands in {lines} lines")
    return found


def _controls(whole: QWidget) -> Iterator[tuple[str, QWidget]]:
    """Yield the controls that are shown, each with its name."""
    for one in whole.findChildren(QWidget):
        part = isinstance(one.parent(), QAbstractSpinBox) or isinstance(
            one, (ElidedLabel, QScrollBar)
        )
        if isinstance(one, CONTROLS) and one.isVisible() and not part:
            yield one.accessibleName() or getattr(one, "text", str)() or type(one).__name__, one
