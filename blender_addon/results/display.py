"""Where a result appears: an Image Editor, the camera's background, or a plane before the camera."""

from collections.abc import Iterator

import bpy

from ..redraw import redraw

PLANE = "Standee Result"
NEAR = 1.05
"""The plane stands so many times the camera's near clipping distance away, or more."""


def show(scene: bpy.types.Scene, index: int, where: str) -> None:
    """Show a result of the scene's list."""
    image = scene.standee.results[index].image
    if image is None:
        return
    if where == "IMAGE_EDITOR":
        in_image_editor(image)
    elif where == "BACKGROUND" and scene.camera is not None:
        as_background(scene.camera.data, image)
    elif where == "PLANE" and scene.camera is not None:
        as_plane(scene, image)
    redraw()


def show_slowly(scene: bpy.types.Scene, key: str) -> Iterator[None]:
    """Show the result with this key where the scene wants them, in a step of its own.

    What then points to the image has to be in an undo step, or the next undo leaves it pointing to
    where the image was.
    """
    where = scene.standee.show_as
    name = scene.name
    yield
    scene = bpy.data.scenes.get(name)
    keys = [one.key for one in scene.standee.results] if scene is not None else []
    if key not in keys:
        return  # undo took it meanwhile; it comes back to the list
    show(scene, keys.index(key), where)
    yield
    if where in ("BACKGROUND", "PLANE"):
        windows = bpy.context.window_manager.windows
        with bpy.context.temp_override(window=windows[0] if windows else None):
            bpy.ops.ed.undo_push(message="Standee Result")
        yield


def in_image_editor(image: bpy.types.Image) -> bool:
    """Show an image in the first Image Editor that is open; return whether there is one."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "IMAGE_EDITOR":
                area.spaces.active.image = image
                area.tag_redraw()
                return True
    return False


def as_background(camera: bpy.types.Camera, image: bpy.types.Image) -> None:
    """Show an image behind the scene; the one that an earlier result was shown in is taken over."""
    ours = [one for one in camera.background_images if one.image and "standee_digest" in one.image]
    background = ours[0] if ours else camera.background_images.new()
    background.image = image
    background.alpha = 1.0
    background.frame_method = "STRETCH"
    background.display_depth = "BACK"
    camera.show_background_images = True


def as_plane(scene: bpy.types.Scene, image: bpy.types.Image) -> bpy.types.Object:
    """Show an image on a shadeless plane that fills the camera's view and moves with it."""
    camera = scene.camera
    plane = bpy.data.objects.get(PLANE)
    if plane is None or plane.type != "MESH":
        plane = bpy.data.objects.new(PLANE, bpy.data.meshes.new(PLANE))
        plane.data.materials.append(bpy.data.materials.new(PLANE))
    if plane.name not in scene.collection.objects and plane.name not in scene.objects:
        scene.collection.objects.link(plane)
    corners = camera.data.view_frame(scene=scene)  # at the distance where the frame is drawn
    depth = -corners[0].z or 1.0
    scale = max(1.0, camera.data.clip_start * NEAR / depth) if camera.data.type == "PERSP" else 1.0
    plane.data.clear_geometry()
    points = [tuple(corner * scale) for corner in (corners[2], corners[1], corners[0], corners[3])]
    plane.data.from_pydata(points, [], [(0, 1, 2, 3)])
    across = plane.data.uv_layers.new(name="UVMap")
    for loop, uv in zip(across.data, ((0, 0), (1, 0), (1, 1), (0, 1)), strict=True):
        loop.uv = uv
    plane.parent = camera
    plane.matrix_parent_inverse.identity()
    plane.matrix_basis.identity()
    plane.visible_shadow = False
    _shadeless(plane.data.materials[0], image)
    return plane


def _shadeless(material: bpy.types.Material, image: bpy.types.Image) -> None:
    if material.node_tree is None:
        material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    texture = tree.nodes.new("ShaderNodeTexImage")
    texture.image, texture.extension = image, "CLIP"
    emission = tree.nodes.new("ShaderNodeEmission")
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    texture.location, emission.location, output.location = (-400, 0), (-100, 0), (150, 0)
    tree.links.new(texture.outputs["Color"], emission.inputs["Color"])
    tree.links.new(emission.outputs["Emission"], output.inputs["Surface"])
