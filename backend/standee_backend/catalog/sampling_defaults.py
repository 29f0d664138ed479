"""Defaults of sampling: those of the method, and what each kind of checkpoint has instead.

`SamplingDefaults` is the one place that knows a setting's default. Kinds of checkpoints, a model's `standee.json` and
the user's `models.toml` are each laid over it, in this order, as a map of the settings that they name.

Thresholds are shares of the time and the same for all: half of the steps replace a subject's tokens, a tenth is left
where kept pixels are not held. Only the number of steps, guidance, the length of text and the way by which a subject is
seen differ. docs/models.md says what follows, and what was run here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from standee.composition import Unit
from standee.validation import convert

Choices = Mapping[str, Any]
"""Some settings of `SamplingDefaults` by their names."""


class SamplingDefaults(Struct, frozen=True):
    """What a model does where a composition leaves the choice to it; see `standee.composition.Method`.

    `anchor_tau` is the time down to which an anchor holds a subject at fidelity 0.5; `None` is `tau`.
    `share_sites` are the sites whose attention reads the subjects' tokens in the late steps; `None` is all of them.
    `text_tokens` is the length of text that the model was made for, where it is shorter than its tokenizer's.
    `words_at_corners` says that the model was trained with the words of a rectangle at its corners, one half at each,
    where those of other models have no place. By `words_guidance` a model without guidance is guided towards such
    words, by a second forward that is not told them; `None` is not at all.
    """

    steps: Annotated[int, Meta(ge=1, le=200)] = 28
    guidance: Annotated[float, Meta(ge=0.0, le=50.0)] = 3.5
    tau: Unit = 0.5
    scene_tau: Unit = 0.1
    mode: Literal["inject", "edit"] = "inject"
    inject: bool = True
    anchor: Unit = 0.3
    anchor_tau: Unit | None = None
    sharing: bool = True
    share_by: Literal["attention", "input"] = "attention"
    share_sites: frozenset[Annotated[int, Meta(ge=0)]] | None = None
    collage: bool = False
    detail: Unit = 1.0
    join_words: bool = True
    gamma: Unit = 1.0
    text_tokens: Annotated[int, Meta(ge=8, le=4096)] | None = None
    words_at_corners: bool = False
    words_guidance: Annotated[float, Meta(ge=0.0, le=50.0)] | None = None

    def having(self, chosen: Choices) -> SamplingDefaults:
        """Return these with whatever of `chosen` is not `None` laid over them; raises `InvalidField`.

        An `anchor` may also be switched on and off: true is 1, false is 0.
        """
        given = {
            name: value
            for name, value in chosen.items()
            if value is not None and name in self.__struct_fields__
        }
        if isinstance(given.get("anchor"), bool):
            given["anchor"] = float(given["anchor"])
        checked = convert(given, SamplingDefaults)
        return replace(self, **{name: getattr(checked, name) for name in given})


GUIDED: Choices = {"steps": 28, "guidance": 3.5}
"""A checkpoint distilled with guidance, such as FLUX.1 dev."""

FEW_STEPS: Choices = {"steps": 4, "guidance": 0.0, "text_tokens": 256}
"""One distilled to few steps, such as FLUX.1 schnell, which was made for texts of 256 tokens."""

FLUX_DEPTH: Choices = {"steps": 30, "guidance": 10.0}
"""FLUX.1 Depth dev, which needs more guidance to follow its picture."""

FLUX_CANNY: Choices = {"steps": 50, "guidance": 30.0}
"""FLUX.1 Canny dev, the same."""

KONTEXT: Choices = {"steps": 28, "guidance": 2.5, "share_by": "input"}
"""FLUX.1 Kontext dev, distilled with guidance; trained to take references beside the picture."""

FLUX2_DEV: Choices = {"steps": 50, "guidance": 4.0, "share_by": "input"}
"""FLUX.2 dev, the same."""

KLEIN_BASE: Choices = {"steps": 50, "guidance": 4.0, "share_by": "input"}
"""FLUX.2 klein base: guided by a second forward; trained to take references beside the picture."""

KLEIN: Choices = {"steps": 4, "guidance": 1.0, "share_by": "input"}
"""FLUX.2 klein, distilled to 4 steps; trained to take references beside the picture."""

Z_IMAGE: Choices = {"steps": 50, "guidance": 4.0}
"""Z-Image: guided by a second forward."""

Z_IMAGE_TURBO: Choices = {"steps": 8, "guidance": 0.0}
"""Z-Image-Turbo."""

KREA_2: Choices = {"steps": 28, "guidance": 4.5}
"""Krea 2 Raw: guided by a second forward."""

KREA_2_TURBO: Choices = {"steps": 8, "guidance": 0.0}
"""Krea 2 Turbo, distilled to 8 steps."""

QWEN_IMAGE: Choices = {"steps": 50, "guidance": 4.0}
"""Qwen-Image: guided by a second forward."""

QWEN_IMAGE_EDIT: Choices = {"steps": 40, "guidance": 4.0, "share_by": "input"}
"""Qwen-Image-Edit-Plus, the same; trained to take references beside the picture."""

TURBO_SHIFT = 3.0
"""The shift of Turbo's schedule, which alone tells it from Z-Image."""


def defaults_of(
    index: Mapping[str, Any], transformer: Mapping[str, Any], scheduler: Mapping[str, Any]
) -> Choices:
    """Return what suits a checkpoint, by its `model_index.json` and the configurations of its parts."""
    if index.get("_class_name") == "Flux2KleinPipeline":
        return KLEIN if index.get("is_distilled") else KLEIN_BASE
    if index.get("_class_name") == "Flux2Pipeline":
        return FLUX2_DEV
    if index.get("_class_name") == "FluxControlPipeline":
        return FLUX_DEPTH
    if index.get("_class_name") == "FluxKontextPipeline":
        return KONTEXT
    if index.get("_class_name") == "ZImagePipeline":
        return Z_IMAGE_TURBO if scheduler.get("shift") == TURBO_SHIFT else Z_IMAGE
    if index.get("_class_name") == "Krea2Pipeline":
        return KREA_2_TURBO if index.get("is_distilled") else KREA_2
    if index.get("_class_name") == "QwenImagePipeline":
        return QWEN_IMAGE
    if index.get("_class_name") == "QwenImageEditPlusPipeline":
        return QWEN_IMAGE_EDIT
    return GUIDED if transformer.get("guidance_embeds") else FEW_STEPS
