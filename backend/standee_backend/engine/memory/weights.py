"""Memory of a model part's weights, packed in each way."""

from __future__ import annotations

from torch import Tensor, nn

from ...hardware.load_presets import Quantization
from ...hardware.memory_estimate import Weights
from ..loading.quantization import blocks_of, packed_layers

SCALE = 4
"""Bytes of a scale that quantized weights keep: int8 one for each output, nf4 one for each 64 weights."""


def weigh(part: nn.Module, quantization: Quantization, in_blocks: bool = False) -> Weights:
    """Return what a part's weights take, packed by `quantization`.

    `in_blocks`: groups are the members of its module lists, else single layers.
    """
    layers = packed_layers(part, quantization)
    packed = {id(layer.weight): layer.weight for layer in layers}

    def size(module: nn.Module, recurse: bool = True) -> int:
        tensors = (*module.parameters(recurse), *module.buffers(recurse))
        return sum(_size(t, quantization if id(t) in packed else "none") for t in tensors)

    largest = max((w.numel() * w.element_size() for w in packed.values()), default=0)
    outputs = max((layer.out_features for layer in layers), default=0)
    whole = size(part)
    groups = [size(block) for block in blocks_of(part)] if in_blocks else []
    leaves = [size(module, recurse=False) for module in part.modules()]
    return Weights(
        whole=whole,
        block=max(groups or leaves),
        loose=whole - sum(groups) if groups else 0,
        unpacked=0 if quantization == "int8" else largest,
        widened=SCALE * outputs if quantization == "int8" else 0,
    )


def _size(tensor: Tensor, quantization: Quantization) -> int:
    """Return the bytes of a tensor, packed."""
    numbers = tensor.numel()
    if quantization == "fp8":
        return numbers
    if quantization == "int8":
        return numbers + SCALE * tensor.shape[0]
    if quantization == "nf4":
        return numbers // 2 + SCALE * -(-numbers // 64)
    return numbers * tensor.element_size()


def together(parts: list[Weights]) -> Weights:
    """Return what several parts' weights take that are on the device together."""
    return Weights(
        whole=sum(part.whole for part in parts),
        block=max(part.block for part in parts),
        unpacked=max(part.unpacked for part in parts),
        widened=max(part.widened for part in parts),
    )
