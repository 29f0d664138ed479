"""FLUX.1 (dev, schnell, Krea, Kontext, fine-tunes) and the bundled mini model."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.embeddings import apply_rotary_emb
from diffusers.models.transformers.transformer_flux import FluxAttention, FluxAttnProcessor
from diffusers.pipelines.flux.pipeline_flux import calculate_shift
from torch import Tensor

from ..injection import Site
from .attention import TextFirst, attend, put_text_first, shared_keys
from .base import Family
from .conditioning import Conditioning
from .control import flux_residuals

CONTENT_SITES = (0, 7, 8, 9, 10, 18, 25, 28, 37, 42, 45, 50, 56)
"""Sites of FLUX.1 dev whose keys hardly care for position, and carry appearance (FreeFlux, arXiv 2503.16153).

Shared there only, a subject lends its looks and not its layout: `share_sites` of a model's defaults takes such a set.
Counted over all 57 sites, double-stream ones first. `benchmarks/probe_sites.py` finds them for a checkpoint.
"""


class FluxSiteProcessor(TextFirst, FluxAttnProcessor):
    """FLUX attention that lets its `Site` see and change the image tokens before they are projected.

    In a double-stream block text and image come separately; in a single-stream block they come as one sequence, text
    first, and `text_tokens` says where the image begins.
    """

    def __init__(self, site: Site, text_first: bool) -> None:
        super().__init__()
        self.site = site
        self.text_first = text_first

    @property
    def first_cell(self) -> int:
        """Where the image begins among the tokens that it attends with."""
        return self.text_tokens if self.text_first else 0

    def __call__(
        self,
        attn: FluxAttention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        image_rotary_emb: Tensor | None = None,
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Attend; `hidden_states` are (batch, tokens, dims) and the result has the same shape."""
        if self.site.mode != "off":
            if self.text_first:
                text, image = hidden_states.tensor_split([self.text_tokens], dim=1)
                hidden_states = torch.cat([text, self.site.enter(image)], dim=1)
            else:
                hidden_states = self.site.enter(hidden_states)
        if self.site.attends_plainly:
            return super().__call__(
                attn, hidden_states, encoder_hidden_states, attention_mask, image_rotary_emb
            )
        return self._attend(attn, hidden_states, encoder_hidden_states, image_rotary_emb)

    def _attend(
        self, attn: FluxAttention, hidden: Tensor, text: Tensor | None, rotary: Any
    ) -> Tensor | tuple[Tensor, Tensor]:
        """Attend as the site says, with its m shared tokens as additional keys and values.

        They stand at the cells that they were put into. (The paper's position zero makes them keys that the picture
        hardly looks at.) Their queries would be discarded, so none are made.
        """
        heads = (-1, attn.head_dim)
        query = attn.norm_q(attn.to_q(hidden).unflatten(-1, heads))
        key = attn.norm_k(attn.to_k(hidden).unflatten(-1, heads))
        value = attn.to_v(hidden).unflatten(-1, heads)
        if text is not None:
            query = torch.cat(
                [attn.norm_added_q(attn.add_q_proj(text).unflatten(-1, heads)), query], 1
            )
            key = torch.cat([attn.norm_added_k(attn.add_k_proj(text).unflatten(-1, heads)), key], 1)
            value = torch.cat([attn.add_v_proj(text).unflatten(-1, heads), value], 1)
        query = apply_rotary_emb(query, rotary, sequence_dim=1)
        key = apply_rotary_emb(key, rotary, sequence_dim=1)
        more = shared_keys(self.site, attn, heads, hidden)
        if more is not None and self.site.shared_at is not None:
            at = self.text_tokens + self.site.shared_at
            more = rotated_at(more[0], rotary, at), more[1]
        out = attend(self, query, (key, value), more, self.text_tokens)
        if text is None:
            return out
        text_out, image_out = out.split_with_sizes([text.shape[1], hidden.shape[1]], dim=1)
        return attn.to_out[1](attn.to_out[0](image_out.contiguous())), attn.to_add_out(
            text_out.contiguous()
        )


def rotated_at(key: Tensor, rotary: tuple[Tensor, Tensor], at: Tensor) -> Tensor:
    """Rotate keys (batch, m, heads, dims) as those of the sequence's tokens `at` (m,)."""
    cosine, sine = (rows.index_select(0, at) for rows in rotary)
    return apply_rotary_emb(key, (cosine, sine), sequence_dim=1)


