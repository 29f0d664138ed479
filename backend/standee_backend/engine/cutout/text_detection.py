"""Detection by words: boxes by Grounding DINO and its kin in `transformers`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from standee.composition import Rect
from standee.errors import InvalidField, UnknownModel

from ...catalog.known_models import FINDER
from . import networks

FIELD = "$.finder"
FIX = f"Give a folder or hub id of a model such as {FINDER}, or none for that one."

SURE = 0.25
"""The least score at which something counts as found."""


def find(
    pixels: NDArray[np.uint8],
    words: str,
    folder: Path,
    inside: Rect | None = None,
    device: str = "auto",
    check: Callable[[], None] = lambda: None,
) -> Rect:
    """Return the box (px) of what fits `words` best in `pixels` (height, width, 3).

    With `inside`, only what has its centre there. `check` is called while the model runs; what it raises stops it.
    Raises `InvalidField` (`$.words`) where nothing
    fits, and `UnknownModel`.
    """
    kind = networks.kind_of(folder, FIELD, FIX)
    from transformers.models.auto import modeling_auto

    if kind not in modeling_auto.MODEL_FOR_ZERO_SHOT_OBJECT_DETECTION_MAPPING_NAMES:
        raise UnknownModel(
            f"The model in {folder} is a {kind}, which finds nothing by words.",
            path=FIELD,
            fix=FIX,
        )
    network, prepare = networks.load(
        folder, "AutoModelForZeroShotObjectDetection", "AutoProcessor", FIELD, FIX
    )
    label = " ".join(words.lower().replace(".", " ").split())
    with networks.on_device(network, device, check) as there:
        inputs = prepare(images=Image.fromarray(pixels), text=[[label]], return_tensors="pt")
        out = network(**inputs.to(there))
        size = torch.tensor([pixels.shape[:2]], device=there)
        [found] = prepare.post_process_grounded_object_detection(
            out, threshold=SURE, target_sizes=size
        )
    best, least = None, 0.0
    for score, (left, top, right, bottom) in zip(
        found["scores"].tolist(), found["boxes"].tolist(), strict=True
    ):
        box = _clipped(left, top, right, bottom, pixels.shape)
        if score > least and box is not None and (inside is None or _centred(box, inside)):
            best, least = box, score
    if best is None:
        raise InvalidField(
            f"Nothing in the picture looks like {words.strip()!r}"
            + (" in the box." if inside else "."),
            path="$.words",
            fix="Use other words, or draw a box around the subject.",
        )
    return best


def _clipped(
    left: float, top: float, right: float, bottom: float, shape: tuple[int, ...]
) -> Rect | None:
    """Return a box as it lies in the picture; `None` where less than 2 px of it do."""
    x, y = max(0.0, left), max(0.0, top)
    w, h = min(float(shape[1]), right) - x, min(float(shape[0]), bottom) - y
    return Rect(x, y, w, h) if min(w, h) >= 2 else None


def _centred(box: Rect, inside: Rect) -> bool:
    x, y = box.x + box.w / 2, box.y + box.h / 2
    return inside.x <= x <= inside.x + inside.w and inside.y <= y <= inside.y + inside.h
