"""Occlusion of bound layers: canvas points at which a render shows other bodies first.

Rays go into the scene as the viewport evaluates it; what only a render shows is asked besides.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import bpy
import numpy as np
from mathutils import Vector
from mathutils.bvhtree import BVHTree
from numpy.typing import NDArray

from standee.arrangement import reduced
from standee.composition import Canvas
from standee.geometry import PATCH, fit_picture, snap

from ..core import png
from ..core.depth import Samples, cut
from ..core.projection import depths, rays
from . import image_datablocks
from .camera import camera_matrix, view_layer_of, view_matrix
from .object_binding import (
    MANY_POINTS,
    SOLID,
    bodies,
    is_not_evaluated,
    layer_of,
    names_of,
    own_matrix,
    run_to_end,
    surfaces,
)
from .render_scene import render_objects
from .scene_properties import StandeeLayer

MANY_RAYS = 12_000
"""So many rays look for what hides a layer, at most: a tenth of a second."""
Hidden = tuple[Samples, NDArray[np.bool_]]
"""Points of the canvas, and at which of them a layer is hidden."""
THROUGH = 16
"""How many bodies that hide nothing a ray may pass."""
CLEAR = {"ShaderNodeBsdfTransparent", "ShaderNodeBsdfGlass", "ShaderNodeBsdfRefraction"}
"""The shaders that show what is behind them."""
BOX_FACES = [(0, 1, 2, 3), (4, 7, 6, 5), (0, 4, 5, 1), (3, 2, 6, 7), (1, 5, 6, 2), (0, 3, 7, 4)]
"""The faces of Blender's `bound_box`."""


def hidden_part(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, layer: StandeeLayer
) -> Hidden:
    """Return which points of the canvas other bodies hide a bound layer at."""
    return run_to_end(_hidden_part(scene.name, layer.layer_id, lambda: depsgraph))


def hidden_part_in_steps(scene: str, layer_id: str) -> Iterator[None]:
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
    points, _ = surfaces(own, depsgraph)
    if not len(points):
        return samples, blocked
    looking = _OcclusionSearch(view, names_of(own), float(depths(points, view).min()))
    looking.know(scene, depsgraph)
    origins, ways = rays(px, matrix, canvas)
    for index, (start, way) in enumerate(zip(origins, ways, strict=True)):
        blocked[tuple(at[index])] = looking.is_hidden(scene, depsgraph, Vector(start), Vector(way))
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
    look = image_datablocks.arrays_of(layer.picture)
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


def cut_masks_in_steps(scene: str) -> Iterator[None]:
    """Like `cut_masks`, in small steps that survive undo; what went away meanwhile has no mask."""
    found, masks = bpy.data.scenes.get(scene), {}
    for layer_id in [layer.layer_id for layer in cut_layers(found)] if found else ():
        hidden = yield from hidden_part_in_steps(scene, layer_id)
        layer = layer_of(scene, layer_id)
        if hidden is not None and layer is not None and hidden[1].any():
            masks[layer_id] = png.encode(cut_alpha(layer, *hidden))
            yield
    return masks


def cut_layers(scene: bpy.types.Scene) -> list[StandeeLayer]:
    """Return the layers that other bodies may hide."""
    layers = scene.standee.layers
    return [one for one in layers if one.bound and one.occluded and one.shown and one.picture]


