"""Grease Pencil strokes as outlines in the camera frame, of both kinds that Blender has had."""

from collections.abc import Iterable, Iterator

import bpy
import numpy as np
from mathutils import Matrix

from standee.errors import InvalidField

from ..core.projection import to_canvas
from ..core.rendering.polygon_fill import Outline
from .camera import camera_matrix, require_camera

KINDS = ("GREASEPENCIL", "GPENCIL")
"""What Blender calls its objects from 4.3, and before."""


def drawings(context: bpy.types.Context) -> list[bpy.types.Object]:
    """Return the Grease Pencil objects that are chosen; if none is, all that are seen."""
    seen = [one for one in context.scene.objects if one.type in KINDS]
    chosen = {*(context.selected_objects or []), context.object}
    return [one for one in seen if one in chosen] or [one for one in seen if one.visible_get()]


def outlines(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, objects: Iterable[bpy.types.Object]
) -> list[Outline]:
    """Return the strokes of Grease Pencil objects in canvas px, as they are at the scene's frame.

    Strokes of a material that holds out erase. Raises `InvalidField` if the camera sees none.
    """
    require_camera(scene)
    canvas, matrix = scene.standee.canvas(), camera_matrix(scene, depsgraph)
    found = []
    for one in objects:
        posed = one.evaluated_get(depsgraph)
        for layer in posed.data.layers:
            if _is_hidden(layer):
                continue
            place = np.array(_place(posed, layer))
            for points, index in _strokes(layer):
                world = points @ place[:3, :3].T + place[:3, 3]
                px = to_canvas(world, matrix, canvas)
                if len(px) > 2 and np.isfinite(px).all():
                    found.append(Outline(px, _holds_out(one, index)))
    if not found:
        raise InvalidField(
            "The camera sees no Grease Pencil strokes.",
            fix="Look through the camera, and draw around what you mean.",
        )
    return found


def _strokes(layer: bpy.types.AnyType) -> Iterator[tuple[np.ndarray, int]]:
    """Yield the points (n, 3), in the layer's space, and the material of a layer's strokes now."""
    if hasattr(layer, "current_frame"):
        frame = layer.current_frame()
        for one in frame.drawing.strokes if frame is not None else ():
            yield np.array([point.position[:] for point in one.points]), one.material_index
        return
    frame = layer.active_frame
    for one in frame.strokes if frame is not None else ():
        flat = np.empty(len(one.points) * 3, np.float32)
        one.points.foreach_get("co", flat)
        yield flat.reshape(-1, 3).astype(np.float64), one.material_index


def _place(one: bpy.types.Object, layer: bpy.types.AnyType) -> Matrix:
    """Return the matrix from a layer's space to the world."""
    new = hasattr(layer, "matrix_local")
    own = layer.matrix_local if new else layer.matrix_layer
    if layer.parent is None:
        return one.matrix_world @ own
    back = layer.matrix_parent_inverse if new else layer.matrix_inverse
    return layer.parent.matrix_world @ back @ own


def _is_hidden(layer: bpy.types.AnyType) -> bool:
    group = getattr(layer, "parent_group", None)
    return layer.hide or layer.opacity == 0 or (group is not None and _is_group_hidden(group))


def _is_group_hidden(group: bpy.types.AnyType) -> bool:
    return group.hide or (group.parent_group is not None and _is_group_hidden(group.parent_group))


def _holds_out(one: bpy.types.Object, index: int) -> bool:
    """Whether strokes of this material cut holes."""
    slots = one.material_slots
    material = slots[index].material if 0 <= index < len(slots) else None
    style = getattr(material, "grease_pencil", None)
    return style is not None and (style.use_fill_holdout or style.use_stroke_holdout)
