"""Batches for the transformer: scenes, crops of them, and close-ups that teach names.

Names come first. A figure that fills its picture and is named alone is soon tied to its name, while among places, other
figures and words around it thousands of steps do not do it. Then close-ups leave it room, and its name is mostly told
to its own cells alone, as a rectangle of words is, by words that stand at the rectangle's corners: a cell that knows
where in its figure it is learns what it shows as quickly as in a picture that the figure fills.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from training import scenes, text
from training.world import data

CELL = 16  # px a token
WHOLE = 0.6  # of the steps with scenes see them whole, the others crops of 10 to 22 tokens a side
NAMES_FIRST = 0.3  # of the budget sees nothing but the smallest close-ups
CLOSE_STEPS = 0.8  # of the later steps see close-ups
APART = 0.9  # of those tell the name to its figure's cells alone
NAMED_ALONE = 0.6  # of the captions of the other close-ups name the figure and no place
SHORT = 14  # text tokens of two close-ups in three
WORDS = 6, 6, 12  # text tokens of what cells alone are told: the engine gives as few as it can
WINDOW = 11  # cells a side, at most, of the part of a close-up that is seen then: the largest figure has room in it


@dataclass(frozen=True)
class Apart:
    """What a rectangle of each picture alone is told."""

    words: list[str]
    length: int  # text tokens of each
    cells: torch.Tensor  # (N, h*w) bool: those of the rectangle
    corners: torch.Tensor  # (N, 2, 2) rotary (row, column) of its first corner and its last


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
    apart: Apart | None = None


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
        close = progress < NAMES_FIRST or rng.random() < CLOSE_STEPS
        stored = [key for key in sorted(self.by_canvas) if key[0] == close]
        if not stored:
            close = not close
            stored = sorted(self.by_canvas)
        grids = [key[1:] for key in stored]
        if not close:
            shares = [data.CANVASES[columns * CELL, rows * CELL] for rows, columns in grids]
            return self._scenes(rng, _one_of(rng, grids, shares))
        if progress < NAMES_FIRST:
            return self._close_ups(rng, grids[0])
        if rng.random() < APART:  # the larger a close-up, the more sizes its figure may have
            return self._told_apart(rng, _one_of(rng, grids, [rows for rows, _ in grids]))
        return self._close_ups(rng, _one_of(rng, grids, [1] * len(grids)))

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
        pooled = _pooled(rng, told, captions, 0.5)
        if rng.random() < 0.5:
            top = left = 0
        return Batch(latents[:, :, window[0], window[1]], captions, pooled, top, left)

    def _close_ups(self, rng: np.random.Generator, grid: tuple[int, int]) -> Batch:
        """Close-ups of one size."""
        length = _length(rng)
        latents, told = self._draw(rng, (True, *grid), grid[0] * grid[1] + length)
        captions = [data.caption(rng, one.place, one.figures, NAMED_ALONE) for one in told]
        pooled = _pooled(rng, told, captions, 0.85)
        return Batch(latents, captions, pooled, close=True, length=length)

    def _told_apart(self, rng: np.random.Generator, grid: tuple[int, int]) -> Batch:
        """Close-ups of one size whose names are told to the cells of their figures alone."""
        length, count = _length(rng), int(rng.choice(WORDS))
        rows, columns = window = min(WINDOW, grid[0]), min(WINDOW, grid[1])
        latents, told = self._draw(rng, (True, *grid), rows * columns + length + count)
        boxes = torch.tensor([_room(rng, one.box) for one in told])
        corners = boxes[:, [[1, 0], [3, 2]]] / CELL - 0.5
        starts = [
            [
                _window(rng, first, last, side, within)
                for (first, last), side, within in zip(ends, window, grid, strict=True)
            ]
            for ends in corners.transpose(1, 2).tolist()
        ]
        corners = corners - torch.tensor(starts)[:, None]
        parts = [
            whole[:, 2 * top : 2 * (top + rows), 2 * left : 2 * (left + columns)]
            for whole, (top, left) in zip(latents, starts, strict=True)
        ]
        places = [one.place for one in told]
        words = [data.called(rng, *one.figures) for one in told]
        both = [f"{place}, {name}" for place, name in zip(places, words, strict=True)]
        pooled = _pooled(rng, told, both, 0.6)
        apart = Apart(words, count, _cells(corners, window), corners)
        return Batch(torch.stack(parts), places, pooled, close=True, length=length, apart=apart)

    def _draw(
        self, rng: np.random.Generator, canvas: tuple[bool, int, int], tokens: int
    ) -> tuple[torch.Tensor, list[data.Told]]:
        """As many pictures of a canvas as a step has room for at `tokens` each, and what is told of them."""
        pool = self.by_canvas[canvas]
        count = max(1, self.tokens // tokens)
        chosen = [pool[index] for index in rng.integers(len(pool), size=count)]
        latents = torch.stack([chunk.latents[index] for chunk, index in chosen]).float()
        return latents, [chunk.told[index] for chunk, index in chosen]


def _one_of(
    rng: np.random.Generator, grids: list[tuple[int, int]], shares: Sequence[float]
) -> tuple[int, int]:
    """One of some grids, by their shares."""
    return grids[rng.choice(len(grids), p=np.array(shares) / sum(shares))]


def _length(rng: np.random.Generator) -> int:
    """How many text tokens close-ups get."""
    return SHORT if rng.random() < 2 / 3 else text.MAX_TOKENS


def _pooled(
    rng: np.random.Generator, told: list[data.Told], captions: list[str], share: float
) -> list[str]:
    """What CLIP is told: a `share` of the captions' places alone."""
    return [
        one.place if caption and rng.random() < share else caption
        for one, caption in zip(told, captions, strict=True)
    ]


