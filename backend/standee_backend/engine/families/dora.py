"""DoRA over layers whose weights may be packed: a LoRA that also sets the lengths of the changed weight's rows.

The lengths of the weight beneath are found once, when the LoRA is loaded. Half a DoRA's weight is half of
its change, and none of it is the model's own layer.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers.quantizers.gguf.utils import GGUFParameter, dequantize_gguf_tensor
from peft.utils.integrations import dequantize_module_weight
from torch import Tensor, nn

from .lora_weights import Change


class Rescaling(nn.Module):
    """The factors of a changed weight's rows, or of its columns, if `by_input`."""

    def __init__(self, factors: Tensor, by_input: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(factors, requires_grad=False)
        self.by_input = by_input


def rescaling(base: Any, change: Change) -> Rescaling:
    """Return by how much a DoRA scales the rows or columns of a layer's weight and its change."""
    assert change.magnitude is not None
    weight = plain_weight(base)
    eye = torch.eye(weight.shape[1])
    changed = weight + (change.up(change.down(eye)) - change.up(change.down(eye[:1] * 0))).T
    lengths = changed.norm(dim=0 if change.by_input else 1)
    factors = change.magnitude / lengths.clamp(min=torch.finfo(torch.float32).tiny)
    return Rescaling(factors, change.by_input)


def plain_weight(layer: Any) -> Tensor:
    """Return the weight (outputs, inputs) of a layer in 32 bits on the host, however it is packed."""
    weight = layer.weight
    if isinstance(weight, GGUFParameter):
        weight = dequantize_gguf_tensor(weight)
    else:
        weight = dequantize_module_weight(layer)
    return weight.detach().to("cpu", torch.float32)


class DoRA:
    """peft's variant of a layer with such a LoRA."""

    @staticmethod
    def forward(module: Any, active_adapter: str, x: Tensor, result: Tensor, **_: Any) -> Tensor:
        """Add what the LoRA changes to `result` (..., outputs), which may hold other LoRAs' changes already."""
        down, up = module.lora_A[active_adapter], module.lora_B[active_adapter]
        rescaled = module.lora_magnitude_vector[active_adapter]
        base = module.get_base_layer()
        own = result if module.active_adapters[0] == active_adapter else base(x)
        if rescaled.by_input:
            scaled = x * rescaled.weight
            change = base(scaled) - own + up(down(scaled))
        else:
            if base.bias is not None:
                own = own - base.bias
            change = own * (rescaled.weight - 1) + up(down(x)) * rescaled.weight
        return result + change * module.scaling[active_adapter]
