"""Window state: geometry of the window and its panels, kept between sessions."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSize
from PySide6.QtWidgets import QMainWindow

from ..storage.settings import settings

GEOMETRY, PANELS = "window/geometry", "window/panels"
FIRST, FRAME = (1320, 840), (16, 48)
"""The first size of the window, and what its system draws around it, px."""
VERSION = 1
"""Another one forgets the panels: it is for when there are other panels than before."""


def restore_window(window: QMainWindow) -> None:
    """Put the window where it was; the first time give it a size that the screen has room for."""
    screen = window.screen().availableGeometry()
    window.resize(QSize(*FIRST).boundedTo(screen.size() - QSize(*FRAME)))
    stored = settings().value(GEOMETRY)
    if isinstance(stored, QByteArray):
        window.restoreGeometry(stored)


def restore_panels(window: QMainWindow) -> bool:
    """Arrange the panels as they were; return whether that is known."""
    stored = settings().value(PANELS)
    return isinstance(stored, QByteArray) and window.restoreState(stored, VERSION)


def keep_window(window: QMainWindow) -> None:
    """Remember where the window is."""
    settings().setValue(GEOMETRY, window.saveGeometry())


def keep_panels(window: QMainWindow) -> None:
    """Remember how the panels are arranged."""
    settings().setValue(PANELS, window.saveState(VERSION))
