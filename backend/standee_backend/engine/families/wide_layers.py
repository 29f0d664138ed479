"""Layers of 16-bit weights that compute in 32 bits, for processors without 16-bit arithmetic.

Many desktop processors have none. torch's own way around it makes linear layers 5 and convolutions 200 times
slower than 32 bits; a layer that widens what it is given, and its weights while it computes, costs next to nothing.
"""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDE = "_computes_in_32_bits"


def has_16_bits() -> bool:
    """Return whether this machine's processor has 16-bit arithmetic that torch uses."""
    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def needs_wide_layers(device: torch.device, dtype: torch.dtype) -> bool:
    """Return whether `device` is a processor that has no arithmetic in `dtype`."""
    return device.type == "cpu" and dtype == torch.bfloat16 and not has_16_bits()


def widen(part: nn.Module) -> None:
    """Have a part's linear layers and convolutions compute in 32 bits. Other hooks come after."""
    for layer in part.modules():
        setattr(layer, WIDE, True)
        if type(layer) is nn.Linear:
            layer.forward = partial(_forward, layer)
        elif isinstance(layer, nn.Conv2d | nn.Conv3d):
            layer._conv_forward = partial(_convolve, layer._conv_forward)


def is_wide(module: nn.Module) -> bool:
    """Return whether a part or a layer was widened."""
    return hasattr(module, WIDE)


def linear(layer: nn.Module, given: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Return a linear map of `given` (..., in) by some rows of the weights of `layer`, computed as that computes."""
    if not is_wide(layer):
        return F.linear(given, weight, bias)
    return F.linear(given.float(), weight.float(), _wide(bias)).to(given.dtype)


def _forward(layer: nn.Linear, given: Tensor) -> Tensor:
    return linear(layer, given, layer.weight, layer.bias)


def _convolve(
    forward: partial[Tensor], given: Tensor, weight: Tensor, bias: Tensor | None
) -> Tensor:
    return forward(given.float(), weight.float(), _wide(bias)).to(given.dtype)


def _wide(bias: Tensor | None) -> Tensor | None:
    return None if bias is None else bias.float()
