"""The method, top to bottom: "Personalize Anything" (arXiv 2503.12590), figure 2, as code.

`compose` prepares noise, references and anchors from a composition, samples and decodes; `denoise` is the sampling loop
with its early replacement and late sharing of tokens; `ComposedImage.finish` is what is left to do on the host. The
mechanics are one call deeper.
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

from .anchor import Anchor, hold, scene_anchors, subject_anchors
from .capture import TokenCapture
from .collage import before_subjects, edit_collage
from .control.staging import StagedControl, controls_at, stage_controls
from .detail import Details, find_details
from .families.base import Family
from .families.conditioning import Conditioning
from .injection import inject
from .layout import NEUTRAL, Layout, PlacedScene, Read, absent_subjects, lay_out, resized_scene
from .pixels import images
from .pixels.images import Array
from .pixels.kept_pixels import keep_pixels
from .prompts import cut_words, encode_prompts
from .references import (
    Reference,
    Seeing,
    ShownReferences,
    gaussian,
    scene_reference,
    subject_references,
)
from .regions import Regions, without_hidden_words, word_regions
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
OnStage = Callable[[str, int, int], None]
"""Is told what begins beside the steps: `words`, `finishing`, and `reading` of which subject of how many."""


@dataclass(frozen=True)
class ComposedImage:
    """A decoded picture, `pixels` (height, width, 3) in 0..1, and what is laid into it on the host."""

    pixels: Array
    details: Details
    scene: PlacedScene | None

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
    on_stage: OnStage | None = None,
    tell: Tell | None = None,
    cache: TokenCache | None = None,
) -> ComposedImage:
    """Compose one picture: all of it that takes the model or its device; `ComposedImage.finish` does the rest.

    `read` returns the bytes of a picture by its digest. Whatever `on_step` and `on_stage` raise ends the run. `tell`
    takes notes of what is not as it was asked. `cache` remembers the subjects' tokens from one picture to the next.
    """
    layout = lay_out(composition, read, family.patch, family.latent_px, seed)
    settings = resolve(family, composition)
    rows, cols = layout.grid.rows, layout.grid.cols
    schedule = Schedule.of(family.sigmas(settings.steps, rows * cols))
    begins = on_stage or _quiet
    begins("words", 0, 1)
    prompts = encode_prompts(family, without_hidden_words(composition, layout), settings)
    unasked = absent_subjects(layout) + resized_scene(layout)
    for about in (*unasked, *cut_words(family, composition, settings)):
        if tell:
            tell(about)
    prompt, ids = prompts.picture, family.grid_ids(rows, cols)
    latents = gaussian(seed, (1, rows * cols, family.channels)).to(family.device)
    regions = word_regions(family, layout, prompts)
    controls = stage_controls(family, composition, layout, read)

    if settings.mode == "edit":
        with family.picture():
            latents = edit_collage(
                family, layout, prompt, schedule, latents,
                lambda start, step, shown: denoise(
                    family, start, prompt, ids, schedule, shown, [], regions,
                    start=step, share_by="input", seeing=prompts.seeing, on_step=on_step,
                    controls=controls,
                )[0],
            )  # fmt: skip
        begins("finishing", 0, 1)
        pixels = images.from_tensor(family.decode_latents(latents, rows, cols))
        return ComposedImage(pixels, Details((), 1.0), layout.scene)
    anchors = scene_anchors(family, layout, settings)
    by_tokens = layout.scene is not None and not anchors
    plain = 0 if by_tokens else plain_steps(schedule.steps, layout.subjects)
    begin = schedule.time(plain)
    references = subject_references(family, layout, prompts.layers, schedule, settings, seed, begin)
    collage = settings.collage and bool(layout.subjects)
    shown = settings.share_by == "input" and settings.sharing and not collage
    freest = max((r.tau for r in references), default=settings.tau)
    if layout.scene and (by_tokens or shown):
        scene = scene_reference(
            family,
            layout.scene,
            layout,
            prompts.layers,
            schedule,
            settings,
            shown=None if by_tokens else freest,
        )
        references.insert(0, scene)
    with family.picture():
        latents, place = denoise(
            family, latents, prompt, ids, schedule, [], anchors, regions,
            stop=plain, on_step=on_step, controls=controls,
        )  # fmt: skip
        if layout.subjects and (settings.anchor or collage):
            pasted = layout.collage(find_backdrop(family, layout, place if plain else None))
            clean = family.encode_latents(images.to_tensor(pasted))[0]
            anchors += subject_anchors(family, layout, clean, settings, begin)
            if collage:
                references = before_subjects(family, references, prompt, pasted, clean, freest)
        latents, _ = denoise(
            family, latents, prompt, ids, schedule, references, anchors, regions,
            start=plain, share_by=settings.share_by, share_sites=settings.share_sites,
            seeing=prompts.seeing, on_step=on_step, on_stage=on_stage, cache=cache,
            controls=controls,
        )  # fmt: skip
    begins("finishing", 0, 1)
    pixels = images.from_tensor(family.decode_latents(latents, rows, cols))
    return ComposedImage(pixels, find_details(family, layout, references, settings), layout.scene)


def _quiet(stage: str, number: int, of: int) -> None:
    """Tell nobody."""


def denoise(
    family: Family,
    latents: Tensor,
    prompt: Conditioning,
    ids: Tensor,
    schedule: Schedule,
    references: Sequence[Reference] = (),
    anchors: Sequence[Anchor] = (),
    regions: Regions | None = None,
    *,
    start: int = 0,
    stop: int | None = None,
    share_by: str = "attention",
    share_sites: frozenset[int] | None = None,
    seeing: Seeing | None = None,
    on_step: OnStep | None = None,
    on_stage: OnStage | None = None,
    cache: TokenCache | None = None,
    controls: Sequence[StagedControl] = (),
) -> tuple[Tensor, Tensor]:
    """Sample the steps `start` to `stop` of a picture's latents (1, cells, channels), with the references injected.

    Timestep-adaptive (section 3.2): a reference's tokens replace the picture's down to its tau, and are shared with the
    picture's attention from there on, or taken in beside the picture as the model was trained to: then, where its
    language model sees them, with the words that `seeing` encodes. The words of `regions` are told to their cells alone
    while they count, and what control pictures show is told to all by `controls`. Returns the latents and the clean
    tokens that the last step predicted.
    """
    steps = range(start, schedule.steps if stop is None else stop)
    by_input = share_by == "input"
    shown = ShownReferences(family, references if by_input else (), schedule, steps, seeing)
    if by_input:
        references = [replace(r, sharing=0.0) for r in references if not r.only_shown]
    capture = TokenCapture(family, references, schedule, latents.shape[1], cache, start, on_stage)
    predicted = latents
    for step in steps:
        sigma, following = schedule.sigmas[step], schedule.sigmas[step + 1]
        injection = capture.injection(step, share_sites)
        steered = family.controlled(controls_at(controls, step, schedule.steps))
        with inject(family.sites, injection) as seen, steered:
            said = shown.told.get(len(shown.weights(step)))
            told = said[0] if said else prompt
            if regions:
                told = regions.tell(told, schedule, step, said and said[1])
            velocity = family.velocity(latents, sigma, told, ids, shown.tokens(step))
        capture.match(seen, injection.watch, step)
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


def find_backdrop(family: Family, layout: Layout, place: Tensor | None) -> Array:
    """Return the canvas (height, width, 3) that subjects stand on: the scene, or the place that was predicted.

    The prediction is as smooth as its noise makes it, so a small picture of it is decoded. Without one it is grey.
    """
    if layout.scene:
        return layout.scene.pixels
    rows, cols = layout.grid.rows, layout.grid.cols
    size = rows * layout.patch, cols * layout.patch
    if place is None:
        return np.full((*size, 3), NEUTRAL, np.float32)
    latents = family.unpack(place, rows, cols)
    small = avg_pool2d(latents, SMALLER) if not (rows % SMALLER or cols % SMALLER) else latents
    height, width = (side // (layout.patch // family.latent_px) for side in small.shape[2:])
    pixels = family.decode_latents(family.pack(small), height, width)
    return images.from_tensor(interpolate(pixels, size, mode="bicubic"))
