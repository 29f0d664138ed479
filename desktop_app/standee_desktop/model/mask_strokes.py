"""Mask painting on arrays: brush strokes, growing, blurring, and the mask's place on the canvas.

Masks are uint8 (height, width), 255 where the subject is or where pixels are kept. Pure numpy and
Pillow; a stroke touches only the pixels near it, so it keeps up with the hand.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from standee.composition import Fit, Rect
from standee.geometry import fit_picture
from standee.rotation import centre, turned_about

Mask = NDArray[np.uint8]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom in mask px."""

THINNEST = 0.15
"""How thin a stroke gets under the lightest pen, in parts of the brush."""


@dataclass(frozen=True)
class MaskPlacement:
    """Where a mask lies on the canvas: its picture's rectangle (canvas px), mirrored or not, and turned."""

    placed: Rect
    width: int
    height: int
    flip: bool = False
    rotation: float = 0.0

    @staticmethod
    def of(
        picture: tuple[int, int],
        rect: Rect,
        fit: Fit,
        mask: tuple[int, int],
        flip: bool = False,
        rotation: float = 0.0,
    ) -> MaskPlacement:
        """Return the frame of a picture (width, height) fitted into `rect` with a mask of a size."""
        return MaskPlacement(fit_picture(*picture, rect, fit), *mask, flip, rotation)

    def to_mask(self, x: float, y: float) -> tuple[float, float]:
        """Return the mask px under a canvas position."""
        x, y = turned_about(x, y, centre(self.placed), -self.rotation)
        u = (x - self.placed.x) / self.placed.w
        if self.flip:
            u = 1.0 - u
        return u * self.width, (y - self.placed.y) / self.placed.h * self.height

    def to_canvas(self, x: float, y: float) -> tuple[float, float]:
        """Return the canvas position over a mask px."""
        u = x / self.width
        if self.flip:
            u = 1.0 - u
        at = self.placed.x + u * self.placed.w, self.placed.y + y / self.height * self.placed.h
        return turned_about(*at, centre(self.placed), self.rotation)

    @property
    def scale(self) -> tuple[float, float]:
        """Mask px per canvas px, across and down."""
        return self.width / self.placed.w, self.height / self.placed.h


class Stroke:
    """One stroke of the brush: however often it crosses itself, it counts once.

    `radius` is in canvas px, `softness` 0..1 is the part of it that fades out. Nothing is added
    beyond `limit`, a mask of what there is to show at all.
    """

    def __init__(
        self,
        mask: Mask,
        frame: MaskPlacement,
        radius: float,
        softness: float = 0.0,
        erase: bool = False,
        limit: Mask | None = None,
    ) -> None:
        self.mask = mask
        self._before = mask.copy()
        self._frame = frame
        self._radius = max(0.5, radius)
        self._softness = min(max(softness, 0.0), 1.0)
        self._erase, self._limit = erase, limit
        self._covered = np.zeros(mask.shape, np.uint8)
        self._last: tuple[float, float] | None = None

    def to(self, x: float, y: float, pressure: float = 1.0) -> Box | None:
        """Draw on to a canvas position; return the part of the mask that may have changed."""
        radius = self._radius * (THINNEST + (1.0 - THINNEST) * pressure)
        start = self._last or (x, y)
        self._last = (x, y)
        across, down = self._frame.scale
        ax, ay = self._frame.to_mask(*start)
        bx, by = self._frame.to_mask(x, y)
        rx, ry = radius * across, radius * down
        height, width = self.mask.shape
        left, right = int(min(ax, bx) - rx - 1), int(np.ceil(max(ax, bx) + rx + 1))
        top, bottom = int(min(ay, by) - ry - 1), int(np.ceil(max(ay, by) + ry + 1))
        left, top = max(0, left), max(0, top)
        right, bottom = min(width, right), min(height, bottom)
        if left >= right or top >= bottom:
            return None
        # Distances in radii, so that a stretched picture still gets a round brush on the canvas.
        xs = ((np.arange(left, right, dtype=np.float32) + 0.5 - ax) / rx)[None, :]
        ys = ((np.arange(top, bottom, dtype=np.float32) + 0.5 - ay) / ry)[:, None]
        dx, dy = (bx - ax) / rx, (by - ay) / ry
        length = dx * dx + dy * dy
        along = np.clip((xs * dx + ys * dy) / length, 0, 1) if length > 0 else np.float32(0)
        distance = np.hypot(xs - along * dx, ys - along * dy)
        fade = max(self._softness, 1.0 / max(rx, ry, 1.0))  # one px at least: smooth edges
        coverage = np.clip((1.0 + 0.5 / max(rx, ry) - distance) / fade, 0.0, 1.0) * 255
        part = (slice(top, bottom), slice(left, right))
        np.maximum(self._covered[part], coverage.astype(np.uint8), out=self._covered[part])
        if self._erase:
            self.mask[part] = np.minimum(self._before[part], 255 - self._covered[part])
        else:
            added = self._covered[part]
            if self._limit is not None:
                added = np.minimum(added, self._limit[part])
            self.mask[part] = np.maximum(self._before[part], added)
        return left, top, right, bottom

    @property
    def changed(self) -> bool:
        """Whether the stroke made a difference."""
        return not np.array_equal(self.mask, self._before)


def grown(mask: Mask, px: float) -> Mask:
    """Return the mask with its white region grown by `px` of its own px, or shrunk if negative."""
    radius = round(abs(px))
    if radius == 0:
        return mask.copy()
    source = mask if px > 0 else 255 - mask
    height, width = source.shape
    result = source.copy()
    padded = np.pad(source, ((radius, radius), (radius, radius)))
    for dy in range(-radius, radius + 1):
        half = int((radius * radius - dy * dy) ** 0.5)
        rows = padded[radius + dy : radius + dy + height]
        np.maximum(result, _widened(rows, half)[:, radius : radius + width], out=result)
    return result if px > 0 else 255 - result


def _widened(rows: Mask, half: int) -> Mask:
    """Return the running maximum over `2 * half + 1` px of each row, by doubling."""
    if half == 0:
        return rows
    window, covered = rows, 1
    while covered < 2 * half + 1:
        step = min(covered, 2 * half + 1 - covered)
        shifted = np.zeros_like(window)
        shifted[:, :-step] = window[:, step:]
        window = np.maximum(window, shifted)
        covered += step
    out = np.zeros_like(window)
    out[:, half:] = window[:, : window.shape[1] - half]
    # The window reached right of each px; moved back by half, it is centred. Its first px see less.
    for at in range(half):
        out[:, at] = rows[:, : at + half + 1].max(axis=1)
    return out


def softened(mask: Mask, px: float) -> Mask:
    """Return the mask with its edge blurred over `px` of its own px."""
    if px <= 0:
        return mask.copy()
    blurred = Image.fromarray(mask).filter(ImageFilter.GaussianBlur(px / 2))
    return np.asarray(blurred, np.uint8).copy()


def encode_mask(mask: Mask) -> bytes:
    """Encode a mask as PNG."""
    out = io.BytesIO()
    Image.fromarray(mask).save(out, "PNG", compress_level=3)
    return out.getvalue()
