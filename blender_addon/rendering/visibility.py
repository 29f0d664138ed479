"""Occlusion of bound layers: canvas px at which a render shows other bodies before their own.

Two depth renders say so: all that a render shows, without what layers are bound to, and what they are
bound to. What is transparent there hides nothing, alpha and glass included.
"""

from collections.abc import Iterator

import bpy
import numpy as np
from numpy.typing import NDArray

from standee.arrangement import reduce_mask
from standee.composition import Rect
from standee.geometry import PATCH, cells_of, fit_picture, snap_turned

from ..core import png
from ..core.depth import Samples, cut, filled
from ..core.projection import depths
from ..core.rendering.hiding import apart, hidden
from ..scene import image_datablocks
from ..scene.camera import camera_of, depsgraph_of, view_layer_of, view_matrix
from ..scene.object_binding import bodies, layer_of, run_to_end, surfaces, with_surface
from ..scene.render import bound_bodies
from ..scene.render_scene import RenderObjects, objects_only, render_objects
from ..scene.scene_properties import StandeeLayer
from .clear import rendered_all, without_glass
from .passes import seen_geometry


def cut_masks(scene: bpy.types.Scene, layer: StandeeLayer | None = None) -> dict[str, bytes]:
    """Return the cut-outs (PNG) of the layers that the scene hides in part, by the layer's id.

    With `layer`, of that one alone. Raises `StandeeError` if Blender cannot render.
    """
    wanted = [one.layer_id for one in (cut_layers(scene) if layer is None else [layer])]
    masks: dict[str, bytes] = run_to_end(_cut_masks(scene.name, wanted))
    return masks


def cut_masks_in_steps(scene: str) -> Iterator[None]:
    """Like `cut_masks`, in steps: each render is one. What goes away meanwhile has no mask."""
    found = bpy.data.scenes.get(scene)
    return _cut_masks(scene, [layer.layer_id for layer in cut_layers(found)] if found else [])


def cut_layers(scene: bpy.types.Scene) -> list[StandeeLayer]:
    """Return the layers that other bodies may hide."""
    layers = scene.standee.layers
    return [one for one in layers if one.bound and one.occluded and one.drawn]


def _cut_masks(scene: str, wanted: list[str]) -> Iterator[None]:
    parts, masks = (yield from _hidden_parts(scene, wanted)), {}
    for layer_id, blocked in parts.items():
        layer = layer_of(scene, layer_id)
        if layer is not None and blocked.any():
            masks[layer_id] = png.encode(_cut_alpha(layer, blocked))
            yield
    return masks


def _cut_alpha(layer: StandeeLayer, blocked: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return a layer's cut-out (height, width) without what is hidden of it."""
    placed = snap_turned(layer.rect, layer.rotation, PATCH)
    alpha = filled(placed)
    if layer.picture is not None:
        look = image_datablocks.arrays_of(layer.picture)
        alpha, placed = look.alpha, fit_picture(*look.size, placed, layer.fit)
    if layer.mask is not None:
        alpha = reduce_mask(image_datablocks.mask_of(layer.mask))
    samples = Samples(layer.id_data.standee.canvas(), 1.0)
    return cut(alpha, placed, blocked, samples, layer.flip, layer.rotation)


def _hidden_parts(scene_name: str, wanted: list[str]) -> Iterator[None]:
    """Return the px of the canvas (height, width) at which each of these layers is hidden, by its id.

    One render a step; between them anything may happen to Blender's data.
    """
    scene = bpy.data.scenes.get(scene_name)
    if scene is None or camera_of(scene) is None or not wanted:
        return {}
    objects = _hiding(scene)
    if not with_surface((*objects.shown, *objects.holdout)):
        return {}
    with without_glass(objects) as clear:
        others = seen_geometry(scene, clear).depth
    yield
    known = {layer_id: layer_of(scene_name, layer_id) for layer_id in wanted}
    places = {
        key: cells_of(one.rect, one.rotation, PATCH).rect(PATCH)
        for key, one in known.items()
        if one
    }
    parts: dict[str, NDArray[np.bool_]] = {}
    for group in apart(list(places.values())):
        keys = [list(places)[index] for index in group]
        scene = bpy.data.scenes.get(scene_name)
        layers = {key: layer for key in keys if (layer := layer_of(scene_name, key)) is not None}
        if scene is None or not layers:
            continue
        own = [body for layer in layers.values() for body in bodies(layer)]
        with rendered_all(own) as family:
            depth = seen_geometry(scene, objects_only(family)).depth
        for key, layer in layers.items():
            nearest = _nearest(scene, bodies(layer))
            if nearest is not None:
                parts[key] = hidden(others, depth, nearest) & _inside(places[key], depth.shape)
        yield
    return parts


def _inside(rect: Rect, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which px of the canvas (height, width) are in a rectangle of whole px."""
    inside = np.zeros(shape, bool)
    left, top = (max(0, int(edge)) for edge in (rect.x, rect.y))
    inside[top : max(0, int(rect.y + rect.h)), left : max(0, int(rect.x + rect.w))] = True
    return inside


def _hiding(scene: bpy.types.Scene) -> RenderObjects:
    """Return what a render shows, but for what layers are bound to."""
    objects = render_objects(scene, view_layer_of(scene))
    return objects.without({body.name_full for body in bound_bodies(scene)})


def _nearest(scene: bpy.types.Scene, family: list[bpy.types.Object]) -> float | None:
    """Return the depth of the nearest point of bodies; `None` if they have no surface."""
    depsgraph = depsgraph_of(scene)
    points, _ = surfaces(family, depsgraph) if depsgraph is not None else (np.zeros((0, 3)), None)
    if not len(points):
        return None
    return float(depths(points, view_matrix(scene.camera.evaluated_get(depsgraph))).min())
