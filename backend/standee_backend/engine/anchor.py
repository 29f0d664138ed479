"""The anchor: what holds a part of the picture's latents to a given clean picture while it is sampled.

At each step the clean picture that the model predicts is pulled towards the given one, through a soft cut-out: the
controller of RF-Inversion (arXiv 2410.10792), on the picture's side. It supports the replaced tokens, which act
through attention alone. It may leave the low frequencies, colour and light, to the picture, and hold the detail alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..catalog.sampling_defaults import SamplingDefaults
from .families.base import Family
from .layout import Layout, PlacedSubject
from .pixels import images
from .pixels.images import Array
from .schedule import Schedule
from .settings import left_to_light, strength, threshold

AROUND_UNTIL, GROUND_UNTIL = 0.35, 0.6
"""The times down to which the place around subjects is held, and a scene's ground below them: then shadows may fall."""

REACH = 6
"""A subject's low frequencies are means over this part of its shorter side."""

LEAST = 0.02
"""A cell of which the cut-out covers less than this everywhere is not touched."""


@dataclass(frozen=True)
class Anchor:
    """A part of the picture that is held.

    `put` (k,) are its cells, `clean` (k, channels) its tokens in the given picture, and `matte` (k, channels) how much
    of each latent it covers. It is held with `strength` 0..1 from the time `begin`, whose step predicts a picture that
    knows nothing of it, down to the time `tau`. After that step, of its low frequencies, which
    are means over `reach` cells around each, the share `light` is left to the picture; `place` (k,) are the cells'
    places in a box of `box` (rows, columns).
    """

    put: Tensor
    clean: Tensor
    matte: Tensor
    tau: float
    strength: float
    begin: float = 1.0
    light: float = 0.0
    box: tuple[int, int] = (0, 0)
    place: Tensor | None = None
    reach: int = 1

    def target(self, predicted: Tensor, time: float) -> Tensor:
        """Return what the predicted tokens (k, channels) are pulled towards."""
        if not self.light or self.place is None or time >= self.begin:
            return self.clean
        return self.clean + self.light * self._low(predicted - self.clean)

    def _low(self, tokens: Tensor) -> Tensor:
        """Return the low frequencies of tokens (k, channels): means over what the cut-out covers."""
        assert self.place is not None
        both = torch.cat([tokens * self.matte, self.matte], dim=1)
        flat = both.new_zeros(self.box[0] * self.box[1], both.shape[1])
        grid = flat.index_copy(0, self.place, both).T.reshape(1, -1, *self.box)
        for _ in range(2):  # twice a box is nearly a Gaussian
            grid = F.avg_pool2d(grid, 2 * self.reach + 1, 1, self.reach)
        summed, weight = grid.flatten(2)[0].T.index_select(0, self.place).chunk(2, dim=1)
        return summed / weight.clamp(min=1e-4)


def hold(predicted: Tensor, anchors: Sequence[Anchor], schedule: Schedule, step: int) -> Tensor:
    """Return the predicted clean tokens (1, cells, channels) of a step, pulled towards what the anchors hold."""
    pulled = predicted
    for anchor in anchors:
        part = schedule.share_above(step, anchor.tau)
        if not part * anchor.strength:
            continue
        own = predicted[0].index_select(0, anchor.put)
        weight = part * anchor.strength
        target = anchor.target(own, schedule.time(step))
        change = anchor.matte * weight * (target - own)
        pulled = pulled.index_add(1, anchor.put, change[None])
    return pulled


def scene_anchors(family: Family, layout: Layout, settings: SamplingDefaults) -> list[Anchor]:
    """Return what holds a scene where its pixels are kept, and for a while in the band around subjects."""
    scene = layout.scene
    if scene is None or not settings.anchor:
        return []
    clean = family.encode_latents(images.to_tensor(scene.pixels))[0]
    tau = threshold(scene.scene.fidelity, settings.scene_tau)
    return [
        *_held(family, clean, scene.matte, tau, 1.0),
        *_held(family, clean, scene.around, max(tau, AROUND_UNTIL), 1.0),
        *_held(family, clean, scene.ground, max(tau, GROUND_UNTIL), 1.0),
    ]


def subject_anchors(
    family: Family, layout: Layout, clean: Tensor, settings: SamplingDefaults, begin: float
) -> list[Anchor]:
    """Return what holds the subjects, pasted onto their place as `clean` (cells, channels), and the place around them.

    They come in at the time `begin`. What shows through them is held like the place, or the scene, that it is of.
    """
    if not settings.anchor or not layout.subjects:
        return []
    anchors = []
    behind = AROUND_UNTIL
    if layout.scene is None:
        anchors += _held(family, clean, layout.around, AROUND_UNTIL, 1.0)
    else:
        behind = threshold(layout.scene.scene.fidelity, settings.scene_tau)
    anchors += _held(family, clean, layout.through, behind, 1.0)
    until = settings.tau if settings.anchor_tau is None else settings.anchor_tau
    for subject in layout.subjects:
        layer = subject.layer
        held = strength(layer.fidelity, settings.anchor) * (1 - layer.variation)
        tau = threshold(layer.fidelity, until, begin)
        if held and tau < 1:
            anchors.append(_subject(family, layout, subject, clean, tau, held, begin))
    return anchors


def _subject(
    family: Family,
    layout: Layout,
    subject: PlacedSubject,
    clean: Tensor,
    tau: float,
    held: float,
    begin: float,
) -> Anchor:
    """Return the anchor of one subject."""
    crop, grid = subject.crop, layout.grid
    part = crop.clip(grid)
    weight = _packed(family, subject.matte)
    rows, cols = np.nonzero(_touched(weight, crop.rows, crop.cols))
    inside = (rows + crop.row >= 0) & (cols + crop.col >= 0)
    inside &= (rows + crop.row < grid.rows) & (cols + crop.col < grid.cols)
    rows, cols = rows[inside], cols[inside]
    put = _on(family, (rows + crop.row) * grid.cols + cols + crop.col)
    own, box = _on(family, rows * crop.cols + cols), (crop.rows, crop.cols)
    shorter = (
        min(int(np.ptp(side)) + 1 for side in (rows, cols))
        if len(rows)
        else min(part.rows, part.cols)
    )
    return Anchor(
        put, clean.index_select(0, put), weight.index_select(0, own), tau, held, begin,
        left_to_light(subject.layer.light), box, own, max(1, round(shorter / REACH)),
    )  # fmt: skip


def _held(family: Family, clean: Tensor, matte: Array, tau: float, held: float) -> list[Anchor]:
    """Return what holds the canvas through a matte (rows * k, columns * k); nothing where that is empty."""
    if tau >= 1 or not matte.any():
        return []
    weight = _packed(family, matte)
    put = _on(family, np.flatnonzero(_touched(weight, len(weight), 1)))
    return [Anchor(put, clean.index_select(0, put), weight.index_select(0, put), tau, held)]


def _packed(family: Family, matte: Array) -> Tensor:
    """Return a matte in latent pixels as tokens (cells, channels)."""
    channels = family.channels // family.latents_per_cell
    latents = torch.from_numpy(np.ascontiguousarray(matte, np.float32))
    return family.pack(latents.expand(1, channels, -1, -1).contiguous())[0].to(family.device)


def _touched(weight: Tensor, rows: int, cols: int) -> np.ndarray:
    return weight.amax(dim=1).view(rows, cols).cpu().numpy() > LEAST


def _on(family: Family, numbers: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(numbers)).to(family.device)
