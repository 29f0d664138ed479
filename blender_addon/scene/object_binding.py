"""Object binding: layers that follow 3D bodies, by where these are in the camera and how far."""

from collections.abc import Iterator
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from standee.composition import Rect

from ..core.depth import stacking
from ..core.projection import BOX_EDGES, depths, projected_bounds
from .camera import camera_matrix, view_matrix
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
