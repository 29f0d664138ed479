"""The method, top to bottom: "Personalize Anything" (arXiv 2503.12590), figure 2, as code.

`paint` prepares references, noise and schedule from a composition, samples and decodes; `denoise` is the sampling loop
with its early replacement and late sharing of tokens; `Painted.finish` is what is left to do on the host, and `compose`
all of it. The mechanics are one call deeper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from standee.composition import Composition

from . import images as pictures
from .capture import Captures
from .families.base import Conditioning, Family
from .images import Array
from .injection import Injection, inject
from .kept_pixels import keep_pixels
from .layout import Read, Stage, StagedScene, stage
from .references import (
    Reference,
    beside_picture,
    gaussian,
    place_reference,
    scene_references,
    subject_references,
)
from .settings import Settings, resolve
from .token_cache.cache import TokenCache

SECOND_LOOK = 0.85
"""The noise level at which the model looks at the place again that it guessed from pure noise."""

OWNED = 1e-3
"""The least weight of an owned cell's noise where the soft cut-out does not reach."""


@dataclass(frozen=True)
class Step:
    """What a finished step left: `latents` and the `predicted` clean tokens, both (1, cells, channels)."""

    done: int
    of: int
    latents: Tensor
    predicted: Tensor


OnStep = Callable[[Step], None]


@dataclass(frozen=True)
class Painted:
    """A decoded picture, `pixels` (height, width, 3) in 0..1, and the scene of which it keeps some; all on the host."""

    pixels: Array
    scene: StagedScene | None

    def finish(self) -> NDArray[np.uint8]:
        """Return the picture, uint8 (height, width, 3). Any thread may do so, while the model paints the next one."""
        pixels = self.pixels
        if self.scene:
            kept = self.scene.kept > 0
            pixels = keep_pixels(pixels, self.scene.pixels, kept, self.scene.scene.feather)
        return pictures.to_uint8(pixels)


def compose(
    family: Family,
    composition: Composition,
    read: Read,
    *,
    seed: int,
    on_step: OnStep | None = None,
    cache: TokenCache | None = None,
) -> NDArray[np.uint8]:
    """Compose one picture, uint8 (height, width, 3).

    `read` returns the bytes of a picture by its digest. Whatever `on_step` raises ends the run. `cache` remembers the
    subjects' tokens from one picture to the next.
    """
    return paint(family, composition, read, seed=seed, on_step=on_step, cache=cache).finish()


def paint(
    family: Family,
    composition: Composition,
    read: Read,
    *,
    seed: int,
    on_step: OnStep | None = None,
    cache: TokenCache | None = None,
) -> Painted:
    """Do all of `compose` that takes the model or its device."""
    staged = stage(composition, read, family.patch, family.latent_px, seed)
    rows, cols = staged.grid.rows, staged.grid.cols
    settings = resolve(family, composition, seed, rows * cols)
    prompts = encode_prompts(family, composition, settings)
    prompt, ids = prompts[composition.prompt], family.grid_ids(rows, cols)

    noise = gaussian(seed, (1, rows * cols, family.channels)).to(family.device)
    place = guess_place(family, staged, noise, prompt, settings)
    backdrop = make_backdrop(family, staged, place)
    references = subject_references(family, staged, backdrop, prompts, settings)
    if staged.scene:
        references[:0] = scene_references(family, staged.scene, staged, prompts, settings)
    elif place is not None and settings.anchor:
        references.insert(0, place_reference(family, staged, place, noise, prompts, settings))
    if settings.shared_noise:
        noise = share_noise(noise, references)
    with family.picture():
        latents = denoise(family, noise, prompt, ids, references, settings, on_step, cache)
    pixels = pictures.from_tensor(family.decode_latents(latents, rows, cols))
    return Painted(pixels, staged.scene)


