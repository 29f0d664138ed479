"""Transformer weights in one file: alone or among other parts, prefixed, scaled in 8 bits, or GGUF.

Each weight of the file is one of the model, by diffusers' names or its makers', and the other way round.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import torch
from diffusers.models.model_loading_utils import load_gguf_checkpoint
from safetensors import safe_open
from torch import Tensor, nn

from ..families.lora.names import kind_of
from ..families.original_names import DiffusersLayers, cut, originals
from .quantization import is_gguf

PREFIXES = ("", "model.diffusion_model.", "diffusion_model.", "transformer.", "model.")
"""What may stand before the names of a transformer's weights."""

OTHERS = re.compile(
    r"^(text_encoders?|text_encoder_\d|cond_stage_model|conditioner|first_stage_model|vae|model_ema)\."
)
"""Other parts in a file that holds all of a model: those of the base are used."""

UNUSED = re.compile(
    r"(^|\.)(scaled_fp8|norm_final\.weight|__index_timestep_zero__|(input_scale|scale_input))$"
)
"""Marks, scales of inputs to 8-bit kernels, and a norm of Z-Image that its makers' code does not use."""

SCALE = re.compile(r"\.(scale_weight|weight_scale)$")
"""What the scales of weights in 8 bits are called."""

PACKED = re.compile(
    r"\.(weight_scale_2|absmax|quant_map|quant_state\.\S+|qweight|wscales|proj_down|SCB)$"
)
"""Signs of weights in 4 bits, or of bitsandbytes."""

FP8 = (torch.float8_e4m3fn, torch.float8_e5m2)

KINDS = {"scale": "weight", "lin": "scale_shift_table"}
"""What makers call the weights of norms, and modulations that are no layer of diffusers'."""

AGAIN = "Get it again; or name a base of its own kind in models.toml."

SAID = 3
"""How many names a message gives, at most."""


class Unreadable(Exception):
    """A file is no such transformer: its message says why, as a sentence, and `fix` what helps."""

    def __init__(self, said: str, fix: str = AGAIN) -> None:
        super().__init__(said)
        self.fix = fix


def read_transformer(file: Path, model: nn.Module, dtype: torch.dtype) -> dict[str, Tensor]:
    """Return a file's weights under diffusers' names; `model` has no weights, but the names and shapes of all.

    Raises `Unreadable`.
    """
    known = originals(model)
    if is_gguf(file):
        weights = load_gguf_checkpoint(str(file))
        weights = _own(weights, _names(weights, model, known))
    else:
        with safe_open(file, "pt") as lazy:
            names = _names(lazy.keys(), model, known)
            weights = {own: lazy.get_tensor(name) for own, name in names.items()}
        weights = _unscaled(weights, dtype)
    return _converted(weights, model, known)


