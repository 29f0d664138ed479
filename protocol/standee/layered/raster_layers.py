"""Raster layers: pixels with their places on a canvas, as painting programs hold them."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from ..composition import MAX_LAYERS
from ..errors import BadPicture, TooLarge
from ..images import check_size

if TYPE_CHECKING:
    from PIL import Image

RESULT = "Standee result"
"""The name of the layer that holds the composed picture."""
SCENE = "Standee scene"
"""The name of the layer that holds the place behind the subjects."""
SHADOWS = "Shadows"
"""The name of the layer that makes the scene as dark as the result is around the subjects."""
Blend = Literal["normal", "multiply"]
ShadowsTold = Literal["told", "none", "unlike", "no scene"]
"""Whether shadows were told of a result and its scene; or that there are none, or nothing to tell them by."""
MOST_PIXELS = 512_000_000
"""The most px of all layers of one file."""


@dataclass(frozen=True)
class RasterLayer:
    """One layer: `png` of `width` x `height` px, its upper left corner at (`x`, `y`) of the canvas, y down.

    `covers` says that no px of it is transparent. Layers of one `group` were in one folder.
    """

    name: str
    png: bytes
    x: int
    y: int
    width: int
    height: int
    covers: bool
    opacity: float = 1.0
    visible: bool = True
    group: str | None = None
    blend: Blend = "normal"


@dataclass(frozen=True)
class LayeredPicture:
    """A canvas of `width` x `height` px with its layers, bottom to top.

    `left_out` names layers that have no pixels to take, `plain` those that come without their blend mode or effects.
    `own` says that Standee wrote it; `shadows` is for one that it is about to write.
    """

    width: int
    height: int
    layers: tuple[RasterLayer, ...]
    left_out: tuple[str, ...] = ()
    plain: tuple[str, ...] = ()
    own: bool = False
    shadows: ShadowsTold = "no scene"

    def runs(self) -> Iterator[tuple[str | None, Sequence[RasterLayer]]]:
        """Yield the layers that lie in one folder without another between them, with its name, bottom to top."""
        for group, layers in groupby(self.layers, lambda layer: layer.group):
            yield group, list(layers)


@dataclass
class Budget:
    """Bounds of what is read of one file, `name`: asked before anything is decoded."""

    name: str
    pixels: int = field(default=0, init=False)
    layers: int = field(default=0, init=False)

    def take(self, width: int, height: int) -> None:
        """Count one more layer. Raises `TooLarge`."""
        check_size(width, height, f"A layer of {self.name}")
        self.pixels += width * height
        self.layers += 1
        if self.layers > MAX_LAYERS:
            raise TooLarge(
                f"{self.name} has more than {MAX_LAYERS} layers.",
                fix="Merge those that belong together, and save it again.",
            )
        if self.pixels > MOST_PIXELS:
            raise TooLarge(
                f"The layers of {self.name} have more than {MOST_PIXELS:,} px in all.",
                fix="Scale the picture, or merge layers.",
            )


def png_of(image: Image.Image) -> bytes:
    """Encode as PNG, quickly rather than small."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=3)
    return out.getvalue()


def damaged_layers(name: str, reason: str) -> BadPicture:
    """Say that the layers of a file cannot be read."""
    return BadPicture(
        f"{name} cannot be opened: its layers are damaged ({reason}).",
        fix="Save it again from the program that made it, or export the layers as PNG.",
    )
