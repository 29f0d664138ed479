"""Regions: words that only a part of the picture is told, in its early steps.

A rectangle of words asks for something in a place and gives no picture of it. In the picture's own forward its words,
by themselves, are further text tokens, and a mask lets them and the cells that their rectangle owns see each other
alone; the rest of the picture is told its prompt (regional prompting, arXiv 2411.02395). Late steps tell all of it the
same, so that the whole becomes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from msgspec.structs import replace
from torch import Tensor

from standee.composition import Composition
from standee.geometry import cells_of

from .families.base import Family
from .families.conditioning import Conditioning
from .layout import Layout
from .prompts import Prompts
from .references import canvas_cells
from .schedule import Schedule
from .settings import threshold

WORDS_TAU = 0.5
"""The time down to which a rectangle's words count at fidelity 0.5: where things are is settled then."""


@dataclass(frozen=True, eq=False)
class Region:
    """Words for the `cells` (k,) of the picture, which count there with `weight` down to the time `tau`.

    `corners` are those of their rectangle, see `TextRegion`.
    """

    words: Conditioning
    cells: Tensor
    weight: float
    tau: float
    corners: Tensor


@dataclass(frozen=True)
class Regions:
    """The regions of a picture, and what is told `around` them while any counts."""

    around: Conditioning
    parts: Sequence[Region]

    def tell(
        self, prompt: Conditioning, schedule: Schedule, step: int, around: Conditioning | None
    ) -> Conditioning:
        """Return what the picture is told in a step: its `prompt`, or the regions' words and what is around them.

        Where that is said of pictures, `around` is it.
        """
        told = around or self.around
        for part in self.parts:
            weight = part.weight * schedule.share_above(step, part.tau)
            if weight > 0:
                told = told.with_region(part.words, part.cells, weight, part.corners)
        return told if told.regions else prompt


def without_hidden_words(composition: Composition, layout: Layout) -> Composition:
    """Return a composition without the rectangles of words of which nothing is seen: those are not told at all."""
    hidden = {one.layer.id for one in layout.absent if one.layer.picture is None}
    return replace(
        composition, layers=tuple(one for one in composition.layers if one.id not in hidden)
    )


def word_regions(family: Family, layout: Layout, prompts: Prompts) -> Regions:
    """Return the regions of a composition's rectangles of words: of each the cells that nothing in front hides."""
    parts = []
    for one in layout.regions:
        words = prompts.layers[one.layer.prompt].trimmed(family.reference_text)
        cells = torch.from_numpy(canvas_cells(one, one.owned, layout)).to(family.device)
        tau = threshold(one.layer.fidelity, WORDS_TAU)
        place = cells_of(one.layer.rect, one.layer.rotation, layout.patch)
        first, last = (place.row, place.col), (place.row + place.rows, place.col + place.cols)
        corners = torch.tensor([first, last], device=family.device) - 0.5
        parts.append(Region(words, cells, one.layer.opacity, tau, corners))
    return Regions(prompts.around, parts)
