"""Tiny transformers as one file in their makers' own layout, as safetensors and as GGUF."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

BLOCKS = {
    "transformer_blocks": (
        "double_blocks",
        {
            "attn.norm_q.weight": "img_attn.norm.query_norm.scale",
            "attn.norm_k.weight": "img_attn.norm.key_norm.scale",
            "attn.norm_added_q.weight": "txt_attn.norm.query_norm.scale",
            "attn.norm_added_k.weight": "txt_attn.norm.key_norm.scale",
            "attn.to_out.0.weight": "img_attn.proj.weight",
            "attn.to_add_out.weight": "txt_attn.proj.weight",
            "ff.linear_in.weight": "img_mlp.0.weight",
            "ff.linear_out.weight": "img_mlp.2.weight",
            "ff_context.linear_in.weight": "txt_mlp.0.weight",
            "ff_context.linear_out.weight": "txt_mlp.2.weight",
        },
    ),
    "single_transformer_blocks": (
        "single_blocks",
        {
            "attn.to_qkv_mlp_proj.weight": "linear1.weight",
            "attn.to_out.weight": "linear2.weight",
            "attn.norm_q.weight": "norm.query_norm.scale",
            "attn.norm_k.weight": "norm.key_norm.scale",
        },
    ),
}
OTHERS = {
    "x_embedder.weight": "img_in.weight",
    "context_embedder.weight": "txt_in.weight",
    "time_guidance_embed.timestep_embedder.linear_1.weight": "time_in.in_layer.weight",
    "time_guidance_embed.timestep_embedder.linear_2.weight": "time_in.out_layer.weight",
    "time_guidance_embed.guidance_embedder.linear_1.weight": "guidance_in.in_layer.weight",
    "time_guidance_embed.guidance_embedder.linear_2.weight": "guidance_in.out_layer.weight",
    "double_stream_modulation_img.linear.weight": "double_stream_modulation_img.lin.weight",
    "double_stream_modulation_txt.linear.weight": "double_stream_modulation_txt.lin.weight",
    "single_stream_modulation.linear.weight": "single_stream_modulation.lin.weight",
    "proj_out.weight": "final_layer.linear.weight",
}
FUSED = {
    "img_attn.qkv.weight": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "txt_attn.qkv.weight": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
}
WIDTH = 32
"""Weights in a block of Q8_0: narrower rows stay as they are."""


def original(folder: Path) -> dict[str, Any]:
    """Return the weights of a FLUX.2's transformer under their makers' names."""
    import torch
    from safetensors.torch import load_file

    theirs = load_file(folder / "transformer" / "diffusion_pytorch_model.safetensors")
    ours = {OTHERS[name]: theirs.pop(name) for name in OTHERS if name in theirs}
    scale, shift = theirs.pop("norm_out.linear.weight").chunk(2)
    ours["final_layer.adaLN_modulation.1.weight"] = torch.cat([shift, scale])
    for prefix, (block, names) in BLOCKS.items():
        for index in range(8):
            here = f"{prefix}.{index}."
            if not any(name.startswith(here) for name in theirs):
                break
            for name, original_name in names.items():
                ours[f"{block}.{index}.{original_name}"] = theirs.pop(here + name)
            for name, parts in FUSED.items() if block == "double_blocks" else ():
                rows = [theirs.pop(f"{here}{part}.weight") for part in parts]
                ours[f"{block}.{index}.{name}"] = torch.cat(rows)
    assert not theirs, theirs.keys()
    return ours


FLUX = {
    "img_in": ["x_embedder"],
    "txt_in": ["context_embedder"],
    "time_in.in_layer": ["time_text_embed.timestep_embedder.linear_1"],
    "time_in.out_layer": ["time_text_embed.timestep_embedder.linear_2"],
    "vector_in.in_layer": ["time_text_embed.text_embedder.linear_1"],
    "vector_in.out_layer": ["time_text_embed.text_embedder.linear_2"],
    "guidance_in.in_layer": ["time_text_embed.guidance_embedder.linear_1"],
    "guidance_in.out_layer": ["time_text_embed.guidance_embedder.linear_2"],
    "final_layer.linear": ["proj_out"],
}
FLUX_DOUBLE = {
    "img_mod.lin": ["norm1.linear"],
    "txt_mod.lin": ["norm1_context.linear"],
    "img_attn.qkv": ["attn.to_q", "attn.to_k", "attn.to_v"],
    "txt_attn.qkv": ["attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"],
    "img_attn.proj": ["attn.to_out.0"],
    "txt_attn.proj": ["attn.to_add_out"],
    "img_attn.norm.query_norm": ["attn.norm_q"],
    "img_attn.norm.key_norm": ["attn.norm_k"],
    "txt_attn.norm.query_norm": ["attn.norm_added_q"],
    "txt_attn.norm.key_norm": ["attn.norm_added_k"],
    "img_mlp.0": ["ff.net.0.proj"],
    "img_mlp.2": ["ff.net.2"],
    "txt_mlp.0": ["ff_context.net.0.proj"],
    "txt_mlp.2": ["ff_context.net.2"],
}
FLUX_SINGLE = {
    "modulation.lin": ["norm.linear"],
    "linear1": ["attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"],
    "linear2": ["proj_out"],
    "norm.query_norm": ["attn.norm_q"],
    "norm.key_norm": ["attn.norm_k"],
}
Z_IMAGE = {
    "attention.qkv": ["attention.to_q", "attention.to_k", "attention.to_v"],
    "attention.out": ["attention.to_out.0"],
    "attention.q_norm": ["attention.norm_q"],
    "attention.k_norm": ["attention.norm_k"],
}


def original_flux(folder: Path) -> dict[str, Any]:
    """Return the weights of a tiny FLUX.1's transformer under their makers' names."""
    import torch

    theirs = _weights(folder)
    names = dict(FLUX)
    for ours, block, of_block in (
        ("double_blocks", "transformer_blocks", FLUX_DOUBLE),
        ("single_blocks", "single_transformer_blocks", FLUX_SINGLE),
    ):
        for index in range(8):
            names |= {
                f"{ours}.{index}.{name}": [f"{block}.{index}.{layer}" for layer in layers]
                for name, layers in of_block.items()
            }
    ours = _joined(theirs, names)
    for kind in ("weight", "bias"):
        scale, shift = theirs.pop(f"norm_out.linear.{kind}").chunk(2)
        ours[f"final_layer.adaLN_modulation.1.{kind}"] = torch.cat([shift, scale])
    assert not theirs, theirs.keys()
    return {name.replace("_norm.weight", "_norm.scale"): weight for name, weight in ours.items()}


def original_z_image(folder: Path) -> dict[str, Any]:
    """Return the weights of a tiny Z-Image's transformer under the names that most files of it have."""
    theirs = _weights(folder)
    names = {
        f"{block}.{index}.{name}": [f"{block}.{index}.{layer}" for layer in layers]
        for block in ("layers", "noise_refiner", "context_refiner")
        for index in range(2)
        for name, layers in Z_IMAGE.items()
    }
    ours = _joined(theirs, names)
    rest = {
        name.replace("all_x_embedder.2-1", "x_embedder").replace(
            "all_final_layer.2-1", "final_layer"
        ): weight
        for name, weight in theirs.items()
    }
    return ours | rest


