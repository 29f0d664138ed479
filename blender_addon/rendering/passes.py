"""Depth and normal passes of a render scene, aligned to the pixels of its picture.

Cycles makes them, whatever the artist renders with: one ray through the middle of each pixel, without
light, blur or noise. Alpha counts as a render shows it: what is less than half opaque is not there.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from standee.errors import MissingDependency

from ..core.rendering import exr
from ..scene.camera import depsgraph_of, require_camera, view_matrix
from ..scene.render import without_bound
from ..scene.render_scene import RenderObjects, RenderScene, render_to, temporary_render_scene

FAR = 1e9
"""Cycles gives a larger depth where nothing is."""
PLAIN: dict[str, object] = {
    "samples": 1,
    "use_adaptive_sampling": False,
    "use_denoising": False,
    "pixel_filter_type": "BOX",
    "filter_width": 0.01,
    "max_bounces": 0,
    "transparent_max_bounces": 64,
    "device": "CPU",
    "film_exposure": 1.0,
}
"""How Cycles is set for them."""


@dataclass(frozen=True)
class Geometry:
    """What each pixel of a picture shows of 3D, the first row on top.

    `depth` (height, width) is how far it is from the camera, along the camera's axis, in scene units;
    `inf` where nothing is. `normals` (height, width, 3) are unit vectors in the camera's space: x to
    the right, y up, z towards the camera; 0 where nothing is.
    """

    depth: NDArray[np.float32]
    normals: NDArray[np.float32]


def scene_geometry(scene: bpy.types.Scene) -> Geometry:
    """Return what is behind each pixel of a fresh render. Raises `StandeeError`."""
    require_camera(scene)
    return seen_geometry(scene, without_bound(scene))


def seen_geometry(scene: bpy.types.Scene, objects: RenderObjects) -> Geometry:
    """Return what the scene's camera sees of these objects. Raises `StandeeError`."""
    depsgraph = depsgraph_of(scene)
    camera = scene.camera.evaluated_get(depsgraph) if depsgraph is not None else scene.camera
    with temporary_render_scene(scene, objects) as target:
        return _geometry(target, view_matrix(camera))


def files_of(geometry: Geometry) -> tuple[bytes, bytes]:
    """Return depth and normals as OpenEXR files of 32-bit floats: Y in scene units, and x, y, z as RGB."""
    colours = dict(zip("RGB", np.moveaxis(geometry.normals, 2, 0), strict=True))
    return exr.write({"Y": geometry.depth}), exr.write(colours)


def _geometry(target: RenderScene, view: NDArray[np.float64]) -> Geometry:
    """Render depth and normals at once; `view` is its camera's world-to-camera matrix.

    It renders nothing else afterwards. Raises `MissingDependency` without Cycles.
    """
    _prepare(target.scene)
    with tempfile.TemporaryDirectory(prefix="standee-") as folder:
        channels = exr.read(render_to(target, Path(folder) / "passes.exr"))
    depth = _channel(channels, "Depth.Z", "Depth.V")
    there = depth < FAR
    world = np.stack([_channel(channels, f"Normal.{axis}") for axis in "XYZ"], axis=2)
    normals = np.where(there[..., None], world @ np.float32(view[:3, :3]).T, np.float32(0))
    return Geometry(np.where(there, depth, np.float32(np.inf)), normals)


def _prepare(scene: bpy.types.Scene) -> None:
    """Have a render scene render nothing but passes, with as little work as they need."""
    try:
        scene.render.engine = "CYCLES"
    except TypeError:
        raise MissingDependency(
            "The depth of the scene needs Cycles, which is switched off.",
            fix="Enable Cycles Render Engine in Preferences > Add-ons.",
        ) from None
    for name, value in PLAIN.items():
        if hasattr(scene.cycles, name):
            setattr(scene.cycles, name, value)
    scene.render.use_motion_blur = False
    scene.camera.data.dof.use_dof = False
    layer = scene.view_layers[0]
    layer.use_pass_z = layer.use_pass_normal = True
    layer.samples = 0
    _save_as_exr(scene.render.image_settings)


def _save_as_exr(settings: bpy.types.ImageFormatSettings) -> None:
    if hasattr(settings, "media_type"):  # Blender 5.0
        settings.media_type = "MULTI_LAYER_IMAGE"
    settings.file_format, settings.color_depth = "OPEN_EXR_MULTILAYER", "32"
    settings.exr_codec = "NONE"
    if hasattr(settings, "use_exr_interleave"):  # Blender 5.0: all passes in one part
        settings.use_exr_interleave = True


def _channel(channels: dict[str, NDArray[np.float32]], *ends: str) -> NDArray[np.float32]:
    """Return the channel whose name ends so: before that stands the view layer's."""
    return next(
        values for name, values in channels.items() for end in ends if name.endswith(f".{end}")
    )
