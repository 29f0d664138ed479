"""Viewport overlay as data: triangles, picture quads and words in region px.

`viewport/gpu_draw.py` only hands these to the GPU. Everything is in z-order: what comes later covers what came
before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from standee.composition import Canvas, Rect
from standee.rotation import Point, bounds_turned, corners

from .picking import Item, handle_points
from .projection import Frame
from .token_cells import CellView, cell_triangles
from .triangles import Colour, Triangles

GROUND: Colour = (0.02, 0.02, 0.025, 0.85)
"""What is behind words and bars."""


@dataclass(frozen=True)
class Style:
    """Colours (RGBA, 0..1), and sizes in px of a screen at 100 %."""

    outline: Colour = (1.0, 1.0, 1.0, 0.7)
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
    """A picture in region px: (left, bottom, right, top), and where its corners are if it is turned.

    They begin with its upper left one and go on clockwise.
    """

    id: str
    box: tuple[float, float, float, float]
    opacity: float
    flip: bool = False
    turned: tuple[Point, ...] = ()

    @property
    def corners(self) -> tuple[Point, ...]:
        """Where its corners are, from its upper left one on clockwise."""
        left, bottom, right, top = self.box
        return self.turned or ((left, top), (right, top), (right, bottom), (left, bottom))


@dataclass(frozen=True)
class Words:
    """A name, and where its baseline begins."""

    text: str
    x: float
    y: float
    size: float
    colour: Colour
    chip: Colour
    """What is behind the words."""


@dataclass(frozen=True)
class Progress:
    """How far a job is (0..1), and in words."""

    part: float
    text: str


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
    cells: CellView | None = None,
    patch: int = 16,
    progress: Progress | None = None,
) -> Overlay:
    """Return the drawing of `items` (back to front).

    `placed` says where each layer's picture lies in its rectangle (canvas px); layers without one
    have no picture. `cells` is the token view, in cells of `patch` px. `progress` is how far a job is,
    shown at the lower edge of the frame.
    """
    placed = placed or {}
    lines = Triangles()
    width = style.line * style.ui_scale
    pictures, words = [], []
    lines.outline(_whole(frame), style.frame, width)
    for item in sorted(items, key=lambda one: one.id == selected):  # the selected one on top
        box, colour = frame.box(item.rect), _colour(item, style, selected, hovered)
        line = width * (1.6 if item.id == selected else 1.0)
        edges = np.array(_corners(item.rect, item.rotation, frame)) if item.rotation else None
        for ink, wide in (
            ((0.0, 0.0, 0.0, 0.5 * colour[3]), line + 2 * style.ui_scale),
            (colour, line),
        ):
            if edges is None:
                lines.outline(box, ink, wide)
            else:
                lines.polygon(edges, ink, wide)
        if item.name:
            box = frame.box(bounds_turned(item.rect, item.rotation))
            words.append(_name(item, box, colour, style, item.id == selected))
    for item in items:
        if item.visible and item.id in placed:
            place, share = placed[item.id], style.opacity * item.opacity
            turned = _corners(place, item.rotation, frame) if item.rotation else ()
            box, flip = frame.box(place), item.id in flipped
            pictures.append(PictureQuad(item.id, box, share, flip, turned))
        if item.id == selected and item.movable:
            half = style.handle * style.ui_scale / 2
            at = np.array(list(handle_points(item.rect, frame, item.rotation).values()))
            boxes = np.concatenate([at - half, at + half], axis=1)
            lines.quads(boxes + np.array([-1, -1, 1, 1]), (0.0, 0.0, 0.0, 0.6))
            lines.quads(boxes, style.selected)
    if progress is not None:
        words.append(_progress(lines, progress, frame, style))
    shown = cell_triangles(cells, frame, patch, style.ui_scale) if cells else Triangles()
    return Overlay(tuple(pictures), shown, lines, tuple(words))


def _corners(rect: Rect, rotation: float, frame: Frame) -> tuple[Point, ...]:
    """Return the corners of a turned rectangle in region px."""
    return tuple(frame.to_region(x, y) for x, y in corners(rect, rotation))


def _colour(item: Item, style: Style, selected: str | None, hovered: str | None) -> Colour:
    colour = style.bound if item.bound else style.outline
    if item.id == hovered:
        colour = style.hovered
    if item.id == selected:
        colour = style.selected
    dim = 1.0 if item.visible else 0.35
    return (*colour[:3], colour[3] * dim)


def _name(
    item: Item,
    box: tuple[float, float, float, float],
    colour: Colour,
    style: Style,
    selected: bool,
) -> Words:
    """Return a layer's name on a chip above its rectangle, readable on whatever is behind it."""
    up = box[3] + 10 * style.ui_scale
    dim = 1.0 if item.visible else 0.5
    if selected:
        ink, chip = (0.08, 0.05, 0.02, 1.0), (*colour[:3], 0.95 * dim)
    else:
        ink, chip = (*colour[:3], max(0.85, colour[3]) * dim), (*GROUND[:3], GROUND[3] * dim)
    return Words(item.name, box[0] + 4 * style.ui_scale, up, style.text * style.ui_scale, ink, chip)


def _progress(lines: Triangles, progress: Progress, frame: Frame, style: Style) -> Words:
    """Add a bar along the lower edge of the frame; return the words above it."""
    scale = style.ui_scale
    left, bottom, right, _ = _whole(frame)
    inset, high = 8 * scale, 6 * scale
    x0, x1, y0 = left + inset, right - inset, bottom + inset
    end = x0 + (x1 - x0) * min(1.0, max(0.0, progress.part))
    lines.quads(np.array([[x0 - 1, y0 - 1, x1 + 1, y0 + high + 1]]), GROUND)
    lines.quads(np.array([[x0, y0, end, y0 + high]]), style.selected)
    size, chip = style.text * scale, GROUND
    up = y0 + high + 8 * scale
    return Words(progress.text, x0 + 4 * scale, up, size, (1.0, 1.0, 1.0, 0.95), chip)


def _whole(frame: Frame) -> tuple[float, float, float, float]:
    canvas: Canvas = frame.canvas
    return frame.box(Rect(0, 0, canvas.width, canvas.height))
