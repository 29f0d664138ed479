"""FLUX.2 dev, and klein, 4B and 9B, base and distilled.

Its double-stream blocks attend as FLUX.1's do. Its single-stream blocks make Q, K, V and the MLP's input in one
projection. Ids have four axes (time, row, column, place in the text), and the autoencoder's latents are normalised by
the running statistics of a batch norm, channel by channel of the packed token.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.embeddings import apply_rotary_emb
from diffusers.models.transformers.transformer_flux2 import (
    Flux2ParallelSelfAttention,
    Flux2ParallelSelfAttnProcessor,
)
from diffusers.pipelines.flux2.pipeline_flux2 import compute_empirical_mu, format_input
from torch import Tensor, nn

from ..injection import Site
from .attention import TextFirst, attend, put_text_first
from .base import Family
from .conditioning import Conditioning, spoken
from .flux import FluxSiteProcessor, rotated_at
from .wide_layers import linear


class FusedSiteProcessor(TextFirst, Flux2ParallelSelfAttnProcessor):
    """FLUX.2's single-stream attention, which lets its `Site` see the image tokens, and change their Q, K and V.

    Tokens are one sequence, text first; `text_tokens` says where the image begins. The MLP, which starts from the same
    projection, goes on from the picture's own tokens, as it does in blocks that keep the two apart.
    """

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.site = site

    def __call__(
        self,
        attn: Flux2ParallelSelfAttention,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        image_rotary_emb: Any = None,
    ) -> Tensor:
        """Attend; `hidden_states` are (batch, text + cells, dims) and the result has the same shape."""
        if self.site.take is not None:
            image = hidden_states[:, self.text_tokens :].flatten(0, 1)
            self.site.captured = image.index_select(0, self.site.take)
        if self.site.tokens is None and self.site.attends_plainly:
            return super().__call__(attn, hidden_states, attention_mask, image_rotary_emb)
        return self._attend_injected(attn, hidden_states, image_rotary_emb)

    def _attend_injected(
        self,
        attn: Flux2ParallelSelfAttention,
        hidden: Tensor,
        rotary: tuple[Tensor, Tensor],
    ) -> Tensor:
        """Attend with replaced tokens, and m shared ones as additional keys and values at their cells."""
        site, none = self.site, hidden[:, :0]
        replaced, shared, put = none, none, hidden.new_empty(0, dtype=torch.long)
        if site.tokens is not None and site.put is not None:
            put = site.put + self.text_tokens
            replaced = site.rows(hidden.index_select(1, put))
        if site.shared is not None:
            shared = site.shared.to(hidden.dtype)[None]
        qkv, mlp, shared = project(attn, hidden, replaced, put, shared)
        heads = (-1, attn.head_dim)
        shared_key, shared_value = (part.unflatten(-1, heads) for part in shared.chunk(2, dim=-1))
        more = site.keys(lambda _: (attn.norm_k(shared_key), shared_value), hidden)
        if more is not None and site.shared_at is not None:
            more = rotated_at(more[0], rotary, self.text_tokens + site.shared_at), more[1]
        query, key, value = (part.unflatten(-1, heads) for part in qkv.chunk(3, dim=-1))
        query = apply_rotary_emb(attn.norm_q(query), rotary, sequence_dim=1)
        key = apply_rotary_emb(attn.norm_k(key), rotary, sequence_dim=1)
        out = attend(self, query, (key, value), more, self.text_tokens)
        return attn.to_out(torch.cat([out, attn.mlp_act_fn(mlp)], dim=-1))


def project(
    attn: Flux2ParallelSelfAttention, own: Tensor, replaced: Tensor, put: Tensor, shared: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Make Q, K and V with k tokens replaced at `put` (k,), the MLP's input without, and K and V of the m shared ones.

    A plain projection is cut into these rows, and replaced tokens cost nothing. One that is packed, or has LoRAs, can
    only be run as it is: over (batch, n + k + m, dims).
    """
    fused, dims = attn.to_qkv_mlp_proj, attn.inner_dim
    if type(fused) is nn.Linear:
        weight, bias = fused.weight.to(own.dtype), fused.bias  # the weight may be kept in 8 bits
        seen = own.index_copy(1, put, replaced)
        rows = slice(3 * dims), slice(3 * dims, None), slice(dims, 3 * dims)
        qkv, mlp, kv = (
            linear(fused, tokens, weight[part], None if bias is None else bias[part].to(own.dtype))
            for tokens, part in zip((seen, own, shared), rows, strict=True)
        )
        return qkv, mlp, kv
    projected = fused(torch.cat([own, replaced, shared], dim=1))
    qkv, mlp = projected.tensor_split([3 * dims], dim=-1)
    qkv, replaced, shared = qkv.split([own.shape[1], replaced.shape[1], shared.shape[1]], dim=1)
    return qkv.index_copy(1, put, replaced), mlp[:, : own.shape[1]], shared[..., dims:]


