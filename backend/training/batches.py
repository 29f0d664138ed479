"""Batches for the transformer: scenes, crops of them, and close-ups that teach names.

Names come first. A figure that fills its picture and is named alone is soon tied to its name, while among places, other
figures and words around it thousands of steps do not do it. Then close-ups leave it room, and its name is mostly told
to its own cells alone, as a rectangle of words is: what tells where a figure stands tells what a name means.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from training import scenes, text
from training.world import data

CELL = 16  # px a token
WHOLE = 0.6  # of the steps with scenes see them whole, the others crops of 10 to 22 tokens a side
NAMES_FIRST = 0.3  # of the budget sees nothing but the smallest close-ups
CLOSE = 0.6  # of the later steps are close-ups
APART = 0.7  # of those tell the name to its figure's cells alone
ALONE = 0.6  # of the captions of the others name the figure and no place
SHORT = 14  # text tokens of two close-ups in three: the engine's words of a rectangle are no longer than they must be


@dataclass(frozen=True)
class Batch:
    """Clean latents of one grid size with their captions.

    CLIP, which speaks to the whole picture, is often told the place alone: so names are learned by T5's tokens, which
    a part of the picture can be told.
    """

    latents: torch.Tensor  # (N, 16, 2h, 2w)
    captions: list[str]
    pooled: list[str]  # what CLIP is told
    top: int = 0  # rotary id of the first row
    left: int = 0
    close: bool = False  # close-ups of one figure each
    length: int = text.MAX_TOKENS  # of every caption
    words: list[str] = field(default_factory=list)  # what `cells` alone are told, or nothing
    cells: torch.Tensor = field(default_factory=lambda: torch.zeros(0))  # (N, h*w) bool


class Sampler:
    """Draws batches from the store, which may grow meanwhile; a batch depends on its number and what is stored."""

    def __init__(self, work: Path, tokens: int):
        self.work, self.tokens = work, tokens
        self.count = 0
        self.by_canvas: dict[tuple[bool, int, int], list[tuple[scenes.Chunk, int]]] = {}
        self.refresh()

    def refresh(self) -> None:
        """Take up the chunks that came since the last look."""
        for chunk in scenes.load_chunks(self.work, self.count):
            rows, columns = (side // 2 for side in chunk.latents.shape[2:])
            entries = self.by_canvas.setdefault((chunk.close, rows, columns), [])
            entries += [(chunk, index) for index in range(len(chunk.latents))]
            self.count += 1

    def draw(self, step: int, progress: float) -> Batch:
        """Batch `step`, after a share `progress` of the budget."""
        rng = np.random.default_rng((11, step))
        close = progress < NAMES_FIRST or rng.random() < CLOSE
        stored = [key for key in sorted(self.by_canvas) if key[0] == close]
        if not stored:
            close = not close
            stored = sorted(self.by_canvas)
        if close:
            chosen = stored[0] if progress < NAMES_FIRST else stored[rng.integers(len(stored))]
            return self._close_ups(rng, chosen[1:], apart=progress >= NAMES_FIRST)
        shares = np.array(
            [data.CANVASES[columns * CELL, rows * CELL] for _, rows, columns in stored]
        )
        return self._scenes(rng, stored[rng.choice(len(stored), p=shares / shares.sum())][1:])

    def _scenes(self, rng: np.random.Generator, grid: tuple[int, int]) -> Batch:
        """Scenes of one canvas, whole or crops of them. Canvases come as often as the world says."""
        rows, columns = grid
        if rng.random() >= WHOLE:
            rows, columns = (
                int(rng.integers(min(10, side), min(22, side) + 1)) for side in (rows, columns)
            )
        top, left = int(rng.integers(grid[0] - rows + 1)), int(rng.integers(grid[1] - columns + 1))
        window = (slice(2 * top, 2 * (top + rows)), slice(2 * left, 2 * (left + columns)))
        latents, told = self._draw(rng, (False, *grid), rows * columns)
        captions = [data.caption(rng, one.place, one.figures) for one in told]
        pooled = [
            one.place if caption and rng.random() < 0.5 else caption
            for one, caption in zip(told, captions, strict=True)
        ]
        if rng.random() < 0.5:
            top = left = 0
        return Batch(latents[:, :, window[0], window[1]], captions, pooled, top, left)

    def _close_ups(self, rng: np.random.Generator, grid: tuple[int, int], apart: bool) -> Batch:
        """Close-ups of one size. Where `apart`, the name is mostly told to the cells of its figure alone."""
        apart = apart and rng.random() < APART
        length = SHORT if rng.random() < 2 / 3 else text.MAX_TOKENS
        latents, told = self._draw(rng, (True, *grid), grid[0] * grid[1] + (1 + apart) * length)
        if not apart:
            captions = [data.caption(rng, one.place, one.figures, ALONE) for one in told]
            pooled = [
                one.place if caption and rng.random() < 0.85 else caption
                for one, caption in zip(told, captions, strict=True)
            ]
            return Batch(latents, captions, pooled, close=True, length=length)
        words = [data.called(rng, *one.figures) for one in told]
        places = [one.place for one in told]
        pooled = [
            place if rng.random() < 0.6 else f"{place}, {name}"
            for place, name in zip(places, words, strict=True)
        ]
        cells = torch.from_numpy(np.stack([_cells(rng, one.box, grid) for one in told if one.box]))
        return Batch(latents, places, pooled, 0, 0, True, length, words, cells)

    def _draw(
        self, rng: np.random.Generator, canvas: tuple[bool, int, int], tokens: int
    ) -> tuple[torch.Tensor, list[data.Told]]:
        """As many pictures of a canvas as a step has room for at `tokens` each, and what is told of them."""
        pool = self.by_canvas[canvas]
        count = max(1, self.tokens // tokens)
        chosen = [pool[index] for index in rng.integers(len(pool), size=count)]
        latents = torch.stack([chunk.latents[index] for chunk, index in chosen]).float()
        return latents, [chunk.told[index] for chunk, index in chosen]


def _cells(
    rng: np.random.Generator, box: tuple[int, int, int, int], grid: tuple[int, int]
) -> np.ndarray:
    """(h*w,) bool: the cells of a box in px (left, top, right, bottom), and up to one more at each side."""
    more = rng.integers(2, size=4)
    left, top = (max(0, px // CELL - by) for px, by in zip(box[:2], more[:2], strict=True))
    right, bottom = (-(-px // CELL) + by for px, by in zip(box[2:], more[2:], strict=True))
    cells = np.zeros(grid, bool)
    cells[top:bottom, left:right] = True
    return cells.ravel()


def draw_sigma(count: int, tokens: int, close: bool, device: torch.device) -> torch.Tensor:
    """(count,) noise levels, stratified: half uniform, half logit-normal, higher where there are more tokens.

    They are never lower than those of 256 tokens, and higher still for close-ups: what a figure is, is settled early.
    """
    uniform = (torch.randperm(count) + torch.rand(count)) / count
    normal = torch.special.ndtri(uniform.clamp(1e-4, 1 - 1e-4))
    bell = torch.sigmoid(normal + 0.5 * math.log2(max(256, tokens) / 128))
    other = torch.sigmoid(normal + 2) if close else uniform
    return torch.where(torch.rand(count) < 0.5, other, bell).clamp(0.001, 1).to(device)
