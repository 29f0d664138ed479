"""Inputs of a transformer beside the picture's tokens: encoded prompts, and reference pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Conditioning:
    """An encoded prompt: `text` (1, tokens, dims), `pooled` (1, dims), and the guidance strength.

    `pooled` has no dims where a family has no such vector. The first `words` of the text tokens say something, those
    behind them are padding. `negative` is what the picture is guided away from, by a
    second forward; `None` where guidance is distilled into the model, or asks for nothing.
    """

    text: Tensor
    pooled: Tensor
    guidance: float
    words: int
    negative: Conditioning | None = None

    def to(self, device: torch.device) -> Conditioning:
        """Return this conditioning on a device."""
        return Conditioning(
            self.text.to(device),
            self.pooled.to(device),
            self.guidance,
            self.words,
            self.negative and self.negative.to(device),
        )

    def trimmed(self, tokens: int) -> Conditioning:
        """Return this conditioning with so many text tokens at most, or as many as it has words."""
        text = self.text[:, : max(tokens, self.words)].clone()
        return replace(self, text=text, negative=self.negative and self.negative.trimmed(tokens))

    @property
    def unguided(self) -> Conditioning:
        """This conditioning without guidance, embedded or by a second forward."""
        return replace(self, guidance=0.0, negative=None)

    @property
    def size(self) -> int:
        """Bytes of it."""
        own = sum(part.numel() * part.element_size() for part in (self.text, self.pooled))
        return own + (self.negative.size if self.negative else 0)


@dataclass(frozen=True)
class ReferenceTokens:
    """Clean tokens (1, n, channels) that the transformer sees beside the picture's, with their rotary ids (n, axes)."""

    tokens: Tensor
    ids: Tensor


class EncodedPicture(Protocol):
    """Encoded pixels: `digest` names them, `size` is their grid (rows, columns), `line` begins with their tokens."""

    @property
    def digest(self) -> str: ...
    @property
    def size(self) -> tuple[int, int]: ...
    @property
    def line(self) -> tuple[Tensor, Tensor]: ...
