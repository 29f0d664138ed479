"""Projection from the world to canvas px, and from canvas px to the px of a 3D view.

Canvas px are those of the composition: y down, (0, 0) the upper left corner of the camera frame.
Region px are Blender's: y up. Matrices are 4 x 4 in Blender's (OpenGL's) conventions: a camera looks
along -z, and clip space reaches from -w to w.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from standee.composition import Canvas, Rect

Floats = NDArray[np.float64]

LIMIT = 32768.0
"""How far a rectangle may reach, as the composition bounds it."""


@dataclass(frozen=True)
class Frame:
    """Where the camera frame lies in a region (px, y up), and the canvas that it shows."""

    left: float
    bottom: float
    width: float
    height: float
    canvas: Canvas

    @property
    def scale(self) -> tuple[float, float]:
        """Region px per canvas px, across and down."""
        return self.width / self.canvas.width, self.height / self.canvas.height

    def to_region(self, x: float, y: float) -> tuple[float, float]:
        """Return the region px of a canvas point."""
        sx, sy = self.scale
        return self.left + x * sx, self.bottom + self.height - y * sy

    def to_canvas(self, x: float, y: float) -> tuple[float, float]:
        """Return the canvas px of a region point."""
        sx, sy = self.scale
        return (x - self.left) / sx, (self.bottom + self.height - y) / sy

    def box(self, rect: Rect) -> tuple[float, float, float, float]:
        """Return (left, bottom, right, top) of a canvas rectangle in region px."""
        left, top = self.to_region(rect.x, rect.y)
        right, bottom = self.to_region(rect.x + rect.w, rect.y + rect.h)
        return left, bottom, right, top


def frame_in_region(
    corners: Floats, matrix: Floats, region: tuple[int, int], canvas: Canvas
) -> Frame | None:
    """Return where a camera frame with these world `corners` (4, 3) lies in a region of (w, h) px.

    `matrix` is the view's world-to-clip matrix. `None` if the frame is degenerate or behind.
    """
    clip = to_clip(corners, matrix)
    if (clip[:, 3] <= 1e-9).any():
        return None
    px = (clip[:, :2] / clip[:, 3:] * 0.5 + 0.5) * np.asarray(region, dtype=np.float64)
    low, high = px.min(axis=0), px.max(axis=0)
    if not np.isfinite(px).all() or (high - low < 1.0).any():
        return None
    left, bottom = low.tolist()
    width, height = (high - low).tolist()
    return Frame(left, bottom, width, height, canvas)


def to_clip(points: Floats, matrix: Floats) -> Floats:
    """Return the clip coordinates (n, 4) of world points (n, 3)."""
    points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    matrix = np.asarray(matrix, dtype=np.float64)
    clip: Floats = points @ matrix[:, :3].T + matrix[:, 3]
    return clip


def to_canvas(points: Floats, matrix: Floats, canvas: Canvas) -> Floats:
    """Return the canvas px (n, 2) of world points; `nan` for those behind the camera."""
    clip = to_clip(points, matrix)
    clip[clip[:, 3] <= 0] = np.nan
    return _canvas_px(clip, canvas)


def projected_bounds(
    points: Floats, edges: NDArray[np.int64], matrix: Floats, canvas: Canvas
) -> Rect | None:
    """Return the rectangle (canvas px) that a body fills in the camera; `None` if it is behind it.

    `edges` (m, 2) index `points`: where one crosses the near plane, the crossing counts, so a body
    that reaches behind the camera has the bounds of its part in front.
    """
    clip = to_clip(points, matrix)
    if not len(clip):
        return None
    inside = clip[:, 2] + clip[:, 3]  # positive in front of the near plane
    front = clip[inside > 0]
    edges = np.asarray(edges, dtype=np.int64).reshape(-1, 2)
    a, b = edges[:, 0], edges[:, 1]
    cut = (inside[a] > 0) != (inside[b] > 0)
    if cut.any():
        a, b = a[cut], b[cut]
        part = (inside[a] / (inside[a] - inside[b]))[:, None]
        front = np.concatenate([front, clip[a] + (clip[b] - clip[a]) * part])
    front = front[front[:, 3] > 1e-9]
    if not len(front):
        return None
    px = np.clip(_canvas_px(front, canvas), -LIMIT / 2, LIMIT / 2)
    low, high = px.min(axis=0), px.max(axis=0)
    w, h = np.maximum(high - low, 1e-3)
    return Rect(float(low[0]), float(low[1]), float(w), float(h))


def depths(points: Floats, view: Floats) -> Floats:
    """Return how far world points lie in front of the camera (m units), along its axis."""
    view = np.asarray(view, dtype=np.float64)
    points = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    depth: Floats = -(points @ view[2, :3] + view[2, 3])
    return depth


def rays(
    px: Floats, matrix: Floats, canvas: Canvas
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return world origins (on the near plane) and unit directions of rays through canvas px."""
    px = np.asarray(px, dtype=np.float64).reshape(-1, 2)
    inverse = np.linalg.inv(np.asarray(matrix, dtype=np.float64))
    ndc = np.column_stack([px[:, 0] / canvas.width * 2 - 1, 1 - px[:, 1] / canvas.height * 2])
    ends = []
    for z in (-1.0, 1.0):
        clip = np.column_stack([ndc, np.full(len(px), z), np.ones(len(px))])
        world = clip @ inverse.T
        ends.append(world[:, :3] / world[:, 3:])
    way = ends[1] - ends[0]
    return ends[0], way / np.linalg.norm(way, axis=1, keepdims=True)


BOX_EDGES = np.array(
    [[0, 1], [1, 2], [2, 3], [3, 0], [4, 5], [5, 6], [6, 7], [7, 4], [0, 4], [1, 5], [2, 6], [3, 7]]
)
"""The edges of Blender's `bound_box`."""


def _canvas_px(clip: Floats, canvas: Canvas) -> Floats:
    ndc = clip[:, :2] / clip[:, 3:]
    return np.column_stack(
        [(ndc[:, 0] + 1) / 2 * canvas.width, (1 - ndc[:, 1]) / 2 * canvas.height]
    )
