"""Where the window and its panels were, kept between sessions."""

from __future__ import annotations

from PySide6.QtCore import QByteArray
from PySide6.QtWidgets import QMainWindow

from ..storage.settings import settings

GEOMETRY, PANELS = "window/geometry", "window/panels"
VERSION = 1
"""Another one forgets the panels: it is for when there are other panels than before."""


def restore_window(window: QMainWindow) -> None:
    """Put the window where it was; Qt sees to it that it is on a screen."""
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
