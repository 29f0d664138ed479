"""Token injection: reading a subject's tokens at every attention site, and putting them into the picture's.

A *site* is one attention layer of the transformer. The image tokens are taken as they enter it (after the AdaLN
modulation, before the QKV projections and the rotary encoding), so a token can be put at another position: position
enters only later, through the rotary encoding (section 3.1 of the paper). Early steps *replace* tokens (section
3.2: for Q, K and V alike); late steps *share* them: the picture attends to them as additional keys and values.

A family's attention processors hold one `Site` each and call `Site.enter` on their image tokens. What happens there
is decided here, for all sites at once, by `capture` and `inject`. A single token goes through a site as two: the
compiler makes graphs for any size but one and none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass
class Site:
    """What one attention site shall do in the next forward; all tensors, so that compiled graphs stay valid.

    `take` (k,) indexes the flattened (batch * cells) tokens to capture into `captured` (k, dims). `tokens` (k, dims)
    replace the picture's tokens at the cells `put` (k,). `shared` (m, dims) are appended as keys and values, their
    logits raised by `shared_bias` (m,).
    """

    mode: str = "off"
    take: Tensor | None = None
    captured: Tensor | None = None
    tokens: Tensor | None = None
    put: Tensor | None = None
    shared: Tensor | None = None
    shared_bias: Tensor | None = None

    def enter(self, tokens: Tensor) -> Tensor:
        """Pass image tokens (batch, cells, dims) on to the attention: captured, replaced, or as they are."""
        if self.mode == "capture" and self.take is not None:
            self.captured = tokens.flatten(0, 1).index_select(0, self.take)
        elif self.mode == "inject" and self.put is not None and self.tokens is not None:
            rows = self.tokens.to(tokens.dtype).expand(len(tokens), -1, -1)
            return tokens.index_copy(1, self.put, rows)
        return tokens


@dataclass(frozen=True)
class Tokens:
    """Captured tokens of some cells, one tensor (k, dims) per site."""

    at_site: list[Tensor]

    @staticmethod
    def join(parts: Sequence[Tokens]) -> Tokens:
        """Concatenate the tokens of several subjects, site by site."""
        return Tokens(
            [torch.cat(tensors) for tensors in zip(*(p.at_site for p in parts), strict=True)]
        )

    def select(self, index: Tensor) -> Tokens:
        """Return the tokens at `index` of every site."""
        return Tokens([tokens.index_select(0, index) for tokens in self.at_site])


@dataclass(frozen=True)
class Injection:
    """What the picture's forward receives: tokens to replace at cells `put`, and tokens to share with a log weight."""

    replace: Tokens | None = None
    put: Tensor | None = None
    share: Tokens | None = None
    share_bias: Tensor | None = None
    share_sites: frozenset[int] | None = field(default=None)


@contextmanager
def capture(sites: Sequence[Site], take: Tensor) -> Iterator[Tokens]:
    """Capture, during the forward made inside the block, the tokens `take` (k,) at every site.

    The yielded `Tokens` are filled when the block ends.
    """
    tokens, two = Tokens([]), _two(take)
    try:
        for site in sites:
            site.mode, site.take = "capture", two
        yield tokens
        captured = (site.captured for site in sites if site.captured is not None)
        tokens.at_site.extend(rows[: len(take)] for rows in captured)
    finally:
        _clear(sites)


@contextmanager
def inject(sites: Sequence[Site], injection: Injection) -> Iterator[None]:
    """Replace and share tokens at every site during the forward made inside the block."""
    put = None if injection.put is None else _two(injection.put)
    share, bias = injection.share, injection.share_bias
    if share is not None and len(share.at_site[0]) == 1:
        bias = share.at_site[0].new_zeros(1) if bias is None else bias
        bias = torch.cat([bias, torch.full_like(bias, -torch.inf)])  # the second weighs nothing
    try:
        for index, site in enumerate(sites):
            site.mode = "inject"
            if injection.replace is not None:
                site.tokens, site.put = _two(injection.replace.at_site[index]), put
            if share is not None and (
                injection.share_sites is None or index in injection.share_sites
            ):
                site.shared, site.shared_bias = _two(share.at_site[index]), bias
        yield
    finally:
        _clear(sites)


def _two(rows: Tensor) -> Tensor:
    """Return rows (k, ...) as they are; one row twice."""
    return torch.cat([rows, rows]) if len(rows) == 1 else rows


def _clear(sites: Sequence[Site]) -> None:
    for site in sites:
        site.mode = "off"
        site.take = site.captured = site.tokens = site.put = site.shared = site.shared_bias = None
