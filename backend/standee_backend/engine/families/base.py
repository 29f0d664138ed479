"""What a model family must offer to the method, and the defaults that suit it.

Everything that differs between Diffusion Transformers is here: text, schedule, autoencoder, position ids, where the
attention takes its image tokens. `compose.py` knows none of it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from ..images import Array
from ..injection import Site
from .lora_adapters import Adapters


@dataclass(frozen=True)
class Defaults:
    """What a model does where a composition leaves the choice to it; see `standee.composition.Method`.

    `share_sites` are the sites whose attention reads the subjects' tokens in the late steps; `None` is all of them.
    `text_tokens` is the length of text that the model was made for, where it is shorter than its tokenizer's.
    """

    steps: int = 28
    guidance: float = 3.5
    tau: float = 0.5
    scene_tau: float = 0.1
    inject: bool = True
    anchor: float = 0.3
    sharing: bool = True
    share_by: Literal["attention", "input"] = "attention"
    share_sites: frozenset[int] | None = None
    detail: float = 1.0
    join_words: bool = True
    gamma: float = 1.0
    text_tokens: int | None = None

    def having(self, chosen: Mapping[str, Any]) -> Defaults:
        """Return these with whatever of `chosen` is not `None` laid over them."""
        given = {name: value for name, value in chosen.items() if value is not None}
        if "anchor" in given:
            given["anchor"] = float(given["anchor"])
        if "share_sites" in given:
            given["share_sites"] = frozenset(given["share_sites"])
        return replace(self, **given)


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
class Beside:
    """Clean tokens (1, n, channels) that the transformer sees beside the picture's, with their rotary ids (n, axes)."""

    tokens: Tensor
    ids: Tensor


class Encoded(Protocol):
    """Encoded pixels: `digest` names them, `size` is their grid (rows, columns), `line` begins with their tokens."""

    @property
    def digest(self) -> str: ...
    @property
    def size(self) -> tuple[int, int]: ...
    @property
    def line(self) -> tuple[Tensor, Tensor]: ...


class Family(ABC):
    """One loaded model. Tokens are (batch, cells, channels); pixels (batch, 3, height, width) in -1..1."""

    name: str
    patch: int
    """px per cell."""
    latent_px: int
    """px per latent pixel; a cell holds (patch / latent_px) squared of them."""
    device: torch.device
    defaults: Defaults
    adapters: Adapters
    """The LoRAs that lie over the model."""
    sites: list[Site]
    """Every attention site of the transformer, in the order in which a forward passes them."""

    @property
    @abstractmethod
    def reference_text(self) -> int:
        """The text tokens of a reference's forward, where its words are not more."""

    @abstractmethod
    def encode_prompt(self, prompt: str, guidance: float) -> Conditioning:
        """Encode one prompt, without a negative."""

    @property
    @abstractmethod
    def text_limit(self) -> int:
        """How many text tokens the model was made for, at most."""

    @abstractmethod
    def counted(self, prompt: str) -> int:
        """Return how many text tokens a prompt's own words are, those that are cut off among them."""

    def guided_by_negative(self, guidance: float) -> bool:
        """Return whether the model is guided, at this strength, by a second forward with a negative prompt."""
        return False

    def encode_prompts(self, prompts: Sequence[str], guidance: float) -> dict[str, Conditioning]:
        """Encode several prompts; afterwards the text encoders may leave the device."""
        return {prompt: self.encode_prompt(prompt, guidance) for prompt in prompts}

    @abstractmethod
    def sigmas(self, steps: int, cells: int) -> Tensor:
        """Return the noise levels (steps + 1,) from 1 (or just below) down to 0 for a picture of `cells` tokens."""

    @abstractmethod
    def encode_latents(self, pixels: Tensor) -> Tensor:
        """Encode pixels, untiled, to normalised clean tokens."""

    @abstractmethod
    def decode_latents(self, tokens: Tensor, rows: int, cols: int) -> Tensor:
        """Decode tokens of a `rows` x `cols` grid to pixels."""

    @abstractmethod
    def sketch_latents(self, tokens: Tensor, rows: int, cols: int) -> Tensor:
        """Decode tokens to about what `decode_latents` makes of them, at half its size and hardly any cost."""

    @abstractmethod
    def reconstructed(self, crop: Encoded) -> Array:
        """Return what the autoencoder makes of a crop's pixels, (height, width, 3) in 0..1, on the host."""

    @abstractmethod
    def pack(self, latents: Tensor) -> Tensor:
        """Pack a map of latent pixels (batch, channels, height, width) into tokens, as `encode_latents` does."""

    @abstractmethod
    def unpack(self, tokens: Tensor, rows: int, cols: int) -> Tensor:
        """Undo `pack`."""

    @abstractmethod
    def grid_ids(self, rows: int, cols: int, row: int = 0, col: int = 0) -> Tensor:
        """Return the rotary ids (rows * cols, axes) of a grid whose first cell is at (`row`, `col`)."""

    @property
    @abstractmethod
    def embeds_guidance(self) -> bool:
        """Whether the transformer is told the strength of guidance, so that all it computes depends on it."""

    takes_references = False
    """Whether the model was trained to see reference pictures beside its own."""

    def reference_ids(self, index: int, rows: int, cols: int) -> Tensor:
        """Return the rotary ids (rows * cols, axes) of reference picture `index`, where `takes_references`."""
        raise ValueError(f"{self.name} takes no reference pictures")

    @abstractmethod
    def velocity(
        self,
        tokens: Tensor,
        sigma: Tensor,
        conditioning: Conditioning,
        ids: Tensor,
        beside: Beside | None = None,
    ) -> Tensor:
        """Return the velocity d tokens / d sigma at noise level `sigma` (a scalar tensor), guided."""

    @abstractmethod
    def attend_by(self, wanted: str) -> str:
        """Compute attention by a backend (see `attention.py`), `auto` being the best there is; return its name."""

    @abstractmethod
    def reuse_blocks(self, threshold: float) -> None:
        """Skip blocks of the picture's forwards whose first changes by less than `threshold`."""

    @abstractmethod
    def picture(self) -> AbstractContextManager[None]:
        """Return a context around the steps of one picture."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a digest that changes whenever the weights, their precision or the LoRAs over them do."""

    @property
    @abstractmethod
    def channels(self) -> int:
        """Channels of one token."""

    @property
    def latents_per_cell(self) -> int:
        """Latent pixels of one cell."""
        return (self.patch // self.latent_px) ** 2

    @abstractmethod
    def release(self) -> None:
        """Give back what offloading keeps on the device between jobs."""
