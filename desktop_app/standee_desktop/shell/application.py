"""Application start: Qt settings, language, theme, and the window with its parts."""

from __future__ import annotations

import argparse
import atexit
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

from ..widgets import theme
from ..widgets.icons import emblem
from .assembly import Assembly
from .window import MainWindow

TRANSLATIONS = Path(__file__).parents[1] / "translations"
MANY_CORES = 8
"""From so many on Qt paints large areas by several threads; on fewer it waits for them longer than it gains."""


def run(argv: Sequence[str] | None = None) -> int:
    """Run the editor until its window closes; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="standee edit", description="Arrange subjects as layers, and compose a picture."
    )
    parser.add_argument("file", nargs="?", type=Path, help="a .standee document to open")
    parser.add_argument("--language", help="language of the interface, such as en or zh_CN")
    options = parser.parse_args(sys.argv[1:] if argv is None else argv)
    app = make_application(options.language)
    window = make_window()
    window.show()
    start(window, options.file)
    return app.exec()


def make_application(language: str | None = None) -> QApplication:
    """Return the application, in the language and theme of the system."""
    if (os.cpu_count() or 1) < MANY_CORES:
        os.environ.setdefault("QT_NO_GUI_THREADPOOL", "1")
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(["standee"])
    sys.setswitchinterval(0.0002)  # a busy worker shall not hold up a frame
    app.setApplicationName("Standee")
    app.setDesktopFileName("standee")
    app.setWindowIcon(emblem())
    app.setFont(theme.interface_font())
    if not isinstance(existing, QApplication) and app.platformName() == "offscreen":
        # There the clipboard outlives Python, and would destroy what Python put into it.
        atexit.register(app.clipboard().clear)
    if not hasattr(app, "themes"):
        app.themes = theme.Themes(app)  # type: ignore[attr-defined]
    translate(app, language)
    return app


def translate(app: QApplication, language: str | None) -> None:
    """Show the interface in a language, by default the system's; English where it is not there."""
    for old in getattr(app, "translators", ()):
        app.removeTranslator(old)
    locale = QLocale(language) if language else QLocale.system()
    translators = []
    places = (
        ("qtbase", Path(QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath))),
        ("standee", TRANSLATIONS),
    )
    for name, folder in places:
        translator = QTranslator(app)
        loaded = translator.load(locale, name, "_", str(folder))
        if not loaded and name == "standee":
            loaded = translator.load(str(folder / "standee_en.qm"))
        if loaded:
            app.installTranslator(translator)
            translators.append(translator)
    app.translators = translators  # type: ignore[attr-defined]


def make_window() -> MainWindow:
    """Return the main window with everything in it."""
    window = MainWindow()
    Assembly(window)
    gc.collect()
    gc.freeze()  # to look for garbage among all that is loaded takes longer than a frame may
    return window


def start(window: MainWindow, file: Path | None) -> None:
    """Open what was asked for, or show the welcome page."""
    assembly = window.findChild(Assembly)
    if assembly is not None:
        assembly.begin(file)
