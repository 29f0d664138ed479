"""Window steps with subjects bound to 3D objects; every claim is asserted."""

import bpy
from mathutils import Vector
from studio import (
    as_rendered,
    close,
    module,
    pilot,
    rect,
    standee,
)


def standing():
    """A subject stands in 3D where it was seen, and follows its card; F12 shows nothing else anew."""
    standee().active_layer = 0
    before, plain = rect(0), as_rendered()
    with pilot.context():
        assert bpy.ops.standee.stand_in_3d() == {"FINISHED"}
    body = bpy.context.object
    yield 0.3
    assert close(rect(0), before, 1.0), (before, rect(0))
    body.location.x += 0.5
    yield 0.3
    assert not close(rect(0), before, 1.0), rect(0)
    body.location.x -= 0.5
    yield 0.3
    assert as_rendered() != plain, "F12 shows the card"
    body.hide_render = True
    assert as_rendered() == plain, "F12 is what it was without it"
    body.hide_render = False
    bpy.ops.ed.undo_push(message="stood in 3D")
    shading = pilot.area.spaces.active.shading
    shading.type = "MATERIAL"
    yield 15.0  # for its shaders: without a graphics card they take so long
    yield from pilot.shot("standing")
    shading.type = "SOLID"
    with pilot.context():
        bpy.ops.standee.unbind()
    bpy.data.objects.remove(body)
    layer = standee().layers[0]
    layer.x, layer.y, layer.width, layer.height = before
    bpy.ops.ed.undo_push(message="as it was")


def bound():
    """A subject bound to an object follows it, behind what is in front."""
    scene = bpy.context.scene
    standee().show_result = False
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
