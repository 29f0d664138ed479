"""Window steps with subjects bound to 3D objects; every claim is asserted."""

import bpy
from mathutils import Vector
from studio import (
    module,
    pilot,
    rect,
    standee,
)


def bound():
    """A subject bound to an object follows it, behind what is in front."""
    scene = bpy.context.scene
    body = bpy.data.objects.get("Cube")
    layer = standee().layers[1]
    standee().active_layer = 1
    bpy.context.view_layer.objects.active = body
    before = rect(1)
    with pilot.context():
        assert bpy.ops.standee.bind() == {"FINISHED"}
    assert rect(1) != before
    first = rect(1)
    body.location.x += 0.5
    yield 0.3
    assert rect(1) != first
    aside = scene.camera.matrix_world.to_3x3() @ Vector((0.75, 0, 0))
    between = scene.camera.location * 0.45 + body.location * 0.55 + aside
    bpy.ops.mesh.primitive_cube_add(size=1.2, location=between)
    bpy.context.object.name = "Wall"
    bpy.context.object.select_set(False)
    assert layer.bound

    def hidden():
        found = module("viewport.layer_cache").layer_cache().hidden(standee().layers[1])
        return found is not None and found[1].any()

    yield from pilot.until(hidden, 20, "what hides the bound layer")
    standee().show_tokens = True
    yield from pilot.shot("bound")
    standee().show_tokens = False


def viewport():
    """The viewport is a scene to compose into: without overlays, bound objects and the tool's own."""
    standee().scene_source = "VIEWPORT"
    with pilot.context():
        assert bpy.ops.standee.scene_capture() == {"FINISHED"}
    picture = standee().scene_picture
    assert tuple(picture.size) == (256, 256)
    pixels = module("scene.image_datablocks").pixels_of(picture)[..., :3]
    assert pixels.std() > 0.01, "the viewport's picture is empty"
    standee().scene_source = "NONE"
    yield 0.1