class Flux2(Family):
    """A loaded FLUX.2 pipeline, opened up for the method."""

    name = "flux2"
    takes_references = True

    def _install(self) -> None:
        for block in self.transformer.transformer_blocks:
            self._add_site(block.attn, FluxSiteProcessor(Site(), text_first=False))
        for block in self.transformer.single_transformer_blocks:
            self._add_site(block.attn, FusedSiteProcessor(Site()))

    @property
    def text_limit(self) -> int:
        """512, or what the tokenizer allows."""
        limit = getattr(self.pipeline.tokenizer, "model_max_length", None)
        return min(super().text_limit, int(limit or super().text_limit))

    def encode_prompt(self, prompt: str, guidance: float) -> Conditioning:
        """Encode a prompt with the language model, padded to the model's text length."""
        with torch.no_grad():
            text, _ = self.pipeline.encode_prompt(
                prompt=prompt, device=self.device, max_sequence_length=self.text_limit
            )
        pooled, words = text.new_zeros(len(text), 0), self.words(prompt)
        return Conditioning(text, pooled, guidance, words)

    def guided_by_negative(self, guidance: float) -> bool:
        """Return whether a second forward guides: in klein's base checkpoints, not in those distilled to few steps."""
        distilled = self.pipeline.config.get("is_distilled", False) or self.embeds_guidance
        return not distilled and guidance > self.guidance_of_none

    def count_tokens(self, prompt: str) -> int:
        """Return how many text tokens a prompt's own words are, in the tokenizer's form of a conversation."""
        return spoken(self.pipeline.tokenizer, prompt, thinking=False)

    def _shift(self, steps: int, cells: int) -> float:
        return compute_empirical_mu(cells, steps)

    def normalisation(self) -> tuple[Tensor, Tensor]:
        """Return shift and scale (channels,) of the batch norm."""
        vae = self.pipeline.vae
        mean, variance = (
            x.to(self.device, torch.float32) for x in (vae.bn.running_mean, vae.bn.running_var)
        )
        return mean, (variance + vae.config.batch_norm_eps).rsqrt()

    def grid_ids(self, rows: int, cols: int) -> Tensor:
        """Return ids (0, row, column, 0) of each cell."""
        ids = torch.zeros(rows, cols, 4, device=self.device)
        ids[..., 1] = torch.arange(rows, device=self.device)[:, None]
        ids[..., 2] = torch.arange(cols, device=self.device)[None, :]
        return ids.view(rows * cols, 4)

    def reference_ids(self, index: int, rows: int, cols: int) -> Tensor:
        """Return ids (10 (index + 1), row, column, 0): the model takes references as pictures of other times."""
        ids = self.grid_ids(rows, cols)
        ids[:, 0] = 10 * (index + 1)
        return ids

    def rotation(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosine and sine (cells, head dims) of the rotary encoding at `ids`."""
        return self.transformer.pos_embed(ids)

    @torch.no_grad()
    def run(self, tokens: Tensor, sigma: Tensor, conditioning: Conditioning, ids: Tensor) -> Tensor:
        """Run the transformer once; text tokens have ids (0, 0, 0, place)."""
        batch, text_tokens = len(tokens), conditioning.text.shape[1]
        put_text_first(self.processors, conditioning.text)
        text_ids = torch.zeros(text_tokens, 4, device=self.device)
        text_ids[:, 3] = conditioning.places
        guidance = None
        if self.embeds_guidance:
            guidance = torch.full((batch,), conditioning.guidance, device=self.device)
        return self.transformer(
            hidden_states=tokens.to(self.dtype),
            timestep=sigma.expand(batch).to(self.dtype),
            guidance=guidance,
            encoder_hidden_states=conditioning.text.to(self.dtype).expand(batch, -1, -1),
            txt_ids=text_ids,
            img_ids=ids,
            return_dict=False,
        )[0].float()


class Flux2Dev(Flux2):
    """A loaded FLUX.2 dev pipeline, whose words a Mistral reads."""

    @property
    def reference_text(self) -> int:
        """The text tokens of a reference's forward: all of them where padding stands before the words."""
        before = getattr(self.pipeline.tokenizer, "padding_side", "right") == "left"
        return self.text_limit if before else super().reference_text

    def count_tokens(self, prompt: str) -> int:
        """Return how many text tokens a prompt's own words are, in the conversation that they are said in."""
        pipeline = self.pipeline
        [said] = format_input([prompt], pipeline.system_message)
        found = pipeline.tokenizer.apply_chat_template(
            said, add_generation_prompt=False, tokenize=True, return_dict=True
        )
        return len(found["input_ids"])
