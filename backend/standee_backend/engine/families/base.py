"""Model families: a loaded diffusers pipeline, opened up for the method.

Everything that differs between Diffusion Transformers is behind `Family`: text, schedule, autoencoder, position ids,
where the attention takes its image tokens. `compose.py` knows none of it. What all have in common is here: packing, the
schedule, guidance by a second forward, the fingerprint. A family adds its text, its ids, one run of its transformer,
and the attention processors that hold its sites.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from diffusers.models.attention_dispatch import AttentionBackendName
from torch import Tensor

from ...catalog.sampling_defaults import SamplingDefaults
from ..injection import Site
from ..pixels.images import Array, from_tensor
from .attention import choose, region_bias
from .conditioning import Conditioning, EncodedPicture, EncodedPrompts, ReferenceTokens
from .control import Controlled
from .first_block_cache import FirstBlockCache
from .linear_decoder import LinearDecoder
from .lora.adapters import Adapters, own_weights

MAX_TEXT_TOKENS = 512

BLOCKS = ("transformer_blocks", "single_transformer_blocks", "layers")
"""Where diffusers' transformers have their blocks, in the order in which a forward passes them."""

WHOLE = 1536
"""A picture is encoded in one piece up to this many px a side: the seams of tiles would show in what is kept."""

KEPT_PIXELS = 2**26
"""Bytes of reconstructed pixels that are kept on the host."""


