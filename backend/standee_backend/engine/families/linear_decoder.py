"""Linear decoder: pixels at half size from a cell's token, by one matrix fitted to the autoencoder.

What an autoencoder makes of smooth colour and edges is nearly linear in its latents, so that a preview needs none of
its decoder's work. The matrix is the least-squares answer for a chart of both.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

CHARTS, CHART_CELLS = 2, 24
"""How many charts are encoded for the fit, and their cells a side."""

SCALES = (2, 4, 8, 16, 32, 64, 128)
"""The patches a side of a chart, from its coarsest layer to its finest."""

RIDGE = 0.5
"""Keeps the fit from leaning on channels that hardly vary."""


class LinearDecoder:
    """Decodes tokens (1, cells, channels) to pixels (1, 3, rows * patch / 2, columns * patch / 2) in -1..1."""

    def __init__(self, matrix: Tensor, patch: int) -> None:
        self._matrix, self._side = matrix, patch // 2

    @classmethod
    def fitted(cls, encode: Callable[[Tensor], Tensor], patch: int) -> LinearDecoder:
        """Fit the decoder of an autoencoder, whose `encode` makes tokens of pixels (1, 3, height, width)."""
        side = CHART_CELLS * patch
        pictures = [chart(side, seed) for seed in range(CHARTS)]
        tokens = _with_one(torch.cat([encode(picture)[0].float() for picture in pictures]))
        blocks = torch.cat([_blocks(picture, CHART_CELLS, patch // 2) for picture in pictures])
        square = tokens.T @ tokens + RIDGE * torch.eye(tokens.shape[1], device=tokens.device)
        # solved on the host: a small system, and not every device has the solver
        solved = torch.linalg.solve(square.cpu(), (tokens.T @ blocks.to(tokens.device)).cpu())
        return cls(solved.to(tokens.device), patch)

    def __call__(self, tokens: Tensor, rows: int, cols: int) -> Tensor:
        """Decode tokens of a `rows` x `cols` grid."""
        side = self._side
        blocks = (_with_one(tokens[0].float()) @ self._matrix).view(rows, cols, 3, side, side)
        pixels = blocks.permute(2, 0, 3, 1, 4).reshape(1, 3, rows * side, cols * side)
        return pixels.clamp(-1, 1)


def chart(side: int, seed: int) -> Tensor:
    """Return a chart (1, 3, side, side) in -1..1: smooth colour and edges at every scale. A seed gives one chart."""
    generator = torch.Generator().manual_seed(seed)

    def smooth(channels: int, scale: int) -> Tensor:
        noise = torch.randn(1, channels, scale, scale, generator=generator)
        return F.interpolate(noise, (side, side), mode="bicubic")

    pixels = torch.zeros(1, 3, side, side)
    for scale in SCALES:
        edge = (smooth(1, scale) > 0.6).float()
        pixels = (
            torch.lerp(pixels, 0.8 * smooth(3, scale), edge) + 0.6 * smooth(3, scale) / scale**0.5
        )
    return pixels.tanh()


def _with_one(tokens: Tensor) -> Tensor:
    return torch.cat([tokens, tokens.new_ones(len(tokens), 1)], dim=1)


def _blocks(pixels: Tensor, cells: int, side: int) -> Tensor:
    """Return pixels as what each cell decodes to (cells * cells, 3 * side * side)."""
    small = F.interpolate(pixels, (cells * side, cells * side), mode="area")
    blocks = small.view(3, cells, side, cells, side).permute(1, 3, 0, 2, 4)
    return blocks.reshape(cells * cells, 3 * side * side)
