"""Krea 2, Turbo and Raw: one stream, text first, whose position ids are an argument.

All text stands at (0, 0, 0), so that its order and padding say nothing: it is encoded without any. The conditioning
holds several layers of the language model, beside each other in a token's dims. The attention has a gate, made from
what enters it, and fewer keys than queries.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.embeddings import apply_rotary_emb
from diffusers.models.transformers.transformer_krea2 import Krea2AttnProcessor
from torch import Tensor

from ..injection import Site
from .attention import TextFirst, put_text_first, region_bias
from .base import Family
from .conditioning import Conditioning
from .flux import rotated_at, scheduled_shift
from .one_stream import OneStreamProcessor
from .video_autoencoder import VideoAutoencoder

DISTILLED_SHIFT = 1.15
"""Turbo's `mu`, whatever the canvas."""


class KreaSiteProcessor(TextFirst, OneStreamProcessor, Krea2AttnProcessor):
    """Krea 2's attention, which lets its `Site` see and change the image tokens before they are projected."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.site = site

    def __call__(
        self,
        attn: Any,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        image_rotary_emb: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """Attend; `hidden_states` are (batch, text + cells, dims) and the result has the same shape."""
        if self.site.mode != "off":
            text = hidden_states[:, : self.text_tokens]
            image = self.site.enter(hidden_states[:, self.text_tokens :])
            hidden_states = torch.cat([text, image], dim=1)
        if self.site.attends_plainly:
            return super().__call__(attn, hidden_states, attention_mask, image_rotary_emb)

        def turn(x: Tensor, at: Tensor | None) -> Tensor:
            if image_rotary_emb is None:
                return x
            if at is not None:
                return rotated_at(x, image_rotary_emb, at)
            return apply_rotary_emb(x, image_rotary_emb, sequence_dim=1)

        out = self.attend_in_one(attn, hidden_states, attn.head_dim, self.first_cell, turn)
        return attn.to_out[0](out * torch.sigmoid(attn.to_gate(hidden_states)))


class Krea2(VideoAutoencoder, Family):
    """A loaded Krea 2 pipeline, opened up for the method."""

    name = "krea2"

    guidance_of_none = 0.0

    def _install(self) -> None:
        for block in self.transformer.transformer_blocks:
            self._add_site(block.attn, KreaSiteProcessor(Site()))
        self._text_sites = []
        for block in self.transformer.text_fusion.refiner_blocks:
            block.attn.set_processor(processor := KreaSiteProcessor(Site()))
            self._text_sites.append(processor.site)

    def encode_prompt(self, prompt: str, guidance: float) -> Conditioning:
        """Encode a prompt with the language model; its length is the prompt's own and that of the template's end."""
        pipeline, begin = self.pipeline, self.pipeline.prompt_template_encode_start_idx
        end = pipeline.tokenizer(pipeline.prompt_template_encode_suffix, return_tensors="pt")
        said = pipeline.tokenizer(
            pipeline.prompt_template_encode_prefix + prompt,
            max_length=begin + self.text_limit - end.input_ids.shape[1],
            truncation=True,
            return_tensors="pt",
        )
        ids = torch.cat([said.input_ids, end.input_ids], dim=1).to(self.device)
        with torch.no_grad():
            states = pipeline.text_encoder(input_ids=ids, output_hidden_states=True).hidden_states
        text = torch.cat([states[layer] for layer in pipeline.text_encoder_select_layers], dim=-1)
        text = text[:, begin:]
        return Conditioning(text, text.new_zeros(1, 0), guidance, text.shape[1])

    def count_tokens(self, prompt: str) -> int:
        """Return how many text tokens a prompt's own words are, with the end of the template that they stand in."""
        pipeline = self.pipeline
        parts = (
            pipeline.prompt_template_encode_prefix + prompt,
            pipeline.prompt_template_encode_suffix,
        )
        count = sum(len(pipeline.tokenizer(part).input_ids) for part in parts)
        return count - int(pipeline.prompt_template_encode_start_idx)

    def text_tokens(self, prompt: str) -> int:
        """Return how many tokens an encoded prompt has: those of its words."""
        return self.words(prompt)

    def guided_by_negative(self, guidance: float) -> bool:
        """Return whether a second forward guides: at any guidance but none."""
        return guidance > self.guidance_of_none

    def _shift(self, steps: int, cells: int) -> float:
        if self.pipeline.config.is_distilled:
            return DISTILLED_SHIFT
        return scheduled_shift(self.pipeline.scheduler.config, cells)

    def grid_ids(self, rows: int, cols: int) -> Tensor:
        """Return ids (0, row, column) of each cell."""
        ids = torch.zeros(rows, cols, 3, device=self.device)
        ids[..., 1] = torch.arange(rows, device=self.device)[:, None]
        ids[..., 2] = torch.arange(cols, device=self.device)[None, :]
        return ids.view(rows * cols, 3)

    def rotation(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosine and sine (cells, head dims) of the rotary encoding at `ids`."""
        return self.transformer.rotary_emb(ids)

    def part_regions(self, conditioning: Conditioning, tokens: int) -> None:
        """Have words and cells of regions see each other alone, in the refiner of the text too."""
        super().part_regions(conditioning, tokens)
        regions, alone = conditioning.regions, None
        if regions:
            like = conditioning.text.new_empty(0, dtype=self.dtype)
            alone = region_bias(regions, conditioning.text.shape[1], 0, None, like)
        for site in self._text_sites:
            site.bias = alone

    @torch.no_grad()
    def run(self, tokens: Tensor, sigma: Tensor, conditioning: Conditioning, ids: Tensor) -> Tensor:
        """Run the transformer once."""
        batch, text_tokens = len(tokens), conditioning.text.shape[1]
        put_text_first(self.processors, conditioning.text)
        layers = int(self.transformer.config.num_text_layers)
        text = conditioning.text.to(self.dtype).expand(batch, -1, -1)
        return self.transformer(
            hidden_states=tokens.to(self.dtype),
            encoder_hidden_states=text.unflatten(-1, (layers, -1)),
            timestep=sigma.expand(batch).to(self.dtype),
            position_ids=torch.cat([ids.new_zeros(text_tokens, 3), ids]),
            return_dict=False,
        )[0].float()
