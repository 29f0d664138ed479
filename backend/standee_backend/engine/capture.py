"""The tokens of one picture's references, step by step: from the cache where it holds them, else captured.

What tokens depend on makes their key: the model, the precision that they are kept in, the crop's clean latents (its
pixels) and its noise (picture, seed, gamma), its prompt with its length, the guidance where the model is told it, the
cells that are kept of it, and sigma. Not its place, what covers it, nor the picture's own prompt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from .families.base import Family
from .injection import Tokens
from .references import Reference, capture_tokens
from .token_cache.cache import TokenCache


class Captures:
    """Gives the tokens of `references` at each of a picture's noise levels `sigmas` (steps + 1,), in falling order."""

    def __init__(
        self,
        family: Family,
        references: Sequence[Reference],
        sigmas: Tensor,
        cache: TokenCache | None = None,
    ) -> None:
        self._family, self._cache = family, cache
        self._sigmas: list[float] = sigmas.tolist()
        self._model = f"{cache.model} {cache.precision}" if cache else ""
        self._identities: dict[
            int, str
        ] = {}  # of those that were asked for: some are only anchored
        if cache:
            cache.begin()

    def tokens(self, references: Sequence[Reference], sigma: Tensor) -> Tokens:
        """Return the tokens of the references' owned cells at every site, concatenated.

        Each reference has its own forward: in a batch its tokens would depend, in their last bits, on the others.
        """
        parts = []
        for reference in references:
            index = torch.searchsorted(reference.cells, reference.take[reference.owned])
            parts.append(self._tokens(reference, sigma).select(index))
        self._look_ahead(references, float(sigma))
        return Tokens.join(parts)

    def _tokens(self, reference: Reference, sigma: Tensor) -> Tokens:
        if self._cache is None:
            return capture_tokens(self._family, reference, sigma)
        key = self._key(reference, float(sigma))
        tokens = self._cache.get(key, self._family.device)
        if tokens is None:
            tokens = self._cache.put(key, capture_tokens(self._family, reference, sigma))
        return tokens

    def _look_ahead(self, references: Sequence[Reference], sigma: float) -> None:
        """Set the next step's tokens on their way: they travel while the picture's forward runs."""
        following = self._sigmas[self._sigmas.index(sigma) + 1]
        if self._cache and following > 0:
            for reference in references:
                self._cache.look_ahead(self._key(reference, following), self._family.device)

    def _key(self, reference: Reference, sigma: float) -> str:
        known, guided = self._identities, self._family.embeds_guidance
        if id(reference) not in known:
            known[id(reference)] = identity(reference, self._model, guided)
        return f"{known[id(reference)]}@{sigma.hex()}"


def identity(reference: Reference, model: str, guided: bool) -> str:
    """Digest all that a reference's tokens depend on, save sigma.

    `model` stands for weights and precision; the strength of guidance counts where the model is `guided` by it.
    """
    words = reference.conditioning
    said = hashlib.sha256(f"{model} {reference.size} {words.guidance if guided else ''}".encode())
    for tensor in (reference.x0, reference.noise, reference.cells, words.text, words.pooled):
        said.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode())
        said.update(tensor.contiguous().flatten().view(torch.uint8).cpu().numpy().tobytes())
    return said.hexdigest()
