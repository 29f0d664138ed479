"""Result display: the camera frame, an Image Editor, the camera's background, or a plane in 3D.

None of them is rendered, and none stands before anything: the frame is drawn over the view, and what
stands in 3D is an image empty, which has no surface.
"""

from collections.abc import Iterator

import bpy

from standee.errors import InvalidField

from ..redraw import redraw
from ..scene.camera import require_camera

PLANE = "Standee Result"
NEAR = 1.05
"""The image stands so many times the camera's near clipping distance away, or more."""


def show(scene: bpy.types.Scene, index: int, where: str) -> None:
    """Show a result of the scene's list. Raises `InvalidField` if it cannot be shown there."""
    image = scene.standee.results[index].image
    if image is None:
        return
    if where == "FRAME":
        scene.standee.active_result, scene.standee.show_result = index, True
    elif where == "IMAGE_EDITOR":
        if not in_image_editor(image):
            raise InvalidField(
                "No Image Editor is open.", fix="Open one, or show it in the camera frame."
            )
    elif where == "BACKGROUND":
        as_background(require_camera(scene).data, image)
    elif where == "PLANE":
        require_camera(scene)
        as_plane(scene, image)
    redraw()


def show_in_steps(scene: bpy.types.Scene, key: str) -> Iterator[None]:
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
    try:
        show(scene, keys.index(key), where)
    except InvalidField:
        where = "FRAME"
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
    """Show an image behind the scene; the one that an earlier result was shown in is taken over.

    Raises `InvalidField` if the camera belongs to another file.
    """
    if not camera.is_editable:
        raise InvalidField(
            "The camera is linked from another file and keeps its own background.",
            fix="Make it local, or show the result in the camera frame.",
        )
    ours = [one for one in camera.background_images if one.image and "standee_digest" in one.image]
    background = ours[0] if ours else camera.background_images.new()
    background.image = image
    background.alpha = 1.0
    background.frame_method = "STRETCH"
    background.display_depth = "BACK"
    camera.show_background_images = True


def as_plane(scene: bpy.types.Scene, image: bpy.types.Image) -> bpy.types.Object:
    """Stand an image before the camera, so that it fills its view and moves with it.

    It is an image empty: shown in every shading in its own colours, and in no render.
    """
    camera = scene.camera
    plane = bpy.data.objects.get(PLANE)
    if plane is not None and plane.type != "EMPTY":
        plane = None
    if plane is None:
        plane = bpy.data.objects.new(PLANE, None)
    if plane.name not in scene.objects:
        scene.collection.objects.link(plane)
    plane.empty_display_type, plane.data = "IMAGE", image
    plane.empty_image_offset = (-0.5, -0.5)
    plane.empty_image_depth, plane.empty_image_side = "FRONT", "FRONT"
    plane.hide_select = plane.hide_render = True
    corners = camera.data.view_frame(scene=scene)  # at the distance where the frame is drawn
    depth = -corners[0].z or 1.0
    scale = max(1.0, camera.data.clip_start * NEAR / depth) if camera.data.type == "PERSP" else 1.0
    size = (corners[0] - corners[2]) * scale
    across, down = (max(1, side) for side in image.size)
    longer = max(across, down) * plane.empty_display_size  # what Blender draws of the longer side
    plane.parent = camera
    plane.matrix_parent_inverse.identity()
    plane.rotation_mode = "XYZ"
    plane.rotation_euler = (0.0, 0.0, 0.0)
    plane.location = (corners[0] + corners[2]) / 2 * scale
    unit = max(across, down) / longer
    plane.scale = (
        abs(size.x) * unit * max(across, down) / across,
        abs(size.y) * unit * max(across, down) / down,
        1.0,
    )
    return plane
