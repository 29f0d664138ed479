"""Object binding: where a bound body is in the camera, and how far."""

from collections.abc import Iterable, Iterator
from typing import Any

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from standee.composition import Rect

from ..core.depth import stacking_order
from ..core.projection import BOX_EDGES, depths, projected_bounds
from .camera import camera_matrix, camera_of, view_matrix
from .scene_properties import StandeeLayer

SOLID = {"MESH", "CURVE", "SURFACE", "META", "FONT", "CURVES", "POINTCLOUD", "VOLUME"}
MANY_POINTS = 200_000
"""Bodies with more vertices are taken by their bounding box."""


def bodies(layer: StandeeLayer) -> list[bpy.types.Object]:
    """Return the objects that a layer is bound to; an empty stands for all that hang on it."""
    if layer.bound_object is not None:
        chosen = layer.bound_object
        family = [chosen, *chosen.children_recursive] if chosen.type == "EMPTY" else [chosen]
    elif layer.bound_collection is not None:
        family = list(layer.bound_collection.all_objects)
    else:
        family = []
    return with_surface(family)


def with_surface(family: Iterable[bpy.types.Object]) -> list[bpy.types.Object]:
    """Return those of the objects that can be seen: bodies, and empties that show a collection."""
    return [one for one in family if one.type in SOLID or shows_collection(one)]


def shows_collection(one: bpy.types.Object) -> bool:
    """Whether an object is an instance of a collection."""
    return one.instance_type == "COLLECTION" and one.instance_collection is not None


def names_of(family: Iterable[bpy.types.Object]) -> set[str]:
    """Return the full names of bodies and of what they show, as rays name what they hit."""
    found = set()
    for one in family:
        found.add(one.name_full)
        if shows_collection(one):
            found |= {inner.name_full for inner in one.instance_collection.all_objects}
    return found


def is_not_evaluated(body: bpy.types.Object, layer: bpy.types.ViewLayer) -> bool:
    """Whether a body is hidden in the viewport, so that Blender does not evaluate it."""
    return body.hide_viewport or not body.visible_get(view_layer=layer)


def sync(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> bool:
    """Move every bound layer to where its body is now; return whether any moved.

    A layer whose object was deleted is loose again.
    """
    standee = scene.standee
    moved = _unbind_deleted(scene)
    bound = [layer for layer in standee.layers if layer.bound]
    if not bound or camera_of(scene) is None:
        return moved
    matrix = camera_matrix(scene, depsgraph)
    view = view_matrix(scene.camera.evaluated_get(depsgraph))
    for layer in bound:
        points, edges = surfaces(bodies(layer), depsgraph)
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


def _unbind_deleted(scene: bpy.types.Scene) -> bool:
    """Unbind the layers whose object is in no scene any more: only the layer keeps it alive."""
    gone = [
        layer
        for layer in scene.standee.layers
        if layer.bound_object is not None and not layer.bound_object.users_scene
    ]
    for layer in gone:
        layer.visible = layer.shown
        layer.bound_object = None
    return bool(gone)


def order(layers: bpy.types.bpy_prop_collection) -> list[int]:
    """Return the indices of the layers from back to front: bound ones by their distance."""
    return stacking_order([layer.distance if layer.bound else None for layer in layers])


def layer_of(scene: str, layer_id: str) -> StandeeLayer | None:
    """Return a layer by the names that outlive undo."""
    found = bpy.data.scenes.get(scene)
    layers = found.standee.layers if found is not None else ()
    return next((layer for layer in layers if layer.layer_id == layer_id), None)


def run_to_end(work: Iterator[Any]) -> Any:
    """Run a generator to its end at once; return what it returns."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def surfaces(
    family: Iterable[bpy.types.Object], depsgraph: bpy.types.Depsgraph
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the world vertices (n, 3) and edges (m, 2) of bodies, as modifiers made them.

    A body that is hidden in the viewport is taken without its modifiers, keys and constraints.
    """
    family = list(family)
    points, edges, count = [np.zeros((0, 3))], [np.zeros((0, 2), np.int64)], 0
    for body, matrix in _placed(family, depsgraph):
        local, lines = _mesh_points(body)
        world = np.array(matrix)
        points.append(local @ world[:3, :3].T + world[:3, 3])
        edges.append(lines + count)
        count += len(local)
    return np.concatenate(points), np.concatenate(edges)


def _placed(
    family: list[bpy.types.Object], depsgraph: bpy.types.Depsgraph
) -> Iterator[tuple[bpy.types.Object, Matrix]]:
    """Yield what has a surface, evaluated, and where it is."""
    for body in family:
        if body.type not in SOLID:
            continue
        if is_not_evaluated(body, depsgraph.view_layer):
            yield body, own_matrix(body)
        else:
            evaluated = body.evaluated_get(depsgraph)
            yield evaluated, evaluated.matrix_world
    holders = {one.name_full for one in family if shows_collection(one)}
    for one in depsgraph.object_instances if holders else ():
        shown = one.is_instance and one.parent is not None and one.parent.name_full in holders
        if shown and one.object.type in SOLID:
            yield one.object, one.matrix_world.copy()


def own_matrix(body: bpy.types.Object) -> Matrix:
    """Return where an object stands by its own fields, for one that Blender does not evaluate."""
    own = body.matrix_basis.copy()
    if body.parent is None:
        return own
    return own_matrix(body.parent) @ body.matrix_parent_inverse @ own


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
