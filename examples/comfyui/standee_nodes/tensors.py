"""Pictures of ComfyUI as files, and back: float tensors of 0..1, (batch, height, width, channels)."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image

from standee.errors import InvalidField


def png_of_image(image: torch.Tensor, name: str) -> bytes:
    """Return a batch of one picture, RGB or RGBA, as a PNG. Raises `InvalidField`; it calls the picture `name`."""
    if image.ndim != 4 or image.shape[-1] not in (3, 4):
        raise InvalidField(
            f"{name} is no picture of three or four channels.", fix="Connect an IMAGE to it."
        )
    return _png(_one(image, name))


def png_of_mask(mask: torch.Tensor, name: str, inverted: bool) -> bytes | None:
    """Return a mask (batch, height, width), `inverted` where it marks what is to go; `None` if it is white all over."""
    one = _one(mask if mask.ndim == 3 else mask[None], name)
    shown = 1 - one if inverted else one
    return None if bool((shown >= 1).all()) else _png(shown)


def images_of_png(pictures: Sequence[bytes]) -> torch.Tensor:
    """Return pictures of one size as a batch of RGB."""
    arrays = [
        np.asarray(Image.open(io.BytesIO(one)).convert("RGB"), np.float32) for one in pictures
    ]
    return torch.from_numpy(np.stack(arrays) / np.float32(255))


def _one(batch: torch.Tensor, name: str) -> torch.Tensor:
    """Return the one entry of a batch. Of several it is not known which is meant."""
    if batch.shape[0] != 1:
        raise InvalidField(
            f"{name} is a batch of {batch.shape[0]} pictures, and one is wanted.",
            fix="Choose one with the node Image From Batch.",
        )
    return batch[0]


def _png(values: torch.Tensor) -> bytes:
    pixels = (values.detach().cpu().float().clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG", compress_level=1)
    return stream.getvalue()
