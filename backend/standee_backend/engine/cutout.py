"""Cut-outs: which pixels of a picture are its subject.

The picture's own transparency where it has one; else GrabCut, which needs nothing but a box around
the subject; or any mask-generation model of `transformers` (SAM and its kin). Lengths are the
picture's own px.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from standee.composition import Rect
from standee.errors import BadPicture, InvalidField, MissingDependency, UnknownModel
from standee.geometry import Bools
from standee.messages import Point

from ..catalog import HUB_ID
from ..hardware import Options, resolve
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
) -> Mask:
    """Return the cut-out of a picture's subject, as large as the picture.

    `points` say what is inside and what is not; `model` is a folder or hub id of a mask-generation
    model, GrabCut without one. A picture with transparency is never cut wider than that.
    Raises `BadPicture`, `InvalidField` (`$.box`, `$.points[0]`, `$.words`), `UnknownModel` and
    `MissingDependency`.
    """
    if min(picture.size) < LEAST_SIDE:
        raise BadPicture(
            f"The picture has only {picture.width} x {picture.height} px.",
            path="$.picture",
            fix=f"Use one of at least {LEAST_SIDE} px a side.",
        )
    if words:
        raise InvalidField(
            "Subjects cannot be found by words.",
            path="$.words",
            fix="Give a box around the subject, or points on it.",
        )
    alpha = useful_alpha(picture)
    if alpha is not None and box is None and not points and model is None:
        return alpha
    corners = _corners(box, picture.size)
    _check_points(points, picture.size)
    pixels = np.asarray(picture.convert("RGB"))
    if model is None:
        inside = grab_cut(pixels, corners, points, 1.0 if box else CORE)
    else:
        inside = segment(pixels, corners if box or not points else None, points, model)
    mask = _soften(_tidy(inside, points))
    return mask if alpha is None else np.minimum(mask, alpha)


def useful_alpha(picture: Image.Image) -> Mask | None:
    """Return a picture's transparency if it tells a subject from its surroundings."""
    if "A" not in picture.getbands():
        return None
    alpha = np.asarray(picture.getchannel("A"))
    clear, opaque = (alpha < 128).mean(), (alpha >= 128).mean()
    return alpha if clear > 0.001 and opaque > 0.001 else None


def segment(
    pixels: NDArray[np.uint8], corners: Corners | None, points: Sequence[Point], model: str
) -> Bools:
    """Return what a mask-generation model takes for the subject in `pixels` (height, width, 3).

    `corners` and `points` prompt it. One point alone is ambiguous: then the mask that the model
    itself rates best is taken.
    """
    network, processor = _load(model)
    prompt: dict[str, Any] = {}
    if corners:
        prompt["input_boxes"] = torch.tensor([[corners]], dtype=torch.float32)
    if points:
        prompt["input_points"] = torch.tensor([[[[p.x, p.y] for p in points]]])
        prompt["input_labels"] = torch.tensor([[[int(p.inside) for p in points]]])
    inputs = processor(images=Image.fromarray(pixels), return_tensors="pt", **prompt)
    sizes = {k: inputs.pop(k) for k in ("original_sizes", "reshaped_input_sizes") if k in inputs}
    device, _ = resolve(Options())
    try:
        network.to(device)
        with torch.no_grad():
            out = network(**inputs.to(device), multimask_output=not corners and len(points) == 1)
        [masks] = processor.post_process_masks(out.pred_masks.cpu(), **sizes)
        best = int(out.iou_scores[0, 0].argmax())
        return masks[0, best].numpy().astype(bool)
    finally:
        network.to("cpu")


def _load(model: str) -> tuple[Any, Any]:
    """Load a mask-generation model and its processor, from safetensors alone."""
    import transformers
    from transformers import AutoConfig, AutoModelForMaskGeneration, AutoProcessor
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASK_GENERATION_MAPPING_NAMES

    if not Path(model).is_dir() and not HUB_ID.fullmatch(model):
        raise _unknown(f"There is no model {model!r}.")
    try:
        kind = AutoConfig.from_pretrained(model).model_type
        if kind not in MODEL_FOR_MASK_GENERATION_MAPPING_NAMES:
            raise _unknown(f"{model} is a {kind} model, which makes no masks.")
        transformers.utils.logging.disable_progress_bar()
        network = AutoModelForMaskGeneration.from_pretrained(model, use_safetensors=True)
        return network.eval(), AutoProcessor.from_pretrained(model)
    except (ImportError, OSError, ValueError, KeyError, RuntimeError) as error:
        if find_spec("torchvision") is None and "torchvision" in str(error).lower():
            raise MissingDependency(
                f"The model {model} needs the package torchvision.",
                path="$.model",
                fix="Run `pip install torchvision` in the daemon's environment, or use a SAM of the"
                " first generation such as facebook/sam-vit-base.",
            ) from error
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        raise _unknown(f"The model {model} cannot be loaded: {reason}.") from error


def _unknown(message: str) -> UnknownModel:
    return UnknownModel(
        message,
        path="$.model",
        fix="Give a folder or hub id of a mask-generation model such as facebook/sam-vit-base, or"
        " none for GrabCut.",
    )


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
