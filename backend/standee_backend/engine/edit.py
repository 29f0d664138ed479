"""Collage, then edit: what people do without the method, as a mode to compare with.

The subjects are pasted onto the place, and the model goes over it: one that takes references is shown the collage as
the first and each subject as a further one; any other samples the collage again from half of its noise on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

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
    collage = layout.collage(place)
    if family.takes_references:
        return sample(noise, 0, _shown(family, prompt, [collage, *layout.crops]))
    start = round((1 - FROM) * schedule.steps)
    clean = family.encode_latents(images.to_tensor(collage))
    return sample(torch.lerp(clean, noise, schedule.levels[start]), start, ())


def _shown(family: Family, prompt: Conditioning, pictures: Sequence[Array]) -> list[Reference]:
    """Return references whose pictures (height, width, 3) the model is shown whole, and which replace nothing."""
    references = []
    none = torch.zeros(0, dtype=torch.long, device=family.device)
    for pixels in pictures:
        size = pixels.shape[0] // family.patch, pixels.shape[1] // family.patch
        clean = family.encode_latents(images.to_tensor(pixels))[0]
        crop = Crop(size, prompt, none, "", lambda clean=clean: (clean, clean))  # type: ignore[misc]
        references.append(Reference(crop, none, none, FREE, 1.0))
    return references
