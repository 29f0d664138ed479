"""Z-Image and Z-Image-Turbo: one stream of image and text, in that order.

The transformer pads image and text to multiples of 32 tokens and lays the position ids itself: text at
(place, 0, 0), the image behind it at (padded text + 1, row, column), padding at zero. It counts time the other way, 1 -
sigma, and gives the velocity towards the picture: minus ours. Two refiner layers see the image alone.
"""

from __future__ import annotations

import torch
from diffusers.models.attention_processor import Attention
from diffusers.models.transformers.transformer_z_image import ZSingleStreamAttnProcessor
from torch import Tensor

from ..injection import Site
from .attention import region_bias
from .base import Family
from .conditioning import Conditioning, spoken
from .control import total
from .flux import scheduled_shift
from .one_stream import OneStreamProcessor

PADDED = 32
"""Text and image are padded to multiples of so many tokens."""


class ZImageSiteProcessor(OneStreamProcessor, ZSingleStreamAttnProcessor):
    """Z-Image's attention, which lets its `Site` see and change the image tokens before they are projected.

    A sequence is the image's `cells` (a scalar tensor), its padding, and in the main layers the text with its own. The
    image comes first, so a cell's number is its place.
    """

    first_cell = 0

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.site = site
        self.cells: Tensor | None = None

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        freqs_cis: Tensor | None = None,
    ) -> Tensor:
        """Attend; `hidden_states` are (batch, tokens, dims) and the result has the same shape."""
        site = self.site
        if site.take is not None and self.cells is not None:
            padding = hidden_states.shape[1] - self.cells
            row = site.take.div(self.cells, rounding_mode="floor")
            site.captured = hidden_states.flatten(0, 1).index_select(0, site.take + row * padding)
        if site.put is not None:
            rows = site.rows(hidden_states.index_select(1, site.put))
            hidden_states = hidden_states.index_copy(1, site.put, rows)
        if site.attends_plainly:
            return super().__call__(
                attn, hidden_states, encoder_hidden_states, attention_mask, freqs_cis
            )

        def turn(x: Tensor, at: Tensor | None) -> Tensor:
            if freqs_cis is None or at is None:
                return _rotate(x, freqs_cis)
            return _rotate(x, freqs_cis.index_select(1, at))

        head_dims = attn.inner_dim // attn.heads
        return attn.to_out[0](self.attend_in_one(attn, hidden_states, head_dims, 0, turn))


def _rotate(x: Tensor, rotation: Tensor | None) -> Tensor:
    """Rotate pairs of dims of x (batch, tokens, heads, dims) by complex numbers (batch, tokens, dims / 2)."""
    if rotation is None:
        return x
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * rotation.unsqueeze(2)).flatten(3).type_as(x)


