"""Cut-outs: which pixels of a picture are its subject, and how much of those along its edge.

The picture's own transparency where it has one. Else a salient-object network (`salient.py`) guesses and GrabCut
completes what it was unsure of; or GrabCut alone, which needs nothing but a box around the subject; or a
mask-generation model (`segmentation.py`). Words are turned into a box first (`text_detection.py`). A point changes
the piece it lies on, and nothing else. `matting.py` then finds the soft edge. Lengths are the picture's own px.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from standee import pictures
from standee.composition import Rect
from standee.errors import BadPicture, InvalidField
from standee.geometry import Bools
from standee.wire.messages import GRABCUT, Point

from ...catalog import download
from ...catalog.download import UNOBSERVED, DownloadObserver
from ...catalog.known_models import FINDER
from ...catalog.model_card import CutoutModels
from . import matting, networks, salient, segmentation, text_detection
from .grabcut import CORE, Corners, Mask, Shares, grab_cut

NONE_NAMED = CutoutModels()
LEAST_SIDE = 8
INSET = 0.04
"""Without a box the subject is taken to fill the picture save this share of it on every side."""

SPECK = 0.02
"""Pieces and holes smaller than this share of the subject are dropped and filled."""

LEAST_GUESS = 0.002
"""What share of a picture a network must be sure of, at least; else it has found nothing."""

MAYBE = (0.1, 0.85)
"""What a first answer says of pixels outside and inside of it, where points ask anew: nothing for certain."""

STAGE, STEPS = "cutout", 3
"""What is reported on the way: looked up, told apart, and the edge found."""


@dataclass(frozen=True)
class _Prompt:
    """What a picture is cut out by, checked; `corners` are those of the box, if there is one."""

    pixels: NDArray[np.uint8]
    box: Rect | None
    points: Sequence[Point]
    device: str
    observer: DownloadObserver

    @property
    def size(self) -> tuple[int, int]:
        return self.pixels.shape[1], self.pixels.shape[0]

    @property
    def corners(self) -> Corners | None:
        return _corners(self.box, self.size) if self.box else None

    @property
    def whole(self) -> Corners:
        return 0, 0, *self.size


def cut_out(
    picture: Image.Image,
    *,
    box: Rect | None = None,
    points: Sequence[Point] = (),
    mask: Image.Image | None = None,
    model: str | None = None,
    words: str = "",
    finder: str | None = None,
    usual: CutoutModels = NONE_NAMED,
    device: str = "auto",
    observer: DownloadObserver = UNOBSERVED,
) -> Mask:
    """Return the cut-out of a picture's subject, as large as the picture.

    `points` say what is inside and what is not; `words` what it is, which `finder` looks for (in the
    box, if there is one). `mask` is a cut-out to go on from: points change it, and without them its edge is made anew.
    `model` and `finder` are folders, files or hub ids, downloaded where they are not here; those of `usual` count
    where none is named, and without one GrabCut cuts. They run on `device`, as in `hardware.options.Options`.
    A picture with transparency is never cut wider than that.
    Raises `BadPicture`, `InvalidField` (`$.box`, `$.points[0]`, `$.words`), `UnknownModel` and
    `MissingDependency`.
    """
    if min(picture.size) < LEAST_SIDE:
        raise BadPicture(
            f"The picture has only {picture.width} x {picture.height} px.",
            path="$.picture",
            fix=f"Use one of at least {LEAST_SIDE} px a side.",
        )
    words = words.strip()
    alpha = useful_alpha(picture)
    prompted = box is not None or bool(points) or bool(words)
    if alpha is not None and not prompted and mask is None and model is None:
        return alpha
    if box is not None:
        _corners(box, picture.size)
    _check_points(points, picture.size)
    named, by_clicks, where = usual.chosen(model, finder, prompted=prompted)
    found = _folder(named, segmentation.FIELD, segmentation.FIX, observer)
    clicks = _folder(by_clicks, segmentation.FIELD, segmentation.FIX, observer)
    pixels = np.asarray(picture.convert("RGB"))
    if words:
        at = _folder(where or FINDER, text_detection.FIELD, text_detection.FIX, observer)
        assert at is not None
        box = text_detection.find(pixels, words, at, box, device, observer.check)
    prompt = _Prompt(pixels, box, points, device, observer)
    observer.report(STAGE, 0, STEPS, None)
    given = None if mask is None else _given(mask, picture.size)
    guess: Shares | None = None
    if given is not None:
        inside = given >= 128
    elif found is not None and found.is_dir():
        inside = _segmented(prompt, found)
    elif clicks is not None and box is not None:
        inside = _segmented(prompt, clicks)
    else:
        guess = _guess(prompt, found) if found is not None else None
        inside = _told_apart(prompt, guess)
    observer.check()
    observer.report(STAGE, 1, STEPS, None)
    changed = np.zeros_like(inside)
    if points and (given is not None or found is None or not found.is_dir()):
        network = clicks or (found if found is not None and found.is_dir() else None)
        changed = _changed(prompt, inside, network)
    inside = _tidy(inside ^ changed, points)
    observer.check()
    observer.report(STAGE, 2, STEPS, None)
    cut = matting.refine(pixels, inside, guess, observer.check)
    if given is not None and points:
        cut = np.where(_grown(changed | (inside != (given >= 128))), cut, given)
    return cut if alpha is None else np.minimum(cut, alpha)


def _folder(model: str, field: str, fix: str, observer: DownloadObserver) -> Path | None:
    """Return a network's folder or file, downloaded where it is not here yet; `None` for GrabCut."""
    if model == GRABCUT and field == segmentation.FIELD:
        return None
    networks.check_name(model, field, fix)
    return download.network(model, field, observer)