@dataclass
class _OcclusionSearch:
    """A search for what stands before one layer's bodies.

    `own` are their names, `nearest` is the depth of their nearest point: where a ray misses them, what
    is nearer than that counts as before them. It keeps names and trees, which outlive undo.
    """

    view: NDArray[np.float64]
    own: set[str]
    nearest: float
    passed: set[str] = field(default_factory=set)
    trees: list[BVHTree] = field(default_factory=list)
    clear: dict[tuple[str, int], bool] = field(default_factory=dict)

    def know(self, scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> None:
        """Find what rays pass through, and what is rendered though the viewport does not have it."""
        layer = view_layer_of(scene)
        cast = render_objects(scene, layer)
        seen = {one.name_full: one for one in (*cast.shown, *cast.holdout) if one.visible_camera}
        bound = [one for other in scene.standee.layers if other.bound for one in bodies(other)]
        self.passed = {one.name_full for one in scene.objects if one.name_full not in seen}
        self.passed |= names_of(bound)
        for name, one in seen.items():
            hides = one.type in SOLID and name not in self.passed | self.own
            if hides and is_not_evaluated(one, layer) and not _all_clear(one):
                self.trees.append(_tree(one))

    def is_hidden(
        self, scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, start: Vector, way: Vector
    ) -> bool:
        """Whether a body that is no layer's stands before the layer's own, along one ray."""
        before, end, at = None, self.nearest, start
        for _ in range(THROUGH):
            hit, place, _, face, body, _ = scene.ray_cast(depsgraph, at, way)
            if not hit:
                break
            if body.name_full in self.own:
                if before is not None:
                    return True
                end = self._depth(place)
                break
            if before is None and not self._lets_through(depsgraph, body, face):
                before = self._depth(place)
            at = place + way * max(1e-4, 1e-5 * place.length)
        if before is not None and before < end:
            return True
        found = (tree.ray_cast(start, way)[0] for tree in self.trees)
        return any(place is not None and self._depth(place) < end for place in found)

    def _depth(self, place: Vector) -> float:
        return float(depths(np.array(place), self.view)[0])

    def _lets_through(
        self, depsgraph: bpy.types.Depsgraph, body: bpy.types.Object, face: int
    ) -> bool:
        if body.name_full in self.passed:
            return True
        mesh = body.evaluated_get(depsgraph).data
        polygons = getattr(mesh, "polygons", ())
        slot = polygons[face].material_index if 0 <= face < len(polygons) else 0
        key = (body.name_full, slot)
        if key not in self.clear:
            slots = body.material_slots
            self.clear[key] = slot < len(slots) and see_through(slots[slot].material)
        return self.clear[key]


def see_through(material: bpy.types.Material | None) -> bool:
    """Whether a render shows what is behind a material: glass, nothing at all, or fog alone.

    A texture as transparency is not looked into: such a material hides.
    """
    tree = material.node_tree if material is not None else None
    output = tree.get_output_node("ALL") if tree is not None else None
    if output is None:
        return False
    surface = output.inputs["Surface"]
    return _is_clear(surface) if surface.is_linked else output.inputs["Volume"].is_linked


def _is_clear(socket: bpy.types.NodeSocket) -> bool:
    if not socket.is_linked:
        return False
    node = socket.links[0].from_node
    if node.bl_idname == "NodeReroute":
        return _is_clear(node.inputs[0])
    if node.bl_idname == "ShaderNodeMixShader":
        part = node.inputs[0]
        if part.is_linked:
            return False
        return _is_clear(node.inputs[1 if part.default_value < 0.5 else 2])
    if node.bl_idname == "ShaderNodeBsdfPrincipled":
        alpha = node.inputs["Alpha"]
        passes = node.inputs.get("Transmission Weight") or node.inputs["Transmission"]
        faint = not alpha.is_linked and alpha.default_value < 0.5
        return faint or (not passes.is_linked and passes.default_value > 0.5)
    return node.bl_idname in CLEAR


def _all_clear(body: bpy.types.Object) -> bool:
    slots = body.material_slots
    return bool(slots) and all(see_through(one.material) for one in slots)


def _tree(body: bpy.types.Object) -> BVHTree:
    """Return a body that the viewport does not evaluate, for rays; what is no mesh as its box."""
    mesh, matrix = body.data if body.type == "MESH" else None, own_matrix(body)
    if mesh is None or len(mesh.vertices) > MANY_POINTS:
        return BVHTree.FromPolygons([matrix @ Vector(one) for one in body.bound_box], BOX_FACES)
    points = [matrix @ vertex.co for vertex in mesh.vertices]
    return BVHTree.FromPolygons(points, [tuple(face.vertices) for face in mesh.polygons])
