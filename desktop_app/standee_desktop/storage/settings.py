"""User settings of the editor: recent files, folders, defaults for new subjects."""

from __future__ import annotations

from PySide6.QtCore import QSettings

from .paths import data_folder

MARKED = "export/marked"


def settings() -> QSettings:
    """Return the settings; Qt writes what changed when there is nothing else to do."""
    return QSettings(str(data_folder() / "settings.ini"), QSettings.Format.IniFormat)


def marks_pictures() -> bool:
    """Return whether pictures that are exported say in their metadata that a model made them."""
    return bool(settings().value(MARKED, True, type=bool))
