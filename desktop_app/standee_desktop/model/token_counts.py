"""The token view's data: which cells each subject will own, before any GPU runs.

All of it comes from `standee.geometry`, the code that the engine itself runs. This is work for a
thread: a cut-out of 1024 px takes some ten milliseconds.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from msgspec.structs import replace

from standee import token_overlay
from standee.composition import Composition, Layer
from standee.geometry import (
    Arrangement,
    Bools,
    Floats,
    Placement,
    arrange,
    place,
    snap,
    token_grid,
)

Cutout = Callable[[str, str | None], Floats | None]
"""Returns the cut-out (height, width; 0..1) of a picture digest and a mask digest, if it is there."""


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

    def count(self, composition: Composition, patch: int, cutout: Cutout) -> Tokens:
        """Return the arrangement of what is there; layers whose picture is not yet are left out."""
        grid = token_grid(composition.canvas, patch)
        placements, ids = [], []
        kept = _kept(composition, patch, cutout)
        if kept is not None:
            placements.append(Placement(grid, kept))
            ids.append("")
        for layer in composition.layers:
            if layer.visible and (placed := self._place(layer, patch, cutout)) is not None:
                placements.append(placed)
                ids.append(layer.id)
        return Tokens(patch, arrange(grid, placements), tuple(ids))

    def _place(self, layer: Layer, patch: int, cutout: Cutout) -> Placement | None:
        key = (layer.picture, layer.mask, layer.rect, layer.fit, layer.flip, patch)
        found = self._placements.get(key)
        if found is None:
            mask = cutout(layer.picture, layer.mask)
            if mask is None:
                return None
            mask = mask[:, ::-1] if layer.flip else mask
            found = self._placements[key] = place(mask, layer.rect, layer.fit, patch)
            if len(self._placements) > self._remembered:
                self._placements.popitem(last=False)
        self._placements.move_to_end(key)
        return found


@lru_cache(maxsize=1024)
def layer_on_tokens(layer: Layer, patch: int) -> Layer:
    """Return a layer with its rectangle on whole tokens, as the engine places it.

    The same layer gives the very same one again, so that what has not moved is told fast.
    """
    return replace(layer, rect=snap(layer.rect, patch).rect(patch))


def on_tokens(composition: Composition, patch: int) -> Composition:
    """Return the composition with every layer's rectangle on whole tokens."""
    layers = tuple(layer_on_tokens(one, patch) for one in composition.layers)
    return replace(composition, layers=layers)


def _kept(composition: Composition, patch: int, cutout: Cutout) -> Bools | None:
    """Return the cells (rows, columns) of the canvas that a scene keeps; None without a scene."""
    scene = composition.scene
    picture = cutout(scene.picture, scene.kept) if scene is not None else None
    if scene is None or picture is None:
        return None
    return token_overlay.kept_cells(picture, scene.rect, scene.fit, composition.canvas, patch)