def denoise(
    family: Family,
    noise: Tensor,
    prompt: Conditioning,
    ids: Tensor,
    references: Sequence[Reference],
    settings: Settings,
    on_step: OnStep | None = None,
    cache: TokenCache | None = None,
) -> Tensor:
    """Sample the picture's clean tokens (1, cells, channels) from its noise, with the references injected.

    Timestep-adaptive (section 3.2): a reference's tokens replace the picture's while sigma > its tau, and are shared
    with the picture's attention from there on; or the model takes the reference in beside the picture all along.
    """
    captures = Captures(family, references, settings.sigmas, cache)
    latents = noise
    shared = [r for r in references if r.sharing]
    by_input = settings.share_by == "input"
    beside = beside_picture(family, shared) if by_input else None
    steps = len(settings.sigmas) - 1
    for step, (sigma, following) in enumerate(pairwise(settings.sigmas), start=1):
        early = [r for r in references if sigma > r.tau]
        late = [r for r in shared if not by_input and (sigma <= r.tau or not settings.inject)]
        replaced = early if settings.inject else []
        injection = prepare_injection(captures, replaced, late, sigma, settings.share_sites)
        with inject(family.sites, injection):
            velocity = family.velocity(latents, sigma, prompt, ids, beside)
        anchored = [r for r in references if sigma > r.anchor_tau]
        predicted = anchor(latents - sigma * velocity, anchored, torch.zeros_like(sigma))
        latents = anchor(latents + (following - sigma) * velocity, anchored, following)
        if on_step:
            on_step(Step(step, steps, latents, predicted))
    return latents


def encode_prompts(
    family: Family, composition: Composition, settings: Settings
) -> dict[str, Conditioning]:
    """Encode every prompt once, before anything else needs the device: the picture's, the subjects', and no words."""
    words = {composition.prompt, "", *(layer.prompt for layer in composition.layers)}
    return family.encode_prompts(sorted(words), settings.guidance)


def guess_place(
    family: Family, staged: Stage, noise: Tensor, prompt: Conditioning, settings: Settings
) -> Tensor | None:
    """Guess the prompt's place without subjects, as clean tokens (1, cells, channels), in two strides from its noise.

    `None` where there is a scene, nobody to stand in the place, or no wish for it (`backdrop`).
    """
    if staged.scene or settings.backdrop == "neutral" or not staged.subjects:
        return None
    ids = family.grid_ids(staged.grid.rows, staged.grid.cols)
    first, second = settings.sigmas[0], torch.full_like(settings.sigmas[0], SECOND_LOOK)
    latents = noise + (second - first) * family.velocity(noise, first, prompt, ids)
    return latents - second * family.velocity(latents, second, prompt, ids)


def make_backdrop(family: Family, staged: Stage, place: Tensor | None) -> Array | None:
    """Return the canvas (height, width, 3) that cut-outs stand on while they are encoded, or None for grey."""
    if staged.scene:
        return staged.scene.pixels
    if place is None:
        return None
    return pictures.from_tensor(family.decode_latents(place, staged.grid.rows, staged.grid.cols))


def share_noise(noise: Tensor, references: Sequence[Reference]) -> Tensor:
    """Let the picture start from each reference's own noise where that reference is seen.

    The velocity that injected tokens yield then leads to the subject, not to the subject plus leftover noise.
    """
    shared = noise.clone()
    seen = torch.zeros_like(noise)
    for reference in references:
        weight = torch.where(
            reference.owned[:, None], reference.matte.clamp(min=OWNED), reference.matte
        )
        nearer = weight > seen[0, reference.put]
        eps = reference.noise[reference.take]
        shared[0, reference.put] = torch.where(nearer, eps, shared[0, reference.put])
        seen[0, reference.put] = torch.where(nearer, weight, seen[0, reference.put])
    return shared


def anchor(latents: Tensor, references: Sequence[Reference], sigma: Tensor) -> Tensor:
    """Lay each reference's own trajectory at `sigma` over the picture, through its visible soft cut-out."""
    if not references:
        return latents
    covered, laid = torch.zeros_like(latents), torch.zeros_like(latents)
    for reference in references:
        line = reference.at(sigma)[reference.take]
        covered[0].index_add_(0, reference.put, reference.matte)
        laid[0].index_add_(0, reference.put, reference.matte * line)
    return (1 - covered) * latents + laid


def prepare_injection(
    captures: Captures,
    early: Sequence[Reference],
    late: Sequence[Reference],
    sigma: Tensor,
    share_sites: frozenset[int] | None = None,
) -> Injection:
    """Gather the tokens of one step: the early references' to replace, the late ones' to share."""
    early = [r for r in early if len(r.replaced)]
    late = [r for r in late if len(r.replaced)]
    injection = Injection(share_sites=share_sites)
    if early:
        put = torch.cat([r.replaced for r in early])
        injection = replace(injection, replace=captures.tokens(early, sigma), put=put)
    if late:
        strength = torch.cat([r.noise.new_full((len(r.replaced),), r.sharing) for r in late])
        bias = None if all(r.sharing == 1 for r in late) else strength.log()
        injection = replace(injection, share=captures.tokens(late, sigma), share_bias=bias)
    return injection
