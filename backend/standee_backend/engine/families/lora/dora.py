"""DoRA over layers whose weights may be packed: a LoRA that also sets the lengths of rows.

The lengths of the weight beneath are found once, when the LoRA is loaded. Half a DoRA's weight is half of
its change, and none of it is the model's own layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from .weights import LowRankChange

COLUMNS = 1024
"""How many columns of a matrix are found at once."""


class Rescaling(nn.Module):
    """The factors, less one, of a changed weight's rows, or of its columns, if `by_input`.

    Most are close to one, where 16 bits are coarse.
    """

    def __init__(self, factors: Tensor, by_input: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(factors, requires_grad=False)
        self.by_input = by_input


def rescaling(base: Any, change: LowRankChange) -> Rescaling:
    """Return by how much a DoRA scales the rows or columns of a layer's weight and its change."""
    assert change.magnitude is not None
    changed = plain_weight(base) + _matrix(lambda x: change.up(change.down(x)), base.in_features)
    lengths = changed.norm(dim=0 if change.by_input else 1)
    factors = change.magnitude / lengths.clamp(min=torch.finfo(torch.float32).tiny)
    return Rescaling(factors - 1, change.by_input)


def plain_weight(layer: Any) -> Tensor:
    """Return a layer's weight (outputs, inputs) in 32 bits on the host; a packed layer is run on the unit matrix."""
    weight = layer.weight
    if type(weight) is nn.Parameter and weight.is_floating_point():
        return weight.detach().to("cpu", torch.float32)
    dtype = getattr(layer, "compute_dtype", None) or torch.float32
    return _matrix(layer, layer.in_features, dtype, weight.device)


@torch.no_grad()
def _matrix(
    run: Callable[[Tensor], Tensor],
    width: int,
    dtype: torch.dtype = torch.float32,
    device: Any = "cpu",
) -> Tensor:
    """Return the matrix (outputs, inputs) of an affine function, some columns after the other, on the host."""
    bias = run(torch.zeros(1, width, dtype=dtype, device=device)).float()
    columns = []
    for index in torch.arange(width, device=device).split(COLUMNS):
        unit = torch.nn.functional.one_hot(index, width).to(dtype)
        columns.append((run(unit).float() - bias).cpu())
    return torch.cat(columns).T


class DoRA:
    """peft's variant of a layer with such a LoRA."""

    @staticmethod
    def forward(module: Any, active_adapter: str, x: Tensor, result: Tensor, **_: Any) -> Tensor:
        """Add what the LoRA changes to `result` (..., outputs), which may hold other LoRAs' changes already."""
        down, up = module.lora_A[active_adapter], module.lora_B[active_adapter]
        rescaled, base = module.lora_magnitude_vector[active_adapter], module.get_base_layer()
        more = rescaled.weight
        if rescaled.by_input:
            own = base(x * more)
            change = up(down(x + x * more))
        else:
            own = result if module.active_adapters[0] == active_adapter else base(x)
            change = up(down(x))
            change = change + change * more
        if base.bias is not None:
            own = own - base.bias
        return (
            result
            + (change + (own if rescaled.by_input else own * more)) * module.scaling[active_adapter]
        )
