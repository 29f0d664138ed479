"""Layer names of the makers' own layouts, mapped to those of diffusers' transformers.

Single files and most trainers' LoRAs name layers as the makers' code does. Several layers of diffusers
may be one there (query, key and value lie in one matrix, rows one below the other).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class DiffusersLayers:
    """Which layers of diffusers an original layer is; `swapped` where its halves lie the other way round."""

    layers: tuple[str, ...]
    swapped: bool = False


def _qkv(attention: str) -> tuple[str, ...]:
    return tuple(f"{attention}.to_{one}" for one in "qkv")


def _added(attention: str) -> tuple[str, ...]:
    return tuple(f"{attention}.add_{one}_proj" for one in "qkv")


_DOUBLE, _SINGLE = "transformer_blocks.{}", "single_transformer_blocks.{}"

_ATTENTION = {
    "double_blocks.{}.img_attn.qkv": _qkv(f"{_DOUBLE}.attn"),
    "double_blocks.{}.img_attn.proj": (f"{_DOUBLE}.attn.to_out.0",),
    "double_blocks.{}.img_attn.norm.query_norm": (f"{_DOUBLE}.attn.norm_q",),
    "double_blocks.{}.img_attn.norm.key_norm": (f"{_DOUBLE}.attn.norm_k",),
    "double_blocks.{}.txt_attn.qkv": _added(f"{_DOUBLE}.attn"),
    "double_blocks.{}.txt_attn.proj": (f"{_DOUBLE}.attn.to_add_out",),
    "double_blocks.{}.txt_attn.norm.query_norm": (f"{_DOUBLE}.attn.norm_added_q",),
    "double_blocks.{}.txt_attn.norm.key_norm": (f"{_DOUBLE}.attn.norm_added_k",),
    "single_blocks.{}.norm.query_norm": (f"{_SINGLE}.attn.norm_q",),
    "single_blocks.{}.norm.key_norm": (f"{_SINGLE}.attn.norm_k",),
    "img_in": ("x_embedder",),
    "txt_in": ("context_embedder",),
    "final_layer.linear": ("proj_out",),
    "final_layer.adaLN_modulation.1": ("norm_out.linear",),
}
"""What FLUX.1 and FLUX.2 have in common."""

_FLUX = _ATTENTION | {
    "double_blocks.{}.img_mod.lin": (f"{_DOUBLE}.norm1.linear",),
    "double_blocks.{}.txt_mod.lin": (f"{_DOUBLE}.norm1_context.linear",),
    "double_blocks.{}.img_mlp.0": (f"{_DOUBLE}.ff.net.0.proj",),
    "double_blocks.{}.img_mlp.2": (f"{_DOUBLE}.ff.net.2",),
    "double_blocks.{}.txt_mlp.0": (f"{_DOUBLE}.ff_context.net.0.proj",),
    "double_blocks.{}.txt_mlp.2": (f"{_DOUBLE}.ff_context.net.2",),
    "single_blocks.{}.modulation.lin": (f"{_SINGLE}.norm.linear",),
    "single_blocks.{}.linear1": (*_qkv(f"{_SINGLE}.attn"), f"{_SINGLE}.proj_mlp"),
    "single_blocks.{}.linear2": (f"{_SINGLE}.proj_out",),
    "time_in.in_layer": ("time_text_embed.timestep_embedder.linear_1",),
    "time_in.out_layer": ("time_text_embed.timestep_embedder.linear_2",),
    "vector_in.in_layer": ("time_text_embed.text_embedder.linear_1",),
    "vector_in.out_layer": ("time_text_embed.text_embedder.linear_2",),
    "guidance_in.in_layer": ("time_text_embed.guidance_embedder.linear_1",),
    "guidance_in.out_layer": ("time_text_embed.guidance_embedder.linear_2",),
}

_XLABS = {
    "double_blocks.{}.processor.qkv_lora1": _qkv(f"{_DOUBLE}.attn"),
    "double_blocks.{}.processor.qkv_lora2": _added(f"{_DOUBLE}.attn"),
    "double_blocks.{}.processor.proj_lora1": (f"{_DOUBLE}.attn.to_out.0",),
    "double_blocks.{}.processor.proj_lora2": (f"{_DOUBLE}.attn.to_add_out",),
    "single_blocks.{}.processor.qkv_lora": _qkv(f"{_SINGLE}.attn"),
}
"""XLabs' LoRAs of FLUX.1 name processors of a block, the picture's first and the words' second."""

_FLUX2 = _ATTENTION | {
    "double_blocks.{}.img_mlp.0": (f"{_DOUBLE}.ff.linear_in",),
    "double_blocks.{}.img_mlp.2": (f"{_DOUBLE}.ff.linear_out",),
    "double_blocks.{}.txt_mlp.0": (f"{_DOUBLE}.ff_context.linear_in",),
    "double_blocks.{}.txt_mlp.2": (f"{_DOUBLE}.ff_context.linear_out",),
    "single_blocks.{}.linear1": (f"{_SINGLE}.attn.to_qkv_mlp_proj",),
    "single_blocks.{}.linear2": (f"{_SINGLE}.attn.to_out",),
    "time_in.in_layer": ("time_guidance_embed.timestep_embedder.linear_1",),
    "time_in.out_layer": ("time_guidance_embed.timestep_embedder.linear_2",),
    "guidance_in.in_layer": ("time_guidance_embed.guidance_embedder.linear_1",),
    "guidance_in.out_layer": ("time_guidance_embed.guidance_embedder.linear_2",),
    "double_stream_modulation_img.lin": ("double_stream_modulation_img.linear",),
    "double_stream_modulation_txt.lin": ("double_stream_modulation_txt.linear",),
    "single_stream_modulation.lin": ("single_stream_modulation.linear",),
}

