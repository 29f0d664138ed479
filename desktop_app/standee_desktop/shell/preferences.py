"""Preferences of the theme and of marks in exported pictures, and the About dialog."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Qt, qVersion
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from standee import __version__

from ..storage.settings import MARKED, marks_pictures, settings
from ..widgets.actions import Actions

THEME = "look/theme"
CHOICES: dict[str, bool | None] = {"system": None, "light": False, "dark": True}


class Preferences(QObject):
    """Connects the choice of a theme, the mark of exported pictures and the words about Standee."""

    def __init__(self, actions: Actions, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        group = QActionGroup(self)
        chosen = str(settings().value(THEME, "system"))
        for name in CHOICES:
            action = actions[f"theme-{name}"]
            action.setActionGroup(group)
            action.setChecked(name == chosen)
            action.triggered.connect(lambda _=False, n=name: self.choose(n))
        if chosen in ("light", "dark"):
            self._force(chosen)
        actions["mark"].setChecked(marks_pictures())
        actions["mark"].toggled.connect(lambda on: settings().setValue(MARKED, on))
        actions["about"].triggered.connect(self._about)

    def choose(self, name: str) -> None:
        """Take on a theme, and remember it."""
        settings().setValue(THEME, name)
        self._force(name)

    def _force(self, name: str) -> None:
        app: Any = QApplication.instance()
        if (themes := getattr(app, "themes", None)) is not None:
            themes.force(CHOICES[name])

    def _about(self) -> None:
        box = QMessageBox(self._window)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setWindowTitle(self.tr("About Standee"))
        box.setText(f"<b>Standee {__version__}</b>")
        words = self.tr(
            "Stand your subjects in a scene: layered, identity-preserving picture composition "
            "without training."
        )
        box.setInformativeText(f"{words}\n\nGPL-3.0-or-later · Qt {qVersion()}")
        box.open()
