"""Job notes: what a job says beside its pictures, as data, and in words of the reader's language.

The worker emits a `Note` with a code and values; a face puts it into words with `note_text` and its own
dictionary of the phrases below. A face that does not know the code shows the English `words`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct, field

from ..formatting import size

Text = Annotated[str, Meta(max_length=1000)]
MAX_NOTES = 100
"""How many notes one job carries; the engine says the first of them, which is what a person reads."""


class Note(Struct, frozen=True):
    """Something that a person should know of a job: what was decided, or is not as it was asked.

    `code` is stable and short, `path` the field of the composition that it is about (as in errors),
    `words` English for a person, `values` what fills the code's form, `fix` what to do about it.
    """

    code: Annotated[str, Meta(max_length=100)]
    path: Text = ""
    words: Text = ""
    values: dict[str, Any] = field(default_factory=dict)
    fix: Text = ""


Tell = Callable[[Note], None]
"""Takes the notes of a job from whatever part of the worker has one to emit."""

MEMORY_PLAN, MEMORY_SHORT = "memory-plan", "memory-short"
SUBJECT_NOWHERE, WORDS_CUT = "subject-nowhere", "words-cut"
SCENE_RESIZED, MODEL_CACHED = "scene-resized", "model-cached"
LORA_PART_LEFT_OUT, LORA_STRENGTH_UNKNOWN = "lora-part-left-out", "lora-strength-unknown"

FORMS = {
    MEMORY_PLAN: "Memory: preset {preset}: {meaning}; about {need} of {room}.",
    MEMORY_SHORT: (
        "Too little memory with preset {failed}; going on with preset {preset}: {meaning}."
    ),
    SUBJECT_NOWHERE: "“{name}” is not in the picture: {why}.",
    WORDS_CUT: "The model reads {limit} tokens; what follows in “{start}…” was cut off.",
    SCENE_RESIZED: (
        "The scene of {width} x {height} px is drawn in {across} x {down} px; what is kept of it is"
        " kept as drawn."
    ),
    MODEL_CACHED: "{model} is the copy that was downloaded earlier (commit {commit}).",
    LORA_PART_LEFT_OUT: "Of the LoRA {file} {count} layers were left out: {part}.",
    LORA_STRENGTH_UNKNOWN: (
        "The LoRA {file} does not say how strong it is; set its weight by eye."
    ),
}
"""How each code is put; what stands in braces are the note's values, some of them in words."""

LOADED, LOADED_TEXT_APART = (
    "weights in {size}, {kept}",
    "weights in {size}, text encoder in {text}, {kept}",
)
SIZES = {
    "bf16": "16 bits",
    "fp32": "32 bits",
    "fp8": "8 bits (fp8)",
    "int8": "8 bits (int8)",
    "nf4": "4 bits",
}
KEPT = {
    "none": "all of it on the device",
    "text": "text encoders only while they encode",
    "model": "one model on the device at a time",
    "group": "one block on the device at a time",
}

WHY = {
    "empty": "its cut-out is empty",
    "off": "it lies off the canvas",
    "hidden": "others hide all of it",
}
PARTS = {
    "text_encoder": "they change a text encoder that this model does not have",
    "norms": "they change norms or embeddings, which LoRAs cannot be laid over here",
}

PRESETS = ("32 bits", "16 bits", "8 bits")
"""Names of presets that are words."""

PHRASES = tuple(
    dict.fromkeys(
        (
            *(*FORMS.values(), LOADED, LOADED_TEXT_APART, *PRESETS),
            *(words for of in (SIZES, KEPT, WHY, PARTS) for words in of.values()),
        )
    )
)
"""All that a face translates."""


def note(code: str, path: str = "", *, fix: str = "", **values: Any) -> Note:
    """Return a note of one of the `FORMS`, with its English words."""
    made = Note(code, path, "", values, fix)
    return Note(code, path, _format(made, str), values, fix)


def note_text(about: Note, translate: Callable[[str], str] = str) -> str:
    """Return a note in words, with its fix; `translate` puts the `PHRASES` into another language."""
    fix = translate(about.fix) if about.fix else ""
    return " ".join(filter(None, (_format(about, translate), fix)))


def _format(about: Note, translate: Callable[[str], str]) -> str:
    form = FORMS.get(about.code)
    if form is None:
        return translate(about.words) if about.words else ""
    try:
        values = about.values | _word_values(about.values, translate)
        return translate(form).format_map(values)
    except (KeyError, TypeError, ValueError, AttributeError):  # another version's values
        return about.words


def preset_text(how: Mapping[str, Any], translate: Callable[[str], str] = str) -> str:
    """Return what a memory preset does, in words.

    `how` has its `offload`, `quantization`, `text_quantization` and `dtype`.
    """
    packing, text = how["quantization"], how["text_quantization"]
    apart = text not in ("none", packing)
    return translate(LOADED_TEXT_APART if apart else LOADED).format(
        size=translate(SIZES[how["dtype"] if packing == "none" else packing]),
        text=translate(SIZES[text]) if apart else "",
        kept=translate(KEPT[how["offload"]]),
    )


def _word_values(values: Mapping[str, Any], translate: Callable[[str], str]) -> dict[str, str]:
    """Return the values that stand in a form otherwise than as they are."""
    words = {name: size(values[name]) for name in ("need", "room") if name in values}
    words |= {name: translate(values[name]) for name in ("preset", "failed") if name in values}
    if "offload" in values:
        words["meaning"] = preset_text(values, translate)
    words |= {
        name: translate(of[values[name]])
        for name, of in (("why", WHY), ("part", PARTS))
        if values.get(name) in of
    }
    return words
