"""Attention kernels: the choice among those that diffusers knows and this machine has.

All of them but sage's, which rounds to 8 bits, compute the same. Few take a bias on the logits, so where tokens are
shared with a weight torch's own attention steps in, whatever else was chosen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from typing import Any

import torch
from diffusers.models.attention_dispatch import AttentionBackendName, dispatch_attention_fn
from torch import Tensor

from standee.errors import InvalidField, MissingDependency

from ..injection import Site
from .conditioning import TextRegion

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


class TextFirst:
    """A processor of a sequence in which as many text tokens as `text` (tokens, 0) has rows precede the image.

    It holds no numbers: a compiled graph takes a size for a variable and a number for a constant, and prompts and
    regions have lengths of their own.
    """

    text = torch.empty(0, 0)

    @property
    def text_tokens(self) -> int:
        """How many tokens of text there are."""
        return self.text.shape[0]

    @property
    def first_cell(self) -> int:
        """Where the image begins among the tokens that it attends with."""
        return self.text_tokens


def put_text_first(processors: Iterable[TextFirst], text: Tensor) -> None:
    """Tell processors that the next forward's image begins behind `text` (1, tokens, dims)."""
    before = text.new_empty(text.shape[1], 0)
    for processor in processors:
        processor.text = before


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
    processor: Any,
    query: Tensor,
    own: tuple[Tensor, Tensor],
    shared: tuple[Tensor, Tensor] | None = None,
    first_cell: int = 0,
) -> Tensor:
    """Attend with own and shared (keys, values), all (batch, tokens, heads, dims); returns (batch, queries, dims).

    Keys weigh, and shared ones are seen by those queries, as the processor's site says. The picture begins at
    `first_cell` of the queries.
    """
    site = processor.site
    if shared is None:
        return _attend(processor, query, own, site.bias)
    more = [
        torch.cat([mine, theirs.expand(len(query), -1, -1, -1)], dim=1)
        for mine, theirs in zip(own, shared, strict=True)
    ]
    if site.looking is None:
        return _attend(processor, query, more, logit_bias(site, own[0], shared[0]))
    others, looking = _part(query.shape[1], first_cell + site.looking)
    bias = None if site.bias is None else site.bias.index_select(0, others)
    plain = _attend(processor, query.index_select(1, others), own, bias)
    bias = logit_bias(site, own[0], shared[0], looking)
    seeing = _attend(processor, query.index_select(1, looking), more, bias)
    out = torch.empty_like(query).flatten(2, 3)
    return out.index_copy(1, others, plain).index_copy(1, looking, seeing)


def _attend(processor: Any, query: Tensor, keys: Sequence[Tensor], bias: Tensor | None) -> Tensor:
    """Attend with (keys, values), their logits raised by `bias` (queries or 1, keys)."""
    key, value = keys
    backend = processor._attention_backend if bias is None else AttentionBackendName.NATIVE
    out = dispatch_attention_fn(
        query,
        key,
        value,
        attn_mask=None if bias is None else bias.to(query.dtype)[None, None],
        backend=backend,
        parallel_config=processor._parallel_config,
    )
    return out.flatten(2, 3).to(query.dtype)


def shared_keys(
    site: Site, attn: Any, heads: tuple[int, int], like: Tensor
) -> tuple[Tensor, Tensor] | None:
    """Return the keys, not yet rotated, and values of a site's shared tokens, made as `attn` makes its own."""

    def project(shared: Tensor) -> tuple[Tensor, Tensor]:
        keys = attn.norm_k(attn.to_k(shared).unflatten(-1, heads))
        return keys, attn.to_v(shared).unflatten(-1, heads)

    return site.keys(project, like)


def logit_bias(
    site: Site, own: Tensor, shared: Tensor, queries: Tensor | None = None
) -> Tensor | None:
    """Return what is added to the logits (queries or 1, own keys + shared keys) of a site, at some queries or all."""
    if site.bias is None and site.shared_bias is None:
        return None
    bias, more = site.bias, site.shared_bias
    if bias is None:
        bias = own.new_zeros(1, own.shape[1])
    elif queries is not None:
        bias = bias.index_select(0, queries)
    if more is None:
        more = own.new_zeros(shared.shape[1])
    return torch.cat([bias, more.to(bias.dtype).expand(len(bias), -1)], dim=1)


def _part(tokens: int, looking: Tensor) -> tuple[Tensor, Tensor]:
    """Return the numbers of all of so many tokens but those that are looking, and of those."""
    member = looking.new_zeros(tokens).index_fill(0, looking, 1)
    order = member.argsort(stable=True)
    return order[: tokens - len(looking)], order[tokens - len(looking) :]


def region_bias(
    regions: Sequence[TextRegion],
    tokens: int,
    first_text: int,
    first_cell: int | None,
    like: Tensor,
) -> Tensor:
    """Return the attention bias (tokens, tokens), of the kind of `like`, that parts a picture by its regions.

    Text begins at `first_text` of the sequence and the picture at `first_cell`, where it is in it.
    """
    bias = like.new_zeros(tokens, tokens)
    common = slice(first_text, first_text + regions[0].start)
    for region in regions:
        words = slice(first_text + region.start, first_text + region.stop)
        bias[:, words] = -torch.inf
        bias[words] = -torch.inf
        bias[words, words] = 0
        if first_cell is not None:
            cells = first_cell + region.cells
            bias[words, cells] = 0
            bias[cells, words] = math.log(region.weight)
            bias[cells, common] = math.log1p(-region.weight) if region.weight < 1 else -torch.inf
    return bias


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
