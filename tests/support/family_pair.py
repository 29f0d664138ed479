"""A family beside its checkpoint as diffusers has it: a plain oracle of what is captured, replaced and shared."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import diffusers
import torch
from torch import Tensor

from standee_backend.engine.families.base import Family
from standee_backend.engine.families.conditioning import Conditioning

from .word_regions import text_places

PUT = torch.tensor([8, 9, 14, 15, 20])
"""The cells of the picture that are given tokens."""

LAYERS = -1  # in the place of a site: attention over the layers of each word, where Krea 2 begins


@dataclass
class Pair:
    """A family, and its checkpoint loaded once more as diffusers has it."""

    ours: Family
    theirs: Any
    text_tokens: int = 0

    @property
    def projections(self) -> list[tuple[Any, list[str], bool]]:
        """Of each attention over image tokens: itself, its projections, and whether text comes first in it."""
        transformer = self.theirs.transformer
        apart = ["to_q", "to_k", "to_v"]
        if isinstance(self.theirs, diffusers.ZImagePipeline):
            blocks = [*transformer.noise_refiner, *transformer.layers]
            return [(block.attention, apart, False) for block in blocks]
        if self.ours.name == "krea2":
            names = [*apart, "to_gate"]
            return [(block.attn, names, True) for block in transformer.transformer_blocks]
        single = ["to_qkv_mlp_proj"] if self.ours.name == "flux2" else apart
        one_stream = getattr(transformer, "single_transformer_blocks", ())
        return [
            *((block.attn, apart, False) for block in transformer.transformer_blocks),
            *((block.attn, single, True) for block in one_stream),
        ]

    def forward(self, tokens: Tensor, sigma: Tensor, prompt: Conditioning, grid: tuple[int, int]):
        """Call the transformer as its pipeline's `__call__` does; returns the velocity."""
        pipeline, batch = self.theirs, len(tokens)
        time = sigma.expand(batch)
        if isinstance(pipeline, diffusers.ZImagePipeline):
            latents = diffusers.FluxPipeline._unpack_latents(tokens, grid[0] * 16, grid[1] * 16, 8)
            out = pipeline.transformer(
                list(latents.unsqueeze(2)), 1 - time, list(prompt.text), return_dict=False
            )[0]
            velocity = -torch.stack(out).squeeze(2)
            return diffusers.FluxPipeline._pack_latents(
                velocity, batch, 16, 2 * grid[0], 2 * grid[1]
            )
        given = {"hidden_states": tokens, "timestep": time, "encoder_hidden_states": prompt.text}
        if self.ours.name == "qwen_image":
            shapes = [[(1, *grid)]] * batch
            return pipeline.transformer(**given, img_shapes=shapes, return_dict=False)[0]
        if self.ours.name == "krea2":
            given["encoder_hidden_states"] = prompt.text.unflatten(-1, (2, -1))
            ids = pipeline.prepare_position_ids(prompt.text.shape[1], *grid, "cpu")
            return pipeline.transformer(**given, position_ids=ids, return_dict=False)[0]
        if pipeline.transformer.config.guidance_embeds:
            given["guidance"] = torch.full((batch,), prompt.guidance)
        if self.ours.name == "flux":
            text_ids = text_places(prompt, self.ours.defaults.words_at_corners)
            given |= {"pooled_projections": prompt.pooled, "txt_ids": text_ids}
            given["img_ids"] = pipeline._prepare_latent_image_ids(1, *grid, "cpu", torch.float32)
        else:
            parts = prompt.text.tensor_split([one.start for one in prompt.regions], dim=1)
            given["txt_ids"] = torch.cat([pipeline._prepare_text_ids(one) for one in parts], dim=1)
            given["img_ids"] = pipeline._prepare_latent_ids(torch.zeros(batch, 1, *grid))
        return pipeline.transformer(**given, return_dict=False)[0]

    @contextmanager
    def hooked(self, hook: Callable[[int, Any, Tensor], Tensor | None]) -> Iterator[None]:
        """Let `hook(site, projection, image tokens)` see what enters each projection, and change what leaves it."""
        handles = []
        for index, (attention, names, text_first) in enumerate(self.projections):
            for name in names:

                def seen(module, args, out, index=index, text_first=text_first):
                    start = self.text_tokens if text_first else 0
                    rows = hook(index, module, args[0][:, start:])
                    if rows is not None:
                        out = out.clone()
                        out[:, start + PUT, : rows.shape[-1]] = rows
                    return out

                handles.append(getattr(attention, name).register_forward_hook(seen))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    @property
    def attention_calls(self) -> list[int | None]:
        """The site of each attention in the order of a forward; `None` for one over text alone."""
        sites = list(range(len(self.projections)))
        if not isinstance(self.theirs, diffusers.ZImagePipeline):
            return [LAYERS, None, *sites] if self.ours.name == "krea2" else [*sites]
        text = [None for _ in self.theirs.transformer.context_refiner]
        refiners = len(self.theirs.transformer.noise_refiner)
        return [*sites[:refiners], *text, *sites[refiners:]]

    def key_and_value(self, site: int, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Project tokens (m, dims) to a key without rotation and a value, both (1, m, heads, head dims)."""
        attention, names, _ = self.projections[site]
        if len(names) == 1:
            _, key, value = attention.to_qkv_mlp_proj(tokens)[:, : 3 * 64].chunk(3, dim=-1)
        else:
            key, value = attention.to_k(tokens), attention.to_v(tokens)
        if self.ours.name == "krea2":  # one key for two queries
            key, value = (part.repeat(1, 2) for part in (key, value))
        return attention.norm_k(key.view(1, -1, 2, 32)), value.view(1, -1, 2, 32)
