"""The collage: the subjects pasted onto the place, for a model to go over.

A model that takes references may be shown it as the first, and each subject as a further one: here is the layout, and
these stand in it. As a mode, `edit`, that is what people do without the method, to compare with; then a model that
takes no references samples the collage again from half of its noise on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from .families.base import Family
from .families.conditioning import Conditioning
from .layout import Layout
from .pixels import images
from .pixels.images import Array
from .references import Crop, Reference
from .schedule import Schedule
from .settings import FREE

FROM = 0.5
"""The time from which a collage is sampled again by a model that takes no references."""

Sample = Callable[[Tensor, int, Sequence[Reference]], Tensor]
"""Samples latents (1, cells, channels) from a step on, shown references; returns them at the end."""


def edit_collage(
    family: Family,
    layout: Layout,
    prompt: Conditioning,
    schedule: Schedule,
    noise: Tensor,
    sample: Sample,
) -> Tensor:
    """Return the edited collage's latents, sampled from the picture's `noise` (1, cells, channels)."""
    if layout.scene is not None:
        place = layout.scene.pixels
    else:
        latents = sample(noise, 0, ())
        place = images.from_tensor(
            family.decode_latents(latents, layout.grid.rows, layout.grid.cols)
        )
    pasted = layout.collage(place)
    clean = family.encode_latents(images.to_tensor(pasted))
    if family.takes_references:
        crops = [
            shown_picture(family, prompt, crop, family.encode_latents(images.to_tensor(crop))[0])
            for crop in (layout.crops if family.takes_several else ())
        ]
        return sample(noise, 0, [shown_picture(family, prompt, pasted, clean[0]), *crops])
    start = round((1 - FROM) * schedule.steps)
    return sample(torch.lerp(clean, noise, schedule.levels[start]), start, ())


def before_subjects(
    family: Family,
    subjects: Sequence[Reference],
    prompt: Conditioning,
    pasted: Array,
    clean: Tensor,
    tau: float,
) -> list[Reference]:
    """Return the references of a picture whose first is the collage, shown from the time `tau` on.

    A model that takes one reference alone is shown no other.
    """
    collage = replace(shown_picture(family, prompt, pasted, clean), tau=tau)
    if family.takes_several:
        return [collage, *subjects]
    return [collage, *(replace(subject, sharing=0.0) for subject in subjects)]


def shown_picture(family: Family, prompt: Conditioning, pixels: Array, clean: Tensor) -> Reference:
    """Return a reference that is shown whole and replaces nothing: `pixels` (height, width, 3), encoded as `clean`."""
    none = torch.zeros(0, dtype=torch.long, device=family.device)
    size = pixels.shape[0] // family.patch, pixels.shape[1] // family.patch
    crop = Crop(size, prompt, none, "", lambda: (clean, clean), pixels)
    return Reference(crop, none, none, FREE, 1.0)
