"""What the 3D view shows of a composition, as triangles, picture quads and words in region px.

`draw.py` only hands these to the GPU. Everything is in z-order: what comes later covers what came
before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from standee.composition import Canvas, Rect
from standee.geometry import NOBODY

from .picking import Item, handle_points
from .projection import Frame

Colour = tuple[float, float, float, float]


@dataclass(frozen=True)
class Style:
    """Colours (RGBA, 0..1), and sizes in px of a screen at 100 %."""

    outline: Colour = (1.0, 1.0, 1.0, 0.55)
    hovered: Colour = (1.0, 1.0, 1.0, 0.95)
    selected: Colour = (1.0, 0.62, 0.16, 1.0)
    bound: Colour = (0.35, 0.8, 1.0, 0.9)
    frame: Colour = (1.0, 1.0, 1.0, 0.35)
    opacity: float = 0.9
    line: float = 1.5
    handle: float = 9.0
    text: float = 12.0
    ui_scale: float = 1.0


@dataclass(frozen=True)
class PictureQuad:
    """A picture in region px: (left, bottom, right, top)."""

    id: str
    box: tuple[float, float, float, float]
    opacity: float
    flip: bool = False


@dataclass(frozen=True)
class Words:
    """A name, and where its baseline begins."""

    text: str
    x: float
    y: float
    size: float
    colour: Colour


@dataclass
class Triangles:
    """Coloured triangles: `points` (3 n, 2) and `colours` (3 n, 4)."""

    _points: list[NDArray[np.float32]] = field(default_factory=list)
    _colours: list[NDArray[np.float32]] = field(default_factory=list)

    def quads(self, boxes: NDArray[np.floating], colour: Colour) -> None:
        """Add filled boxes (n, 4), each (left, bottom, right, top)."""
        boxes = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
        x0, y0, x1, y1 = boxes.T
        corners = np.stack([x0, y0, x1, y0, x1, y1, x0, y0, x1, y1, x0, y1], axis=1)
        self._points.append(corners.reshape(-1, 2))
        self._colours.append(np.tile(np.float32(colour), (len(boxes) * 6, 1)))

    def outline(self, box: tuple[float, float, float, float], colour: Colour, line: float) -> None:
        """Add the four sides of a box, `line` px wide and centred on its edges."""
        x0, y0, x1, y1 = box
        d = line / 2
        sides = [
            (x0 - d, y0 - d, x1 + d, y0 + d),
            (x0 - d, y1 - d, x1 + d, y1 + d),
            (x0 - d, y0 + d, x0 + d, y1 - d),
            (x1 - d, y0 + d, x1 + d, y1 - d),
        ]
        self.quads(np.array(sides), colour)

    @property
    def points(self) -> NDArray[np.float32]:
        return np.concatenate(self._points) if self._points else np.zeros((0, 2), np.float32)

    @property
    def colours(self) -> NDArray[np.float32]:
        return np.concatenate(self._colours) if self._colours else np.zeros((0, 4), np.float32)


@dataclass(frozen=True)
class Overlay:
    """All that is drawn, in this order: pictures, cells, lines, words."""

    pictures: tuple[PictureQuad, ...]
    cells: Triangles
    lines: Triangles
    words: tuple[Words, ...]


def overlay(
    items: Sequence[Item],
    frame: Frame,
    style: Style,
    *,
    placed: Mapping[str, Rect] | None = None,
    flipped: frozenset[str] = frozenset(),
    selected: str | None = None,
    hovered: str | None = None,
    owner: NDArray[np.int64] | None = None,
    patch: int = 16,
) -> Overlay:
    """Return the drawing of `items` (back to front).

    `placed` says where each layer's picture lies in its rectangle (canvas px); layers without one
    have no picture. `owner` (rows, columns) is the token view: who owns each cell, by the index of
    the layer in `items`; without it no cells are shown.
    """
    placed = placed or {}
    lines = Triangles()
    width = style.line * style.ui_scale
    pictures, words = [], []
    lines.outline(_whole(frame), style.frame, width)
    for item in items:
        if item.visible and item.id in placed:
            box = frame.box(placed[item.id])
            pictures.append(PictureQuad(item.id, box, style.opacity, item.id in flipped))
        colour = _colour(item, style, selected, hovered)
        box = frame.box(item.rect)
        lines.outline(box, colour, width * (1.6 if item.id == selected else 1.0))
        if item.name:
            up = box[3] + 5 * style.ui_scale
            words.append(Words(item.name, box[0], up, style.text * style.ui_scale, colour))
    for item in items:
        if item.id == selected and item.movable:
            half = style.handle * style.ui_scale / 2
            at = np.array(list(handle_points(item.rect, frame).values()))
            boxes = np.concatenate([at - half, at + half], axis=1)
            lines.quads(boxes + np.array([-1, -1, 1, 1]), (0.0, 0.0, 0.0, 0.6))
            lines.quads(boxes, style.selected)
    cells = Triangles()
    if owner is not None:
        _add_cells(cells, owner, frame, patch, style)
    return Overlay(tuple(pictures), cells, lines, tuple(words))


def tint(index: int, alpha: float = 0.38) -> Colour:
    """Return the colour of a layer's cells: hues a golden angle apart, so neighbours differ."""
    hue = (index * 0.61803398875 + 0.08) % 1.0
    wave = [abs((hue * 6 + shift) % 6 - 3) - 1 for shift in (0, 4, 2)]
    r, g, b = (min(1.0, max(0.0, part)) for part in wave)
    return (r, g, b, alpha)


def _colour(item: Item, style: Style, selected: str | None, hovered: str | None) -> Colour:
    colour = style.bound if item.bound else style.outline
    if item.id == hovered:
        colour = style.hovered
    if item.id == selected:
        colour = style.selected
    dim = 1.0 if item.visible else 0.35
    return (*colour[:3], colour[3] * dim)


def _add_cells(
    cells: Triangles, owner: NDArray[np.int64], frame: Frame, patch: int, style: Style
) -> None:
    """Fill the owned cells with their layer's tint, a hair apart so that the grid shows."""
    sx, sy = frame.scale
    gap = min(0.5 * style.ui_scale, 0.15 * patch * min(sx, sy))
    for index in np.unique(owner[owner != NOBODY]):
        rows, cols = np.nonzero(owner == index)
        left = frame.left + cols * patch * sx + gap
        top = frame.bottom + frame.height - rows * patch * sy - gap
        boxes = [left, top - patch * sy + 2 * gap, left + patch * sx - 2 * gap, top]
        cells.quads(np.stack(boxes, axis=1), tint(int(index)))


def _whole(frame: Frame) -> tuple[float, float, float, float]:
    canvas: Canvas = frame.canvas
    return frame.box(Rect(0, 0, canvas.width, canvas.height))
