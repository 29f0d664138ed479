"""Inputs of a transformer beside the picture's tokens: encoded prompts, and reference pictures."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch
from torch import Tensor

KEPT_WORDS = 2**28
"""Bytes of encoded prompts that are kept on the host: 64 of FLUX.1's."""


@dataclass(frozen=True)
class TextRegion:
    """Words for a part of the picture: the text tokens from `start` to `stop` and its `cells` (k,) see each other.

    The words see nothing else, and nothing else sees them. For the cells they stand in the place of the text that is
    common to all, by `weight` (over 0, to 1). `corners` (2, 2) are the first and the last corner (row, column) of their
    rectangle, in cells, 0 at the first cell's centre.
    """

    start: int
    stop: int
    cells: Tensor
    weight: float
    corners: Tensor


@dataclass(frozen=True)
class Conditioning:
    """An encoded prompt: `text` (1, tokens, dims), `pooled` (1, dims), and the guidance strength.

    `pooled` has no dims where a family has no such vector. The first `words` of the text tokens say something, those
    behind them are padding. `negative` is what the picture is guided away from, by a
    second forward; `None` where guidance is distilled into the model, or asks for nothing. `regions` are the text
    tokens that only a part of the picture sees, behind those that all of it does; `guides_regions` says that only
    their cells are guided.
    """

    text: Tensor
    pooled: Tensor
    guidance: float
    words: int
    negative: Conditioning | None = None
    regions: tuple[TextRegion, ...] = ()
    guides_regions: bool = False

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

    def with_region(
        self, words: Conditioning, cells: Tensor, weight: float, corners: Tensor
    ) -> Conditioning:
        """Return this conditioning with the words of another for the `cells` (k,) of the picture."""
        text = torch.cat([self.text, words.text], dim=1)
        region = TextRegion(self.text.shape[1], text.shape[1], cells, weight, corners)
        return replace(self, text=text, regions=(*self.regions, region))

    @property
    def common(self) -> Tensor:
        """The text tokens (1, tokens, dims) that all of the picture is told."""
        return self.text[:, : self.regions[0].start] if self.regions else self.text

    @property
    def places(self) -> Tensor:
        """The place of each text token (tokens,) in its own text: each region's words begin anew."""
        places = torch.arange(self.text.shape[1], device=self.text.device)
        for region in self.regions:
            places[region.start : region.stop] -= region.start
        return places

    @property
    def unguided(self) -> Conditioning:
        """This conditioning without guidance, embedded or by a second forward."""
        return replace(self, guidance=0.0, negative=None)

    @property
    def size(self) -> int:
        """Bytes of it."""
        own = sum(part.numel() * part.element_size() for part in (self.text, self.pooled))
        return own + (self.negative.size if self.negative else 0)


class EncodedPrompts:
    """Prompts that were encoded before, on the host; the longest unused make room."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Conditioning] = OrderedDict()

    def find(
        self, key: Hashable, device: torch.device, encode: Callable[[], Conditioning]
    ) -> Conditioning:
        """Return what `key` names, on `device`: encoded now, where it was not before."""
        kept = self._kept.get(key)
        found = encode() if kept is None else kept.to(device)
        self._kept[key] = found.to(torch.device("cpu")) if kept is None else kept
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and sum(one.size for one in self._kept.values()) > KEPT_WORDS:
            self._kept.popitem(last=False)
        return found


@dataclass(frozen=True)
class ReferenceTokens:
    """Clean tokens (1, n, channels) that the transformer sees beside the picture's, with their rotary ids (n, axes).

    The logits of their keys are raised by `bias` (n,); `None` where all weigh 1.
    """

    tokens: Tensor
    ids: Tensor
    bias: Tensor | None = None


class EncodedPicture(Protocol):
    """Encoded pixels: `digest` names them, `size` is their grid (rows, columns), `line` begins with their tokens."""

    @property
    def digest(self) -> str: ...
    @property
    def size(self) -> tuple[int, int]: ...
    @property
    def line(self) -> tuple[Tensor, Tensor]: ...


def spoken(tokenizer: Any, prompt: str, *, thinking: bool) -> int:
    """Return how many tokens a language model's tokenizer makes of a prompt, said to it in a conversation."""
    said = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}],
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=thinking,
    )
    return len(tokenizer(said).input_ids)
