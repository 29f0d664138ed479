"""Control nets: which kinds of control picture a model takes, and by whose weights.

A composition names the kind alone. The weights are those of this table or of a model's entry in `models.toml`:

    [models.krea]
    path = "black-forest-labs/FLUX.1-Krea-dev"
    control = { depth = "/nets/depth", normal = "owner/name" }

FLUX.1 Depth and Canny see the control picture in channels of their own, and need no other weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from standee.composition import Composition, ControlKind
from standee.errors import InvalidField, UnknownModel

from .model_card import Where

Nets = Mapping[ControlKind, Where]
"""The weights of each kind: a folder in diffusers' layout, or a hub id."""

KINDS: tuple[ControlKind, ...] = get_args(ControlKind)

OWN = "own channels"
"""In the place of weights: the checkpoint has channels of its own for the picture."""

FLUX_UNION = "Shakker-Labs/FLUX.1-dev-ControlNet-Union-Pro-2.0"

FLUX: Nets = {
    "depth": FLUX_UNION,
    "lines": FLUX_UNION,
    "pose": FLUX_UNION,
    "normal": "jasperai/Flux.1-dev-Controlnet-Surface-Normals",
}
"""FLUX.1 dev and its fine-tunes."""

QWEN_IMAGE: Nets = dict.fromkeys(("depth", "lines", "pose"), "InstantX/Qwen-Image-ControlNet-Union")

FLUX_DEPTH: Nets = {"depth": OWN}
FLUX_CANNY: Nets = {"lines": OWN}

WAYS: dict[str, tuple[Nets, int]] = {
    "FluxPipeline": (FLUX, 24),
    "FluxControlPipeline": (dict.fromkeys(KINDS, OWN), 0),
    "QwenImagePipeline": (QWEN_IMAGE, 24),
    "ZImagePipeline": ({}, 30),
}
"""Of each pipeline that takes control pictures the published weights, and the attention heads that they were made for.

What a checkpoint with channels of its own was made for is nowhere in its files: it takes any kind, if its name is not
known. Z-Image's are published as one file, which `docs/models.md` says how to save as a folder.
"""


def nets_of(pipeline: str, transformer: Mapping[str, Any], named: Nets) -> dict[ControlKind, Where]:
    """Return what a model takes, by its class in diffusers, its configuration, and what is `named` for it."""
    if pipeline not in WAYS:
        return {}
    published, heads = WAYS[pipeline]
    if pipeline == "FluxControlPipeline":
        return dict(named or published)
    made_for = transformer.get("num_attention_heads", transformer.get("n_heads"))
    return {**(published if made_for == heads else {}), **named}


def weights_of(nets: Nets, composition: Composition) -> dict[ControlKind, Where]:
    """Return the weights of each kind of control picture that counts in a composition.

    Raises `InvalidField` for a kind that the model does not take.
    """
    found: dict[ControlKind, Where] = {}
    for index, control in composition.counting_controls():
        if control.kind not in nets:
            raise not_taken(control.kind, index)
        found[control.kind] = nets[control.kind]
    return found


def not_taken(kind: str, index: int) -> InvalidField:
    """Return the error of a control picture that the model does not take."""
    return InvalidField(
        f"This model has no weights that take a control picture of the kind {kind}.",
        path=f"$.control[{index}].kind",
        fix="Use FLUX.1 dev, Krea or schnell, FLUX.1 Depth or Canny, Qwen-Image or Z-Image; docs/models.md says which"
        " takes which kind, and how models.toml names weights of others.",
    )


def missing(path: str, field: str) -> UnknownModel:
    """Return the error of weights that are named and not there."""
    return UnknownModel(
        f"The weights of the control net, {path}, are neither a folder in diffusers layout nor on the hub.",
        path=field,
        fix="Correct `control` of the model in models.toml.",
    )
