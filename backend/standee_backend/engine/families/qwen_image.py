"""Qwen-Image and Qwen-Image-Edit: double-stream blocks only, and an autoencoder of videos.

Ids have three axes (picture, row, column) and count from the middle of each picture; text stands behind them on the
diagonal. A crop is numbered as the picture of its own that it is, so that its tokens depend on its size and not on its
place, and cells lie as far from each other as they do on the canvas. Guidance is a second forward whose result keeps
the length of the prompted velocity. Edit-Plus takes references as pictures 1, 2 and so on, from 2511 on at time 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from diffusers.models.attention_processor import Attention
from diffusers.models.transformers.transformer_qwenimage import (
    QwenDoubleStreamAttnProcessor2_0,
    apply_rotary_emb_qwen,
)
from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus as edit_plus
from diffusers.pipelines.qwenimage.pipeline_qwenimage_edit_plus import calculate_dimensions
from PIL import Image
from torch import Tensor, nn

from ..injection import Site
from ..pixels.images import Array, to_uint8
from .attention import attend, shared_keys
from .base import Family
from .conditioning import Conditioning, ReferenceTokens
from .control import Residuals, summed
from .flux import scheduled_shift
from .video_autoencoder import VideoAutoencoder
from .wide_layers import is_wide

NUMBERED = 6
"""Text tokens of the words that number a picture."""


class QwenSiteProcessor(QwenDoubleStreamAttnProcessor2_0):
    """Qwen-Image's attention, which lets its `Site` see and change the image tokens before they are projected."""

    first_cell = 0

    def __init__(self, site: Site) -> None:
        super().__init__()
        self.site = site

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        encoder_hidden_states_mask: Tensor | None = None,
        attention_mask: Tensor | None = None,
        image_rotary_emb: tuple[Tensor, Tensor] | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Attend; `hidden_states` are the image's (batch, cells, dims). Returns those of image and text."""
        if self.site.mode != "off":
            hidden_states = self.site.enter(hidden_states)
        plainly = self.site.attends_plainly
        if plainly or encoder_hidden_states is None or image_rotary_emb is None:
            return super().__call__(
                attn,
                hidden_states,
                encoder_hidden_states,
                encoder_hidden_states_mask,
                attention_mask,
                image_rotary_emb,
            )
        return self._attend(attn, hidden_states, encoder_hidden_states, image_rotary_emb)

    def _attend(
        self, attn: Attention, hidden: Tensor, text: Tensor, rotary: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Attend as the site says, with its m shared tokens as additional keys and values at their cells."""
        heads = (-1, attn.inner_dim // attn.heads)
        at = rotary[0]
        query = _turned(attn.norm_q(attn.to_q(hidden).unflatten(-1, heads)), at)
        key = _turned(attn.norm_k(attn.to_k(hidden).unflatten(-1, heads)), at)
        value = attn.to_v(hidden).unflatten(-1, heads)
        words = attn.norm_added_q(attn.add_q_proj(text).unflatten(-1, heads))
        query = torch.cat([_turned(words, rotary[1]), query], dim=1)
        words = attn.norm_added_k(attn.add_k_proj(text).unflatten(-1, heads))
        key = torch.cat([_turned(words, rotary[1]), key], dim=1)
        value = torch.cat([attn.add_v_proj(text).unflatten(-1, heads), value], dim=1)
        more = shared_keys(self.site, attn, heads, hidden)
        if more is not None and self.site.shared_at is not None:
            more = _turned(more[0], at.index_select(0, self.site.shared_at)), more[1]
        out = attend(self, query, (key, value), more, text.shape[1])
        text_out, image_out = out.split_with_sizes([text.shape[1], hidden.shape[1]], dim=1)
        image_out = attn.to_out[1](attn.to_out[0](image_out.contiguous()))
        return image_out, attn.to_add_out(text_out.contiguous())


def _turned(x: Tensor, at: Tensor) -> Tensor:
    """Rotate x (batch, tokens, heads, dims) by complex numbers (tokens, dims / 2)."""
    return apply_rotary_emb_qwen(x, at, use_real=False)


class CellRope(nn.Module):
    """Rotations at given ids, in the place of diffusers' own embedding, which numbers whole pictures alone.

    `ids` (cells, axes) are those of the next forward.
    """

    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = axes
        self.ids = torch.zeros(1, len(axes))

    def forward(
        self, img_shapes: object, max_txt_seq_len: int, device: torch.device
    ) -> tuple[Tensor, Tensor]:
        """Return complex rotations of the cells and of so many text tokens behind them, both (tokens, dims / 2)."""
        first = self.ids[:, 1:].max() + 1
        places = torch.arange(int(max_txt_seq_len), device=device) + first
        return self.at(self.ids), self.at(places[:, None].expand(-1, len(self.axes)))

    def at(self, ids: Tensor) -> Tensor:
        """Return complex rotations (tokens, dims / 2) at ids (tokens, axes)."""
        angles = []
        for axis, dims in enumerate(self.axes):
            powers = torch.arange(0, dims, 2, device=ids.device).float() / dims
            angles.append(torch.outer(ids[:, axis].float(), 1.0 / 10000.0**powers))
        turn = torch.cat(angles, dim=1)
        return torch.polar(torch.ones_like(turn), turn)


class QwenImage(VideoAutoencoder, Family):
    """A loaded Qwen-Image pipeline, opened up for the method."""

    name = "qwen_image"
    control_net = "QwenImageControlNetModel"

    def _install(self) -> None:
        self._residuals: dict[str, Any] = {}
        self.rope = CellRope(tuple(self.transformer.config.axes_dims_rope))
        self.transformer.pos_embed = self.rope
        self._beside = 0
        for block in self.transformer.transformer_blocks:
            self._add_site(block.attn, QwenSiteProcessor(Site()))

    def encode_prompt(self, prompt: str, guidance: float) -> Conditioning:
        """Encode a prompt with the language model; its length is the prompt's own."""
        return self._encode_text(prompt, guidance)

    def _encode_text(
        self, prompt: str, guidance: float, seen: int = 0, **pictures: Tensor
    ) -> Conditioning:
        """Encode a prompt, of which `seen` tokens stand for pictures that the language model is given."""
        pipeline, begin = self.pipeline, self.pipeline.prompt_template_encode_start_idx
        given = pipeline.tokenizer(
            pipeline.prompt_template_encode.format(prompt),
            max_length=begin + pipeline.tokenizer_max_length + seen,
            truncation=True,
            return_tensors="pt",
        )
        ids = given.input_ids.to(self.device)
        if pictures:  # from which the places of their tokens follow, in rows and columns
            kinds = ids == pipeline.text_encoder.config.image_token_id
            pictures["mm_token_type_ids"] = kinds.int()
        with torch.no_grad():
            found = pipeline.text_encoder(
                input_ids=ids,
                output_hidden_states=True,
                **pictures,
            )
        text = found.hidden_states[-1][:, begin : begin + self.text_limit + seen]
        return Conditioning(text, text.new_zeros(1, 0), guidance, text.shape[1])

    def count_tokens(self, prompt: str) -> int:
        """Return how many text tokens a prompt's own words are, with the end of the template that they stand in."""
        pipeline = self.pipeline
        said = pipeline.tokenizer(pipeline.prompt_template_encode.format(prompt))
        return len(said.input_ids) - int(pipeline.prompt_template_encode_start_idx)

    def text_tokens(self, prompt: str) -> int:
        """Return how many tokens an encoded prompt has: those of its words."""
        return self.words(prompt)

    def guided_by_negative(self, guidance: float) -> bool:
        """Return whether a second forward guides: at any guidance but none."""
        return guidance > self.guidance_of_none

    def guide(self, prompted: Tensor, unprompted: Tensor, guidance: float) -> Tensor:
        """Return the guided velocity, each token of which is as long as the prompted one."""
        guided = super().guide(prompted, unprompted, guidance)
        return guided * (prompted.norm(dim=-1, keepdim=True) / guided.norm(dim=-1, keepdim=True))

    def _shift(self, steps: int, cells: int) -> float:
        return scheduled_shift(self.pipeline.scheduler.config, cells)

    def grid_ids(self, rows: int, cols: int) -> Tensor:
        """Return ids (0, row, column) of each cell, counted from the middle of the grid."""
        ids = torch.zeros(rows, cols, 3, device=self.device)
        ids[..., 1] = torch.arange(rows, device=self.device)[:, None] - (rows - rows // 2)
        ids[..., 2] = torch.arange(cols, device=self.device)[None, :] - (cols - cols // 2)
        return ids.view(rows * cols, 3)

    def rotation(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosine and sine (cells, head dims) of the rotary encoding at `ids`."""
        turn = self.rope.at(ids)
        return turn.real.repeat_interleave(2, -1), turn.imag.repeat_interleave(2, -1)

    def velocity(
        self,
        tokens: Tensor,
        sigma: Tensor,
        conditioning: Conditioning,
        ids: Tensor,
        beside: ReferenceTokens | None = None,
    ) -> Tensor:
        """Return the guided velocity, as every family does."""
        self._beside = 0 if beside is None else beside.tokens.shape[1]
        if self.controls:  # both forwards of guidance are told what the prompted one is
            self._residuals = self._control_residuals(tokens, sigma, conditioning, ids)
        try:
            return super().velocity(tokens, sigma, conditioning, ids, beside)
        finally:
            self._residuals = {}

    def _control_residuals(
        self, tokens: Tensor, sigma: Tensor, conditioning: Conditioning, ids: Tensor
    ) -> dict[str, Any]:
        self.rope.ids = ids
        batch, made = len(tokens), []
        for part in self.controls:
            samples = self.nets[part.kind](
                hidden_states=tokens.to(self.dtype),
                controlnet_cond=part.picture.to(self.dtype),
                conditioning_scale=part.weight,
                encoder_hidden_states=conditioning.common.to(self.dtype).expand(batch, -1, -1),
                timestep=sigma.expand(batch).to(self.dtype),
                img_shapes=[[(1, 1, tokens.shape[1])]] * batch,
                return_dict=False,
            )
            made.append(Residuals([part.covered(sample) for sample in samples]))
        blocks = len(self.transformer.transformer_blocks)
        return {"controlnet_block_samples": summed(made, blocks)}

    @torch.no_grad()
    def run(self, tokens: Tensor, sigma: Tensor, conditioning: Conditioning, ids: Tensor) -> Tensor:
        """Run the transformer once. Edit-2511 is told which tokens are clean references, and sees those at time 0."""
        self.rope.ids = ids
        batch, cells = len(tokens), tokens.shape[1] - self._beside
        pictures = [(1, 1, cells)] + ([(1, 1, self._beside)] if self._beside else [])
        return self.transformer(
            hidden_states=tokens.to(self.dtype),
            timestep=sigma.expand(batch).to(self.dtype),
            encoder_hidden_states=conditioning.text.to(self.dtype).expand(batch, -1, -1),
            img_shapes=[pictures] * batch,
            return_dict=False,
            **self._residuals,
        )[0].float()


class QwenImageEdit(QwenImage):
    """A loaded Qwen-Image-Edit-Plus pipeline (2509, 2511), which takes reference pictures.

    They reach the transformer as their tokens, and the language model sees them, smaller, before it reads the words.
    """

    takes_references = True
    control_net = ""
    reads_references = True

    def encode_seen(self, prompt: str, guidance: float, pictures: Sequence[Array]) -> Conditioning:
        """Encode a prompt that is said of pictures (height, width, 3), which it calls Picture 1 and so on."""
        pipeline, reader = self.pipeline, self.pipeline.processor
        patches, grids = [], []
        for pixels in pictures:
            height, width = pixels.shape[:2]
            size = calculate_dimensions(edit_plus.CONDITION_IMAGE_SIZE, width / height)
            picture = Image.fromarray(to_uint8(pixels))
            smaller = pipeline.image_processor.resize(picture, size[1], size[0])
            given = reader(images=[smaller], return_tensors="np")
            patches.append(given["pixel_values"])
            grids.append(given["image_grid_thw"][0].tolist())
        counts = [rows * cols // reader.merge_size**2 for _, rows, cols in grids]
        shown = "".join(
            f"Picture {number}: <|vision_start|>{'<|image_pad|>' * count}<|vision_end|>"
            for number, count in enumerate(counts, 1)
        )
        return self._encode_text(
            shown + prompt,
            guidance,
            sum(counts),
            pixel_values=self._on_device(patches, pipeline.text_encoder.dtype),
            image_grid_thw=torch.tensor(grids, device=self.device),
        )

    def _on_device(self, rows: Sequence[np.ndarray], dtype: torch.dtype) -> Tensor:
        """Return rows (n, channels) in one tensor on the device, without a copy of them all on the way."""
        one = torch.empty(sum(map(len, rows)), rows[0].shape[1], dtype=dtype, device=self.device)
        for part, given in zip(one.split([len(part) for part in rows]), rows, strict=True):
            part.copy_(torch.from_numpy(given))
        return one

    def seen_picture(self, width: int, height: int) -> tuple[int, int, int]:
        """Return text tokens, those of the words that number it among them, and bytes: its patches, and their widest.

        That is where queries and keys are rotated, in 32 bits, or in the layer behind; or in a wide layer that
        embeds them.
        """
        size = calculate_dimensions(edit_plus.CONDITION_IMAGE_SIZE, width / height)
        reader, tower = self.pipeline.processor, self.pipeline.text_encoder.config.vision_config
        patches = int(reader.get_number_of_image_patches(size[1], size[0], {}))
        channels = tower.in_channels * tower.temporal_patch_size * tower.patch_size**2
        number, dims, rotated = self.pipeline.text_encoder.dtype.itemsize, tower.hidden_size, 4
        copies = 2 if number < rotated else 0
        turning = 5 * dims * number + (4 + copies) * dims * rotated
        widest = max(turning, (2 * dims + 3 * tower.intermediate_size) * number)
        tables = 2 * dims // tower.num_heads * rotated
        tokens = patches // reader.merge_size**2 + NUMBERED
        looking = widest + tables
        if is_wide(self.pipeline.text_encoder):
            looking = max(looking, (channels + dims) * rotated)
        return tokens, patches * channels * number, patches * looking

    def reference_ids(self, index: int, rows: int, cols: int) -> Tensor:
        """Return ids (index + 1, row, column), counted from the middle of each reference."""
        ids = self.grid_ids(rows, cols)
        ids[:, 0] = index + 1
        return ids
