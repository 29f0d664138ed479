"""Masks from a box and points, by SAM, SAM 2 and the other mask-generation models of `transformers`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from standee.errors import UnknownModel
from standee.geometry import Bools
from standee.wire.messages import Point

from . import networks
from .grabcut import Corners

FIELD = "$.model"
FIX = (
    "Give an ONNX file of a salient-object network such as ISNet, U2-Net or BiRefNet, or a folder or hub id of"
    " a mask-generation model, such as facebook/sam2.1-hiera-small or facebook/sam-vit-base, or grabcut."
)
SAM2 = ("sam2", "sam2_video")
"""Kinds that see a picture stretched to a square; transformers' own preparation needs torchvision."""

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""The colours of ImageNet, which SAM 2 was trained on."""


def segment(
    pixels: NDArray[np.uint8],
    corners: Corners | None,
    points: Sequence[Point],
    folder: Path,
    device: str = "auto",
    check: Callable[[], None] = lambda: None,
) -> Bools:
    """Return what a mask-generation model takes for the subject in `pixels` (height, width, 3).

    `corners` (px: left, top, right, bottom) and `points` prompt it. One point alone is ambiguous:
    then the mask that the model itself rates best is taken. `check` is called while the model runs; what it raises
    stops it. Raises `UnknownModel`.
    """
    kind = networks.kind_of(folder, FIELD, FIX)
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASK_GENERATION_MAPPING_NAMES

    if kind not in MODEL_FOR_MASK_GENERATION_MAPPING_NAMES:
        raise UnknownModel(
            f"The model in {folder} is a {kind}, which makes no masks.", path=FIELD, fix=FIX
        )
    processor = "" if kind in SAM2 else "AutoProcessor"
    network, prepare = networks.load(folder, "AutoModelForMaskGeneration", processor, FIELD, FIX)
    several = not corners and len(points) == 1
    with networks.on_device(network, device, check) as there:
        prompt = _prompt(corners, points)
        if prepare is None:
            inputs = _squared(pixels, prompt, network.config.prompt_encoder_config.image_size)
            out = network(**{k: v.to(there) for k, v in inputs.items()}, multimask_output=several)
            masks = _to_size(out.pred_masks, pixels.shape[:2])
        else:
            inputs = prepare(images=Image.fromarray(pixels), return_tensors="pt", **prompt)
            sizes = {
                k: inputs.pop(k) for k in ("original_sizes", "reshaped_input_sizes") if k in inputs
            }
            out = network(**inputs.to(there), multimask_output=several)
            [masks] = prepare.post_process_masks(out.pred_masks.cpu(), **sizes)
        best = int(out.iou_scores[0, 0].argmax())
        return np.asarray(masks[0, best].cpu().numpy().astype(bool))


def _prompt(corners: Corners | None, points: Sequence[Point]) -> dict[str, Any]:
    """Return the prompt in the picture's px: boxes (1, 1, 4), points (1, 1, n, 2), labels (1, 1, n)."""
    prompt: dict[str, Any] = {}
    if corners:
        prompt["input_boxes"] = torch.tensor([[corners]], dtype=torch.float32)
    if points:
        prompt["input_points"] = torch.tensor([[[[p.x, p.y] for p in points]]])
        prompt["input_labels"] = torch.tensor([[[int(p.inside) for p in points]]])
    return prompt


def _squared(pixels: NDArray[np.uint8], prompt: dict[str, Any], side: Any) -> dict[str, Tensor]:
    """Return a picture stretched to SAM 2's square and normalised, and the prompt stretched with it."""
    tall, wide = side if isinstance(side, list | tuple) else (side, side)
    height, width = pixels.shape[:2]
    seen = Image.fromarray(pixels).resize((wide, tall), Image.Resampling.BILINEAR)
    colours = torch.from_numpy(np.asarray(seen, np.float32) / 255)
    normal = (colours - torch.tensor(MEAN)) / torch.tensor(STD)
    scale = torch.tensor([wide / width, tall / height])
    inputs = {"pixel_values": normal.permute(2, 0, 1)[None], **prompt}
    if "input_boxes" in inputs:
        inputs["input_boxes"] = inputs["input_boxes"] * scale.repeat(2)
    if "input_points" in inputs:
        inputs["input_points"] = inputs["input_points"].float() * scale
    return inputs


def _to_size(masks: Tensor, size: tuple[int, ...]) -> Tensor:
    """Return the masks (objects, masks, height, width) of the one picture, at its own size."""
    return interpolate(masks[0].float(), tuple(size), mode="bilinear", align_corners=False) > 0
