"""How layers look in the 3D view: their pixels, their cut-outs and who owns which cell; all cached.

Nothing here draws. What is not there yet is worked out by chores of the link, so that a redraw never
waits for a large picture.
"""

from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from standee.errors import StandeeError
from standee.geometry import NOBODY, fit_picture

from . import binding, pictures
from .daemon_link import Chore, link
from .properties import StandeeLayer, StandeeScene, redraw
from .stage.colour import linear
from .stage.cutout import Standing, arrangement, reduced
from .stage.depth import Samples, cut

SETTLE = 0.25
"""Seconds without a change in the scene after which what hides a bound layer is looked for."""


@dataclass(frozen=True)
class Seen:
    """A layer's picture as it is drawn: linear `pixels` (h, w, 4; straight alpha), full `alpha`."""

    key: tuple[Any, ...]
    size: tuple[int, int]
    pixels: NDArray[np.float32]
    alpha: NDArray[np.float32]


class Looks:
    """The caches of one Blender, by layer id."""

    def __init__(self) -> None:
        self._seen: dict[str, Seen] = {}
        self._pending: set[tuple[Any, ...]] = set()
        self._broken: set[tuple[Any, ...]] = set()
        self._hidden: dict[str, tuple[Samples, NDArray[np.bool_]]] = {}
        self._owner: tuple[tuple[Any, ...], NDArray[np.int64]] | None = None
        self._stale_hidden: set[str] = set()

    def of(self, layer: StandeeLayer) -> Seen | None:
        """Return how a layer looks, if that is known; else it will be, soon."""
        key = _key(layer)
        seen = self._seen.get(layer.layer_id)
        if seen is not None and seen.key == key:
            return seen
        if layer.picture is not None and key not in self._pending | self._broken:
            self._pending.add(key)
            link().add_chore(self._look(layer.id_data.name, layer.layer_id, key))
        return seen if seen is not None and seen.key[0] == key[0] else None

    def now(self, layer: StandeeLayer) -> Seen | None:
        """Return how a layer looks, worked out at once."""
        key = _key(layer)
        seen = self._seen.get(layer.layer_id)
        if (seen is None or seen.key != key) and layer.picture is not None:
            self._make(layer, key)
        return self._seen.get(layer.layer_id)

    def hidden(self, layer: StandeeLayer) -> tuple[Samples, NDArray[np.bool_]] | None:
        """Return what was found to hide a bound layer."""
        return self._hidden.get(layer.layer_id) if layer.bound and layer.occluded else None

    def alpha(self, layer: StandeeLayer, seen: Seen, patch: int) -> NDArray[np.float32]:
        """Return a layer's cut-out without what the scene hides of it."""
        found = self.hidden(layer)
        if found is None or not found[1].any():
            return seen.alpha
        placed = fit_picture(*seen.size, layer.rect, layer.fit)
        return cut(seen.alpha, placed, found[1], found[0], layer.flip)

    def owner(self, standee: StandeeScene, order: list[int], patch: int) -> NDArray[np.int64]:
        """Return who owns each cell (rows, columns), by the layer's place in `order`."""
        standing, places, key = [], [], [standee.canvas(), patch]
        for place, index in enumerate(order):
            layer = standee.layers[index]
            seen = self.of(layer) if layer.shown else None
            if seen is None:
                continue
            found = self.hidden(layer)
            key += [place, seen.key, layer.rect, layer.fit, layer.flip, id(found and found[1])]
            alpha = self.alpha(layer, seen, patch)
            standing.append(Standing(alpha, layer.rect, layer.fit, layer.flip))
            places.append(place)
        if self._owner is None or self._owner[0] != tuple(key):
            found_owner = arrangement(standing, standee.canvas(), patch).owner
            table = np.array([*places, NOBODY], np.int64)  # NOBODY is -1: the last entry
            self._owner = (tuple(key), table[found_owner])
        return self._owner[1]

    def look_behind(self, scene: bpy.types.Scene) -> None:
        """Look anew for what hides the bound layers, in the background."""
        for layer in scene.standee.layers:
            if layer.bound and layer.occluded and layer.layer_id not in self._stale_hidden:
                self._stale_hidden.add(layer.layer_id)
                link().add_chore(self._look_behind(scene.name, layer.layer_id))

    def forget(self) -> None:
        """Drop everything: another file is open."""
        self.__init__()  # type: ignore[misc]

    # -- chores ----------------------------------------------------------------------------------

    def _look(self, scene: str, layer_id: str, key: tuple[Any, ...]) -> Chore:
        yield
        self._pending.discard(key)
        layer = _find(scene, layer_id)
        if layer is not None and layer.picture is not None and _key(layer) == key:
            self._make(layer, key)
            redraw()
        yield

    def _make(self, layer: StandeeLayer, key: tuple[Any, ...]) -> None:
        try:
            look = pictures.look_of(layer.picture)
            alpha = look.alpha
            pixels = look.pixels
            if layer.mask is not None:
                alpha = reduced(pictures.mask_of(layer.mask))
                pixels = pixels.copy()
                pixels[..., 3] = _stretched(alpha, pixels.shape[:2])
        except StandeeError:
            self._broken.add(key)
            return
        self._seen[layer.layer_id] = Seen(key, look.size, linear(pixels), alpha)

    def _look_behind(self, scene: str, layer_id: str) -> Chore:
        yield SETTLE
        self._stale_hidden.discard(layer_id)
        layer = _find(scene, layer_id)
        if layer is None or not layer.bound or layer.id_data.camera is None:
            self._hidden.pop(layer_id, None)
            return
        depsgraph = bpy.context.evaluated_depsgraph_get()
        if depsgraph.scene.name != scene:
            return
        self._hidden[layer_id] = yield from binding.hidden_part_slowly(
            layer.id_data, depsgraph, layer
        )
        redraw()


def _key(layer: StandeeLayer) -> tuple[Any, ...]:
    return (pictures.state_of(layer.picture), pictures.state_of(layer.mask))


def _find(scene: str, layer_id: str) -> StandeeLayer | None:
    found = bpy.data.scenes.get(scene)
    layers = found.standee.layers if found is not None else ()
    return next((layer for layer in layers if layer.layer_id == layer_id), None)


def _stretched(alpha: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    rows = (np.arange(shape[0]) + 0.5) * alpha.shape[0] / shape[0]
    cols = (np.arange(shape[1]) + 0.5) * alpha.shape[1] / shape[1]
    return alpha[rows.astype(int)[:, None], cols.astype(int)[None]]


_looks: Looks | None = None


def looks() -> Looks:
    """Return the caches of this Blender."""
    global _looks
    if _looks is None:
        _looks = Looks()
    return _looks
