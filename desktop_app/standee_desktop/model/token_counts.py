"""Token counts per layer: own, hidden and clipped cells, known before any GPU runs.

All of it comes from `standee.arrangement`, the code that the engine itself runs. This is work for a
thread: a cut-out of 1024 px takes some ten milliseconds.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from standee.arrangement import Backdrop, VisibleLayer, kept_pixels, over_scene, words_layer
from standee.composition import Canvas, Composition, Layer, Scene
from standee.geometry import (
    Arrangement,
    Bools,
    Placement,
    arrange,
    cells_of,
    snap_turned,
    token_grid,
)


@dataclass(frozen=True)
class CutOut:
    """A picture's cut-out, over its `size` (width, height) in px.

    Cells are counted of `cells`, 0..1, and the px that a scene keeps are told of `kept`, 0..255.
    """

    cells: NDArray[np.float32]
    kept: NDArray[np.uint8]
    size: tuple[int, int]


FindCutOut = Callable[[str, str | None], CutOut | None]
"""Returns the cut-out of a picture digest and a mask digest, if it is there."""


@dataclass(frozen=True)
class Tokens:
    """The arrangement of a composition in cells of `patch` px.

    `layers` are the ids of the placements; the scene, where there is one, is the first, as "".
    """

    patch: int
    arrangement: Arrangement
    layers: tuple[str, ...]

    def counts(self, layer_id: str) -> tuple[int, int, int]:
        """Return how many cells of a layer are its own, hidden by others, and off the canvas."""
        if layer_id not in self.layers:
            return 0, 0, 0
        index = self.layers.index(layer_id)
        seen = self.arrangement
        maps = (seen.visible(index), seen.hidden(index), seen.clipped(index))
        visible, hidden, clipped = (int(one.sum()) for one in maps)
        return visible, hidden, clipped


class TokenCounter:
    """Computes `Tokens`, remembering the placements of layers that did not move."""

    def __init__(self, remembered: int = 512) -> None:
        self._placements: OrderedDict[tuple[object, ...], Placement] = OrderedDict()
        self._remembered = remembered
        self._kept: tuple[object, Bools] | None = None

    def count(self, composition: Composition, patch: int, cut_out: FindCutOut) -> Tokens:
        """Return the arrangement of what is there; layers whose picture is not yet are left out."""
        placements, ids = [], []
        for layer in composition.layers:
            if layer.shown and (placed := self._place(layer, patch, cut_out)) is not None:
                placements.append(placed)
                ids.append(layer.id)
        canvas, scene = composition.canvas, composition.scene
        found = cut_out(scene.picture, scene.kept) if scene is not None else None
        if scene is None or found is None:
            return Tokens(patch, arrange(token_grid(canvas, patch), placements), tuple(ids))
        kept = self._kept_pixels(scene, found, canvas)
        over = over_scene(placements, kept, scene.blend, canvas, patch)
        return Tokens(patch, over, ("", *ids))

    def _place(self, layer: Layer, patch: int, cut_out: FindCutOut) -> Placement | None:
        """Place a layer. What it covers is counted once for each size and way that it stands."""
        stands = layer_on_tokens(layer, patch).rect
        key = (
            layer.picture, layer.mask, stands.w, stands.h, layer.fit, layer.flip, layer.rotation,
            layer.opacity, patch,
        )  # fmt: skip
        placed = self._placements.get(key)
        if placed is None:
            standing = _standing(layer, cut_out)
            if standing is None:
                return None
            placed = self._placements[key] = standing.place(patch)
            if len(self._placements) > self._remembered:
                self._placements.popitem(last=False)
        self._placements.move_to_end(key)
        return dataclasses.replace(placed, cells=cells_of(layer.rect, layer.rotation, patch))

    def _kept_pixels(self, scene: Scene, found: CutOut, canvas: Canvas) -> Bools:
        key = (scene.picture, scene.kept, scene.rect, scene.fit, canvas)
        if self._kept is None or self._kept[0] != key:
            backdrop = Backdrop(found.kept, found.size, scene.rect, scene.fit)
            self._kept = (key, kept_pixels(backdrop, canvas))
        return self._kept[1]


def pictures_of(layer: Layer) -> tuple[str, str | None] | None:
    """Return the digests of the picture and the mask that a layer's cut-out is told of.

    That of a rectangle of words is its mask alone; `None` where it fills the rectangle.
    """
    if layer.picture is not None:
        return layer.picture, layer.mask
    return (layer.mask, layer.mask) if layer.mask is not None else None


def _standing(layer: Layer, cut_out: FindCutOut) -> VisibleLayer | None:
    """Return a layer as it stands; `None` while its pictures are not there."""
    pictures = pictures_of(layer)
    found = cut_out(*pictures) if pictures is not None else None
    if layer.picture is None:
        if found is None and pictures is not None:
            return None
        mask = None if found is None else found.cells
        return words_layer(mask, layer.rect, layer.flip, layer.rotation, layer.opacity)
    if found is None:
        return None
    return VisibleLayer(
        found.cells, layer.rect, layer.fit, layer.flip, found.size, layer.rotation, layer.opacity
    )


@lru_cache(maxsize=1024)
def layer_on_tokens(layer: Layer, patch: int) -> Layer:
    """Return a layer with its rectangle on whole tokens, as the engine places it.

    The same layer gives the very same one again, so that what has not moved is told fast.
    """
    return replace(layer, rect=snap_turned(layer.rect, layer.rotation, patch))


def on_tokens(composition: Composition, patch: int) -> Composition:
    """Return the composition with every layer's rectangle on whole tokens."""
    layers = tuple(layer_on_tokens(one, patch) for one in composition.layers)
    return replace(composition, layers=layers)