class Flux(Family):
    """A loaded FLUX.1 pipeline, opened up for the method."""

    name = "flux"
    control_net = "FluxControlNetModel"

    def _install(self) -> None:
        for blocks, text_first in (
            (self.transformer.transformer_blocks, False),
            (self.transformer.single_transformer_blocks, True),
        ):
            for block in blocks:
                self._add_site(block.attn, FluxSiteProcessor(Site(), text_first))

    @property
    def text_limit(self) -> int:
        """T5's length, as the tokenizer has it."""
        return min(super().text_limit, int(self.pipeline.tokenizer_2.model_max_length))

    def encode_prompt(self, prompt: str, guidance: float) -> Conditioning:
        """Encode a prompt with CLIP (pooled) and T5, padded to the model's text length."""
        with torch.no_grad():
            text, pooled, _ = self.pipeline.encode_prompt(
                prompt=prompt,
                prompt_2=prompt,
                device=self.device,
                max_sequence_length=self.text_limit,
            )
        return Conditioning(text, pooled, guidance, self.words(prompt))

    def count_tokens(self, prompt: str) -> int:
        """Return how many text tokens a prompt's own words are, T5's mark of their end included."""
        return len(self.pipeline.tokenizer_2(prompt, verbose=False).input_ids)

    def _shift(self, steps: int, cells: int) -> float:
        return scheduled_shift(self.pipeline.scheduler.config, cells)

    def grid_ids(self, rows: int, cols: int) -> Tensor:
        """Return ids (0, row, column) of each cell."""
        ids = torch.zeros(rows, cols, 3, device=self.device)
        ids[..., 1] = torch.arange(rows, device=self.device)[:, None]
        ids[..., 2] = torch.arange(cols, device=self.device)[None, :]
        return ids.view(rows * cols, 3)

    def rotation(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosine and sine (cells, head dims) of the rotary encoding at `ids`."""
        return self.transformer.pos_embed(ids)

    def encode_control(self, kind: str, pixels: Tensor) -> Tensor:
        """Return a control picture's pixels (1, 3, height, width) as its net takes them: as tokens, or as they are."""
        if self.nets[kind].input_hint_block is not None:
            return pixels.to(self.device, self.dtype)
        return self.encode_latents(pixels).to(self.dtype)

    def _residuals(
        self, tokens: Tensor, sigma: Tensor, conditioning: Conditioning, ids: Tensor
    ) -> dict[str, Any]:
        if not self.controls:
            return {}
        text, batch = conditioning.common, len(tokens)
        given = {
            "hidden_states": tokens.to(self.dtype),
            "timestep": sigma.expand(batch).to(self.dtype),
            "pooled_projections": conditioning.pooled.to(self.dtype).expand(batch, -1),
            "encoder_hidden_states": text.to(self.dtype).expand(batch, -1, -1),
            "txt_ids": torch.zeros(text.shape[1], 3, device=self.device),
            "img_ids": ids,
        }
        guidance = torch.full((batch,), conditioning.guidance, device=self.device)
        return flux_residuals(self.controls, self.nets, self.transformer, given, guidance)

    def _text_ids(self, conditioning: Conditioning) -> Tensor:
        """Return the rotary ids (tokens, 3) of the text: zeros, but a model may want words at corners."""
        ids = torch.zeros(conditioning.text.shape[1], 3, device=self.device)
        if self.defaults.words_at_corners:
            for region in conditioning.regions:
                middle = (region.start + region.stop + 1) // 2
                ids[region.start : middle, 1:], ids[middle : region.stop, 1:] = region.corners
        return ids

    @torch.no_grad()
    def run(self, tokens: Tensor, sigma: Tensor, conditioning: Conditioning, ids: Tensor) -> Tensor:
        """Run the transformer once. Guidance is embedded where the checkpoint was distilled with it."""
        told = self._residuals(tokens, sigma, conditioning, ids)
        put_text_first(self.processors, conditioning.text)
        batch = len(tokens)
        guidance = None
        if self.embeds_guidance:
            guidance = torch.full((batch,), conditioning.guidance, device=self.device)
        return self.transformer(
            hidden_states=tokens.to(self.dtype),
            timestep=sigma.expand(batch).to(self.dtype),
            guidance=guidance,
            pooled_projections=conditioning.pooled.to(self.dtype).expand(batch, -1),
            encoder_hidden_states=conditioning.text.to(self.dtype).expand(batch, -1, -1),
            txt_ids=self._text_ids(conditioning),
            img_ids=ids,
            return_dict=False,
            **told,
        )[0].float()


class FluxControl(Flux):
    """A loaded FLUX.1 Depth or Canny pipeline: the control picture's tokens stand in channels behind the picture's.

    Where no control picture counts they are 0, in the forwards of references too.
    """

    control_net = ""

    @property
    def channels(self) -> int:
        """Channels of one token of the picture: half of those that the transformer takes."""
        return super().channels // 2

    def takes_control(self, kind: str) -> bool:
        """Return whether the model takes a kind of control picture: any, for it does not say for which it was made."""
        return True

    def encode_control(self, kind: str, pixels: Tensor) -> Tensor:
        """Return a control picture's pixels (1, 3, height, width) as tokens."""
        return self.encode_latents(pixels)

    def _residuals(
        self, tokens: Tensor, sigma: Tensor, conditioning: Conditioning, ids: Tensor
    ) -> dict[str, Any]:
        return {}

    def run(self, tokens: Tensor, sigma: Tensor, conditioning: Conditioning, ids: Tensor) -> Tensor:
        """Run the transformer once."""
        control = torch.zeros_like(tokens)
        for part in self.controls:
            control = control + part.weight * part.covered(part.picture)
        return super().run(torch.cat([tokens, control], dim=2), sigma, conditioning, ids)


class FluxKontext(Flux):
    """A loaded FLUX.1 Kontext pipeline, which takes a reference picture."""

    takes_references = True
    control_net = ""
    takes_several = False

    def reference_ids(self, index: int, rows: int, cols: int) -> Tensor:
        """Return ids (index + 1, row, column): the model takes references as pictures of later times."""
        ids = self.grid_ids(rows, cols)
        ids[:, 0] = index + 1
        return ids


def scheduled_shift(config: Any, cells: int) -> float:
    """Return FLUX.1's `mu`, linear in the number of cells, with a scheduler's own constants."""
    return calculate_shift(
        cells,
        config.get("base_image_seq_len", 256),
        config.get("max_image_seq_len", 4096),
        config.get("base_shift", 0.5),
        config.get("max_shift", 1.15),
    )