def _given(mask: Image.Image, size: tuple[int, int]) -> Mask:
    return np.asarray(pictures.mask_of(mask).resize(size, Image.Resampling.BILINEAR))


def _segmented(prompt: _Prompt, folder: Path) -> Bools:
    """Return what a mask-generation model takes for the subject."""
    corners = prompt.corners or (None if prompt.points else _corners(None, prompt.size))
    return segmentation.segment(
        prompt.pixels, corners, prompt.points, folder, prompt.device, prompt.observer.check
    )


def _guess(prompt: _Prompt, file: Path) -> Shares | None:
    """Return what a salient-object network takes for the subject, or `None` where nothing stands out."""
    guess = salient.find_subject(
        prompt.pixels, file, prompt.corners, prompt.device, prompt.observer.check
    )
    return guess if (guess >= 0.5).mean() >= LEAST_GUESS else None


def _told_apart(prompt: _Prompt, guess: Shares | None) -> Bools:
    """Return the subject by GrabCut, from a guess, or from the box, or from the middle of the picture."""
    if guess is not None:
        return grab_cut(prompt.pixels, prompt.corners or prompt.whole, guess=guess)
    core = 1.0 if prompt.box else CORE
    return grab_cut(prompt.pixels, _corners(prompt.box, prompt.size), core=core)


def _changed(prompt: _Prompt, inside: Bools, network: Path | None) -> Bools:
    """Return what the points change of a first answer: the pieces that they lie on, of what is now seen otherwise."""
    points = prompt.points
    if network is not None:
        corners = prompt.corners or _around(inside, points)
        again = segmentation.segment(
            prompt.pixels, corners, points, network, prompt.device, prompt.observer.check
        )
    else:
        guess = np.where(inside, MAYBE[1], MAYBE[0]).astype(np.float32)
        again = grab_cut(prompt.pixels, prompt.whole, points, guess=guess)
    labels, _ = _pieces(again ^ inside)
    wrong = {
        int(labels[int(point.y), int(point.x)])
        for point in points
        if inside[int(point.y), int(point.x)] != point.inside
    }
    return np.isin(labels, list(wrong - {0}))


def _around(inside: Bools, points: Sequence[Point]) -> Corners:
    """Return the corners around a first answer and the points that shall belong to it."""
    part = inside.copy()
    for point in points:
        part[int(point.y), int(point.x)] |= point.inside
    rows, cols = np.nonzero(part)
    if not len(rows):
        return 0, 0, inside.shape[1], inside.shape[0]
    return int(cols.min()), int(rows.min()), int(cols.max()) + 1, int(rows.max()) + 1


def _grown(part: Bools) -> Bools:
    """Return a part with what its soft edge may reach."""
    reach = 2 * max(2, round(matting.NEAR * max(part.shape))) + 1
    return cv2.dilate(part.astype(np.uint8), np.ones((reach, reach), np.uint8)) > 0


def useful_alpha(picture: Image.Image) -> Mask | None:
    """Return a picture's transparency if it tells a subject from its surroundings."""
    if "A" not in picture.getbands():
        return None
    alpha = np.asarray(picture.getchannel("A"))
    clear, opaque = (alpha < 128).mean(), (alpha >= 128).mean()
    return alpha if clear > 0.001 and opaque > 0.001 else None


def _corners(box: Rect | None, size: tuple[int, int]) -> Corners:
    """Return the box in whole px inside the picture, with some background left around it."""
    width, height = size
    if box is None:
        across, down = max(1, round(width * INSET)), max(1, round(height * INSET))
        return across, down, width - across, height - down
    left, top = max(0, round(box.x)), max(0, round(box.y))
    right, bottom = min(width, round(box.x + box.w)), min(height, round(box.y + box.h))
    if right - left < 2 or bottom - top < 2:
        raise InvalidField(
            f"The box covers nothing of the picture of {width} x {height} px.",
            path="$.box",
            fix="Draw it around the subject, inside the picture.",
        )
    if (left, top, right, bottom) == (0, 0, width, height):
        return 1, 1, width - 1, height - 1
    return left, top, right, bottom


def _check_points(points: Sequence[Point], size: tuple[int, int]) -> None:
    for index, point in enumerate(points):
        if not (0 <= point.x < size[0] and 0 <= point.y < size[1]):
            raise InvalidField(
                f"The point lies outside the picture of {size[0]} x {size[1]} px.",
                path=f"$.points[{index}]",
                fix="Put it onto the picture.",
            )


def _tidy(inside: Bools, points: Sequence[Point] = ()) -> Bools:
    """Drop specks without a point on them and fill pinholes.

    Raises `InvalidField` where there is no subject at all.
    """
    labels, areas = _pieces(inside)
    keep = areas >= SPECK * areas.max()
    for point in points:
        keep[labels[int(point.y), int(point.x)]] |= point.inside
    keep[0] = False
    inside = keep[labels]
    if not inside.any():
        raise InvalidField(
            "No subject can be told from its surroundings.",
            path="$.box",
            fix="Draw the box a little larger than the subject, or mark points on it.",
        )
    labels, areas = _pieces(~inside)
    keep = areas < SPECK * inside.sum()
    for point in points:
        keep[labels[int(point.y), int(point.x)]] &= point.inside
    keep[0] = True
    return np.asarray(keep[labels])


def _pieces(inside: Bools) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Number the connected pieces of a mask from 1 on; return the numbers and each one's area."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=4)
    areas = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
    areas[0] = 0.0
    return np.asarray(labels), areas
