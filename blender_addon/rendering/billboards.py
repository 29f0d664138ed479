"""Billboard objects: a layer's picture as an object that stands on the ground and faces the camera.

The layer is bound to it, so moving the object moves the subject.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import bpy
import numpy as np
from mathutils import Euler, Matrix, Vector
from numpy.typing import NDArray

from standee.composition import Rect
from standee.errors import BadPicture, InvalidField
from standee.geometry import fit_picture

from ..core.projection import depths, projected_bounds, rays
from ..core.rendering.billboard import Card, card, feet, on_plane
from ..scene import image_datablocks
from ..scene.camera import camera_matrix, require_camera, view_matrix
from ..scene.layer_properties import StandeeLayer
from ..scene.object_binding import names_of
from ..scene.render import bound_bodies
from .billboard_material import FITTED, keep_colours, new_material, picture_of

FACING = "Facing the Camera"
"""The name of the constraint that turns a billboard; an object that has it is one."""
LEVEL = 0.5
"""A surface whose normal has so much of the vertical is ground."""
THROUGH = 32
"""How many bodies the search for ground may pass."""
AWAY = 5.0
"""How far from the camera it stands where there is no ground, in scene units."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """Where a billboard's feet are, and whether that is on the ground."""

    foot: Floats
    grounded: bool


def stand(
    scene: bpy.types.Scene,
    depsgraph: bpy.types.Depsgraph,
    layer: StandeeLayer,
    upright: bool = True,
) -> tuple[bpy.types.Object, bool]:
    """Make a layer's billboard where the camera sees the layer now, and bind the layer to it.

    Returns the object, and whether it stands on ground. `upright` turns it about the vertical only, else
    it is parallel to the picture. Raises `InvalidField`, `BadPicture`, `TooLarge`.
    """
    camera = require_camera(scene)
    if layer.rotation % 360:
        raise InvalidField(
            f"{layer.name!r} is turned by {layer.rotation:.0f} degrees, and cards stand straight.",
            fix="Set its rotation to 0 first.",
        )
    canvas, matrix = scene.standee.canvas(), camera_matrix(scene, depsgraph)
    view = view_matrix(camera.evaluated_get(depsgraph))
    size = image_datablocks.size_of(layer.picture)
    placed = fit_picture(*size, layer.rect, layer.fit)
    wanted = placed if layer.fit == "contain" else layer.rect  # what reaches over it is not shown
    image = picture_of(layer, (wanted.w / placed.w, wanted.h / placed.h))
    try:
        across_at, down_at = feet(image_datablocks.alpha_of(image))
        across_at = 1 - across_at if layer.flip else across_at
        px = np.array([[wanted.x + wanted.w * across_at, wanted.y + wanted.h * down_at]])
        starts, ways = rays(px, matrix, canvas)
        place = _ground(scene, depsgraph, view, starts[0], ways[0])
        across, up = _axes(view, upright)
        shape = card(place.foot, across, up, matrix, canvas, wanted)
        if shape is None:
            raise InvalidField(
                "The camera looks straight down on it, so nothing upright can be seen.",
                fix="Turn off Upright, or lower the camera.",
            )
    except Exception:
        bpy.data.images.remove(image)
        raise
    body = _body(layer, image, shape)
    scene.collection.objects.link(body)
    body.location = Vector(place.foot)
    _face(body, camera, upright)
    keep_colours(body.data.materials[0], scene)
    layer.bound_collection, layer.bound_object = None, body
    return body, place.grounded


def attend(scene: bpy.types.Scene) -> None:
    """Have a scene's billboards face its camera as it is now, in the colours of its view transform."""
    for layer in scene.standee.layers:
        body = layer.bound_object
        constraint = None if body is None else body.constraints.get(FACING)
        if constraint is None or not body.is_editable:
            continue
        if scene.camera is not None and constraint.target != scene.camera:
            constraint.target = scene.camera
        for slot in body.material_slots:
            if slot.material is not None and slot.material.is_editable:
                keep_colours(slot.material, scene)


def loose_cards(
    scene: bpy.types.Scene, family: Iterable[bpy.types.Object]
) -> list[bpy.types.Object]:
    """Return the billboards among these objects that no layer of the scene is bound to."""
    bound = {layer.bound_object for layer in scene.standee.layers}
    return [one for one in family if is_card(one) and one not in bound]


def is_card(body: bpy.types.Object) -> bool:
    """Whether an object is a billboard."""
    return body.constraints.get(FACING) is not None


def is_image_empty(body: bpy.types.Object) -> bool:
    """Whether an object is an image that stands in 3D, as Blender makes of one that is dropped."""
    return body.type == "EMPTY" and body.empty_display_type == "IMAGE" and body.data is not None


