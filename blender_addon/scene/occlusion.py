"""Occlusion: which parts of bound layers the scene hides, and masks without them."""

from collections.abc import Callable, Iterator

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from standee.arrangement import reduced
from standee.composition import Canvas
from standee.geometry import PATCH, fit_picture, snap

from ..core import png
from ..core.depth import Samples, cut
from ..core.projection import depths, rays
from . import image_datablocks
from .camera import camera_matrix, view_matrix
from .object_binding import _points, bodies, finished, layer_of
from .scene_properties import StandeeLayer

MANY_RAYS = 12_000
"""So many rays look for what hides a layer, at most: a tenth of a second."""

Hidden = tuple[Samples, NDArray[np.bool_]]
"""Points of the canvas, and at which of them a layer is hidden."""

THROUGH = 16
"""How many bodies of other layers a ray may pass."""


def hidden_part(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, layer: StandeeLayer
) -> Hidden:
    """Return which points of the canvas other bodies hide a bound layer at."""
    return finished(_hidden_part(scene.name, layer.layer_id, lambda: depsgraph))


def hidden_part_slowly(scene: str, layer_id: str) -> Iterator[None]:
    """Like `hidden_part`, as a generator that pauses every hundred rays.

    Between its steps anything may happen to Blender's data, undo included, so it goes by names and
    asks for all of it anew. Returns `None` if the layer or its scene went away meanwhile.
    """
    return _hidden_part(scene, layer_id, bpy.context.evaluated_depsgraph_get)


def _hidden_part(
    scene_name: str, layer_id: str, current: Callable[[], bpy.types.Depsgraph]
) -> Iterator[None]:
    layer = layer_of(scene_name, layer_id)
    depsgraph = current()
    if layer is None or depsgraph.scene.name != scene_name:
        return None
    scene = layer.id_data
    canvas: Canvas = scene.standee.canvas()
    stands = snap(layer.rect, PATCH).rect(PATCH)  # whole cells, as the engine places it
    area = min(canvas.width, stands.w) * min(canvas.height, stands.h)
    samples = Samples(canvas, max(PATCH / 4, float(np.sqrt(area / MANY_RAYS))))
    blocked = np.zeros(samples.shape, bool)
    at, px = samples.inside(stands)
    matrix = camera_matrix(scene, depsgraph)
    own = bodies(layer)
    if not len(at) or matrix is None or not own:
        return samples, blocked
    view = view_matrix(scene.camera.evaluated_get(depsgraph))
    points, _ = _points(own, depsgraph)
    nearest = float(depths(points, view).min())
    transparent = {
        body.name_full for other in scene.standee.layers if other.bound for body in bodies(other)
    }
    names = {body.name_full for body in own}
    origins, ways = rays(px, matrix, canvas)
    for index, (start, way) in enumerate(zip(origins, ways, strict=True)):
        blocked[tuple(at[index])] = _is_hidden(
            scene, depsgraph, Vector(start), Vector(way), names, transparent, nearest, view
        )
        if index % 100 == 99:
            yield
            layer, depsgraph = layer_of(scene_name, layer_id), current()
            if layer is None or depsgraph.scene.name != scene_name:
                return None
            scene = layer.id_data
    return samples, blocked


def cut_alpha(
    layer: StandeeLayer, samples: Samples, blocked: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return a layer's cut-out (height, width) without what is hidden of it."""
    look = image_datablocks.look_of(layer.picture)
    alpha = look.alpha if layer.mask is None else reduced(image_datablocks.mask_of(layer.mask))
    target = snap(layer.rect, PATCH).rect(PATCH)
    placed = fit_picture(*look.size, target, layer.fit)
    return cut(alpha, placed, blocked, samples, layer.flip)


def cut_masks(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> dict[str, bytes]:
    """Return the cut-outs (PNG) of the layers that the scene hides in part, by the layer's id."""
    masks = {}
    for layer in cut_layers(scene):
        samples, blocked = hidden_part(scene, depsgraph, layer)
        if blocked.any():
            masks[layer.layer_id] = png.encode(cut_alpha(layer, samples, blocked))
    return masks


def cut_masks_slowly(scene: str) -> Iterator[None]:
    """Like `cut_masks`, in small steps that survive undo; what went away meanwhile has no mask."""
    found, masks = bpy.data.scenes.get(scene), {}
    for layer_id in [layer.layer_id for layer in cut_layers(found)] if found else ():
        hidden = yield from hidden_part_slowly(scene, layer_id)
        layer = layer_of(scene, layer_id)
        if hidden is not None and layer is not None and hidden[1].any():
            masks[layer_id] = png.encode(cut_alpha(layer, *hidden))
            yield
    return masks


def cut_layers(scene: bpy.types.Scene) -> list[StandeeLayer]:
    """Return the layers that other bodies may hide."""
    layers = scene.standee.layers
    return [one for one in layers if one.bound and one.occluded and one.shown and one.picture]


def _is_hidden(
    scene: bpy.types.Scene,
    depsgraph: bpy.types.Depsgraph,
    start: Vector,
    way: Vector,
    own: set[str],
    transparent: set[str],
    nearest: float,
    view: NDArray[np.float64],
) -> bool:
    """Whether a body that is no layer's stands before the layer's own, along one ray.

    Where the ray misses the own body, what is nearer than its nearest point counts as before it.
    """
    before = None
    for _ in range(THROUGH):
        hit, place, _, _, body, _ = scene.ray_cast(depsgraph, start, way)
        if not hit:
            break
        if body.name_full in own:
            return before is not None
        if before is None and body.name_full not in transparent:
            before = float(depths(np.array(place), view)[0])
        start = place + way * max(1e-4, 1e-5 * place.length)
    return before is not None and before < nearest
