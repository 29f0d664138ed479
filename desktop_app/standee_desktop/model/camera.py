"""Canvas camera: zoom and position as plain numbers. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from standee.composition import Rect

CLOSEST, FARTHEST = 32.0, 1 / 32
STEPS = (0.03125, 0.0625, 0.125, 0.25, 0.333, 0.5, 0.667, 1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32)


@dataclass(frozen=True)
class Camera:
    """`scale` is screen px per canvas px; canvas (0, 0) is at (`x`, `y`) on the screen."""

    scale: float = 1.0
    x: float = 0.0
    y: float = 0.0

    def to_canvas(self, x: float, y: float) -> tuple[float, float]:
        """Return the canvas position under a screen position."""
        return (x - self.x) / self.scale, (y - self.y) / self.scale

    def to_screen(self, x: float, y: float) -> tuple[float, float]:
        """Return where a canvas position is on the screen."""
        return x * self.scale + self.x, y * self.scale + self.y

    def zoomed(self, factor: float, x: float, y: float) -> Camera:
        """Zoom by `factor` so that what is under the screen position stays there."""
        scale = min(max(self.scale * factor, FARTHEST), CLOSEST)
        ratio = scale / self.scale
        return Camera(scale, x - (x - self.x) * ratio, y - (y - self.y) * ratio)

    def stepped(self, up: bool, x: float, y: float) -> Camera:
        """Zoom to the next round percentage."""
        beyond = [
            one for one in STEPS if (one > self.scale * 1.01 if up else one < self.scale * 0.99)
        ]
        if not beyond:
            return self
        return self.zoomed((beyond[0] if up else beyond[-1]) / self.scale, x, y)

    def panned(self, dx: float, dy: float) -> Camera:
        """Move the canvas by screen px."""
        return Camera(self.scale, self.x + dx, self.y + dy)

    @staticmethod
    def fitted(rect: Rect, width: float, height: float, margin: float) -> Camera:
        """Show all of `rect` in the middle of a view of `width` x `height` px."""
        space = max(width - 2 * margin, 16), max(height - 2 * margin, 16)
        scale = min(max(min(space[0] / rect.w, space[1] / rect.h), FARTHEST), CLOSEST)
        x = (width - rect.w * scale) / 2 - rect.x * scale
        y = (height - rect.h * scale) / 2 - rect.y * scale
        return Camera(scale, x, y)
