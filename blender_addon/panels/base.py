"""Base panel: its place in the sidebar, and text wrapped to the sidebar's width."""

import re
import unicodedata

import bpy

from standee.wire.notes import Note

from ..i18n.translations import note_words

PIECES = re.compile(r"\s+|[^\s\u3000-\u9fff\uff00-\uffef]+|.")
"""What stays together on a line: a word, or one letter of Chinese."""


class Sidebar:
    """Where all panels are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Standee"


def paragraph(layout: bpy.types.UILayout, text: str, icon: str = "NONE", beside: int = 0) -> None:
    """Show a sentence in the interface's language, broken to the width of the sidebar.

    `beside` is how many px of that something else takes.
    """
    words = layout.column(align=True)
    words.scale_y = 0.8
    region = bpy.context.region
    scale = bpy.context.preferences.system.ui_scale or 1.0
    width = region.width / scale if region is not None and region.type == "UI" else 250
    fits = max(20, int((width - 70 - beside) / 6.2))
    for line in wrap_lines(bpy.app.translations.pgettext_iface(text), fits):
        words.label(text=line, icon=icon)
        icon = "BLANK1" if icon != "NONE" else "NONE"


def remark(layout: bpy.types.UILayout, note: Note, of: str = "") -> None:
    """Show a job's note, in grey; `of` says what it is about."""
    words = layout.column()
    words.active = False
    paragraph(words, of + note_words(note))


def wrap_lines(text: str, fits: int) -> list[str]:
    """Return a text in lines of so many letters; those of Chinese are twice as wide, and break
    anywhere."""
    lines, width = [""], 0
    pieces = PIECES.findall(text)
    cut = (one[at : at + fits] for one in pieces for at in range(0, len(one), fits))
    for piece in cut:  # what is longer than a line, such as a path, breaks anywhere too
        step = sum(2 if _is_wide(letter) else 1 for letter in piece)
        if width + step > fits and not piece.isspace():
            lines, width = [*lines, ""], 0
        lines[-1] += piece
        width += step
    return [line.strip() for line in lines if line.strip()]


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF"
