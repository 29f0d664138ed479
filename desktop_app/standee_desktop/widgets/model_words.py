"""Descriptions of known models in the interface's language."""

from __future__ import annotations

import re

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

PHRASES = (
    QT_TRANSLATE_NOOP(
        "Models",
        "The small model that comes along: 3D figures on painted backgrounds, 256 to 512 px, runs without"
        " a GPU.",
    ),
    QT_TRANSLATE_NOOP("Models", "FLUX.1 dev: the best fidelity to subjects."),
    QT_TRANSLATE_NOOP("Models", "FLUX.1 schnell: four steps, for quick drafts."),
    QT_TRANSLATE_NOOP("Models", "FLUX.1 Krea: photographic, less glossy than dev."),
    QT_TRANSLATE_NOOP("Models", "FLUX.1 Kontext: takes reference pictures."),
    QT_TRANSLATE_NOOP("Models", "FLUX.1 Depth: follows a picture of depth."),
    QT_TRANSLATE_NOOP("Models", "FLUX.1 Canny: follows a picture of lines."),
    QT_TRANSLATE_NOOP("Models", "FLUX.2 dev: the largest, takes reference pictures."),
    QT_TRANSLATE_NOOP("Models", "FLUX.2 klein 4B: four steps, small."),
    QT_TRANSLATE_NOOP("Models", "FLUX.2 klein 9B: four steps."),
    QT_TRANSLATE_NOOP("Models", "FLUX.2 klein base 4B: not distilled, more varied."),
    QT_TRANSLATE_NOOP("Models", "FLUX.2 klein base 9B: not distilled, more varied."),
    QT_TRANSLATE_NOOP("Models", "Z-Image: not distilled, more varied."),
    QT_TRANSLATE_NOOP("Models", "Z-Image-Turbo: eight steps, photographic."),
    QT_TRANSLATE_NOOP("Models", "Krea 2 Turbo: eight steps, for looks and style."),
    QT_TRANSLATE_NOOP("Models", "Krea 2 Raw: not distilled, more varied."),
    QT_TRANSLATE_NOOP(
        "Models", "Qwen-Image of December 2025: large, follows long prompts, writes text."
    ),
    QT_TRANSLATE_NOOP("Models", "Qwen-Image-Edit of November 2025: takes reference pictures."),
)
"""Those of the daemon's known models, spelt out for the collector of texts."""


NAMED = re.compile(r"([^:：]+)(?:: |：)")
"""How a description begins that says the name first."""


def model_words(description: str, name: str = "") -> str:
    """Return what a model is good for, after its `name`, which it then does not repeat.

    What is not known here stays as it is.
    """
    words = QCoreApplication.translate("Models", description)
    said = NAMED.match(words)
    if said is None or not _plain(name).startswith(_plain(said[1])):
        return words
    rest = words[said.end() :]
    return rest[:1].upper() + rest[1:]


def _plain(name: str) -> str:
    return name.lower().replace("-", " ")
