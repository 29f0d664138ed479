"""Themes: colours and the style sheet, light and dark, following the system.

`current()` is what painters ask; widgets get it through the palette and the style sheet. Contrast of
text on its ground is at least 4.5:1 in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Template

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from standee import token_overlay

STYLE = Path(__file__).parents[1] / "resources" / "style.qss"


@dataclass(frozen=True)
class Theme:
    """The colours of a theme, as `#rrggbb`."""

    dark: bool
    window: str
    panel: str
    field: str
    raised: str
    hover: str
    border: str
    text: str
    muted: str
    disabled: str
    accent: str
    accent_hover: str
    on_accent: str
    selected: str
    warning: str
    danger: str
    success: str
    pasteboard: str
    checker_a: str
    checker_b: str
    ruler: str

    def colour(self, name: str, alpha: float = 1.0) -> QColor:
        """Return one of the colours, such as `theme.colour("accent", 0.3)`."""
        found = QColor(getattr(self, name))
        found.setAlphaF(alpha)
        return found


LIGHT = Theme(
    dark=False,
    window="#f1f2f5",
    panel="#fafbfc",
    field="#ffffff",
    raised="#ffffff",
    hover="#e8eaf0",
    border="#d7dae2",
    text="#1c1f27",
    muted="#5c6270",
    disabled="#a3a8b4",
    accent="#4a5bdc",
    accent_hover="#3c4cc7",
    on_accent="#ffffff",
    selected="#e1e5fb",
    warning="#9a5b00",
    danger="#c02c3c",
    success="#1d7a4a",
    pasteboard="#dfe1e7",
    checker_a="#ffffff",
    checker_b="#eceef2",
    ruler="#f1f2f5",
)

DARK = Theme(
    dark=True,
    window="#1b1d22",
    panel="#22252b",
    field="#191b20",
    raised="#2c3038",
    hover="#323741",
    border="#363b46",
    text="#e6e8ee",
    muted="#9ba1b0",
    disabled="#5f6574",
    accent="#7d8cff",
    accent_hover="#93a0ff",
    on_accent="#12141c",
    selected="#343b66",
    warning="#f0b35a",
    danger="#ff7b86",
    success="#65cf97",
    pasteboard="#131418",
    checker_a="#3a3d45",
    checker_b="#32353c",
    ruler="#1b1d22",
)


class Themes(QObject):
    """Keeps the application in the theme that the system, or the user, wants."""

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._app = app
        self._forced: bool | None = None
        app.styleHints().colorSchemeChanged.connect(self._follow)
        self._follow()

    def force(self, dark: bool | None) -> None:
        """Be dark or light whatever the system says; None follows it again."""
        self._forced = dark
        scheme = Qt.ColorScheme
        wanted = scheme.Unknown if dark is None else scheme.Dark if dark else scheme.Light
        self._app.styleHints().setColorScheme(wanted)
        self._follow()

    def _follow(self) -> None:
        global _current
        system = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        _current = DARK if (system if self._forced is None else self._forced) else LIGHT
        self._app.setStyle("Fusion")
        self._app.setPalette(_palette(_current))
        self._app.setStyleSheet(_style_sheet(_current))
        self.changed.emit()


_current = LIGHT


def current() -> Theme:
    """Return the theme of the moment."""
    return _current


def subject_colour(index: int, alpha: float = 1.0) -> QColor:
    """Return the colour of a subject in the token view, by its number from the bottom."""
    colour = QColor(token_overlay.SUBJECTS[index % len(token_overlay.SUBJECTS)])
    colour.setAlphaF(alpha)
    return colour


def interface_font() -> QFont:
    """Return the system's font for interfaces; where it has none to speak of, a readable one."""
    font = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont)
    families = set(QFontDatabase.families())
    plain = {"DejaVu Sans", "Bitstream Vera Sans", "Sans Serif", "Sans", ""}
    if font.family() in plain:
        for better in ("Inter", "Segoe UI", "Noto Sans", "Cantarell", "Ubuntu"):
            if better in families:
                font.setFamilies([better, "Noto Sans CJK SC", "DejaVu Sans"])
                break
    if font.pointSizeF() < 9.5:
        font.setPointSizeF(9.5)
    return font


def _palette(theme: Theme) -> QPalette:
    role, palette = QPalette.ColorRole, QPalette()
    roles = {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.field,
        role.AlternateBase: theme.panel,
        role.Text: theme.text,
        role.Button: theme.raised,
        role.ButtonText: theme.text,
        role.BrightText: theme.danger,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text,
        role.PlaceholderText: theme.muted,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Link: theme.accent,
        role.LinkVisited: theme.accent,
        role.Light: theme.raised,
        role.Midlight: theme.hover,
        role.Mid: theme.border,
        role.Dark: theme.border,
        role.Shadow: "#000000",
        role.Accent: theme.accent,
    }
    for which, colour in roles.items():
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(theme.disabled))
    return palette


def _style_sheet(theme: Theme) -> str:
    values = {name: str(value) for name, value in vars(theme).items()}
    resources = (STYLE.parent / ("dark" if theme.dark else "light")).as_posix()
    return Template(STYLE.read_text(encoding="utf-8")).substitute(values, resources=resources)
