"""Captures: the tokens of one picture's references, step by step, from the cache where it holds them.

What tokens depend on makes their key: the model, the precision that they are kept in, the crop's pixels and its noise
(picture, gamma), its prompt with its length, the guidance where the model is told it, the cells that are kept of it,
and the noise levels of the forward. Not its place, what covers it, the picture's seed, nor the picture's own prompt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from .families.base import Family
from .injection import Injection, Tokens, capture
from .references import Crop, Reference
from .schedule import Schedule
from .token_cache.cache import TokenCache

BLOCK = 6
"""Steps of a block. In late steps the picture looks at the tokens of the block's first noise level, whose crop is run
alone; the block's other levels, which early steps want, go `BATCH` to a forward, as far as the model's own threshold
goes. So which tokens there are, to the last bit, depends on the model and the schedule, and not on how long they are
replaced; and where that is left to the model, none is made in vain. With blocks of 1, 4, 6 and 8 steps the bundled
model's subjects keep the same identity, within .1 dB."""

BATCH = 3
"""Noise levels of a crop in one forward, at most. Their tokens are held at once, beside those of a block's first."""

ALIKE = 0.5
"""The least cosine between a token and the picture's at which they are matched."""


class TokenCapture:
    """Gives the tokens of a picture's references at each step of its schedule, from step `start` on.

    `cells` of the picture bound the batches: no forward of a crop is larger than the picture's.
    """

    def __init__(
        self,
        family: Family,
        references: Sequence[Reference],
        schedule: Schedule,
        cells: int,
        cache: TokenCache | None = None,
        start: int = 0,
        on_stage: Callable[[str, int, int], None] | None = None,
    ) -> None:
        """`on_stage` is told which subject of how many is read for the first time; see `compose.OnStage`."""
        self._on_stage = on_stage
        self._family, self._schedule, self._cache = family, schedule, cache
        self.references = [reference for reference in references if len(reference.put)]
        self._start = start
        self._early = schedule.steps_above(family.defaults.tau)
        self._model = f"{cache.model} {cache.precision}" if cache else ""
        self._identities: dict[Crop, str] = {}
        self._held: dict[tuple[Crop, int], Tokens] = {}
        self._matches: dict[Reference, tuple[Tensor, Tensor]] = {}
        self._shared: tuple[object, Tokens | None] = (None, None)  # what is looked at, its tokens
        self._cells = cells
        if cache:
            cache.begin()

    def injection(self, step: int, share_sites: frozenset[int] | None = None) -> Injection:
        """Return what the picture's forward receives at a step: tokens to replace, and tokens to share."""
        early = [r for r in self.references if self._schedule.share_above(step, r.tau)]
        late = [r for r in self.references if self._is_shared(r, step)]
        share_rows, share_at = self._looked_at(late)
        which = self._block(step), share_sites, [(r, r in self._matches) for r in late]
        if which != self._shared[0]:
            self._shared = (which, None)
        injection = Injection(
            replace=self._joined(early, step, [r.rows for r in early]),
            put=torch.cat([r.put for r in early]) if early else None,
            weight=self._weight(early, step),
            share=self._share(late, step, share_rows, share_sites),
            share_at=torch.cat(share_at) if late else None,
            looking=self._looking(late),
            share_bias=self._bias(late, share_at, step),
            share_sites=share_sites,
            watch=self._watched_site(share_sites),
            watched=torch.cat([r.put for r in free]) if (free := self._free(step)) else None,
        )
        self._release(step)
        return injection

    def match(self, seen: Sequence[Tensor], site: int, step: int) -> None:
        """Find, for references whose pose is free, the cells that their tokens resemble (arXiv 2504.15958, 2507.11533).

        Of one that is free in part the tokens that match best move there, and the others stay at their own. `seen`
        holds the picture's tokens (n, dims) at a site, of the cells that were watched.
        """
        if not seen:
            return
        free, own = self._free(step), seen[0].float()
        for reference, tokens in zip(
            free, own.split([len(reference.put) for reference in free]), strict=True
        ):
            given = self._of(reference.crop, self._block(step)).at_site[site].float()
            mean = tokens.mean(0)
            alike = F.normalize(given - mean, dim=1) @ F.normalize(tokens - mean, dim=1).T
            best, cell = alike.max(dim=1)
            surest = best.argsort(descending=True)[: round(reference.freedom * len(best))]
            moved = torch.zeros_like(best, dtype=torch.bool).index_fill(0, surest, True)
            rows = torch.nonzero(moved & (best > ALIKE))[:, 0]
            stay = torch.nonzero(~moved[reference.rows])[:, 0]
            self._matches[reference] = (
                torch.cat([rows, reference.rows[stay]]),
                torch.cat([reference.put[cell[rows]], reference.put[stay]]),
            )

    @staticmethod
    def _looking(late: Sequence[Reference]) -> Tensor | None:
        """Return the cells that look at late references; `None` where one lets all look."""
        parts = [r.looking for r in late]
        known = [part for part in parts if part is not None]
        return torch.cat(known) if known and len(known) == len(parts) else None

    def _looked_at(self, late: Sequence[Reference]) -> tuple[list[Tensor], list[Tensor]]:
        """Return which rows of each late reference's tokens are shared, and at which cells."""
        rows, at = [], []
        for reference in late:
            found = reference.rows, reference.put
            if reference.freedom:
                found = self._matches.get(reference, (reference.rows[:0], reference.put[:0]))
            rows.append(found[0])
            at.append(found[1])
        return rows, at

    def _share(
        self,
        late: Sequence[Reference],
        step: int,
        rows: Sequence[Tensor],
        sites: frozenset[int] | None,
    ) -> Tokens | None:
        """Return the tokens that a step looks at; steps of a block that look at the same find their keys made."""
        which, share = self._shared
        if share is None:
            share = self._joined(late, self._block(step), rows, sites)
        elif len(share.keys) == len(sites or self._family.sites):
            share = Tokens([t.new_empty(0, t.shape[1]) for t in share.at_site], share.keys)
        self._shared = which, share
        return share

    def _joined(
        self,
        references: Sequence[Reference],
        step: int,
        rows: Sequence[Tensor],
        sites: frozenset[int] | None = None,
    ) -> Tokens | None:
        """Return the `rows` of the references' tokens at the noise level of `step`, in one."""
        if not references:
            return None
        parts = [self._of(reference.crop, step) for reference in references]
        return Tokens.join(parts, rows, sites)

    def _weight(self, early: Sequence[Reference], step: int) -> Tensor | None:
        """Return how much of each token (k,) is replaced: mostly all of it. One kind of graph then serves all steps."""
        parts = [
            self._schedule.share_above(step, r.tau)
            * (torch.ones_like(r.put, dtype=torch.float32) if r.weight is None else r.weight)
            for r in early
        ]
        return torch.cat(parts) if parts else None

    def _bias(self, late: Sequence[Reference], at: Sequence[Tensor], step: int) -> Tensor | None:
        """Return the logarithm of the weight (m,) that each shared token's key has; `None` where all weigh 1."""
        weights = [r.sharing * (1 - self._schedule.share_above(step, r.tau)) for r in late]
        if all(weight == 1 for weight in weights):
            return None
        parts = [
            torch.full_like(cells, weight, dtype=torch.float32)
            for weight, cells in zip(weights, at, strict=True)
        ]
        return torch.cat(parts).log()

    def _free(self, step: int) -> list[Reference]:
        """Return the references that are to be matched in this step, before they are shared in the next."""
        return [
            r
            for r in self.references
            if r.freedom and r not in self._matches and self._is_shared(r, step + 1)
        ]

    def _watched_site(self, share_sites: frozenset[int] | None) -> int:
        """Return the site at which tokens are matched: the middle one of those that share."""
        sites = sorted(share_sites or range(len(self._family.sites)))
        return sites[len(sites) // 2]

    def _is_shared(self, reference: Reference, step: int) -> bool:
        """Return whether the picture looks at a reference's tokens in a step, in part at least."""
        late = self._schedule.share_above(step, reference.tau) < 1
        return bool(reference.sharing) and late and step < self._schedule.steps

    def _block(self, step: int) -> int:
        """Return the first step of the block that a step is in: its tokens are what late steps look at."""
        return self._start + (step - self._start) // BLOCK * BLOCK

    def _needed(self, reference: Reference, step: int) -> list[int]:
        """Return the steps whose tokens a reference gives to the picture's forward of `step`."""
        early = [step] if self._schedule.share_above(step, reference.tau) else []
        return early + ([self._block(step)] if self._is_shared(reference, step) else [])

    def _batch(self, crop: Crop, step: int) -> tuple[int, ...]:
        """Return the steps at whose noise levels a crop is run together."""
        first = self._block(step)
        if step == first:
            return (first,)
        most = max(1, min(BATCH, self._cells // (crop.size[0] * crop.size[1])))
        least, end = first + 1, min(first + BLOCK, self._schedule.steps)
        if least < self._early < end:
            least, end = (least, self._early) if step < self._early else (self._early, end)
        begin = least + (step - least) // most * most
        return tuple(range(begin, min(begin + most, end)))

    def _of(self, crop: Crop, step: int) -> Tokens:
        """Return a crop's tokens at the noise level of `step`."""
        if (crop, step) not in self._held:
            batch, known = self._batch(crop, step), None
            if self._cache:
                known = self._cache.get(self._key(crop, step), self._family.device)
            if known:
                self._held[crop, step] = known
                return known
            more = len(self._to_come(crop)) - 1 if step == self._start else 0
            if step == self._start and self._on_stage:
                crops = list(dict.fromkeys(reference.crop for reference in self.references))
                self._on_stage("reading", crops.index(crop) + 1, len(crops))
            for at, tokens in zip(batch, self._capture(crop, batch), strict=True):
                if self._cache:
                    tokens = self._cache.put(self._key(crop, at), tokens, more)
                if at >= step:
                    self._held[crop, at] = tokens
        return self._held[crop, step]

    def _to_come(self, crop: Crop) -> set[int]:
        """Return the steps at whose noise levels a crop is run in the course of the picture."""
        wanted: set[int] = set()
        for reference in (r for r in self.references if r.crop is crop):
            for step in range(self._start, self._schedule.steps):
                wanted.update(self._needed(reference, step))
        return {at for step in wanted for at in self._batch(crop, step)}

    def _capture(self, crop: Crop, batch: tuple[int, ...]) -> list[Tokens]:
        """Run a crop at the noise levels of some steps at once; return the tokens of its `cells` for each."""
        sigmas = torch.stack([self._schedule.sigmas[step] for step in batch])
        count, cells = len(batch), crop.size[0] * crop.size[1]
        take = torch.cat([crop.cells + cells * index for index in range(count)])
        with capture(self._family.sites, take) as tokens:
            ids = self._family.grid_ids(*crop.size)
            self._family.velocity(crop.at(sigmas), sigmas, crop.conditioning, ids)
        levels = [Tokens([]) for _ in batch]
        while tokens.at_site:  # each level's can go without the others
            for level, rows in zip(levels, tokens.at_site.pop(0).chunk(count), strict=True):
                level.at_site.append(rows if count == 1 else rows.clone())
        return levels

    def _release(self, step: int) -> None:
        """Let go of tokens that no later step needs, and set the next ones on their way from the cache."""
        block = self._block(step)
        later: set[tuple[Crop, int]] = set()
        for following in range(step, block + BLOCK):
            later.update((reference.crop, block) for reference in self._free(following))
            for reference in self.references if following > step else ():
                later.update((reference.crop, at) for at in self._needed(reference, following))
        self._held = {which: kept for which, kept in self._held.items() if which in later}
        for reference in self.references if self._cache else ():
            for at in self._needed(reference, step + 1):
                if (reference.crop, at) not in self._held and self._cache:
                    key = self._key(reference.crop, at)
                    self._cache.look_ahead(key, self._family.device)

    def _key(self, crop: Crop, step: int) -> str:
        if crop not in self._identities:
            guided = self._family.embeds_guidance
            self._identities[crop] = identity(crop, self._model, guided)
        batch = self._batch(crop, step)
        levels = " ".join(self._schedule.levels[at].hex() for at in batch)
        return f"{self._identities[crop]}@{levels}#{batch.index(step)}"


def identity(crop: Crop, model: str, guided: bool) -> str:
    """Digest all that a crop's tokens depend on, save the noise level.

    `model` stands for weights and precision; the strength of guidance counts where the model is `guided` by it.
    """
    words = crop.conditioning
    said = f"{model} {crop.digest} {words.guidance if guided else ''}"
    digest = hashlib.sha256(said.encode())
    for tensor in (crop.cells, words.text, words.pooled):
        digest.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().flatten().view(torch.uint8).cpu().numpy().tobytes())
    return digest.hexdigest()
