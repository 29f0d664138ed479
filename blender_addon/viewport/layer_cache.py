"""Cache of each layer's pixels, cut-out and cell ownership for the 3D view.

Nothing here draws. What is not there yet is worked out by background tasks of the link, so that a redraw never
waits for a large picture.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from standee.arrangement import (
    Backdrop,
    VisibleLayer,
    arrangement,
    kept_pixels,
    over_scene,
    reduce_mask,
    words_layer,
)
from standee.errors import StandeeError
from standee.geometry import fit_picture

from ..core.color_space import srgb_to_linear
from ..core.depth import Samples, cut, filled
from ..core.token_cells import CellView
from ..jobs.background_tasks import BackgroundTask
from ..jobs.daemon_link import link
from ..redraw import redraw
from ..scene import image_datablocks, object_binding
from ..scene.image_datablocks import state_of
from ..scene.scene_properties import StandeeLayer, StandeeScene
from . import occlusion_preview

SETTLE = 0.25
"""Seconds without a change in the scene after which what hides a bound layer is looked for."""


@dataclass(frozen=True)
class LayerPixels:
    """A layer's picture as it is drawn: linear `pixels` (h, w, 4; straight alpha), full `alpha`.

    Of a rectangle of words with a mask there is only that, as `alpha`.
    """

    key: tuple[Any, ...]
    size: tuple[int, int]
    pixels: NDArray[np.float32] | None
    alpha: NDArray[np.float32]


class LayerCache:
    """The caches of one Blender, by layer id."""

    def __init__(self) -> None:
        self._seen: dict[str, LayerPixels] = {}
        self._pending: set[tuple[Any, ...]] = set()
        self._broken: set[tuple[Any, ...]] = set()
        self._hidden: dict[str, tuple[Samples, NDArray[np.bool_]]] = {}
        self._cells: tuple[tuple[Any, ...], CellView] | None = None
        self._kept: tuple[tuple[Any, ...], NDArray[np.bool_]] | None = None
        self._stale_hidden: set[str] = set()

    def of(self, layer: StandeeLayer) -> LayerPixels | None:
        """Return how a layer looks, if that is known; else it will be, soon."""
        key = _key(layer)
        seen = self._seen.get(layer.layer_id)
        if seen is not None and seen.key == key:
            return seen
        if _is_pictured(layer) and key not in self._pending | self._broken:
            self._pending.add(key)
            link().run_in_background(self._look(layer.id_data.name, layer.layer_id, key))
        return seen if seen is not None and seen.key[0] == key[0] else None

    def now(self, layer: StandeeLayer) -> LayerPixels | None:
        """Return how a layer looks, worked out at once."""
        key = _key(layer)
        seen = self._seen.get(layer.layer_id)
        if (seen is None or seen.key != key) and _is_pictured(layer):
            self._make(layer, key)
        return self._seen.get(layer.layer_id)

    def hidden(self, layer: StandeeLayer) -> tuple[Samples, NDArray[np.bool_]] | None:
        """Return what was found to hide a bound layer."""
        return self._hidden.get(layer.layer_id) if layer.bound and layer.occluded else None

    def alpha(self, layer: StandeeLayer, seen: LayerPixels | None) -> NDArray[np.float32]:
        """Return a layer's cut-out without what the scene hides of it."""
        alpha = filled(layer.rect) if seen is None else seen.alpha
        found = self.hidden(layer)
        if found is None or not found[1].any():
            return alpha
        of_words = seen is None or seen.pixels is None
        placed = layer.rect if of_words else fit_picture(*seen.size, layer.rect, layer.fit)
        return cut(alpha, placed, found[1], found[0], layer.flip, layer.rotation)

    def cells(self, standee: StandeeScene, order: list[int], patch: int) -> CellView:
        """Return who owns each cell; numbers are the layers' places in `order`, back to front."""
        standing, numbers, key = [], [], [standee.canvas(), patch]
        kept = self._kept_pixels(standee)
        if kept is not None:
            numbers.append(None)
            key += [id(kept), standee.scene_blend_share]
        for place, index in enumerate(order):
            layer = standee.layers[index]
            seen = self.of(layer) if layer.drawn else None
            if not layer.drawn or (seen is None and _is_pictured(layer)):
                continue
            found = self.hidden(layer)
            how = layer.rect, layer.flip, layer.rotation, layer.opacity
            key += [place, _key(layer) if seen is None else seen.key, layer.fit, *how]
            key.append(id(found and found[1]))
            standing.append(self._standing(layer, seen))
            numbers.append(place)
        if self._cells is None or self._cells[0] != tuple(key):
            canvas = standee.canvas()
            if kept is None:
                found_cells = arrangement(standing, canvas, patch)
            else:
                placed = [one.place(patch) for one in standing]
                share = standee.scene_blend_share
                found_cells = over_scene(placed, kept, share, canvas, patch)
            self._cells = (tuple(key), CellView(found_cells, tuple(numbers)))
        return self._cells[1]

    def _standing(self, layer: StandeeLayer, seen: LayerPixels | None) -> VisibleLayer:
        """Return a layer as it stands among the others."""
        alpha, rect, turned = self.alpha(layer, seen), layer.rect, layer.rotation
        if seen is None or seen.pixels is None:
            return words_layer(alpha, rect, layer.flip, turned, layer.opacity)
        return VisibleLayer(alpha, rect, layer.fit, layer.flip, seen.size, turned, layer.opacity)

    def update_occlusion(self, scene: bpy.types.Scene) -> None:
        """Look anew for what hides the bound layers, in the background."""
        for layer in scene.standee.layers:
            if layer.bound and layer.occluded and layer.layer_id not in self._stale_hidden:
                self._stale_hidden.add(layer.layer_id)
                link().run_in_background(self._update_occlusion(scene.name, layer.layer_id))

    def forget(self) -> None:
        """Drop everything: another file is open."""
        self.__init__()  # type: ignore[misc]

    def _kept_pixels(self, standee: StandeeScene) -> NDArray[np.bool_] | None:
        """Return the px of the canvas that the scene keeps; `None` without a scene."""
        if standee.scene_source == "NONE":
            return None
        canvas, rect = standee.canvas(), standee.scene_rect()
        picture = standee.scene_picture if standee.scene_source == "PICTURE" else None
        mask = standee.scene_kept
        key = (canvas, rect, standee.scene_fit, state_of(picture), state_of(mask))
        if self._kept is None or self._kept[0] != key:
            size, stays = (canvas.width, canvas.height), np.ones((1, 1), np.float32)
            with suppress(StandeeError):  # the panel says what is wrong with a picture
                if picture is not None:
                    stays = image_datablocks.alpha_of(picture)
                    size = stays.shape[1], stays.shape[0]
                if mask is not None:
                    stays = image_datablocks.mask_of(mask)
            backdrop = Backdrop(stays, size, rect, standee.scene_fit)
            self._kept = (key, kept_pixels(backdrop, canvas))
        return self._kept[1]

    # -- background tasks ----------------------------------------------------------------------------------

    def _look(self, scene: str, layer_id: str, key: tuple[Any, ...]) -> BackgroundTask:
        yield
        self._pending.discard(key)
        layer = object_binding.layer_of(scene, layer_id)
        if layer is not None and _is_pictured(layer) and _key(layer) == key:
            self._make(layer, key)
            redraw()
        yield

    def _make(self, layer: StandeeLayer, key: tuple[Any, ...]) -> None:
        try:
            self._seen[layer.layer_id] = _look_of(layer, key)
        except StandeeError:
            self._broken.add(key)

    def _update_occlusion(self, scene: str, layer_id: str) -> BackgroundTask:
        yield SETTLE
        self._stale_hidden.discard(layer_id)
        layer = object_binding.layer_of(scene, layer_id)
        if layer is None or not layer.bound or layer.id_data.camera is None:
            self._hidden.pop(layer_id, None)
            return
        found = yield from occlusion_preview.hidden_part_in_steps(scene, layer_id)
        if found is not None:
            self._hidden[layer_id] = found
            redraw()


