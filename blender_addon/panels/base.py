"""Base panel: its place in the sidebar, and text wrapped to the sidebar's width."""

import textwrap

import bpy


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


def wrap_lines(text: str, fits: int) -> list[str]:
    """Return a text in lines of so many letters; those of Chinese are twice as wide, and break
    anywhere."""
    if text.isascii():
        return textwrap.wrap(text, fits)
    lines, width = [""], 0
    for letter in text:
        step = 1 if letter.isascii() else 2
        if width + step > fits:
            lines, width = [*lines, ""], 0
        lines[-1] += letter
        width += step
    return [line.strip() for line in lines if line.strip()]
