"""Previews: the clean picture that a step predicts, decoded small."""

from __future__ import annotations

import io

from PIL import Image
from torch import Tensor
from torch.nn.functional import avg_pool2d

from . import images
from .families.base import Family

SIDE = 512
"""A preview's long side is at most this many px."""


def encode_preview(family: Family, predicted: Tensor, rows: int, cols: int) -> bytes:
    """Return predicted clean tokens (1, rows * cols, channels) as a small JPEG.

    The latents are averaged before they are decoded, so that a preview costs little at any size. A banner keeps its
    one row of cells, however long it is.
    """
    k = family.patch // family.latent_px
    factor = min(rows, cols, -(-max(rows, cols) * family.patch // SIDE))
    even = [(side // factor) * factor for side in (rows, cols)]
    latents = family.unpack(predicted, rows, cols)[..., : even[0] * k, : even[1] * k]
    tokens = family.pack(avg_pool2d(latents, factor) if factor > 1 else latents)
    pixels = family.decode_latents(tokens, even[0] // factor, even[1] // factor)
    out = io.BytesIO()
    Image.fromarray(images.to_uint8(images.from_tensor(pixels))).save(out, "JPEG", quality=85)
    return out.getvalue()
