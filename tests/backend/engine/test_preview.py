"""Previews: the whole picture, decoded small."""

from __future__ import annotations

import io

import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from standee_backend.engine.preview import SIDE, encode_preview


@pytest.mark.parametrize(("rows", "cols"), [(8, 8), (40, 64), (65, 33)])
def test_a_preview_is_no_larger_than_it_needs_to_be(mini, rows: int, cols: int) -> None:
    tokens = torch.zeros(1, rows * cols, mini.channels)
    width, height = Image.open(io.BytesIO(encode_preview(mini, tokens, rows, cols))).size
    assert max(width, height) <= SIDE
    assert width / height == pytest.approx(cols / rows, rel=0.1)


@pytest.mark.parametrize(("rows", "cols"), [(1, 64), (64, 1), (3, 200)])
def test_a_banner_has_a_preview_too(mini, rows: int, cols: int) -> None:
    tokens = torch.zeros(1, rows * cols, mini.channels)
    width, height = Image.open(io.BytesIO(encode_preview(mini, tokens, rows, cols))).size
    assert width / height == pytest.approx(cols / rows, rel=0.1)


def test_a_preview_shows_the_picture(mini) -> None:
    ramp = torch.linspace(-1, 1, 128).expand(1, 3, 128, 128)
    tokens = mini.encode_latents(ramp)
    preview = Image.open(io.BytesIO(encode_preview(mini, tokens, 8, 8))).convert("L")
    left, right = preview.getpixel((8, 32)), preview.getpixel((56, 32))
    assert isinstance(left, int)
    assert isinstance(right, int)
    assert right - left > 100


def test_a_preview_is_close_to_what_the_autoencoder_decodes(mini) -> None:
    y, x = torch.meshgrid(torch.linspace(-1, 1, 128), torch.linspace(-1, 1, 128), indexing="ij")
    disc = ((x**2 + y**2) < 0.4).float()
    picture = torch.stack([x * (1 - disc) + disc, y * (1 - disc), disc - 0.3])[None]
    tokens = mini.encode_latents(picture)
    decoded = F.avg_pool2d(mini.decode_latents(tokens, 8, 8), 2)
    error = (mini.sketch_latents(tokens, 8, 8) - decoded).square().mean()
    assert 10 * torch.log10(4 / error) > 26