_Z_IMAGE = {
    "x_embedder": ("all_x_embedder.2-1",),
    "final_layer.linear": ("all_final_layer.2-1.linear",),
    "final_layer.adaLN_modulation.1": ("all_final_layer.2-1.adaLN_modulation.1",),
} | {
    f"{blocks}.{{}}.attention.{theirs}": tuple(f"{blocks}.{{}}.attention.{one}" for one in ours)
    for blocks in ("layers", "noise_refiner", "context_refiner")
    for theirs, ours in {
        "qkv": ("to_q", "to_k", "to_v"),
        "out": ("to_out.0",),
        "q_norm": ("norm_q",),
        "k_norm": ("norm_k",),
    }.items()
}

_KREA_2_BLOCKS: dict[str, tuple[str, ...]] = {
    f"{theirs}.{{}}.{layer}": (f"{ours}.{{}}.{name}",)
    for theirs, ours in {
        "blocks": "transformer_blocks",
        "txtfusion.layerwise_blocks": "text_fusion.layerwise_blocks",
        "txtfusion.refiner_blocks": "text_fusion.refiner_blocks",
    }.items()
    for layer, name in {
        "attn.wq": "attn.to_q",
        "attn.wk": "attn.to_k",
        "attn.wv": "attn.to_v",
        "attn.wo": "attn.to_out.0",
        "attn.gate": "attn.to_gate",
        "attn.qknorm.qnorm": "attn.norm_q",
        "attn.qknorm.knorm": "attn.norm_k",
        "mlp.gate": "ff.gate",
        "mlp.up": "ff.up",
        "mlp.down": "ff.down",
        "prenorm": "norm1",
        "postnorm": "norm2",
    }.items()
}

_KREA_2: dict[str, tuple[str, ...]] = {
    "first": ("img_in",),
    "tmlp.0": ("time_embed.linear_1",),
    "tmlp.2": ("time_embed.linear_2",),
    "tproj.1": ("time_mod_proj",),
    "txtmlp.0": ("txt_in.norm",),
    "txtmlp.1": ("txt_in.linear_1",),
    "txtmlp.3": ("txt_in.linear_2",),
    "txtfusion.projector": ("text_fusion.projector",),
    "last.linear": ("final_layer.linear",),
    "last.norm": ("final_layer.norm",),
    "last.modulation": ("final_layer",),
    "blocks.{}.mod": ("transformer_blocks.{}",),
} | _KREA_2_BLOCKS

_TABLES: dict[str, tuple[dict[str, tuple[str, ...]], frozenset[str]]] = {
    "FluxTransformer2DModel": (_FLUX, frozenset({"norm_out.linear"})),
    "Flux2Transformer2DModel": (_FLUX2, frozenset({"norm_out.linear"})),
    "ZImageTransformer2DModel": (_Z_IMAGE, frozenset()),
    "Krea2Transformer2DModel": (_KREA_2, frozenset()),
}
"""The names of each transformer, and the layers whose halves, scale and shift, are swapped."""


def originals(model: nn.Module) -> dict[str, DiffusersLayers]:
    """Return the original names of a transformer's layers; empty for a model of another kind.

    Where its layers are wrapped by LoRAs they keep their names.
    """
    table, swapped = _TABLES.get(type(model).__name__, ({}, frozenset()))
    return _named(model, table, swapped)


def processors(model: nn.Module) -> dict[str, DiffusersLayers]:
    """Return the names that XLabs' LoRAs have for layers of FLUX.1."""
    is_flux = type(model).__name__ == "FluxTransformer2DModel"
    return _named(model, _XLABS if is_flux else {}, frozenset())


def _named(
    model: nn.Module, table: dict[str, tuple[str, ...]], swapped: frozenset[str]
) -> dict[str, DiffusersLayers]:
    here = {name for name, _ in model.named_modules()}
    return {
        original.format(index): DiffusersLayers(
            tuple(layer.format(index) for layer in layers), layers[0] in swapped
        )
        for original, layers in table.items()
        for index in _blocks(layers[0], here)
        if all(layer.format(index) in here for layer in layers)
    }


def _blocks(layer: str, here: set[str]) -> Iterator[int]:
    """Yield the numbers of the blocks that have a layer; one, whichever, for one outside of blocks."""
    index = 0
    while layer.format(index) in here:
        yield index
        index += 1
        if "{}" not in layer:
            return


def cut(rows: Tensor, sizes: Sequence[int], swapped: bool) -> tuple[Tensor, ...]:
    """Cut an original tensor's rows into those of diffusers' layers, which have `sizes` rows."""
    if swapped:
        return (torch.cat(list(rows.chunk(2)[::-1])),)  # GGUF's weights join as a list alone
    return rows.split(list(sizes)) if len(sizes) > 1 else (rows,)
