"""Scores of one picture of a case: identity, defects, place, occlusion order."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..engine.layout import Layout, PlacedSubject
from ..engine.pixels.images import to_uint8
from . import measures
from .cases import Case
from .measures import Array, Bools
from .networks import Clip, Dino, DreamSim

HALO, FIGURES = 0.6, 0.05
"""A picture is defect where a subject's outline runs over so far, or where so much of the place has edges that the same
prompt alone does not have: second figures, tiles."""

Find = Callable[[bytes, str], bytes]
"""Find words in a picture (PNG): the mask of what fits them."""


@dataclass(frozen=True)
class Judges:
    """Networks that score; what is `None` is left out."""

    clip: Clip | None = None
    dino: Dino | None = None
    dreamsim: DreamSim | None = None
    find: Find | None = None


def score(
    case: Case, layout: Layout, picture: Array, plain: Array, judges: Judges
) -> dict[str, float]:
    """Score a picture (height, width, 3) in 0..1; `plain` is what the same prompt gives when nothing is injected."""
    placed = layout.collage(picture)
    figures = np.zeros(picture.shape[:2], bool)
    of_each: list[dict[str, float]] = []
    for subject in layout.subjects:
        cut_out, visible = outlines(layout, subject)
        figures |= cut_out
        if visible.sum() < 64:
            continue
        width = max(3.0, float(np.sqrt(visible.sum())) / 6)
        own, given = (measures.detail(one, visible, width) for one in (picture, placed))
        of_each.append(
            {
                "identity": min(99.0, measures.psnr(own, given, visible)),
                "ssim": measures.ssim(picture, placed, visible),
                "halo": measures.halo(picture, cut_out, max(3, int(width / 4))),
                **_judged(picture, placed, cut_out, visible, subject.layer.prompt, judges),
            }
        )
    names = of_each[0] if of_each else ()
    result = {name: float(np.mean([one[name] for one in of_each])) for name in names}
    far = ~measures.dilated(figures, max(8, picture.shape[1] // 16))
    more = measures.edges(picture, far) - measures.edges(plain, far)
    result["defects"] = float(result.get("halo", 0.0) > HALO or more > FIGURES)
    if judges.clip:
        result["CLIP-T"] = judges.clip.text(_image(picture), case.prompt)
    return result


def occlusion_order(layout: Layout, picture: Array, swapped: Array) -> float | None:
    """Return the share of two pictures, one with its two subjects swapped, whose front subject is seen in front.

    `layout` is that of `picture`. `None` where the subjects do not cover each other.
    """
    behind, front = layout.subjects
    both = outlines(layout, behind)[0] & outlines(layout, front)[0]
    if both.sum() < 64:
        return None
    canvas = layout.grid.rect(layout.patch)
    front_colour, behind_colour = (one.paint(canvas, layout.patch)[0] for one in (front, behind))
    seen = [
        measures.in_front(shown, front_colour, behind_colour, both) for shown in (picture, swapped)
    ]
    right = seen[0] > 0, seen[1] < 0
    return float(np.mean(right))


def outlines(layout: Layout, subject: PlacedSubject) -> tuple[Bools, Bools]:
    """Return a subject's cut-out on the canvas, and the part of it inside the cells that it owns."""
    _, matte, _ = subject.paint(layout.grid.rect(layout.patch), layout.patch)
    index = [one.index for one in layout.subjects].index(subject.index)
    owned = np.kron(layout.arrangement.owner == index, np.ones((layout.patch, layout.patch), bool))
    return matte >= 0.5, (matte >= 0.5) & owned


def _judged(
    picture: Array, placed: Array, cut_out: Bools, visible: Bools, words: str, judges: Judges
) -> dict[str, float]:
    box = _box(cut_out)
    ours, reference = (_image(one).crop(box) for one in (picture, placed))
    scores: dict[str, float] = {}
    if judges.clip:
        scores["CLIP-I"] = judges.clip.picture(ours, reference)
        alone = [
            _image(np.where(visible[..., None], one, 1.0)).crop(box) for one in (picture, placed)
        ]
        scores["SegCLIP-I"] = judges.clip.picture(*alone)
    if judges.dino:
        scores["DINO"] = judges.dino.picture(ours, reference)
    if judges.dreamsim:
        scores["DreamSim"] = judges.dreamsim.picture(ours, reference)
    if judges.find:
        scores["box IoU"] = _found(picture, words, box, judges.find)
    return scores


def _found(picture: Array, words: str, box: tuple[int, int, int, int], find: Find) -> float:
    """Return how well the box of what fits `words` agrees with `box` (left, top, right, bottom)."""
    file = io.BytesIO()
    _image(picture).save(file, "PNG")
    mask = np.asarray(Image.open(io.BytesIO(find(file.getvalue(), words))).convert("L")) > 127
    if not mask.any():
        return 0.0
    left, top, right, bottom = _box(mask)
    width = min(right, box[2]) - max(left, box[0])
    height = min(bottom, box[3]) - max(top, box[1])
    both = max(0, width) * max(0, height)
    areas = ((b[2] - b[0]) * (b[3] - b[1]) for b in (box, (left, top, right, bottom)))
    return both / (sum(areas) - both)


def _box(mask: Bools) -> tuple[int, int, int, int]:
    rows, cols = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    return int(cols[0]), int(rows[0]), int(cols[-1]) + 1, int(rows[-1]) + 1


def _image(pixels: Array) -> Image.Image:
    return Image.fromarray(to_uint8(pixels))
