"""LoRA layer names, under any prefix and in any program's spelling, as layers of a model.

Names are compared with dots as underscores, since kohya's and LyCORIS' have no dots.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from torch import nn

from ..original_names import DiffusersLayers, originals, processors

PREFIXES = (
    "base_model_model_",
    "model_diffusion_model_",
    "diffusion_model_",
    "transformer_",
    "lora_unet_",
    "lora_transformer_",
    "lora_dit_",
    "lora_",
    "lycoris_",
    "pipe_dit_",
    "dit_",
    "unet_",
    "module_",
    "model_",
    "_",
)
"""What stands before the names of a transformer's layers, one or several after each other."""

TEXT = re.compile(
    r"^(?:base_model_model_)?(?:lora_te\d?|lycoris_te\d?|te\d?|text_encoders?(?:_\d)?|cond_stage_model|conditioner"
    r"|clip_[lgh]|t5xxl|bundle_emb)(?:_|$)"
)
"""How names of text encoders' layers begin."""

TEXT_PREFIX = re.compile(
    r"^(?:base_model_model_)?(?:lora_te\d?|lycoris_te\d?|te\d?|text_encoders?(?:_(?:\d|clip_l|t5xxl|qwen\w*?b))?|clip_l"
    r"|t5xxl)_(?:transformer_)?"
)

KINDS = {
    "FLUX.2": r"double_stream_modulation|single_stream_modulation|to_qkv_mlp_proj|ff(_context)?_linear_(in|out)",
    "Qwen-Image": r"transformer_blocks_\d+_(img|txt)_(mlp|mod)",
    "Krea 2": r"txtfusion_|text_fusion_|blocks_\d+_attn_w[qkvo]",
    "FLUX.1": r"_(img|txt)_mod_lin|_modulation_lin|norm1_context|ff_(context_)?net_\d|blocks_\d+_proj_(mlp|out)",
    "FLUX.1 or FLUX.2": r"(double|single)_blocks_\d|single_transformer_blocks_\d|add_[qkv]_proj|to_add_out",
    "Stable Diffusion or SDXL": r"(input|output|middle|down|up|mid)_blocks?_\d|mid_block|lora_te_text_model",
    "Stable Diffusion 3": r"joint_blocks_\d",
    "Z-Image": r"(noise|context)_refiner_\d|layers_\d+_(attention|feed_forward|adaLN)",
    "Wan": r"blocks_\d+_(self|cross)_attn",
}
"""Signs of other kinds of models in names of layers, and what they are called."""


@dataclass(frozen=True)
class LayerMatches:
    """Where the layers of a LoRA lie in a model; `text` are those of text encoders that are not there."""

    layers: dict[str, tuple[str, DiffusersLayers]]
    missing: tuple[str, ...]
    text: tuple[str, ...]


def find(names: Iterable[str], parts: Mapping[str, nn.Module]) -> LayerMatches:
    """Find a LoRA's layers in a pipeline's parts, the transformer and text encoders.

    Returns for each name the part and the layers there.
    """
    known = {part: _index(model) for part, model in parts.items()}
    layers, missing, text = {}, [], []
    for name in names:
        plain = name.replace(".", "_")
        if TEXT.match(plain):
            place = _find_text(plain, known)
            if place is None:
                text.append(name)
        else:
            place = _find(plain, known["transformer"])
            if place is None:
                missing.append(name)
        if place is not None:
            layers[name] = place
    if missing and not any(part == "transformer" for part, _ in layers.values()):
        prefix = _common_prefix(missing, known["transformer"])
        placed = {
            name: known["transformer"].get(name.replace(".", "_")[len(prefix) :])
            for name in missing
            if prefix
        }
        layers |= {name: ("transformer", at) for name, at in placed.items() if at is not None}
        missing = [name for name in missing if name not in layers]
    return LayerMatches(layers, tuple(missing), tuple(text))


def kind_of(names: Iterable[str]) -> str:
    """Return which kind of model a LoRA with these names was made for, or nothing where they do not tell."""
    whole = "\n".join(name.replace(".", "_") for name in names)
    return next((kind for kind, sign in KINDS.items() if re.search(sign, whole)), "")


def _index(model: nn.Module) -> dict[str, DiffusersLayers]:
    """Return all names of a model's layers and norms with underscores, its own and its makers'."""
    own = {
        name.replace(".base_layer", ""): DiffusersLayers((name.replace(".base_layer", ""),))
        for name, layer in model.named_modules()
        if isinstance(getattr(layer, "weight", None), nn.Parameter) and ".lora_" not in name
    }
    # before diffusers had a dropout beside them, layers of outputs stood alone
    alone = {
        name.removesuffix(".0"): layer for name, layer in own.items() if name.endswith("to_out.0")
    }
    named = alone | originals(model) | processors(model) | own
    return {name.replace(".", "_"): layer for name, layer in named.items()}


def _find(plain: str, known: Mapping[str, DiffusersLayers]) -> tuple[str, DiffusersLayers] | None:
    """Look a transformer's layer up, with prefixes taken away one by one."""
    while True:
        for name in (plain, re.sub(r"_processor(?=_)", "", plain).removesuffix("_lora")):
            if name in known:
                return "transformer", known[name]
        prefix = next((prefix for prefix in PREFIXES if plain.startswith(prefix)), "")
        if not prefix:
            return None
        plain = plain.removeprefix(prefix)


def _find_text(
    plain: str, known: Mapping[str, Mapping[str, DiffusersLayers]]
) -> tuple[str, DiffusersLayers] | None:
    """Look a text encoder's layer up in whichever has it."""
    plain = TEXT_PREFIX.sub("", plain)
    for name in (
        plain,
        plain.removeprefix("text_model_"),
        plain.removeprefix("model_"),
        f"model_{plain}",
    ):
        for part, layers in known.items():
            if part != "transformer" and name in layers:
                return part, layers[name]
    return None


def _common_prefix(names: Iterable[str], known: Mapping[str, DiffusersLayers]) -> str:
    """Return the unknown prefix that all of a LoRA's names have, if a layer follows it; of no block, so no number."""
    plain = [name.replace(".", "_") for name in names]
    first = plain[0]
    for match in re.finditer("_", first):
        prefix = first[: match.end()]
        if re.search(r"_\d+_$", prefix):
            return ""
        if first[match.end() :] in known and all(name.startswith(prefix) for name in plain):
            return prefix
    return ""
