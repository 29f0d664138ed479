"""Families opened on random weights: at their published size, or shrunk for a laptop.

The shrunk ones keep the published classes, channels and rotary axes. Their text is short as their pictures are small,
so that a subject's crop is about the share of a picture that it is at full size.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import diffusers
import published
import torch

from standee_backend.catalog.sampling_defaults import SamplingDefaults, defaults_of
from standee_backend.engine.families import open_family
from standee_backend.engine.families.base import Family

MODELS = {
    "flux": "FLUX.1-dev",
    "kontext": "FLUX.1-Kontext-dev",
    "flux2-dev": "FLUX.2-dev",
    "klein": "FLUX.2-klein-4B",
    "z-image": "Z-Image-Turbo",
    "krea2": "Krea-2-Turbo",
    "qwen-image": "Qwen-Image-2512",
    "qwen-image-edit": "Qwen-Image-Edit-2511",
}
"""The published model that stands for each family."""

CANVAS = {"real": 1024, "tiny": 256}
"""The canvas' sides in px."""

TEXT_TOKENS = 32
"""The text of a shrunk model: to 256 cells what 512 are to 4096."""

QWEN = {
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 32,
}
QWEN_VL = QWEN | {
    "vocab_size": 152064,
    "num_hidden_layers": 2,
    "rope_parameters": {"rope_type": "default", "mrope_section": [4, 6, 6]},
}
QWEN_VL_EYES = {"depth": 1, "hidden_size": 32, "num_heads": 2, "out_hidden_size": 64}
AUTOENCODER = {"block_out_channels": (32, 32, 32, 32), "layers_per_block": 1}
SHRUNK: dict[str, dict[str, Any]] = {
    "FluxTransformer2DModel": {
        "num_layers": 1,
        "num_single_layers": 2,
        "num_attention_heads": 2,
        "joint_attention_dim": 64,
        "pooled_projection_dim": 64,
    },
    "Flux2Transformer2DModel": {
        "num_layers": 1,
        "num_single_layers": 2,
        "num_attention_heads": 2,
        "joint_attention_dim": 3 * 64,
    },
    "ZImageTransformer2DModel": {
        "dim": 256,
        "n_layers": 3,
        "n_refiner_layers": 1,
        "n_heads": 2,
        "n_kv_heads": 2,
        "cap_feat_dim": 64,
    },
    "QwenImageTransformer2DModel": {
        "num_layers": 3,
        "num_attention_heads": 2,
        "joint_attention_dim": 64,
    },
    "AutoencoderKL": AUTOENCODER,
    "AutoencoderKLFlux2": AUTOENCODER,
    "CLIPTextModel": {
        "hidden_size": 64,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "projection_dim": 64,
    },
    "T5EncoderModel": {"d_model": 64, "d_ff": 64, "num_layers": 1, "num_heads": 2},
    "Krea2Transformer2DModel": {
        "num_layers": 3,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "intermediate_size": 256,
        "text_hidden_dim": 64,
        "text_num_attention_heads": 2,
        "text_num_key_value_heads": 2,
        "text_intermediate_size": 64,
    },
    "AutoencoderKLQwenImage": {"base_dim": 16, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1},
    "Mistral3ForConditionalGeneration": {
        "text_config": QWEN | {"model_type": "mistral", "num_hidden_layers": 30},
        "vision_config": {"model_type": "pixtral", "hidden_size": 64, "num_hidden_layers": 1},
    },
    "Qwen3VLModel": {
        "text_config": QWEN | {"num_hidden_layers": 36},
        "vision_config": QWEN_VL_EYES | {"deepstack_visual_indexes": [0]},
    },
    "Qwen2_5_VLForConditionalGeneration": {"text_config": QWEN_VL, "vision_config": QWEN_VL_EYES},
    "Qwen3Model": QWEN,
    "Qwen3ForCausalLM": QWEN,
}


def open_random(name: str, size: str, device: torch.device) -> Family:
    """Return a family of `MODELS` with random weights, bf16 at "real" size and fp32 at "tiny"."""
    torch.manual_seed(0)
    diffusers.utils.logging.set_verbosity_error()
    if size == "real":
        pipeline = published.build(MODELS[name], str(device))
    else:
        pipeline = _shrink(published.build(MODELS[name], "meta"), device)
    kind = type(pipeline).__name__
    index = {"_class_name": kind, "is_distilled": pipeline.config.get("is_distilled")}
    suits = defaults_of(index, pipeline.transformer.config, pipeline.scheduler.config)
    info: Any = SimpleNamespace(pipeline=kind)
    family = open_family(pipeline, device, info, SamplingDefaults().having(suits))
    assert isinstance(family, Family)
    return family


def _shrink(pipeline: Any, device: torch.device) -> Any:
    """Return the pipeline with every model made anew, of the same class, narrower and of fewer blocks."""
    parts = dict(pipeline.components)
    for name, part in parts.items():
        if isinstance(part, torch.nn.Module):
            parts[name] = _smaller(part).to(device).eval().requires_grad_(False)
        elif "tokenizer" in name:
            part.model_max_length = min(TEXT_TOKENS, part.model_max_length)
    return type(pipeline)(**parts | _flags(pipeline))


def _smaller(part: Any) -> torch.nn.Module:
    changes = SHRUNK[type(part).__name__]
    if isinstance(part, diffusers.ModelMixin):
        config = dict(part.config) | changes
        config.pop("_use_default_values", None)  # those would be the defaults again
        return type(part).from_config(config)
    return type(part)(type(part.config).from_dict(part.config.to_dict() | changes))


def _flags(pipeline: Any) -> dict[str, Any]:
    """Return what a pipeline was told beside its parts."""
    return {name: pipeline.config[name] for name in ("is_distilled",) if name in pipeline.config}
