"""Detail: what the autoencoder loses of a subject, laid back over the picture.

The difference between a subject's picture and what the autoencoder makes of it, its fine print and whiskers, is added
where the result agrees with that reconstruction, scaled by how well they agree and by the light of the place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ..catalog.sampling_defaults import SamplingDefaults
from .families.base import Family
from .layout import Layout
from .pixels.images import Array
from .references import Reference

COARSE = 0.02
"""The width, as a share of the canvas' shorter side, of what counts as light and not as detail."""

TOLERANCE = 0.6
"""The difference, in deviations of the detail around it, at which the result agrees too little."""

DARKEST, BRIGHTEST = 0.15, 1.6
"""The factors between which the light of the place may scale a detail."""


@dataclass(frozen=True)
class Detail:
    """One subject's: on the part `at` (rows, columns) of the canvas, `lost` and `kept` (height, width, 3), `matte`."""

    at: tuple[slice, slice]
    lost: Array
    kept: Array
    matte: Array


@dataclass(frozen=True)
class Details:
    """Those of all subjects of a picture; what is finer than `width` px is detail."""

    parts: tuple[Detail, ...]
    width: float

    def add(self, pixels: Array) -> Array:
        """Return pixels (height, width, 3) with the details laid over them."""
        if not self.parts:
            return pixels
        pixels = pixels.copy()
        for part in self.parts:
            here = pixels[part.at]
            light = (self._coarse(here) + 0.02) / (self._coarse(part.kept) + 0.02)
            light = np.clip(light, DARKEST, BRIGHTEST)
            weight = part.matte * self._agreement(here / light, part.kept)
            pixels[part.at] = here + weight[..., None] * light * part.lost
        return np.clip(pixels, 0, 1)

    def _agreement(self, here: Array, kept: Array) -> Array:
        """Return how well the details of two pictures agree around each pixel (height, width), 0..1."""
        ours, theirs = here - self._coarse(here), kept - self._coarse(kept)
        error = self._coarse(((ours - theirs) ** 2).mean(axis=2))
        spread = self._coarse((theirs**2).mean(axis=2)) + 1e-4
        return np.exp(-error / spread / TOLERANCE**2).astype(np.float32)

    def _coarse(self, pixels: Array) -> Array:
        return cv2.GaussianBlur(pixels, (0, 0), self.width)


def find_details(
    family: Family, layout: Layout, references: Sequence[Reference], settings: SamplingDefaults
) -> Details:
    """Find what the autoencoder loses of each subject that is seen and held; of no others is it laid back."""
    width = max(1.0, COARSE * layout.patch * min(layout.grid.rows, layout.grid.cols))
    if not settings.detail:
        return Details((), width)
    parts, by_subject = [], references[len(references) - len(layout.subjects) :]
    visible = _visible_mattes(layout)
    for subject, matte, pixels, reference in zip(
        layout.subjects, visible, layout.crops, by_subject, strict=True
    ):
        if not subject.layer.fidelity:
            continue
        kept = family.reconstruct(reference.crop)
        part = subject.crop.clip(layout.grid)
        at, inner = (
            _in_pixels(part.within(whole), layout.patch) for whole in (layout.grid, subject.crop)
        )
        weight = settings.detail * min(1.0, subject.layer.fidelity / 0.5) * matte[at]
        parts.append(Detail(at, (pixels - kept)[inner], kept[inner], weight))
    return Details(tuple(parts), width)


def _in_pixels(part: tuple[slice, slice], patch: int) -> tuple[slice, slice]:
    rows, cols = (slice(side.start * patch, side.stop * patch) for side in part)
    return rows, cols


def _visible_mattes(layout: Layout) -> list[Array]:
    """Return how much of each pixel (height, width) each subject covers that nothing before it hides."""
    canvas = layout.grid.rect(layout.patch)
    mattes = [
        subject.layer.opacity * subject.paint(canvas, layout.patch)[1]
        for subject in layout.subjects
    ]
    free = np.ones((round(canvas.h), round(canvas.w)), np.float32)
    visible: list[Array] = []
    for matte in reversed(mattes):
        visible.insert(0, matte * free)
        free = free * (1 - matte)
    return visible