class Family(Controlled, ABC):
    """A loaded pipeline, opened up for the method. A cell is 2 x 2 latent pixels, folded into one token.

    Tokens are (batch, cells, channels); pixels (batch, 3, height, width) in -1..1.
    """

    name: str
    patch: int
    """px per cell."""
    latent_px: int
    """px per latent pixel."""
    adapters: Adapters
    """The LoRAs that lie over the model."""
    sites: list[Site]
    """Every attention site of the transformer, in the order in which a forward passes them."""

    takes_references = False
    """Whether the model was trained to see reference pictures beside its own."""

    takes_several = True
    """Whether it was trained with more than one, where it takes any."""

    reads_references = False
    """Whether its language model sees them along with the words."""

    guidance_of_none = 1.0
    """The guidance at which a second forward, without the prompt, changes nothing."""

    def __init__(
        self,
        pipeline: Any,
        device: torch.device,
        defaults: SamplingDefaults,
        place: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__()
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
        self._encoded = EncodedPrompts()
        self._reconstructed: OrderedDict[str, Array] = OrderedDict()
        self.step_cache: FirstBlockCache | None = None
        self._install()

    @abstractmethod
    def encode_prompt(self, prompt: str, guidance: float) -> Conditioning:
        """Encode one prompt, without a negative."""

    def encode_seen(self, prompt: str, guidance: float, pictures: Sequence[Array]) -> Conditioning:
        """Encode one prompt, said of pictures (height, width, 3) that it numbers, where `reads_references`."""
        raise ValueError(f"the language model of {self.name} sees no pictures")

    def seen_picture(self, width: int, height: int) -> tuple[int, int, int]:
        """Return as how many text tokens a picture of so many px is seen.

        And the bytes of its patches, until all words are read, and those that looking at them takes beside.
        """
        return 0, 0, 0

    @abstractmethod
    def count_tokens(self, prompt: str) -> int:
        """Return how many text tokens a prompt's own words are, those that are cut off among them."""

    @abstractmethod
    def grid_ids(self, rows: int, cols: int) -> Tensor:
        """Return the rotary ids (rows * cols, axes) of a grid, as the model numbers a picture of that size."""

    def reference_ids(self, index: int, rows: int, cols: int) -> Tensor:
        """Return the rotary ids (rows * cols, axes) of reference picture `index`, where `takes_references`."""
        raise ValueError(f"{self.name} takes no reference pictures")

    def guided_by_negative(self, guidance: float) -> bool:
        """Return whether the model is guided, at this strength, by a second forward with a negative prompt."""
        return False

    @property
    def latents_per_cell(self) -> int:
        """Latent pixels of one cell."""
        return (self.patch // self.latent_px) ** 2

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

    def encode_prompts(
        self, prompts: Sequence[str], guidance: float, pictures: Sequence[Array] = ()
    ) -> dict[str, Conditioning]:
        """Encode prompts, with the text encoders only those that they have not encoded before.

        They are said of the `pictures`, where there are any. Then text encoders that can wait in the host's memory go
        there.
        """
        seen = tuple(hashlib.sha256(pixels.tobytes()).digest() for pixels in pictures)

        def encode(prompt: str) -> Conditioning:
            if pictures:
                return self.encode_seen(prompt, guidance, pictures)
            return self.encode_prompt(prompt, guidance)

        found = {}
        for prompt in prompts:
            key = prompt, guidance, self.adapters.active, seen
            found[prompt] = self._encoded.find(key, self.device, partial(encode, prompt))
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
        beside: ReferenceTokens | None = None,
    ) -> Tensor:
        """Return the velocity d tokens / d sigma at noise level `sigma` (a scalar tensor), guided.

        The transformer runs again without the prompt where the conditioning has a negative. Both forwards receive the
        same injected tokens. A reference only gives tokens, so it runs once.
        """
        cells, bias = tokens.shape[1], None
        if beside is not None:
            tokens = torch.cat([tokens, beside.tokens.expand(len(tokens), -1, -1)], dim=1)
            ids, bias = torch.cat([ids, beside.ids]), beside.bias
        velocity = self._run("prompted", tokens, sigma, conditioning, ids, bias)[:, :cells]
        if conditioning.negative is None or self.sites[0].mode == "capture":
            return velocity
        other = self._run("unprompted", tokens, sigma, conditioning.negative, ids, bias)[:, :cells]
        guided = self.guide(velocity, other, conditioning.guidance)
        if not conditioning.guides_regions:
            return guided
        parts = torch.cat([region.cells for region in conditioning.regions])
        return velocity.index_copy(1, parts, guided.index_select(1, parts))

    def guide(self, prompted: Tensor, unprompted: Tensor, guidance: float) -> Tensor:
        """Return the velocity that leads away from the unprompted one, both (batch, cells, channels)."""
        weight = 1 + guidance - self.guidance_of_none
        return unprompted + weight * (prompted - unprompted)

    def _run(
        self,
        name: str,
        tokens: Tensor,
        sigma: Tensor,
        conditioning: Conditioning,
        ids: Tensor,
        last: Tensor | None,
    ) -> Tensor:
        """Run the transformer once; the logits of the last tokens' keys are raised by `last` (n,)."""
        self.part_regions(conditioning, tokens.shape[1])
        if last is not None:
            self._weigh_last(last, conditioning.text.shape[1] + tokens.shape[1])
        if self.step_cache is None or self.controls or self.sites[0].mode == "capture":
            return self.run(tokens, sigma, conditioning, ids)
        put, shared = (
            [None if rows is None else len(rows) for rows in column]
            for column in zip(*((site.put, site.shared_at) for site in self.sites), strict=True)
        )
        weights = [region.weight for region in conditioning.regions]
        with self.step_cache.forward(name, (put, shared, conditioning.text.shape[1], weights)):
            return self.run(tokens, sigma, conditioning, ids)

    def part_regions(self, conditioning: Conditioning, tokens: int) -> None:
        """Have the next forward's words and cells of regions see each other alone, at every site.

        `tokens` are those of the picture and of what is beside it; text comes before them.
        """
        bias, text = None, conditioning.text.shape[1]
        if conditioning.regions:
            like = conditioning.text.new_empty(0, dtype=self.dtype)
            bias = region_bias(conditioning.regions, text + tokens, 0, text, like)
        for site in self.sites:
            site.bias = bias

    def _weigh_last(self, bias: Tensor, tokens: int) -> None:
        """Have the next forward, over so many tokens in all, raise the logits of its last keys by `bias` (n,)."""
        row = bias.new_zeros(1, tokens, dtype=self.dtype)
        row[:, tokens - len(bias) :] = bias
        parted = self.sites[0].bias  # one for all sites, in every model that takes references
        both = row if parted is None else parted + row
        for site in self.sites:
            site.bias = both

    def reuse_blocks(self, threshold: float) -> None:
        """Skip blocks of the picture's forwards whose first changes by less than `threshold`."""
        lists = (getattr(self.transformer, name, ()) for name in BLOCKS)
        self.step_cache = FirstBlockCache(
            [block for blocks in lists for block in blocks], threshold
        )

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
        return min(self.count_tokens(prompt), self.text_limit)

    def text_tokens(self, prompt: str) -> int:
        """Return how many tokens an encoded prompt has: padded to the limit, unless a family does not pad."""
        return self.text_limit

    def sigmas(self, steps: int, cells: int) -> Tensor:
        """Return the noise levels (steps + 1,), falling to 0, of a picture of `cells` tokens: the pipeline's own."""
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
            latents = self._encode(pixels.to(self.device, vae.dtype))
        finally:
            vae.use_tiling = tiling
        shift, scale = self.normalisation()
        return (self.pack(latents.float()) - shift) * scale

    def _encode(self, pixels: Tensor) -> Tensor:
        """Return the autoencoder's latents (batch, channels, height, width), as it gives them."""
        encoded = self.pipeline.vae.encode(pixels, return_dict=False)[0]
        return encoded if torch.is_tensor(encoded) else encoded.mode()

    def _decode(self, latents: Tensor) -> Tensor:
        return self.pipeline.vae.decode(latents, return_dict=False)[0]

    @torch.no_grad()
    def decode_latents(self, tokens: Tensor, rows: int, cols: int) -> Tensor:
        """Decode tokens to pixels (batch, 3, rows * patch, cols * patch) in -1..1."""
        shift, scale = self.normalisation()
        latents = self.unpack(tokens / scale + shift, rows, cols)
        return self._decode(latents.to(self.pipeline.vae.dtype)).float().clamp(-1, 1)

    def sketch_latents(self, tokens: Tensor, rows: int, cols: int) -> Tensor:
        """Decode tokens to about what `decode_latents` makes of them, at half its size and hardly any cost.

        The linear decoder is fitted when it is first asked for.
        """
        return self._linear_decoder(tokens, rows, cols)

    @cached_property
    def _linear_decoder(self) -> LinearDecoder:
        return LinearDecoder.fitted(self.encode_latents, self.patch)

    def reconstruct(self, crop: EncodedPicture) -> Array:
        """Return what the autoencoder makes of a crop's pixels, (height, width, 3) in 0..1, on the host.

        Those that came last are remembered.
        """
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
        """Return a digest of the configurations, the precision, a sample of every weight, and the LoRAs that count."""
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
        for hook in (*getattr(self.pipeline, "_all_hooks", []), *self.net_hooks):
            hook.offload()
