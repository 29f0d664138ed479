"""What families that are diffusers pipelines have in common.

Autoencoder and packing, the schedule, guidance by a second forward, the fingerprint. A family adds its text, its ids,
one run of its transformer, and the attention processors that hold its sites.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import Any

import numpy as np
import torch
from diffusers.models.attention_dispatch import AttentionBackendName
from torch import Tensor

from ..images import Array, from_tensor
from .attention import choose
from .base import Beside, Conditioning, Defaults, Encoded, Family
from .first_block_cache import StepCache
from .linear_decoder import LinearDecoder
from .lora_adapters import Adapters, own_weights

MAX_TEXT_TOKENS = 512

BLOCKS = ("transformer_blocks", "single_transformer_blocks", "layers")
"""Where diffusers' transformers have their blocks, in the order in which a forward passes them."""

WHOLE = 1536
"""A picture is encoded in one piece up to this many px a side: the seams of tiles would show in what is kept."""

KEPT_PIXELS = 2**26
"""Bytes of reconstructed pixels that are kept on the host."""

KEPT_WORDS = 2**28
"""Bytes of encoded prompts that are kept on the host: 64 of FLUX.1's."""


class PipelineFamily(Family):
    """A loaded pipeline, opened up for the method. A cell is 2 x 2 latent pixels, folded into one token."""

    guidance_of_none = 1.0
    """The guidance at which a second forward, without the prompt, changes nothing."""

    def __init__(
        self,
        pipeline: Any,
        device: torch.device,
        defaults: Defaults,
        place: Callable[[], None] = lambda: None,
    ) -> None:
        self.pipeline = pipeline
        self.device = device
        self.defaults = defaults
        self.transformer = pipeline.transformer
        self.latent_px = int(pipeline.vae_scale_factor)
        self.patch = 2 * self.latent_px
        self.dtype = self.transformer.dtype
        self.adapters = Adapters(pipeline, place)
        self.sites = []
        self.attentions: list[Any] = []
        self.processors: list[Any] = []
        self._encoded: OrderedDict[tuple[Any, ...], Conditioning] = OrderedDict()
        self._reconstructed: OrderedDict[str, Array] = OrderedDict()
        self.step_cache: StepCache | None = None
        self._install()

    @abstractmethod
    def _install(self) -> None:
        """Give every attention over image tokens its processor, by `_add_site`."""

    def _add_site(self, attention: Any, processor: Any) -> None:
        attention.set_processor(processor)
        self.sites.append(processor.site)
        self.attentions.append(attention)
        self.processors.append(processor)

    def attend_by(self, wanted: str) -> str:
        """Have every site attend by the backend that `attention` of the options means here; return its name."""
        dims = self.rotation(self.grid_ids(1, 1))[0].shape[-1]
        name = choose(wanted, self.device, self.dtype, dims)
        for processor in self.processors:
            processor._attention_backend = AttentionBackendName(name)
        return name

    def encode_prompts(self, prompts: Sequence[str], guidance: float) -> dict[str, Conditioning]:
        """Encode prompts, with the text encoders only those that they have not encoded before.

        Then text encoders that can wait in the host's memory go there.
        """
        found = {}
        for prompt in prompts:
            key = prompt, guidance, self.adapters.active
            kept = self._encoded.get(key)
            if kept is None:
                found[prompt] = self.encode_prompt(prompt, guidance)
                kept = found[prompt].to(torch.device("cpu"))
                self._encoded[key] = kept
            else:
                found[prompt] = kept.to(self.device)
            self._encoded.move_to_end(key)
        while sum(kept.size for kept in self._encoded.values()) > KEPT_WORDS:
            self._encoded.popitem(last=False)
        for hook in getattr(self.pipeline, "_all_hooks", []):
            if hook.model is not self.transformer:
                hook.offload()
        return found

    @abstractmethod
    def run(self, tokens: Tensor, sigma: Tensor, conditioning: Conditioning, ids: Tensor) -> Tensor:
        """Run the transformer once on tokens (batch, cells, channels); returns the velocity."""

    @abstractmethod
    def rotation(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return cosine and sine (cells, head dims) by which queries and keys at `ids` are rotated."""

    @torch.no_grad()
    def velocity(
        self,
        tokens: Tensor,
        sigma: Tensor,
        conditioning: Conditioning,
        ids: Tensor,
        beside: Beside | None = None,
    ) -> Tensor:
        """Run the transformer, and again without the prompt where the conditioning has a negative.

        Both forwards of the picture receive the same injected tokens. A reference only gives tokens, so it runs once.
        """
        cells = tokens.shape[1]
        if beside is not None:
            tokens = torch.cat([tokens, beside.tokens.expand(len(tokens), -1, -1)], dim=1)
            ids = torch.cat([ids, beside.ids])
        velocity = self._run("prompted", tokens, sigma, conditioning, ids)[:, :cells]
        if conditioning.negative is None or self.sites[0].mode == "capture":
            return velocity
        unprompted = self._run("unprompted", tokens, sigma, conditioning.negative, ids)[:, :cells]
        weight = 1 + conditioning.guidance - self.guidance_of_none
        return unprompted + weight * (velocity - unprompted)

    def _run(self, name: str, *inputs: Any) -> Tensor:
        if self.step_cache is None or self.sites[0].mode == "capture":
            return self.run(*inputs)
        put, shared = (
            [None if rows is None else len(rows) for rows in column]
            for column in zip(*((site.put, site.shared) for site in self.sites), strict=True)
        )
        with self.step_cache.forward(name, (put, shared)):
            return self.run(*inputs)

    def reuse_blocks(self, threshold: float) -> None:
        """Skip blocks of the picture's forwards whose first changes by less than `threshold`."""
        lists = (getattr(self.transformer, name, ()) for name in BLOCKS)
        self.step_cache = StepCache([block for blocks in lists for block in blocks], threshold)

    def picture(self) -> AbstractContextManager[None]:
        """Return a context around the steps of one picture."""
        return self.step_cache.picture() if self.step_cache else nullcontext()

    @property
    def embeds_guidance(self) -> bool:
        """Whether the transformer is told the strength of guidance, so that all it computes depends on it."""
        return bool(self.transformer.config.get("guidance_embeds"))

    @property
    def channels(self) -> int:
        """Channels of one token: the autoencoder's times the 2 x 2 latent pixels of a cell."""
        return int(self.transformer.config.in_channels)

    @property
    def text_limit(self) -> int:
        """How many text tokens the model was made for, at most."""
        return min(MAX_TEXT_TOKENS, self.defaults.text_tokens or MAX_TEXT_TOKENS)

    @property
    def reference_text(self) -> int:
        """The text tokens of a reference's forward, where its words are not more.

        Padding to the model's full text would be half of the work that a small crop makes, and says nothing about it.
        """
        return self.text_limit // 4

    def words(self, prompt: str) -> int:
        """Return how many text tokens a prompt's own words are, of those that are read."""
        return min(self.counted(prompt), self.text_limit)

    def text_tokens(self, prompt: str) -> int:
        """Return how many tokens an encoded prompt has: padded to the limit, unless a family does not pad."""
        return self.text_limit

    def sigmas(self, steps: int, cells: int) -> Tensor:
        """Return the pipeline's own schedule; dynamic shifting depends on the number of cells."""
        scheduler = self.pipeline.scheduler
        scheduler.set_timesteps(
            sigmas=np.linspace(1.0, 1 / steps, steps), mu=self._shift(steps, cells)
        )
        return scheduler.sigmas.to(self.device, torch.float32)

    @abstractmethod
    def _shift(self, steps: int, cells: int) -> float:
        """Return `mu`, by which a dynamic schedule is shifted towards noise."""

    def normalisation(self) -> tuple[Any, Any]:
        """Return shift and scale, which make the autoencoder's packed latents the transformer's tokens."""
        config = self.pipeline.vae.config
        return float(config.get("shift_factor") or 0.0), float(config.scaling_factor)

    @torch.no_grad()
    def encode_latents(self, pixels: Tensor) -> Tensor:
        """Encode pixels to tokens (batch, cells, channels), normalised; in tiles only above `WHOLE` px a side."""
        vae = self.pipeline.vae
        tiling = getattr(vae, "use_tiling", False)
        vae.use_tiling = tiling and max(pixels.shape[2:]) > WHOLE
        try:
            encoded = vae.encode(pixels.to(self.device, vae.dtype), return_dict=False)[0]
        finally:
            vae.use_tiling = tiling
        latents = encoded if torch.is_tensor(encoded) else encoded.mode()
        shift, scale = self.normalisation()
        return (self.pack(latents.float()) - shift) * scale

    @torch.no_grad()
    def decode_latents(self, tokens: Tensor, rows: int, cols: int) -> Tensor:
        """Decode tokens to pixels (batch, 3, rows * patch, cols * patch) in -1..1."""
        vae = self.pipeline.vae
        shift, scale = self.normalisation()
        latents = self.unpack(tokens / scale + shift, rows, cols)
        return vae.decode(latents.to(vae.dtype), return_dict=False)[0].float().clamp(-1, 1)

    def sketch_latents(self, tokens: Tensor, rows: int, cols: int) -> Tensor:
        """Decode tokens by the linear decoder, which is fitted when it is first asked for."""
        return self._linear_decoder(tokens, rows, cols)

    @cached_property
    def _linear_decoder(self) -> LinearDecoder:
        return LinearDecoder.fitted(self.encode_latents, self.patch)

    def reconstructed(self, crop: Encoded) -> Array:
        """Return what the autoencoder makes of a crop's pixels; those that came last are remembered."""
        kept = self._reconstructed
        if crop.digest not in kept:
            kept[crop.digest] = from_tensor(self.decode_latents(crop.line[0][None], *crop.size))
        kept.move_to_end(crop.digest)
        while len(kept) > 1 and sum(pixels.nbytes for pixels in kept.values()) > KEPT_PIXELS:
            kept.popitem(last=False)
        return kept[crop.digest]

    def pack(self, latents: Tensor) -> Tensor:
        """Fold 2 x 2 latent pixels into each token: (b, c, 2h, 2w) -> (b, h * w, 4c)."""
        b, c, h, w = latents.shape
        folded = latents.view(b, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5)
        return folded.reshape(b, (h // 2) * (w // 2), c * 4)

    def unpack(self, tokens: Tensor, rows: int, cols: int) -> Tensor:
        """Unfold tokens: (b, h * w, 4c) -> (b, c, 2h, 2w)."""
        b, _, c = tokens.shape
        unfolded = tokens.view(b, rows, cols, c // 4, 2, 2).permute(0, 3, 1, 4, 2, 5)
        return unfolded.reshape(b, c // 4, rows * 2, cols * 2)

    def fingerprint(self) -> str:
        """Digest the configurations, the precision, a sample of every weight, and the LoRAs that count."""
        digest = hashlib.sha256(str(self.dtype).encode())
        for part in (self.transformer, self.pipeline.vae):
            own = {k: v for k, v in part.config.items() if not k.startswith("_")}  # not its folder
            digest.update(str(sorted(own.items(), key=str)).encode())
            for name, weight in own_weights(part):
                sample = weight.detach().flatten()[:: max(1, weight.numel() // 64)][:64]
                digest.update(name.encode() + sample.float().cpu().numpy().tobytes())
        for lora in self.adapters.active:
            digest.update(f"{lora.digest} {lora.weight}".encode())
        return digest.hexdigest()

    def release(self) -> None:
        """Move offloaded models back to the host."""
        for hook in getattr(self.pipeline, "_all_hooks", []):
            hook.offload()


def spoken(tokenizer: Any, prompt: str, *, thinking: bool) -> int:
    """Return how many tokens a language model's tokenizer makes of a prompt, said to it in a conversation."""
    said = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}],
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=thinking,
    )
    return len(tokenizer(said).input_ids)
