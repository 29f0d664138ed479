"""Coloured triangles in region px, collected into two arrays for one draw call."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Colour = tuple[float, float, float, float]


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
        self._add(corners, colour)

    def strokes(
        self,
        starts: NDArray[np.floating],
        ends: NDArray[np.floating],
        colour: Colour,
        width: float,
    ) -> None:
        """Add straight lines from `starts` (n, 2) to `ends` (n, 2), `width` px wide."""
        way = np.asarray(ends, np.float64) - starts
        length = np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9)
        side = np.stack([-way[:, 1], way[:, 0]], axis=1) / length * (width / 2)
        a, b, c, d = starts - side, ends - side, ends + side, starts + side
        self._add(np.concatenate([a, b, c, a, c, d], axis=1), colour)

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

    def polygon(self, corners: NDArray[np.floating], colour: Colour, line: float) -> None:
        """Add the sides of a polygon with `corners` (n, 2), `line` px wide and centred on its edges."""
        way = np.roll(corners, -1, axis=0) - corners
        over = way / np.maximum(np.linalg.norm(way, axis=1, keepdims=True), 1e-9) * (line / 2)
        self.strokes(corners - over, np.roll(corners, -1, axis=0) + over, colour, line)

    @property
    def points(self) -> NDArray[np.float32]:
        return np.concatenate(self._points) if self._points else np.zeros((0, 2), np.float32)

    @property
    def colours(self) -> NDArray[np.float32]:
        return np.concatenate(self._colours) if self._colours else np.zeros((0, 4), np.float32)

    def _add(self, corners: NDArray[np.floating], colour: Colour) -> None:
        """Add quads of two triangles each (n, 12)."""
        points = np.asarray(corners, np.float32).reshape(-1, 2)
        self._points.append(points)
        self._colours.append(np.tile(np.asarray(colour, np.float32), (len(points), 1)))