def _own(weights: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    return {own: weights[name] for own, name in names.items()}


def _names(
    names: Iterable[str], model: nn.Module, known: Mapping[str, DiffusersLayers]
) -> dict[str, str]:
    """Return a transformer's names in a file by those without prefix; other parts are left out."""
    names = list(names)
    state = model.state_dict()

    def fits(name: str) -> bool:
        return name in state or name.rpartition(".")[0] in known

    found = {
        prefix: {
            name.removeprefix(prefix): name
            for name in names
            if name.startswith(prefix) and not OTHERS.match(name)
        }
        for prefix in PREFIXES
    }
    best = max(PREFIXES, key=lambda prefix: sum(map(fits, found[prefix])))
    alien = [name for own, name in found[best].items() if not fits(own)]
    if 2 * len(alien) >= len(found[best]):
        kind = kind_of(names)
        said = f" It looks like {kind}." if kind else ""
        raise Unreadable(
            f"{len(alien)} of its {len(found[best])} weights are none of that: {some(alien)}.{said}"
        )
    strange = [name for name in names if not name.startswith(best) and not OTHERS.match(name)]
    strange = [name for name in strange if not UNUSED.search(name)]
    if strange:
        raise Unreadable(f"it {difference((), strange)}.")
    return found[best]


def _unscaled(weights: dict[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """Multiply weights in 8 bits by the scales beside them, one for all of a matrix or one a row."""
    packed = [name for name in weights if PACKED.search(name)]
    for name in [name for name in weights if name.endswith(".comfy_quant")]:
        said = bytes(weights.pop(name).flatten().tolist())
        try:
            ways = str(json.loads(said).get("format", ""))
        except (ValueError, AttributeError):
            ways = ""
        if not ways.startswith("float8"):
            packed.append(name)
    scales = {SCALE.sub("", name): name for name in weights if SCALE.search(name)}
    for layer, name in scales.items():
        scale, weight = weights.pop(name).float(), weights.get(f"{layer}.weight")
        if weight is None:
            raise Unreadable(f"it has {name}, but not the weight that this scales.")
        if weight.dtype not in FP8 or scale.numel() not in (1, weight.shape[0]):
            packed.append(name)
            continue
        if scale.numel() > 1:
            scale = scale.reshape(-1, *(1,) * (weight.ndim - 1))
        weights[f"{layer}.weight"] = (weight.float() * scale).to(dtype)
    if packed:
        raise Unreadable(
            f"it is packed in a way that is not read ({some(packed)}).",
            "Get it in 16 bits, in fp8 (scaled or not), or as GGUF; presets pack the weights where memory is short.",
        )
    return weights


def _converted(
    weights: Mapping[str, Tensor], model: nn.Module, known: Mapping[str, DiffusersLayers]
) -> dict[str, Tensor]:
    """Give weights diffusers' names. Raises `Unreadable` where some are missing, unknown, or of another size."""
    state = model.state_dict()
    converted: dict[str, Tensor] = {}
    unexpected: list[str] = []
    for name, weight in weights.items():
        layer, _, kind = name.rpartition(".")
        original = known.get(layer)
        if name in state:
            targets, swapped = [name], False
        elif original is not None:
            kind = KINDS.get(kind, kind)
            targets, swapped = [f"{one}.{kind}" for one in original.layers], original.swapped
        else:
            targets, swapped = [], False
        if not targets or not all(target in state for target in targets):
            if not UNUSED.search(name):
                unexpected.append(name)
            continue
        heights = [state[target].shape[0] for target in targets]
        shape = torch.Size((sum(heights), *state[targets[0]].shape[1:]))
        if kind == KINDS["lin"] and weight.numel() == shape.numel():
            weight = weight.reshape(shape)  # its makers keep the rows in one
        logical = getattr(weight, "quant_shape", weight.shape)
        if tuple(logical) != tuple(shape):
            raise Unreadable(
                f"its {name} is {_size(logical)}, where {_size(shape)} is needed: it is of another size or kind."
            )
        converted |= dict(zip(targets, cut(weight, heights, swapped), strict=True))
    theirs = {layer: name for name, original in known.items() for layer in original.layers}
    missing = state.keys() - converted.keys()
    if any(name.rpartition(".")[0] in known for name in weights):
        missing = {_as_theirs(name, theirs) for name in missing}
    if problem := difference(missing, unexpected):
        raise Unreadable(f"it {problem}.")
    return converted


def _as_theirs(name: str, theirs: Mapping[str, str]) -> str:
    layer, _, kind = name.rpartition(".")
    return f"{theirs[layer]}.{kind}" if layer in theirs else name


def difference(missing: Collection[str], unexpected: Collection[str]) -> str:
    """Return which weights are not there and which are too many, as the rest of a sentence; empty for none."""
    said = []
    if missing:
        said.append(f"lacks {len(missing)} weights: {some(sorted(missing))}")
    if unexpected:
        said.append(
            f"has {len(unexpected)} weights that do not belong to it: {some(sorted(unexpected))}"
        )
    return ", and ".join(said)


def some(names: Iterable[str]) -> str:
    """Return the first few names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - SAID} more" if len(names) > SAID else ""
    return ", ".join(names[:SAID]) + more


def _size(shape: Iterable[int]) -> str:
    return " x ".join(map(str, shape))
