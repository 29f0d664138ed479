"""The scene's camera as a lens and as matrices."""

import bpy
import numpy as np
from numpy.typing import NDArray

from ..core.camera import Lens


def lens_of(scene: bpy.types.Scene, camera: bpy.types.Object) -> Lens:
    """Return the scene's camera as numbers."""
    data, render = camera.data, scene.render
    part = render.resolution_percentage / 100
    return Lens(
        width=max(1, int(render.resolution_x * part)),
        height=max(1, int(render.resolution_y * part)),
        kind="ORTHO" if data.type == "ORTHO" else "PERSP",
        focal=data.lens,
        sensor=(data.sensor_width, data.sensor_height),
        fit=data.sensor_fit,
        shift=(data.shift_x, data.shift_y),
        ortho_scale=data.ortho_scale,
        clip=(data.clip_start, data.clip_end),
    )


def view_matrix(camera: bpy.types.Object) -> NDArray[np.float64]:
    """Return the world-to-camera matrix; a camera's own scale does not count."""
    return np.array(camera.matrix_world.normalized().inverted())


def camera_matrix(
    scene: bpy.types.Scene, depsgraph: bpy.types.Depsgraph
) -> NDArray[np.float64] | None:
    """Return the world-to-clip matrix of the scene's camera; `None` without one."""
    if scene.camera is None:
        return None
    render = scene.render
    camera = scene.camera.evaluated_get(depsgraph)
    projection = camera.calc_matrix_camera(
        depsgraph,
        x=render.resolution_x,
        y=render.resolution_y,
        scale_x=render.pixel_aspect_x,
        scale_y=render.pixel_aspect_y,
    )
    return np.array(projection) @ view_matrix(camera)
