"""Layers that follow 3D: where a bound body is in the camera, how far, and what hides it."""

from collections.abc import Callable, Iterator
from typing import Any

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from standee.arrangement import reduced
from standee.composition import Canvas, Rect
from standee.geometry import PATCH, fit_picture, snap

from ..core import png
from ..core.camera import Lens
from ..core.depth import Samples, cut, stacking
from ..core.projection import BOX_EDGES, depths, projected_bounds, rays
from . import image_datablocks
from .scene_properties import StandeeLayer

SOLID = {"MESH", "CURVE", "SURFACE", "META", "FONT", "CURVES", "POINTCLOUD", "VOLUME"}
MANY_POINTS = 200_000
"""Bodies with more vertices are taken by their bounding box."""
MANY_RAYS = 12_000
"""So many rays look for what hides a layer, at most: a tenth of a second."""
Hidden = tuple[Samples, NDArray[np.bool_]]
"""Points of the canvas, and at which of them a layer is hidden."""
THROUGH = 16
"""How many bodies of other layers a ray may pass."""


def lens_of(scene: bpy.types.Scene, camera: bpy.types.Object) -> Lens:
    """Return the scene's camera as numbers."""
    data, render = camera.data, scene.render
    part = render.resolution_percentage / 100
    return Lens(
        width=max(1, int(render.resolution_x * part)),
        height=max(1, int(render.resolution_y * part)),
        kind="ORTHO" if data.type == "ORTHO" else "PERSP",
        focal=data.lens,
        sensor=(data.sensor_width, data.sensor_height),
        fit=data.sensor_fit,
        shift=(data.shift_x, data.shift_y),
        ortho_scale=data.ortho_scale,
        clip=(data.clip_start, data.clip_end),
    )


def view_matrix(camera: bpy.types.Object) -> NDArray[np.float64]:
    """Return the world-to-camera matrix; a camera's own scale does not count."""
    return np.array(camera.matrix_world.normalized().inverted())


def camera_matrix(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph
) -> NDArray[np.float64] | None:
    """Return the world-to-clip matrix of the scene's camera; `None` without one."""
    if scene.camera is None:
        return None
    render = scene.render
    camera = scene.camera.evaluated_get(depsgraph)
    projection = camera.calc_matrix_camera(
        depsgraph,
        x=render.resolution_x,
        y=render.resolution_y,
        scale_x=render.pixel_aspect_x,
        scale_y=render.pixel_aspect_y,
    )
    return np.array(projection) @ view_matrix(camera)


def bodies(layer: StandeeLayer) -> list[bpy.types.Object]:
    """Return the objects that a layer is bound to; an empty stands for all that hang on it."""
    if layer.bound_object is not None:
        chosen = layer.bound_object
        family = [chosen, *chosen.children_recursive] if chosen.type == "EMPTY" else [chosen]
    elif layer.bound_collection is not None:
        family = list(layer.bound_collection.all_objects)
    else:
        family = []
    return [body for body in family if body.type in SOLID]


def sync(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> bool:
    """Move every bound layer to where its body is now; return whether any moved."""
    standee = scene.standee
    bound = [layer for layer in standee.layers if layer.bound]
    if not bound or scene.camera is None:
        return False
    matrix = camera_matrix(scene, depsgraph)
    view = view_matrix(scene.camera.evaluated_get(depsgraph))
    moved = False
    for layer in bound:
        points, edges = _points(bodies(layer), depsgraph)
        rect = projected_bounds(points, edges, matrix, standee.canvas())
        seen = rect is not None
        if layer.in_view != seen:
            layer.in_view, moved = seen, True
        if rect is None:
            continue
        if _differs(layer.rect, rect):
            layer.rect, moved = rect, True
        distance = float(np.median(depths(points, view)))
        if abs(layer.distance - distance) > 1e-4 * max(1.0, distance):
            layer.distance, moved = distance, True
    return moved


def order(layers: bpy.types.bpy_prop_collection) -> list[int]:
    """Return the indices of the layers from back to front: bound ones by their distance."""
    return stacking([layer.distance if layer.bound else None for layer in layers])


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


def layer_of(scene: str, layer_id: str) -> StandeeLayer | None:
    """Return a layer by the names that outlive undo."""
    found = bpy.data.scenes.get(scene)
    layers = found.standee.layers if found is not None else ()
    return next((layer for layer in layers if layer.layer_id == layer_id), None)


def finished(work: Iterator[Any]) -> Any:
    """Run a generator to its end at once; return what it returns."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


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


def _points(
    family: list[bpy.types.Object], depsgraph: bpy.types.Depsgraph
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the world vertices (n, 3) and edges (m, 2) of bodies, as modifiers made them."""
    points, edges, count = [np.zeros((0, 3))], [np.zeros((0, 2), np.int64)], 0
    for body in family:
        evaluated = body.evaluated_get(depsgraph)
        local, lines = _mesh_points(evaluated)
        world = np.array(evaluated.matrix_world)
        points.append(local @ world[:3, :3].T + world[:3, 3])
        edges.append(lines + count)
        count += len(local)
    return np.concatenate(points), np.concatenate(edges)


def _mesh_points(
    evaluated: bpy.types.Object,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    box = np.array([list(corner) for corner in evaluated.bound_box])
    try:
        mesh = evaluated.to_mesh()
    except RuntimeError:  # a point cloud or a volume
        return box, BOX_EDGES
    try:
        if mesh is None or not 0 < len(mesh.vertices) <= MANY_POINTS:
            return box, BOX_EDGES
        local = np.empty(len(mesh.vertices) * 3, np.float32)
        mesh.vertices.foreach_get("co", local)
        lines = np.empty(len(mesh.edges) * 2, np.int32)
        mesh.edges.foreach_get("vertices", lines)
        return local.reshape(-1, 3).astype(np.float64), lines.reshape(-1, 2).astype(np.int64)
    finally:
        evaluated.to_mesh_clear()


def _differs(a: Rect, b: Rect) -> bool:
    return max(abs(a.x - b.x), abs(a.y - b.y), abs(a.w - b.w), abs(a.h - b.h)) > 1e-3
