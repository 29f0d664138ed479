"""Attention of one stream: text and picture in one sequence, projected by the same layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..injection import Site
from .attention import attend, shared_keys

Turn = Callable[[Tensor, Tensor | None], Tensor]
"""Rotates queries or keys (batch, tokens, heads, dims): all of a sequence, or as those at some of its places (m,)."""


class OneStreamProcessor:
    """What processors of such an attention share: it attends as its `Site` says."""

    site: Site

    def attend_in_one(
        self, attn: Any, hidden: Tensor, head_dims: int, first_cell: int, turn: Turn
    ) -> Tensor:
        """Attend over `hidden` (batch, tokens, dims), with the site's m shared tokens at their cells.

        The picture begins at `first_cell` of the sequence. Returns (batch, tokens, dims) before the output's
        projection. Keys of fewer heads than the queries' serve several of those.
        """
        site, heads = self.site, (-1, head_dims)
        query = turn(attn.norm_q(attn.to_q(hidden).unflatten(-1, heads)), None)
        key = turn(attn.norm_k(attn.to_k(hidden).unflatten(-1, heads)), None)
        value = attn.to_v(hidden).unflatten(-1, heads)
        each = query.shape[2] // key.shape[2]
        more = shared_keys(site, attn, heads, hidden)
        if more is not None and site.shared_at is not None:
            turned = turn(more[0], first_cell + site.shared_at)
            more = _spread(turned, each), _spread(more[1], each)
        own = _spread(key, each), _spread(value, each)
        return attend(self, query, own, more, first_cell)


def _spread(heads: Tensor, each: int) -> Tensor:
    """Repeat each head of (batch, tokens, heads, dims)."""
    return heads if each == 1 else torch.repeat_interleave(heads, each, dim=2)