def seen_rect(scene: bpy.types.Scene, body: bpy.types.Object) -> Rect | None:
    """Return where the camera sees an image empty, in canvas px; `None` if it does not."""
    depsgraph = bpy.context.evaluated_depsgraph_get()
    sides = np.array(body.data.size, float) * body.empty_display_size / max(*body.data.size, 1)
    low = np.array(body.empty_image_offset) * sides
    corners = [
        (low[0] + x * sides[0], low[1] + y * sides[1], 0)
        for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))
    ]
    place = np.array(body.matrix_world)
    world = np.array(corners) @ place[:3, :3].T + place[:3, 3]
    edges = np.array([(0, 1), (1, 2), (2, 3), (3, 0)])
    return projected_bounds(world, edges, camera_matrix(scene, depsgraph), scene.standee.canvas())


def picture_on(body: bpy.types.Object) -> bpy.types.Image:
    """Return the picture of a billboard as a subject's. Raises `BadPicture` if it has none."""
    for slot in body.material_slots:
        tree = slot.material.node_tree if slot.material is not None else None
        for node in tree.nodes if tree is not None else ():
            if node.bl_idname == "ShaderNodeTexImage" and not node.name.startswith(FITTED):
                image = node.image
                if image is None:
                    continue
                data = image.packed_file.data if image.packed_file else b""
                return image_datablocks.image_of(bytes(data), body.name) if data else image
    raise BadPicture(f"{body.name!r} has no picture.", fix="Give its material an Image Texture.")


def is_mirrored(body: bpy.types.Object) -> bool:
    """Whether a billboard shows its picture from right to left."""
    shown = body.data.uv_layers.active if body.type == "MESH" else None
    return shown is not None and len(shown.data) > 1 and shown.data[0].uv.x > shown.data[1].uv.x


def _ground(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph, view: Floats, start: Floats, way: Floats
) -> Place:
    """Return where feet stand that are seen along a ray: on a level surface, or at height 0."""
    passed, at, along = names_of(bound_bodies(scene)), Vector(start), Vector(way)
    for _ in range(THROUGH):
        hit, place, normal, _, body, _ = scene.ray_cast(depsgraph, at, along)
        if not hit:
            break
        if abs(normal.z) > LEVEL and body.name_full not in passed and not body.hide_render:
            return Place(np.array(place), True)
        at = place + along * max(1e-4, 1e-5 * place.length)
    found = on_plane(start, way)
    far = scene.camera.data.clip_end
    if found is not None and float(depths(found, view)[0]) < far:
        return Place(found, True)
    cursor = float(depths(np.array(scene.cursor.location), view)[0])
    wanted = cursor if cursor > scene.camera.data.clip_start else AWAY
    depth, step = float(depths(start, view)[0]), float(depths(start + way, view)[0])
    return Place(start + way * (wanted - depth) / (step - depth), False)


def _axes(view: Floats, upright: bool) -> tuple[Floats, Floats]:
    """Return a billboard's axes in the world: to its right and up, as `_face` turns it."""
    if not upright:
        return view[0, :3], view[1, :3]
    heading = Matrix(view[:3, :3].T).to_euler("XYZ", Euler((np.pi / 2, 0, 0))).z
    return np.array([np.cos(heading), np.sin(heading), 0.0]), np.array([0.0, 0.0, 1.0])


def _face(body: bpy.types.Object, camera: bpy.types.Object, upright: bool) -> None:
    """Turn a billboard with the camera: upright, about the vertical alone."""
    if upright:
        body.rotation_euler.x = np.pi / 2
    constraint = body.constraints.new("COPY_ROTATION")
    constraint.name, constraint.target = FACING, camera
    constraint.use_x = constraint.use_y = not upright


def _body(layer: StandeeLayer, image: bpy.types.Image, shape: Card) -> bpy.types.Object:
    """Return a new object: one face in its x and y with the picture on it, the feet at its origin."""
    mesh = bpy.data.meshes.new(layer.name)
    corners = [(x, y, 0.0) for y in (shape.bottom, shape.top) for x in (shape.left, shape.right)]
    mesh.from_pydata(corners, [], [(0, 1, 3, 2)])
    left, right = (1.0, 0.0) if layer.flip else (0.0, 1.0)
    shown = mesh.uv_layers.new(name="Picture")
    shown.data.foreach_set("uv", [left, 0.0, right, 0.0, right, 1.0, left, 1.0])
    mesh.materials.append(new_material(layer.name, image))
    return bpy.data.objects.new(layer.name, mesh)