def _key(layer: StandeeLayer) -> tuple[Any, ...]:
    return (state_of(layer.picture), state_of(layer.mask))


def _is_pictured(layer: StandeeLayer) -> bool:
    """Whether an image says which part of its rectangle a layer fills."""
    return layer.picture is not None or layer.mask is not None


def _look_of(layer: StandeeLayer, key: tuple[Any, ...]) -> LayerPixels:
    """Return how a pictured layer looks. Raises `BadPicture` and `TooLarge`."""
    mask = None if layer.mask is None else reduce_mask(image_datablocks.mask_of(layer.mask))
    if layer.picture is None:
        return LayerPixels(key, image_datablocks.size_of(layer.mask), None, mask)
    look = image_datablocks.arrays_of(layer.picture)
    pixels = look.pixels
    if mask is not None:
        pixels = pixels.copy()
        pixels[..., 3] = _scale_to(mask, pixels.shape[:2])
    alpha = look.alpha if mask is None else mask
    return LayerPixels(key, look.size, srgb_to_linear(pixels), alpha)


def _scale_to(alpha: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    rows = (np.arange(shape[0]) + 0.5) * alpha.shape[0] / shape[0]
    cols = (np.arange(shape[1]) + 0.5) * alpha.shape[1] / shape[1]
    return alpha[rows.astype(int)[:, None], cols.astype(int)[None]]


_layer_cache: LayerCache | None = None


def layer_cache() -> LayerCache:
    """Return the caches of this Blender."""
    global _layer_cache
    if _layer_cache is None:
        _layer_cache = LayerCache()
    return _layer_cache
