"""Prompts: what the picture and its subjects are told, each text encoded once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from standee.composition import Composition
from standee.errors import InvalidField
from standee.wire.notes import WORDS_CUT, Note, note

from ..catalog.sampling_defaults import SamplingDefaults
from .families.base import Family
from .families.conditioning import Conditioning

START = 24
"""Characters of a prompt by which a note names it."""


@dataclass(frozen=True)
class Prompts:
    """The picture's own prompt, guided as the model is, and those of its layers by their words."""

    picture: Conditioning
    layers: Mapping[str, Conditioning]


def encode_prompts(family: Family, composition: Composition, settings: SamplingDefaults) -> Prompts:
    """Encode every prompt once, before anything else needs the device: the picture's, the subjects', and no words.

    Raises `InvalidField` for a negative prompt where the model has no use for one.
    """
    negative, guided = composition.sampling.negative, family.guided_by_negative(settings.guidance)
    if negative and not guided:
        raise InvalidField(
            "This model is not guided by a second forward, so it takes no negative prompt.",
            path="$.sampling.negative",
            fix="Leave it empty, or give a model that takes guidance that way more than it asks for none.",
        )
    said = picture_prompt(composition) if settings.join_words else composition.prompt
    words = {said, negative, "", *(layer.prompt for layer in composition.layers)}
    encoded = family.encode_prompts(sorted(words), settings.guidance)
    picture = encoded[said]
    if guided and said != negative:  # a prompt is not guided away from itself
        picture = replace(picture, negative=encoded[negative])
    return Prompts(picture, encoded)


def cut_words(family: Family, composition: Composition, settings: SamplingDefaults) -> list[Note]:
    """Return a note of each prompt that is longer than what the model reads."""
    said = picture_prompt(composition) if settings.join_words else composition.prompt
    prompts = {"$.prompt": said}
    prompts |= {
        f"$.layers[{index}].prompt": layer.prompt
        for index, layer in enumerate(composition.layers)
        if layer.shown
    }
    return [
        note(WORDS_CUT, path, limit=family.text_limit, start=words[:START])
        for path, words in prompts.items()
        if words and family.count_tokens(words) > family.text_limit
    ]


def picture_prompt(composition: Composition) -> str:
    """Return the picture's prompt, joined by the words of visible layers that it lacks.

    A picture of which the prompt says nothing of a subject is free to dissolve it once its tokens are not replaced.
    """
    said = composition.prompt.strip()
    for layer in composition.layers:
        words = layer.prompt.strip()
        if layer.shown and words and words.lower() not in said.lower():
            said = f"{said}, {words}" if said else words
    return said