class ZImage(Family):
    """A loaded Z-Image pipeline, opened up for the method."""

    name = "z_image"
    control_net = "ZImageControlNetModel"

    guidance_of_none = 0.0

    def _install(self) -> None:
        for block in (*self.transformer.noise_refiner, *self.transformer.layers):
            self._add_site(block.attention, ZImageSiteProcessor(Site()))
        self._text_sites = []
        for block in self.transformer.context_refiner:
            block.attention.set_processor(processor := ZImageSiteProcessor(Site()))
            self._text_sites.append(processor.site)

    @property
    def channels(self) -> int:
        """Channels of one token: the autoencoder's times the 2 x 2 latent pixels of a cell."""
        return 4 * int(self.transformer.config.in_channels)

    def encode_prompt(self, prompt: str, guidance: float) -> Conditioning:
        """Encode a prompt with the language model; its length is the prompt's own."""
        with torch.no_grad():
            [text], _ = self.pipeline.encode_prompt(
                prompt=prompt,
                device=self.device,
                do_classifier_free_guidance=False,
                max_sequence_length=self.text_limit,
            )
        pooled, words = text.new_zeros(1, 0), self.words(prompt)
        return Conditioning(text[None], pooled, guidance, words)

    def guided_by_negative(self, guidance: float) -> bool:
        """Return whether a second forward guides: at any guidance but none."""
        return guidance > self.guidance_of_none

    def count_tokens(self, prompt: str) -> int:
        """Return how many text tokens a prompt's own words are, in the tokenizer's form of a conversation."""
        return spoken(self.pipeline.tokenizer, prompt, thinking=True)

    def text_tokens(self, prompt: str) -> int:
        """Return how many tokens an encoded prompt has: those of its words."""
        return self.words(prompt)

    def _shift(self, steps: int, cells: int) -> float:
        return scheduled_shift(self.pipeline.scheduler.config, cells)

    def grid_ids(self, rows: int, cols: int) -> Tensor:
        """Return ids (0, row, column) of each cell, on the host: only the grid's size is read from them."""
        return torch.cartesian_prod(torch.arange(1), torch.arange(rows), torch.arange(cols))

    def rotation(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosine and sine (cells, head dims) of the rotary encoding at `ids`."""
        turn = self.transformer.rope_embedder(ids.to(self.device))  # complex (cells, head dims / 2)
        return turn.real.repeat_interleave(2, -1), turn.imag.repeat_interleave(2, -1)

    def part_regions(self, conditioning: Conditioning, tokens: int) -> None:
        """Have words and cells of regions see each other alone, in the refiner of the text too.

        The image comes first, and both are padded.
        """
        regions, text = conditioning.regions, conditioning.text.shape[1]
        text, cells = (-(-count // PADDED) * PADDED for count in (text, tokens))
        like = conditioning.text.new_empty(0, dtype=self.dtype)
        alone = region_bias(regions, text, 0, None, like) if regions else None
        whole = region_bias(regions, cells + text, cells, 0, like) if regions else None
        refiners = len(self.transformer.noise_refiner)  # which see no text
        for site in self._text_sites:
            site.bias = alone
        for site in self.sites[refiners:]:
            site.bias = whole

    @torch.no_grad()
    def run(self, tokens: Tensor, sigma: Tensor, conditioning: Conditioning, ids: Tensor) -> Tensor:
        """Run the transformer once, on latents (batch, channels / 4, 1, 2 rows, 2 columns)."""
        rows, cols = (int(size) + 1 for size in ids[-1, 1:])
        cells = torch.tensor(rows * cols, device=self.device)
        for processor in self.processors:
            processor.cells = cells
        latents = self.unpack(tokens, rows, cols).to(self.dtype).unsqueeze(2)
        text = conditioning.text.to(self.dtype).expand(len(tokens), -1, -1)
        given = list(latents.unbind()), (1 - sigma).expand(len(tokens)), list(text.unbind())
        towards_picture = self.transformer(
            *given, controlnet_block_samples=self._residuals(given, rows, cols), return_dict=False
        )[0]
        return -self.pack(torch.stack(towards_picture).squeeze(2).float())

    def _residuals(
        self, given: tuple[list[Tensor], Tensor, list[Tensor]], rows: int, cols: int
    ) -> dict[int, Tensor] | None:
        """Return what the nets add after each layer that they know, for what the transformer is `given`."""
        made: dict[int, list[Tensor]] = {}
        for part in self.controls:
            net = self.nets[part.kind]
            picture = self.unpack(part.picture, rows, cols).to(self.dtype)[0].unsqueeze(1)
            missing = int(net.config.control_in_dim) - len(picture)
            if missing:  # channels for inpainting
                picture = torch.cat([picture, picture.new_zeros(missing, *picture.shape[1:])])
            samples = net(*given, [picture] * len(given[0]), conditioning_scale=part.weight)
            for layer, sample in samples.items():
                made.setdefault(layer, []).append(part.covered(sample))
        return {layer: total(samples) for layer, samples in made.items()} or None