def _room(rng: np.random.Generator, box: data.Box | None) -> tuple[float, float, float, float]:
    """The rectangle, in px, that a person would have drawn for a figure: it stands at the middle of its lower edge.

    Its shorter side is the figure's longer one.
    """
    assert box is not None, "a close-up tells where its figure is"
    left, top, right, bottom = box
    side = float(max(right - left, bottom - top))
    more = rng.uniform(1, 1.4) if rng.random() < 0.5 else 1.0
    width, height = (side * more, side) if rng.random() < 0.5 else (side, side * more)
    middle = (left + right) / 2
    return middle - width / 2, bottom - height, middle + width / 2, bottom


def _window(rng: np.random.Generator, first: float, last: float, side: int, within: int) -> int:
    """Where a window of `side` cells begins, of `within`, that shows what lies from `first` to `last` if it can."""
    earliest = min(max(0, math.ceil(last + 0.5) - side), within - side)
    latest = min(max(earliest, math.floor(first + 0.5)), within - side)
    return int(rng.integers(earliest, latest + 1))


def _cells(corners: torch.Tensor, grid: tuple[int, int]) -> torch.Tensor:
    """(N, h*w) bool: the cells of a grid whose centres are between `corners` (N, 2, 2)."""
    first, last = corners[..., None].unbind(1)  # (N, 2, 1)
    inside = [
        (first[:, axis] < torch.arange(side)) & (torch.arange(side) < last[:, axis])
        for axis, side in enumerate(grid)
    ]
    return (inside[0][:, :, None] & inside[1][:, None]).flatten(1)


def draw_sigma(count: int, tokens: int, close: bool, device: torch.device) -> torch.Tensor:
    """(count,) noise levels, stratified: half uniform, half logit-normal, higher where there are more tokens.

    They are never lower than those of 256 tokens, and higher still for close-ups: what a figure is, is settled early.
    """
    uniform = (torch.randperm(count) + torch.rand(count)) / count
    normal = torch.special.ndtri(uniform.clamp(1e-4, 1 - 1e-4))
    bell = torch.sigmoid(normal + 0.5 * math.log2(max(256, tokens) / 128))
    other = torch.sigmoid(normal + 2) if close else uniform
    return torch.where(torch.rand(count) < 0.5, other, bell).clamp(0.001, 1).to(device)
