"""Camera lenses as numbers: sensor, shift, and widening for outpainting."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Lens:
    """A Blender camera and its picture's size in px. Lengths in mm; shifts in parts of the sensor.

    `fit` is Blender's sensor fit; `auto` follows the longer side of the picture. `aspect` is how many
    times as high as wide a pixel is.
    """

    width: int
    height: int
    kind: Literal["PERSP", "ORTHO"] = "PERSP"
    focal: float = 50.0
    sensor: tuple[float, float] = (36.0, 24.0)
    fit: Literal["AUTO", "HORIZONTAL", "VERTICAL"] = "AUTO"
    shift: tuple[float, float] = (0.0, 0.0)
    ortho_scale: float = 6.0
    clip: tuple[float, float] = (0.1, 100.0)
    aspect: float = 1.0

    @property
    def tall(self) -> float:
        """The picture's height in widths of a pixel."""
        return self.height * self.aspect

    @property
    def horizontal(self) -> bool:
        """Whether the sensor's size is spread over the picture's width."""
        return self.fit == "HORIZONTAL" or (self.fit == "AUTO" and self.width >= self.tall)

    @property
    def across(self) -> float:
        """The widths of a pixel over which the sensor's size is spread."""
        return self.width if self.horizontal else self.tall

    @property
    def sensor_size(self) -> float:
        """The sensor's size that counts, in mm."""
        return self.sensor[1] if self.fit == "VERTICAL" else self.sensor[0]

    @property
    def pixel(self) -> float:
        """The width of a pixel: at distance 1 for a perspective, in the scene for an orthographic."""
        if self.kind == "ORTHO":
            return self.ortho_scale / self.across
        return self.sensor_size / self.focal / self.across

    def plane(self) -> tuple[float, float, float, float]:
        """Return (left, right, bottom, top) of what is seen, at distance 1 or in the scene."""
        left = -self.width / 2 + self.shift[0] * self.across
        bottom = -self.tall / 2 + self.shift[1] * self.across
        edges = np.array([left, left + self.width, bottom, bottom + self.tall]) * self.pixel
        return tuple(map(float, edges))  # type: ignore[return-value]

    def matrix(self) -> NDArray[np.float64]:
        """Return the camera-to-clip matrix (4, 4)."""
        left, right, bottom, top = self.plane()
        near, far = self.clip
        out = np.zeros((4, 4))
        if self.kind == "ORTHO":
            out[0] = [2 / (right - left), 0, 0, -(right + left) / (right - left)]
            out[1] = [0, 2 / (top - bottom), 0, -(top + bottom) / (top - bottom)]
            out[2] = [0, 0, -2 / (far - near), -(far + near) / (far - near)]
            out[3, 3] = 1
        else:
            out[0] = [2 / (right - left), 0, (right + left) / (right - left), 0]
            out[1] = [0, 2 / (top - bottom), (top + bottom) / (top - bottom), 0]
            out[2] = [0, 0, -(far + near) / (far - near), -2 * far * near / (far - near)]
            out[3, 2] = -1
        return out


def enlarged(lens: Lens, left: int, right: int, top: int, bottom: int) -> Lens:
    """Return the camera whose picture has so many more px on each side, and the rest unmoved."""
    wider = replace(lens, width=lens.width + left + right, height=lens.height + top + bottom)
    pixel = lens.pixel
    if lens.kind == "ORTHO":
        wider = replace(wider, ortho_scale=pixel * wider.across)
    else:
        wider = replace(wider, focal=wider.sensor_size / (pixel * wider.across))
    shift = (
        (lens.shift[0] * lens.across + (right - left) / 2) / wider.across,
        (lens.shift[1] * lens.across + (top - bottom) / 2 * lens.aspect) / wider.across,
    )
    return replace(wider, shift=shift)
