"""Prompts: what the picture and its subjects are told, each text encoded once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from standee.composition import Composition, Layer
from standee.errors import InvalidField
from standee.wire.notes import WORDS_CUT, Note, note

from ..catalog.sampling_defaults import SamplingDefaults
from .families.base import Family
from .families.conditioning import Conditioning
from .pixels.images import Array

START = 24
"""Characters of a prompt by which a note names it."""


@dataclass(frozen=True)
class Texts:
    """What is said of a composition: `picture` to all of it.

    Where it has rectangles of words, `regions` of them, those are told to their cells alone for a while: `around` is
    told to the rest meanwhile, and `everything` sums it up.
    """

    picture: str
    around: str
    everything: str
    regions: int

    @staticmethod
    def of(composition: Composition, settings: SamplingDefaults) -> Texts:
        """Return what is said of a composition: its prompt, and the words of its layers where they join it."""
        shown = [layer for layer in composition.layers if layer.shown]
        pictured = [layer for layer in shown if layer.picture is not None]
        everything = _joined(composition.prompt, shown)
        picture = everything if settings.join_words else composition.prompt
        around = _joined(composition.prompt, pictured) if settings.join_words else picture
        regions = len(shown) - len(pictured)
        return Texts(picture, around, everything, regions)

    def told(self) -> set[str]:
        """Return every one of them that is needed."""
        return {self.picture, *((self.around, self.everything) if self.regions else ())}


@dataclass(frozen=True)
class Prompts:
    """The picture's own prompt, guided as the model is, and the words of its layers by themselves.

    `around` is what the picture is told while the cells of rectangles of words are told theirs. `seeing` encodes
    `picture` and `around` as they are said of reference pictures.
    """

    picture: Conditioning
    layers: Mapping[str, Conditioning]
    around: Conditioning
    seeing: Callable[[Sequence[Array]], tuple[Conditioning, Conditioning]]


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
    texts = Texts.of(composition, settings)
    words = {*texts.told(), negative, "", *(layer.prompt for layer in composition.layers)}
    encoded = family.encode_prompts(sorted(words), settings.guidance)

    def guide(encoded: Mapping[str, Conditioning]) -> tuple[Conditioning, Conditioning]:
        """Return what the picture is told, and what is told around words of regions."""
        picture, around = (
            # a prompt is not guided away from itself
            replace(encoded[said], negative=encoded[negative])
            if guided and said != negative
            else encoded[said]
            for said in (texts.picture, texts.around if texts.regions else texts.picture)
        )
        if texts.regions:
            around = replace(around, pooled=encoded[texts.everything].pooled)
            guided_anyway = family.embeds_guidance or around.negative is not None
            if settings.words_guidance is not None and not guided_anyway:
                without, strength = encoded[texts.around], settings.words_guidance
                around = replace(around, negative=without, guidance=strength, guides_regions=True)
        return picture, around

    def seeing(pictures: Sequence[Array]) -> tuple[Conditioning, Conditioning]:
        said = {*texts.told(), *([negative] if guided else [])}
        return guide(family.encode_prompts(sorted(said), settings.guidance, pictures))

    picture, around = guide(encoded)
    return Prompts(picture, encoded, around, seeing)


def cut_words(family: Family, composition: Composition, settings: SamplingDefaults) -> list[Note]:
    """Return a note of each prompt that is longer than what the model reads."""
    texts = Texts.of(composition, settings)
    prompts = {"$.prompt": texts.picture}
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


def _joined(said: str, layers: Iterable[Layer]) -> str:
    """Return a prompt, joined by the words of layers that it lacks.

    A picture of which the prompt says nothing of a subject is free to dissolve it once its tokens are not replaced.
    """
    said = said.strip()
    for layer in layers:
        words = layer.prompt.strip()
        if words and words.lower() not in said.lower():
            said = f"{said}, {words}" if said else words
    return said
