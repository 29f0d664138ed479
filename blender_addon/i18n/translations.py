"""Translation registry: sentences in the language that Blender is set to."""

import bpy

from standee.wire.notes import Note, note_text

from .zh_hans import CHINESE

ADDON = (__package__ or "").rpartition(".")[0]
"""The add-on's own package, by which Blender knows its translations."""
CONTEXTS = ("*", "Operator")
"""Labels of operators are looked up in a context of their own."""


def say(text: str, **values: object) -> str:
    """Return a sentence in the interface's language; `{names}` in it are filled with the values."""
    return str(bpy.app.translations.pgettext_iface(text)).format(**values)


def note_words(about: Note) -> str:
    """Return a job's note in the interface's language."""
    return note_text(about, bpy.app.translations.pgettext_iface)


def table() -> dict[str, dict[tuple[str, str], str]]:
    """Return the translations as Blender takes them: by language, then by (context, English)."""
    return {
        "zh_HANS": {
            (context, english): chinese
            for english, chinese in CHINESE.items()
            for context in CONTEXTS
        }
    }


def register() -> None:
    """Offer them."""
    bpy.app.translations.register(ADDON, table())


def unregister() -> None:
    """Take them back."""
    bpy.app.translations.unregister(ADDON)
