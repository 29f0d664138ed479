"""User settings of the editor: recent files, folders, defaults for new subjects."""

from __future__ import annotations

from PySide6.QtCore import QSettings

from .paths import data_folder


def settings() -> QSettings:
    """Return the settings; Qt writes what changed when there is nothing else to do."""
    return QSettings(str(data_folder() / "settings.ini"), QSettings.Format.IniFormat)
