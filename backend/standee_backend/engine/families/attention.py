"""Attention kernels: the choice among those that diffusers knows and this machine has.

All of them but sage's, which rounds to 8 bits, compute the same. Few take a bias on the logits, so where tokens are
shared with a weight torch's own attention steps in, whatever else was chosen.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from diffusers.models.attention_dispatch import AttentionBackendName, dispatch_attention_fn
from torch import Tensor

from standee.errors import InvalidField, MissingDependency

from ..injection import Site

PACKAGES = {
    "flash": ("flash_attn", "flash-attn"),
    "_flash_3": ("flash_attn_interface", "flash-attn 3, which is built from its source"),
    "sage": ("sageattention", "sageattention"),
    "xformers": ("xformers", "xformers"),
}
"""The module and the package of each backend that is not torch's own."""

BEST = ("_flash_3",)
"""What is exact and faster than torch's own attention, best first. FlashAttention 2 is in torch already."""

FIX = "Use attention auto, which takes what this machine can."


def choose(wanted: str, device: torch.device, dtype: torch.dtype, dims: int) -> str:
    """Return the backend that `wanted` means for heads of `dims` channels: itself, or for `auto` the best there is.

    Raises `MissingDependency` for one that is not installed, and `InvalidField` for one that cannot run here.
    """
    if wanted != "auto":
        reason = _failure(wanted, device, dtype, dims)
        if reason:
            raise InvalidField(
                f"Attention by {wanted!r} cannot run on {device} in {dtype}: {reason}",
                path="$.attention",
                fix=FIX,
            )
        return wanted
    present = (name for name in BEST if device.type == "cuda" and _installed(name))
    return next((name for name in present if not _failure(name, device, dtype, dims)), "native")


def attend(
    processor: Any, query: Tensor, own: tuple[Tensor, Tensor], shared: tuple[Tensor, Tensor]
) -> Tensor:
    """Attend with own and shared (keys, values), all (batch, tokens, heads, dims); returns (batch, queries, dims).

    Shared keys weigh as the processor's site says.
    """
    bias = logit_bias(processor.site, query, own[0].shape[1])
    key, value = (torch.cat(pair, dim=1) for pair in zip(own, shared, strict=True))
    backend = processor._attention_backend if bias is None else AttentionBackendName.NATIVE
    parallel = processor._parallel_config
    out = dispatch_attention_fn(
        query, key, value, attn_mask=bias, backend=backend, parallel_config=parallel
    )
    return out.flatten(2, 3).to(query.dtype)


def logit_bias(site: Site, query: Tensor, own_keys: int) -> Tensor | None:
    """Return the attention bias (1, 1, 1, own keys + shared keys) that weighs a site's shared keys."""
    if site.shared_bias is None:
        return None
    zeros = site.shared_bias.new_zeros(own_keys)
    return torch.cat([zeros, site.shared_bias]).to(query.dtype).view(1, 1, 1, -1)


def _installed(name: str) -> bool:
    return name not in PACKAGES or find_spec(PACKAGES[name][0]) is not None


def _failure(name: str, device: torch.device, dtype: torch.dtype, dims: int) -> str:
    """Return why a backend does not attend from 8 tokens to 12 here; nothing where it does."""
    if not _installed(name):
        raise MissingDependency(
            f"Attention by {name!r} needs {PACKAGES[name][1]}.",
            path="$.attention",
            fix=f"Install it into the daemon's environment. {FIX}",
        )
    query, key = (torch.zeros(1, n, 2, dims, device=device, dtype=dtype) for n in (8, 12))
    try:
        dispatch_attention_fn(query, key, key, backend=AttentionBackendName(name))
    except torch.OutOfMemoryError:
        raise
    except Exception as error:  # each package has its own ways to refuse
        return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(". ") + "."
    return ""
