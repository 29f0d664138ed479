"""Preview of what hides a bound layer while the artist moves things: rays into what the 3D view has.

What is sent is cut by renders (`rendering/visibility.py`), which know what no ray knows: alpha in
textures, hair, and what only renders show.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import bpy
import numpy as np
from mathutils import Vector
from numpy.typing import NDArray

from standee.composition import Canvas
from standee.geometry import PATCH, cells_of

from ..core.depth import Samples
from ..core.projection import depths, rays
from ..rendering.clear import see_through
from ..scene.camera import camera_matrix, view_layer_of, view_matrix
from ..scene.object_binding import bodies, layer_of, names_of, surfaces
from ..scene.render import bound_bodies
from ..scene.render_scene import render_objects

MANY_RAYS = 12_000
"""So many rays look for what hides a layer, at most: a tenth of a second."""
Hidden = tuple[Samples, NDArray[np.bool_]]
"""Points of the canvas, and at which of them a layer is hidden."""
THROUGH = 16
"""How many bodies that hide nothing a ray may pass."""


def hidden_part_in_steps(scene_name: str, layer_id: str) -> Iterator[None]:
    """Return which points of the canvas other bodies hide a bound layer at: a generator.

    It pauses every hundred rays. Between its steps anything may happen to Blender's data, undo included,
    so it goes by names and asks for all of it anew. Returns `None` if the layer or its scene went away
    meanwhile.
    """
    layer = layer_of(scene_name, layer_id)
    depsgraph = bpy.context.evaluated_depsgraph_get()
    if layer is None or depsgraph.scene.name != scene_name:
        return None
    scene = layer.id_data
    canvas: Canvas = scene.standee.canvas()
    stands = cells_of(layer.rect, layer.rotation, PATCH).rect(
        PATCH
    )  # whole cells, as the engine places it
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
    looking.know(scene)
    origins, ways = rays(px, matrix, canvas)
    for index, (start, way) in enumerate(zip(origins, ways, strict=True)):
        blocked[tuple(at[index])] = looking.is_hidden(scene, depsgraph, Vector(start), Vector(way))
        if index % 100 == 99:
            yield
            layer, depsgraph = layer_of(scene_name, layer_id), bpy.context.evaluated_depsgraph_get()
            if layer is None or depsgraph.scene.name != scene_name:
                return None
            scene = layer.id_data
    return samples, blocked


@dataclass
class _OcclusionSearch:
    """A search for what stands before one layer's bodies.

    `own` are their names, `nearest` is the depth of their nearest point: where a ray misses them, what
    is nearer than that counts as before them. It keeps names, which outlive undo.
    """

    view: NDArray[np.float64]
    own: set[str]
    nearest: float
    passed: set[str] = field(default_factory=set)
    clear: dict[tuple[str, int], bool] = field(default_factory=dict)

    def know(self, scene: bpy.types.Scene) -> None:
        """Find what rays pass through: what no render shows, and other stand-ins."""
        cast = render_objects(scene, view_layer_of(scene))
        seen = {one.name_full for one in (*cast.shown, *cast.holdout) if one.visible_camera}
        self.passed = {one.name_full for one in scene.objects if one.name_full not in seen}
        self.passed |= names_of(bound_bodies(scene))

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
        return before is not None and before < end

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
