"""View state of a 3D view: the composition as data for drawing and picking.

The one place where Blender's view, camera and properties become the plain data of `core`.
"""

from dataclasses import dataclass

import bpy
import numpy as np

from standee.composition import Rect
from standee.geometry import fit_picture

from ..core.overlay import Overlay, Progress, overlay
from ..core.picking import Hit, Item, pick
from ..core.projection import Frame, frame_in_region
from ..jobs.daemon_link import link
from ..jobs.job import Job
from ..jobs.range_playback import frame_image
from ..preferences import style, ui_scale
from ..scene import focus, object_binding
from ..scene.identity import known_identity
from ..scene.scene_properties import StandeeScene
from .layer_cache import LayerPixels, layer_cache

hovered: str | None = None
"""The id of the layer under the pointer."""


@dataclass(frozen=True)
class DrawData:
    """What is drawn in one view, and the pictures for it by layer id."""

    frame: Frame
    overlay: Overlay
    seen: dict[str, LayerPixels]
    result: bpy.types.Image | None = None


def frame_of(
    scene: bpy.types.Scene, region: bpy.types.Region, view: bpy.types.RegionView3D
) -> Frame | None:
    """Return where the camera frame lies in a region; `None` unless it looks through the camera."""
    if view.view_perspective != "CAMERA" or scene.camera is None:
        return None
    camera = scene.camera
    if camera.type != "CAMERA":
        return None
    corners = [
        camera.matrix_world.normalized() @ one for one in camera.data.view_frame(scene=scene)
    ]
    matrix = np.array(view.perspective_matrix)
    size = (region.width, region.height)
    return frame_in_region(np.array(corners), matrix, size, scene.standee.canvas())


def uses_scene_camera(space: bpy.types.SpaceView3D, scene: bpy.types.Scene) -> bool:
    """Whether a view's camera is the scene's, and not one of the view's own."""
    return not space.use_local_camera or space.camera == scene.camera


def frame_under(context: bpy.types.Context) -> Frame | None:
    """Return the frame in the region of a context, if the overlay is drawn there."""
    region, view = context.region, context.region_data
    if region is None or region.type != "WINDOW" or not isinstance(view, bpy.types.RegionView3D):
        return None
    if not context.scene.standee.show_overlay or not uses_scene_camera(
        context.space_data, context.scene
    ):
        return None
    return frame_of(context.scene, region, view)


def items_of(standee: StandeeScene) -> tuple[list[int], list[Item]]:
    """Return the layers back to front: their indices in the list, and as the view shows them."""
    indices = object_binding.order(standee.layers)
    layers = [standee.layers[index] for index in indices]
    return indices, [
        Item(
            one.layer_id,
            one.rect,
            one.title,
            one.drawn,
            one.locked,
            one.bound,
            one.rotation,
            one.opacity,
        )
        for one in layers
    ]


def selected_id(standee: StandeeScene) -> str | None:
    """Return the id of the active layer."""
    active = standee.active()
    return active.layer_id if active is not None else None


def keys_mean_subjects(context: bpy.types.Context) -> bool:
    """Whether the tool's keys act on the active subject: one was clicked last, and is in this view."""
    return focus.on_subject and frame_under(context) is not None


def hit(context: bpy.types.Context, x: float, y: float) -> Hit | None:
    """Return what is under a point (region px)."""
    frame = frame_under(context)
    if frame is None:
        return None
    standee = context.scene.standee
    _, items = items_of(standee)
    return pick(items, frame, (x, y), selected_id(standee), ui_scale())


def draw_data(
    scene: bpy.types.Scene, region: bpy.types.Region, view: bpy.types.RegionView3D
) -> DrawData | None:
    """Return all that is to be drawn in a region."""
    standee: StandeeScene = scene.standee
    wanted = standee.show_overlay or _shown_image(standee) or progress_of(standee) is not None
    frame = frame_of(scene, region, view) if wanted else None
    if frame is None:
        return None
    return draw_data_in(standee, frame)


def draw_data_in(standee: StandeeScene, frame: Frame) -> DrawData:
    """Return all that is to be drawn in a frame."""
    indices, items = items_of(standee) if standee.show_overlay else ([], [])
    patch = link().patch(standee.model)
    seen, placed = {}, {}
    for index in indices:
        layer = standee.layers[index]
        found = layer_cache().of(layer) if layer.drawn else None
        if found is not None and found.pixels is not None:
            seen[layer.layer_id] = found
            placed[layer.layer_id] = _placed(found, layer.rect, layer.fit)
    wanted = standee.show_tokens and standee.show_overlay
    cells = layer_cache().cells(standee, indices, patch) if wanted else None
    flipped = frozenset(layer.layer_id for layer in standee.layers if layer.flip)
    shapes = overlay(
        items,
        frame,
        style(),
        placed=placed,
        flipped=flipped,
        selected=selected_id(standee),
        hovered=hovered,
        cells=cells,
        patch=patch,
        progress=progress_of(standee),
    )
    return DrawData(frame, shapes, seen, _shown_image(standee))


def _shown_image(standee: StandeeScene) -> bpy.types.Image | None:
    """Return what is drawn in front: the range's picture if the range is shown, else the result."""
    if standee.show_range:
        return frame_image(standee.id_data)
    result = standee.shown_result()
    return result.image if result is not None else None


def progress_of(standee: StandeeScene) -> Progress | None:
    """Return how far the scene's oldest job is, or else what went wrong; `None` without either.

    Without previews it is in the sidebar only.
    """
    job, notice = job_of(standee), link().notice
    if not standee.show_preview or (job is None and notice is None):
        return None
    if job is None:
        return Progress(0.0, notice.message)
    return Progress(job.part, link().status_text(job))


def job_of(standee: StandeeScene) -> Job | None:
    """Return the scene's oldest job that is not over."""
    own = known_identity(standee.id_data)
    return next((one for one in link().unfinished if own and one.scene == own), None)


def _placed(seen: LayerPixels, rect: Rect, fit: str) -> Rect:
    return fit_picture(*seen.size, rect, fit)  # type: ignore[arg-type]
