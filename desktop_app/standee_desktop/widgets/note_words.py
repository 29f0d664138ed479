"""Job notes in the interface's language."""

from __future__ import annotations

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from standee.wire.notes import Note, note_text

PHRASES = (
    QT_TRANSLATE_NOOP("Notes", "Memory: preset {preset}: {meaning}; about {need} of {room}."),
    QT_TRANSLATE_NOOP(
        "Notes", "Too little memory with preset {failed}; going on with preset {preset}: {meaning}."
    ),
    QT_TRANSLATE_NOOP("Notes", "“{name}” is not in the picture: {why}."),
    QT_TRANSLATE_NOOP(
        "Notes", "The model reads {limit} tokens; what follows in “{start}…” was cut off."
    ),
    QT_TRANSLATE_NOOP(
        "Notes",
        "The scene of {width} x {height} px is drawn in {across} x {down} px; what is kept of it is"
        " kept as drawn.",
    ),
    QT_TRANSLATE_NOOP(
        "Notes", "{model} is the copy that was downloaded earlier (commit {commit})."
    ),
    QT_TRANSLATE_NOOP("Notes", "Of the LoRA {file} {count} layers were left out: {part}."),
    QT_TRANSLATE_NOOP(
        "Notes", "The LoRA {file} does not say how strong it is; set its weight by eye."
    ),
    QT_TRANSLATE_NOOP("Notes", "its cut-out is empty"),
    QT_TRANSLATE_NOOP("Notes", "it lies off the canvas"),
    QT_TRANSLATE_NOOP("Notes", "others hide all of it"),
    QT_TRANSLATE_NOOP("Notes", "they change a text encoder that this model does not have"),
    QT_TRANSLATE_NOOP(
        "Notes", "they change norms or embeddings, which LoRAs cannot be laid over here"
    ),
    QT_TRANSLATE_NOOP("Notes", "weights in {size}, {kept}"),
    QT_TRANSLATE_NOOP("Notes", "weights in {size}, text encoder in {text}, {kept}"),
    QT_TRANSLATE_NOOP("Notes", "16 bits"),
    QT_TRANSLATE_NOOP("Notes", "32 bits"),
    QT_TRANSLATE_NOOP("Notes", "8 bits"),
    QT_TRANSLATE_NOOP("Notes", "8 bits (fp8)"),
    QT_TRANSLATE_NOOP("Notes", "8 bits (int8)"),
    QT_TRANSLATE_NOOP("Notes", "4 bits"),
    QT_TRANSLATE_NOOP("Notes", "all of it on the device"),
    QT_TRANSLATE_NOOP("Notes", "text encoders only while they encode"),
    QT_TRANSLATE_NOOP("Notes", "one model on the device at a time"),
    QT_TRANSLATE_NOOP("Notes", "one block on the device at a time"),
)
"""Those of `standee.wire.notes`, spelt out for the collector of texts."""


def note_words(note: Note) -> str:
    """Return what a job notes, and what to do about it."""
    return note_text(note, lambda phrase: QCoreApplication.translate("Notes", phrase))
