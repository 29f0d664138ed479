"""Attention of one stream: text and picture in one sequence, projected by the same layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ..injection import Site
from .attention import attend

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
        more = None
        if site.shared is not None:
            shared = site.shared.to(hidden.dtype).expand(len(hidden), -1, -1)
            shared_key = attn.norm_k(attn.to_k(shared).unflatten(-1, heads))
            if site.shared_at is not None:
                shared_key = turn(shared_key, first_cell + site.shared_at)
            more = _spread(shared_key, each), _spread(attn.to_v(shared).unflatten(-1, heads), each)
        return attend(self, query, (_spread(key, each), _spread(value, each)), more)


def _spread(heads: Tensor, each: int) -> Tensor:
    """Repeat each head of (batch, tokens, heads, dims)."""
    return heads if each == 1 else torch.repeat_interleave(heads, each, dim=2)
