"""Attention sites: what is captured from, replaced at, and shared with each attention.

The method works on the image tokens as they enter attention: after the block's modulation, before they are projected to
Q, K and V and rotated. A `Site` says what one attention shall do in the next forward.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass
class Site:
    """What one attention site shall do in the next forward; all tensors, so that compiled graphs stay valid.

    `take` (k,) indexes the flattened (batch * cells) tokens to capture into `captured` (k, dims). `tokens` (k, dims)
    replace the picture's tokens at the cells `put` (k,), or are mixed into them by `weight` (k, 1). `shared` (m, dims)
    are appended as keys and values that stand at the cells `shared_at` (m,), their logits raised by `shared_bias` (m,),
    for the queries of the cells `looking` (q,), or for all. Once made, `shared_keys` are in their place: these keys,
    not yet rotated, and values (1, m, heads, dims). `bias` (tokens, tokens) is added to the logits of all text and
    image tokens, in the order in which they attend.
    """

    mode: str = "off"
    take: Tensor | None = None
    captured: Tensor | None = None
    tokens: Tensor | None = None
    put: Tensor | None = None
    weight: Tensor | None = None
    shared: Tensor | None = None
    shared_at: Tensor | None = None
    shared_bias: Tensor | None = None
    shared_keys: tuple[Tensor, Tensor] | None = None
    looking: Tensor | None = None
    bias: Tensor | None = None

    @property
    def attends_plainly(self) -> bool:
        """Whether the model's own attention does, over the tokens that have entered."""
        return self.shared_at is None and self.bias is None

    def enter(self, tokens: Tensor) -> Tensor:
        """Pass image tokens (batch, cells, dims) on to the attention: captured, replaced, or as they are."""
        if self.take is not None:
            self.captured = tokens.flatten(0, 1).index_select(0, self.take)
        if self.put is not None and self.tokens is not None:
            return tokens.index_copy(1, self.put, self.rows(tokens.index_select(1, self.put)))
        return tokens

    def keys(
        self, project: Callable[[Tensor], tuple[Tensor, Tensor]], like: Tensor
    ) -> tuple[Tensor, Tensor] | None:
        """Return the shared tokens' keys and values, which `project` makes of (1, m, dims) in the type of `like`.

        They are made in the first forward that looks at these tokens, and serve those that follow.
        """
        if self.shared is not None:
            self.shared_keys = project(self.shared.to(like.dtype)[None])
            self.shared = None
        return self.shared_keys

    def rows(self, own: Tensor) -> Tensor:
        """Return what stands in for the picture's own tokens (batch, k, dims) at `put`."""
        assert self.tokens is not None
        tokens = self.tokens.to(own.dtype).expand_as(own)
        return tokens if self.weight is None else torch.lerp(own, tokens, self.weight.to(own.dtype))


@dataclass(frozen=True)
class Tokens:
    """Captured tokens of some cells, one tensor (k, dims) per site.

    `keys` holds their keys and values by site, of tokens that were shared in a forward; see `Site.keys`.
    """

    at_site: list[Tensor]
    keys: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)

    @staticmethod
    def join(
        parts: Sequence[Tokens], rows: Sequence[Tensor], sites: frozenset[int] | None = None
    ) -> Tokens:
        """Concatenate the tokens of several subjects, of each those at its `rows` (k,), site by site.

        At other sites than `sites` (`None`: all) there are none.
        """
        joined = []
        for index, site in enumerate(zip(*(part.at_site for part in parts), strict=True)):
            if sites is None or index in sites:
                chosen = [own.index_select(0, k) for own, k in zip(site, rows, strict=True)]
                joined.append(torch.cat(chosen))
            else:
                joined.append(site[0].new_empty(0, site[0].shape[1]))
        return Tokens(joined)


@dataclass(frozen=True)
class Injection:
    """What the picture's forward receives.

    `replace` stand in for the tokens of the cells `put`, mixed by `weight` (k,) where that is given. `share` are looked
    at beside the picture's own, at the cells `share_at`, with `share_bias` (m,) on their logits, at the sites
    `share_sites` (`None`: all), by the cells `looking` (q,), or by all cells and the text where those are not two at
    least. `watch` is the site at which the image tokens of the cells `watched` (n,) are wanted, where any are (see
    `inject`).
    """

    replace: Tokens | None = None
    put: Tensor | None = None
    weight: Tensor | None = None
    share: Tokens | None = None
    share_at: Tensor | None = None
    share_bias: Tensor | None = None
    share_sites: frozenset[int] | None = None
    looking: Tensor | None = None
    watch: int = 0
    watched: Tensor | None = None


@contextmanager
def capture(sites: Sequence[Site], take: Tensor) -> Iterator[Tokens]:
    """Capture, during the forward made inside the block, the tokens `take` (k,) of the flattened batch at every site.

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
def inject(sites: Sequence[Site], injection: Injection) -> Iterator[list[Tensor]]:
    """Replace and share tokens at every site during the forward made inside the block.

    When the block ends, the yielded list holds the picture's own tokens (n, dims) at the site that is watched, before
    any are replaced; it stays empty where none is.
    """
    seen: list[Tensor] = []
    put = None if injection.put is None else _two(injection.put)
    weight = None if injection.weight is None else _two(injection.weight)[:, None]
    share, at, bias = injection.share, injection.share_at, injection.share_bias
    if at is None or not len(at):
        share = None
    elif share is not None and len(at) == 1:
        bias = share.at_site[0].new_zeros(1) if bias is None else bias
        bias = torch.cat([bias, torch.full_like(bias, -torch.inf)])  # the second weighs nothing
        at = _two(at)
    looking = injection.looking
    if looking is not None and len(looking) < 2:
        looking = None
    try:
        for index, site in enumerate(sites):
            site.mode = "inject"
            if injection.replace is not None:
                site.tokens, site.put = _two(injection.replace.at_site[index]), put
                site.weight = weight
            if share is not None and (
                injection.share_sites is None or index in injection.share_sites
            ):
                site.shared_at, site.shared_bias, site.looking = at, bias, looking
                site.shared_keys = share.keys.get(index)
                if site.shared_keys is None:
                    site.shared = _two(share.at_site[index])
        watched = sites[injection.watch]
        if injection.watched is not None:
            watched.take = _two(injection.watched)
        yield seen
        if watched.captured is not None and injection.watched is not None:
            seen.append(watched.captured[: len(injection.watched)])
        if share is not None:
            for index, site in enumerate(sites):
                if site.shared_keys is not None:
                    share.keys[index] = site.shared_keys
    finally:
        _clear(sites)


def _two(rows: Tensor) -> Tensor:
    """Return rows (k, ...) as they are; one row twice, since a compiled graph takes a size of one for a constant."""
    return torch.cat([rows, rows]) if len(rows) == 1 else rows


def _clear(sites: Sequence[Site]) -> None:
    for site in sites:
        site.mode = "off"
        site.take = site.captured = site.tokens = site.put = site.weight = None
        site.shared = site.shared_at = site.shared_bias = site.shared_keys = None
        site.looking = site.bias = None