KREA_2 = {
    "attn.to_q": "attn.wq",
    "attn.to_k": "attn.wk",
    "attn.to_v": "attn.wv",
    "attn.to_out.0": "attn.wo",
    "attn.to_gate": "attn.gate",
    "attn.norm_q.weight": "attn.qknorm.qnorm.scale",
    "attn.norm_k.weight": "attn.qknorm.knorm.scale",
    "norm1.weight": "prenorm.scale",
    "norm2.weight": "postnorm.scale",
    "ff.": "mlp.",
    "img_in": "first",
    "time_embed.linear_1": "tmlp.0",
    "time_embed.linear_2": "tmlp.2",
    "time_mod_proj": "tproj.1",
    "txt_in.norm.weight": "txtmlp.0.scale",
    "txt_in.linear_1": "txtmlp.1",
    "txt_in.linear_2": "txtmlp.3",
    "text_fusion": "txtfusion",
    "transformer_blocks": "blocks",
    "final_layer.scale_shift_table": "last.modulation.lin",
    "scale_shift_table": "mod.lin",
    "final_layer.linear": "last.linear",
    "final_layer.norm.weight": "last.norm.scale",
}


def original_krea2(folder: Path) -> dict[str, Any]:
    """Return the weights of a tiny Krea 2's transformer under its makers' names, a block's modulation in one row."""
    ours = {}
    for name, weight in _weights(folder).items():
        if name.startswith("transformer_blocks") and name.endswith("scale_shift_table"):
            weight = weight.flatten()
        for theirs, original in KREA_2.items():
            name = name.replace(theirs, original)
        ours[name] = weight
    return ours


def as_diffusers(folder: Path) -> dict[str, Any]:
    """Return the weights of a tiny Qwen-Image's transformer, whose makers call them as diffusers does."""
    return _weights(folder)


def _weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    weights: dict[str, Any] = load_file(
        folder / "transformer" / "diffusion_pytorch_model.safetensors"
    )
    return weights


def _joined(theirs: dict[str, Any], names: dict[str, list[str]]) -> dict[str, Any]:
    """Take layers out of `theirs` and lay their rows one below the other."""
    import torch

    return {
        f"{name}.{kind}": torch.cat([theirs.pop(f"{layer}.{kind}") for layer in layers])
        for name, layers in names.items()
        for kind in ("weight", "bias")
        if f"{layers[0]}.{kind}" in theirs
    }


def save_safetensors(folder: Path, file: Path) -> Path:
    """Write a klein's transformer as one safetensors file."""
    from safetensors.torch import save_file

    weights = {name: weight.contiguous() for name, weight in original(folder).items()}
    save_file(weights, file)
    return file


def save_gguf(folder: Path, file: Path, of: Callable[[Path], dict[str, Any]] = original) -> Path:
    """Write a transformer as GGUF, a klein's or those weights `of` a folder: matrices in Q8_0, the rest as it is."""
    import gguf

    writer = gguf.GGUFWriter(file, "flux")
    for name, weight in of(folder).items():
        data = weight.float().numpy()
        kind = gguf.GGMLQuantizationType.F32
        layer = name.endswith(".weight") and "_in." not in name  # no table, as quantizers have it
        if layer and data.ndim == 2 and data.shape[1] % WIDTH == 0:
            kind = gguf.GGMLQuantizationType.Q8_0
            data = gguf.quants.quantize(data, kind)
        writer.add_tensor(name, data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file
