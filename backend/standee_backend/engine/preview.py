"""Previews: the clean picture that a step predicts, small."""

from __future__ import annotations

import io

from PIL import Image
from torch import Tensor

from .families.base import Family
from .pixels import images

SIDE = 512
"""A preview's long side is at most this many px."""


def encode_preview(family: Family, predicted: Tensor, rows: int, cols: int) -> bytes:
    """Return predicted clean tokens (1, rows * cols, channels) as a small JPEG."""
    pixels = images.to_uint8(images.from_tensor(family.sketch_latents(predicted, rows, cols)))
    picture = Image.fromarray(pixels)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()
