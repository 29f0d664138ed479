"""The method, top to bottom: "Personalize Anything" (arXiv 2503.12590), figure 2, as code.

`paint` prepares noise, references and anchors from a composition, samples and decodes; `denoise` is the sampling loop
with its early replacement and late sharing of tokens; `Painted.finish` is what is left to do on the host, and `compose`
all of it. The mechanics are one call deeper.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from standee.composition import Composition
from standee.wire.notes import Tell

from . import images
from .anchor import Anchor, hold, scene_anchors, subject_anchors
from .capture import Captures
from .detail import Details, find_details
from .families.base import Conditioning, Family
from .images import Array
from .injection import inject
from .kept_pixels import keep_pixels
from .layout import NEUTRAL, Read, Stage, StagedScene, absent_subjects, resized_scene, stage
from .prompts import cut_words, encode_prompts
from .references import Reference, beside_picture, gaussian, scene_reference, subject_references
from .schedule import Schedule
from .settings import resolve
from .token_cache.cache import TokenCache

PLAIN = 0.1
"""The share of the steps at the beginning, one at least, whose noise hides any subject: there the place is found."""

SMALLER = 2
"""The backdrop is decoded at one part of so many of the canvas' sides."""


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
    """A decoded picture, `pixels` (height, width, 3) in 0..1, and what is laid into it on the host."""

    pixels: Array
    details: Details
    scene: StagedScene | None

    def finish(self) -> NDArray[np.uint8]:
        """Return the picture, uint8 (height, width, 3). Any thread may do so, while the model paints the next one."""
        pixels = self.details.add(self.pixels)
        if self.scene:
            kept = self.scene.kept > 0
            pixels = keep_pixels(pixels, self.scene.pixels, kept, self.scene.feather)
        return images.to_uint8(pixels)


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
    tell: Tell | None = None,
    cache: TokenCache | None = None,
) -> Painted:
    """Do all of `compose` that takes the model or its device. `tell` takes notes of what is not as it was asked."""
    staged = stage(composition, read, family.patch, family.latent_px, seed)
    settings = resolve(family, composition)
    rows, cols = staged.grid.rows, staged.grid.cols
    schedule = Schedule.of(family.sigmas(settings.steps, rows * cols))
    prompts = encode_prompts(family, composition, settings)
    unasked = absent_subjects(staged) + resized_scene(staged)
    for about in (*unasked, *cut_words(family, composition, settings)):
        if tell:
            tell(about)
    prompt, ids = prompts.picture, family.grid_ids(rows, cols)
    latents = gaussian(seed, (1, rows * cols, family.channels)).to(family.device)

    references = subject_references(family, staged, prompts.layers, schedule, settings, seed)
    anchors = scene_anchors(family, staged, settings)
    plain = plain_steps(schedule.steps, references)
    shown = settings.share_by == "input" and settings.sharing
    if staged.scene and (shown or not anchors):
        scene = scene_reference(
            family,
            staged.scene,
            staged,
            prompts.layers,
            schedule,
            settings,
            only_shown=bool(anchors),
        )
        references.insert(0, scene)
    if staged.scene and not anchors:
        plain = 0
    with family.picture():
        latents, place = denoise(
            family, latents, prompt, ids, schedule, [], anchors, stop=plain, on_step=on_step
        )
        if staged.subjects and settings.anchor:
            backdrop = find_backdrop(family, staged, place if plain else None)
            anchors += subject_anchors(family, staged, backdrop, settings)
        latents, _ = denoise(
            family, latents, prompt, ids, schedule, references, anchors,
            start=plain, share_by=settings.share_by, share_sites=settings.share_sites,
            on_step=on_step, cache=cache,
        )  # fmt: skip
    pixels = images.from_tensor(family.decode_latents(latents, rows, cols))
    return Painted(pixels, find_details(family, staged, references, settings), staged.scene)


def denoise(
    family: Family,
    latents: Tensor,
    prompt: Conditioning,
    ids: Tensor,
    schedule: Schedule,
    references: Sequence[Reference] = (),
    anchors: Sequence[Anchor] = (),
    *,
    start: int = 0,
    stop: int | None = None,
    share_by: str = "attention",
    share_sites: frozenset[int] | None = None,
    on_step: OnStep | None = None,
    cache: TokenCache | None = None,
) -> tuple[Tensor, Tensor]:
    """Sample the steps `start` to `stop` of a picture's latents (1, cells, channels), with the references injected.

    Timestep-adaptive (section 3.2): a reference's tokens replace the picture's down to its tau, and are shared with the
    picture's attention from there on, or taken in beside the picture as the model was trained to. Returns the latents
    and the clean tokens that the last step predicted.
    """
    shown: list[Reference] = []
    if share_by == "input":
        shown = [r for r in references if r.sharing]
        references = [replace(r, sharing=0.0) for r in references if not r.only_shown]
    beside = beside_picture(family, shown)
    captures = Captures(family, references, schedule, latents.shape[1], cache, start)
    predicted = latents
    for step in range(start, schedule.steps if stop is None else stop):
        sigma, following = schedule.sigmas[step], schedule.sigmas[step + 1]
        injection = captures.injection(step, share_sites)
        with inject(family.sites, injection) as seen:
            late = any(schedule.share_above(step, reference.tau) < 1 for reference in shown)
            velocity = family.velocity(latents, sigma, prompt, ids, beside if late else None)
        captures.match(seen, injection.watch, step)
        del injection  # its tokens are not to be there while the next ones are captured
        predicted = latents - sigma * velocity
        held = hold(predicted, anchors, schedule, step)
        latents = latents + (following - sigma) * (velocity + (predicted - held) / sigma)
        predicted = held
        if on_step:
            on_step(Step(step + 1, schedule.steps, latents, predicted))
    return latents, predicted


def plain_steps(steps: int, subjects: Sequence[object]) -> int:
    """Return how many of the steps come first without subjects: what they predict is the place those stand in."""
    return min(steps - 1, max(1, round(PLAIN * steps))) if subjects else 0


def find_backdrop(family: Family, staged: Stage, place: Tensor | None) -> Array:
    """Return the canvas (height, width, 3) that subjects stand on: the scene, or the place that was predicted.

    The prediction is as smooth as its noise makes it, so a small picture of it is decoded. Without one it is grey.
    """
    if staged.scene:
        return staged.scene.pixels
    rows, cols = staged.grid.rows, staged.grid.cols
    size = rows * staged.patch, cols * staged.patch
    if place is None:
        return np.full((*size, 3), NEUTRAL, np.float32)
    latents = family.unpack(place, rows, cols)
    small = avg_pool2d(latents, SMALLER) if not (rows % SMALLER or cols % SMALLER) else latents
    height, width = (side // (staged.patch // family.latent_px) for side in small.shape[2:])
    pixels = family.decode_latents(family.pack(small), height, width)
    return images.from_tensor(interpolate(pixels, size, mode="bicubic"))
