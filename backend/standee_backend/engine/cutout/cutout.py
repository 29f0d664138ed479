"""Cut-outs: which pixels of a picture are its subject.

The picture's own transparency where it has one; else GrabCut, which needs nothing but a box around
the subject; or a mask-generation model (`segmentation.py`). Words are turned into a box first
(`text_detection.py`). Lengths are the picture's own px.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from standee.composition import Rect
from standee.errors import BadPicture, InvalidField
from standee.geometry import Bools
from standee.wire.messages import Point

from ...catalog import download
from ...catalog.download import NOBODY, Follower
from ...catalog.known_models import FINDER
from . import networks, segmentation, text_detection
from .grabcut import CORE, Corners, Mask, grab_cut

LEAST_SIDE = 8
INSET = 0.04
"""Without a box the subject is taken to fill the picture save this share of it on every side."""

SPECK = 0.02
"""Pieces and holes smaller than this share of the subject are dropped and filled."""


def cut_out(
    picture: Image.Image,
    *,
    box: Rect | None = None,
    points: Sequence[Point] = (),
    model: str | None = None,
    words: str = "",
    finder: str | None = None,
    device: str = "auto",
    follower: Follower = NOBODY,
) -> Mask:
    """Return the cut-out of a picture's subject, as large as the picture.

    `points` say what is inside and what is not; `words` what it is, which `finder` looks for (in the
    box, if there is one). `model` and `finder` are folders or hub ids, downloaded where they are not
    here; without a model GrabCut cuts. They run on `device`, as in `hardware.options.Options`. A picture
    with transparency is never cut wider than that.
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
    if alpha is not None and box is None and not points and model is None and not words:
        return alpha
    corners = _corners(box, picture.size)
    _check_points(points, picture.size)
    folder = _folder(model, segmentation.FIELD, segmentation.FIX, follower) if model else None
    pixels = np.asarray(picture.convert("RGB"))
    if words:
        at = _folder(finder or FINDER, text_detection.FIELD, text_detection.FIX, follower)
        box = text_detection.find(pixels, words, at, box, device)
        corners = _corners(box, picture.size)
    if folder is None:
        inside = grab_cut(pixels, corners, points, 1.0 if box else CORE)
    else:
        inside = segmentation.segment(
            pixels, corners if box or not points else None, points, folder, device
        )
    mask = _soften(_tidy(inside, points))
    return mask if alpha is None else np.minimum(mask, alpha)


def _folder(model: str, field: str, fix: str, follower: Follower) -> Path:
    """Return a model's folder, downloaded where it is not here yet."""
    networks.check_name(model, field, fix)
    return download.network(model, field, follower)


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


def _soften(inside: Bools) -> Mask:
    """Return the mask with an edge that fades over about 1 px to either side."""
    sharp = inside.astype(np.uint8) * 255
    return np.asarray(cv2.GaussianBlur(sharp, (5, 5), 0.8), np.uint8)
