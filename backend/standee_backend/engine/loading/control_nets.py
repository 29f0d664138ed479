"""Loading of control nets beside a model: those that a job needs, placed and packed as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
from accelerate import cpu_offload_with_hook
from safetensors import SafetensorError

from standee.errors import StandeeError, UnknownModel

from ...hardware.load_presets import Preset
from ..families.base import Family
from ..families.control import MODES, LoadedNet
from ..families.wide_layers import is_wide, widen
from .load import DTYPES
from .quantization import cast_to_fp8
from .transformer_file import difference

FIELD = "$.control"

SHARED = (
    *("t_embedder", "all_x_embedder", "cap_embedder", "rope_embedder"),
    *("noise_refiner", "context_refiner", "x_pad_token", "cap_pad_token", "t_scale"),
)
"""What a net of Z-Image runs of the transformer's own. It gets copies: the transformer's may be offloaded just then."""


def lay_control_nets(
    family: Family, folders: Mapping[str, Path], preset: Preset, model: Path
) -> None:
    """Have exactly these nets, by kind of control picture, beside the model in the folder `model`.

    Those that are loaded already stay. Raises `UnknownModel`, and torch's own `OutOfMemoryError`.
    """
    loaded = {net.folder: net for net in family.loaded_nets}
    family.loaded_nets = [net for net in family.loaded_nets if net.folder in folders.values()]
    family.nets = {}
    for kind, folder in folders.items():
        if folder not in loaded:
            net = _read(folder, family, preset, model)
            loaded[folder] = LoadedNet(folder, net, _place(net, family, preset))
            family.loaded_nets.append(loaded[folder])
        _check_kind(kind, folder, loaded[folder].net)
        family.nets[kind] = loaded[folder].net


def outline_net(folder: Path, family: Family) -> Any:
    """Return a net without its weights, on `meta`, beside a model that is there too. Raises `UnknownModel`."""
    kind = _class(folder, family)
    with torch.device("meta"):
        net = kind.from_config(kind.load_config(folder, local_files_only=True))
        if family.name == "z_image":
            config = dict(family.transformer.config) | {"n_layers": 0}
            _share(net, type(family.transformer).from_config(config))
    _fit(net, family)
    if is_wide(family.transformer):
        widen(net)
    return net.to(family.dtype).eval().requires_grad_(False)


def _read(folder: Path, family: Family, preset: Preset, model: Path) -> Any:
    kind, reading = _class(folder, family), {"local_files_only": True, "use_safetensors": True}
    dtype = DTYPES[preset.dtype]
    try:
        net, said = kind.from_pretrained(folder, dtype=dtype, output_loading_info=True, **reading)
        if family.name == "z_image":
            parts = type(family.transformer).from_pretrained(
                model / "transformer", n_layers=0, dtype=dtype, **reading
            )
            _share(net, parts)
    except torch.OutOfMemoryError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError) as error:
        line = (str(error).strip() or type(error).__name__).splitlines()[0][:300].rstrip(". ")
        raise _unusable(
            f"The control net in {folder} cannot be loaded: {line}.",
            "Get it again, with its weights as safetensors; a model of a single file takes none.",
        ) from error
    if problem := difference(said["missing_keys"], said["unexpected_keys"]):
        raise _unusable(
            f"The control net in {folder} is not whole: it {problem}.",
            "Get it again, with all of its weights and the config.json that belongs to them.",
        )
    _fit(net, family)
    net.eval().requires_grad_(False)
    if is_wide(family.transformer):
        widen(net)
    if preset.quantization != "none":
        cast_to_fp8(net, dtype)
    return net


def _class(folder: Path, family: Family) -> Any:
    try:
        name = json.loads((folder / "config.json").read_text("utf-8")).get("_class_name")
    except (OSError, ValueError, AttributeError) as error:
        raise _unusable(f"{folder} holds no control net: {error}.", "Get it again.") from None
    if name != family.control_net:
        raise _unusable(
            f"The control net in {folder} is a {name}; this model takes a {family.control_net}.",
            "Name one that was made for this kind of model in models.toml.",
        )
    return getattr(diffusers, name)


def _share(net: Any, parts: Any) -> None:
    """Give a net of Z-Image the parts of the transformer that it runs."""
    for name in SHARED:
        setattr(net, name, getattr(parts, name))


def _fit(net: Any, family: Family) -> None:
    """Raise `UnknownModel` for a net of another size than the model's, and for one that fills in."""
    if net.config.get("extra_condition_channels"):
        raise _unusable(
            "This control net fills in parts of a picture, by a mask that it is shown.",
            "Name one for depth, normals, lines or poses.",
        )
    sizes = ("dim", "n_heads", "num_attention_heads", "attention_head_dim", "joint_attention_dim")
    for size in (*sizes, "pooled_projection_dim", "in_channels"):
        made_for, has = net.config.get(size), family.transformer.config.get(size)
        if made_for is not None and has is not None and made_for != has:
            raise _unusable(
                f"This control net was made for a model of another size: {size} {made_for}, not {has}.",
                "Name one that was made for this model in models.toml.",
            )
    if family.name == "qwen_image":
        net.pos_embed = family.transformer.pos_embed


def _check_kind(kind: str, folder: Path, net: Any) -> None:
    if getattr(net, "union", False) and kind not in MODES:
        raise _unusable(
            f"The control net in {folder} knows {', '.join(MODES)}, but no {kind}.",
            f"Name another for {kind} in models.toml.",
        )


def _place(net: Any, family: Family, preset: Preset) -> Any:
    """Put a net where the transformer is: whole on the device with it, or block by block."""
    device = family.device
    if preset.offload == "group":
        ahead = device.type == "cuda"
        net.enable_group_offload(
            device, offload_type="block_level", num_blocks_per_group=1, use_stream=ahead
        )
    elif preset.offload == "model":
        return cpu_offload_with_hook(net, device)[1]
    else:
        net.to(device)
    return None


def _unusable(message: str, fix: str) -> StandeeError:
    return UnknownModel(message, path=FIELD, fix=fix)
