"""Scene camera: its view of the canvas, as a lens and as matrices.

A lens that is keyed or driven is read as Blender evaluates it, not as its field says.
"""

import bpy
import numpy as np
from numpy.typing import NDArray

from standee.errors import InvalidField

from ..core.camera import Lens

KINDS = ("PERSP", "ORTHO")
"""The cameras that a rectangle of the canvas can be a part of."""


def camera_of(scene: bpy.types.Scene) -> bpy.types.Object | None:
    """Return the scene's camera; `None` without one, or if a lamp or an empty stands in for it."""
    chosen = scene.camera
    return chosen if chosen is not None and chosen.type == "CAMERA" else None


def require_camera(scene: bpy.types.Scene) -> bpy.types.Object:
    """Return the scene's camera. Raises `InvalidField` if nothing can be seen through it."""
    if scene.camera is None:
        raise InvalidField(
            "The scene has no camera.", fix="Add one (Shift+A, Camera); its frame is the canvas."
        )
    camera = camera_of(scene)
    if camera is None:
        raise InvalidField(
            f"The scene looks through '{scene.camera.name}', which is no camera.",
            fix="Choose a camera in Scene Properties.",
        )
    if camera.data.type not in KINDS:
        raise InvalidField("The camera is panoramic.", fix="Make it perspective or orthographic.")
    return camera


def depsgraph_of(scene: bpy.types.Scene) -> bpy.types.Depsgraph | None:
    """Return the evaluated data of a scene; `None` if it is not the one that is worked on."""
    if bpy.context.scene == scene:
        return bpy.context.evaluated_depsgraph_get()
    return view_layer_of(scene).depsgraph


def view_layer_of(scene: bpy.types.Scene) -> bpy.types.ViewLayer:
    """Return the view layer that is worked on; of another scene the first."""
    return bpy.context.view_layer if bpy.context.scene == scene else scene.view_layers[0]


def lens_of(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph | None) -> Lens:
    """Return the scene's camera as numbers. The picture is the canvas, its px as they lie in F12's."""
    camera, render, canvas = scene.camera, scene.render, scene.standee.canvas()
    data = (camera.evaluated_get(depsgraph) if depsgraph is not None else camera).data
    part = render.resolution_percentage / 100
    width = max(1, int(render.resolution_x * part))
    height = max(1, int(render.resolution_y * part))
    shape = (canvas.width / canvas.height) * (height / width)  # 1, but for whole cells
    return Lens(
        width=canvas.width,
        height=canvas.height,
        aspect=render.pixel_aspect_y / render.pixel_aspect_x * shape,
        kind="ORTHO" if data.type == "ORTHO" else "PERSP",
        focal=data.lens,
        sensor=(data.sensor_width, data.sensor_height),
        fit=data.sensor_fit,
        shift=(data.shift_x, data.shift_y),
        ortho_scale=data.ortho_scale,
        clip=(data.clip_start, data.clip_end),
    )


def set_lens(camera: bpy.types.Camera, lens: Lens) -> None:
    """Give a camera these numbers, but for its clipping."""
    camera.type = lens.kind
    camera.sensor_fit = lens.fit
    camera.sensor_width, camera.sensor_height = lens.sensor
    camera.lens = lens.focal
    camera.ortho_scale = lens.ortho_scale
    camera.shift_x, camera.shift_y = lens.shift


def view_matrix(camera: bpy.types.Object) -> NDArray[np.float64]:
    """Return the world-to-camera matrix; a camera's own scale does not count."""
    return np.array(camera.matrix_world.normalized().inverted())


def camera_matrix(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph
) -> NDArray[np.float64] | None:
    """Return the world-to-clip matrix of the scene's camera; `None` without one."""
    if camera_of(scene) is None:
        return None
    camera = scene.camera.evaluated_get(depsgraph)
    return np.array(projection_of(scene, depsgraph)) @ view_matrix(camera)


def projection_of(scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph) -> bpy.types.Object:
    """Return the camera-to-clip matrix of the scene's camera, of Blender's own kind."""
    render = scene.render
    return scene.camera.evaluated_get(depsgraph).calc_matrix_camera(
        depsgraph,
        x=render.resolution_x,
        y=render.resolution_y,
        scale_x=render.pixel_aspect_x,
        scale_y=render.pixel_aspect_y,
    )
