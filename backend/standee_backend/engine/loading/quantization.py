"""Packing weights: fp8 by casting layer by layer, int8 and nf4 by bitsandbytes; which layers, and how.

fp8 packs the linear layers of a part's blocks, modulations too (a quarter of FLUX.1), and needs no package: weights
lie in 8 bits and are cast when their layer computes. bitsandbytes packs every linear layer but the output's.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from diffusers.hooks import apply_layerwise_casting
from torch import nn

from standee.errors import MissingDependency

from ...hardware.load_presets import Quantization

FP8 = torch.float8_e4m3fn

KEPT = re.compile(r"(^|\.)wo$")
"""T5 looks at the type of this layer's weights to choose that of its input: it stays as it is."""

FOUR_AXES = "text_fusion.projector"
"""Krea 2's layer over the layers of its language model: bitsandbytes takes no input of four axes."""

LEAST_TILE = 512
"""An autoencoder whose tiles would be smaller than this (px) decodes in one piece."""


def large_text_encoder(parts: Any) -> str:
    """Return which of a pipeline's parts (anything with `in`) is the text encoder worth packing."""
    return "text_encoder_2" if "text_encoder_2" in parts else "text_encoder"


def is_gguf(file: Path | None) -> bool:
    """Return whether a file of weights is packed already, as GGUF is."""
    return file is not None and file.suffix.lower() == ".gguf"


def blocks_of(part: nn.Module) -> list[nn.Module]:
    """Return the repeated blocks of a part: the members of its outermost module lists."""
    found: list[nn.Module] = []
    for child in part.children():
        found.extend(child if isinstance(child, nn.ModuleList) else blocks_of(child))
    return found


def cast_to_fp8(part: nn.Module, dtype: torch.dtype) -> None:
    """Keep the weights of a part's blocks in fp8 and compute in `dtype`."""
    for block in blocks_of(part):
        apply_layerwise_casting(
            block,
            storage_dtype=FP8,
            compute_dtype=dtype,
            skip_modules_pattern=(KEPT.pattern,),
            skip_modules_classes=(nn.Embedding,),
        )


def packed_layers(part: nn.Module, quantization: Quantization) -> list[nn.Linear]:
    """Return the layers of a part whose weights `quantization` packs."""
    if quantization == "none":
        return []
    roots = blocks_of(part) if quantization == "fp8" else [part]
    return [
        layer
        for root in roots
        for name, layer in root.named_modules()
        if isinstance(layer, nn.Linear)
        and not KEPT.search(name)
        and not name.endswith(("lm_head", FOUR_AXES))
    ]


def packing(quantization: Quantization, dtype: torch.dtype, library: str) -> Any:
    """Return the configuration with which `library` (diffusers or transformers) reads and packs a part.

    Raises `MissingDependency`.
    """
    if quantization in ("none", "fp8"):
        return None
    if find_spec("bitsandbytes") is None:
        raise MissingDependency(
            f"Quantization {quantization} needs the package bitsandbytes.",
            fix="Run `pip install bitsandbytes` in the daemon's environment, or use fp8.",
        )
    asked: dict[str, Any] = {"load_in_8bit": True}
    if quantization == "nf4":
        asked = {
            "load_in_4bit": True,
            "bnb_4bit_quant_type": "nf4",
            "bnb_4bit_compute_dtype": dtype,
        }
    if library == "diffusers":
        asked["llm_int8_skip_modules"] = [FOUR_AXES]
    return {"diffusers": diffusers, "transformers": transformers}[library].BitsAndBytesConfig(
        **asked
    )


def tile(pipeline: Any) -> None:
    """Let pictures larger than the autoencoder was made for be decoded in tiles."""
    if getattr(pipeline.vae, "tile_sample_min_size", 0) >= LEAST_TILE:
        pipeline.vae.enable_tiling()
