"""Non-finite pictures (NaN): they end their job, with the likeliest cause named."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from standee.errors import JobFailed, StandeeError

from ...catalog.lora_files import field_of
from ..families.base import Family
from ..families.lora.adapters import own_weights

MODEL = "$.sampling.model"


def refuse_non_finite(family: Family, pipeline: Any) -> None:
    """Have each decoding of a pipeline's latents, a preview's too, raise `JobFailed` for values that are no numbers."""

    def check(_module: Any, _inputs: Any, pixels: Tensor) -> None:
        if not pixels.isfinite().all():
            raise suspect(family, pipeline)

    pipeline.vae.decoder.register_forward_hook(check)


def suspect(family: Family, pipeline: Any) -> StandeeError:
    """Return an error that names what most likely made a picture of no numbers: a weight, a LoRA, the dtype."""
    said = "The model computed values that are no numbers (NaN), so there is no picture"
    if broken := _broken_weight(pipeline):
        return JobFailed(
            f"{said}: its weight {broken} holds some.",
            path=MODEL,
            fix="Get the model again; a conversion or training of it failed.",
        )
    active = family.adapters.active
    if active:
        index = max(range(len(active)), key=lambda one: abs(active[one].weight))
        file, weight = family.adapters.files[index], active[index].weight
        return JobFailed(
            f"{said}. The LoRA {file} at weight {weight:g} is the likeliest cause.",
            path=field_of(index),
            fix="Lower its weight or leave it out, and look whether the picture comes.",
        )
    dtype = str(pipeline.transformer.dtype).removeprefix("torch.")
    if pipeline.transformer.dtype != torch.float32:
        return JobFailed(
            f"{said}. The precision, {dtype}, is the likeliest cause: it may be too small for this model.",
            path="$.dtype",
            fix="Load it with `standee serve --dtype fp32`, or without quantization.",
        )
    return JobFailed(
        f"{said}, though it runs in {dtype} without LoRAs: the model itself is the likeliest cause.",
        path=MODEL,
        fix="Get the model again, or try another.",
    )


def _broken_weight(pipeline: Any) -> str:
    """Return the name of a model's first weight with values that are no numbers; empty for none."""
    for name, part in pipeline.components.items():
        if isinstance(part, torch.nn.Module):
            for weight_name, weight in own_weights(part):
                if weight.is_floating_point() and not weight.float().isfinite().all():
                    return f"{name}.{weight_name}"
    return ""
