"""Pictures out of Blender: an object as a cut-out, the scene behind the subjects, masks of objects.

Renders are those of a stage (`render_scene`), the viewport's picture is drawn offscreen.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np
from numpy.typing import NDArray

from standee.composition import Rect
from standee.errors import InvalidField

from ..core import png
from ..core.camera import Lens, enlarged
from ..core.projection import projected_bounds
from . import image_datablocks, object_binding
from .camera import camera_matrix, lens_of
from .render_scene import Stage, rendered, sized, staged, visible

MARGIN = 2
"""Pixels of air around an object's picture, so that its soft edge is not cut."""


def object_picture(
    context: bpy.types.Context, family: list[bpy.types.Object], detail: int = 2
) -> tuple[bytes, Rect]:
    """Render objects alone; return the PNG with their alpha, and the rectangle that they fill.

    `detail` is how many px of the picture there are for one of the canvas. The picture shows all of
    them, also what reaches out of the camera frame. Raises `InvalidField`.
    """
    scene = context.scene
    depsgraph = context.evaluated_depsgraph_get()
    _require_camera(scene)
    points, edges = object_binding._points(family, depsgraph)
    canvas = scene.standee.canvas()
    bounds = projected_bounds(points, edges, camera_matrix(scene, depsgraph), canvas)
    if bounds is None:
        raise InvalidField(
            "The object is behind the camera or has no surface.",
            fix="Turn the camera towards it, or choose another object.",
        )
    left, top = int(np.floor(bounds.x)) - MARGIN, int(np.floor(bounds.y)) - MARGIN
    right = int(np.ceil(bounds.x + bounds.w)) + MARGIN
    bottom = int(np.ceil(bounds.y + bounds.h)) + MARGIN
    if max(right - left, bottom - top) * detail > image_datablocks.LARGEST_SIDE:
        raise InvalidField(
            "The object is so near that its picture would be too large.",
            fix="Move the camera away from it.",
        )
    with staged(scene, family) as stage:
        _crop(stage, scene, Rect(left, top, right - left, bottom - top), detail)
        stage.scene.render.film_transparent = True
        data = rendered(stage)
    return data, Rect(left, top, right - left, bottom - top)


def scene_picture(context: bpy.types.Context, source: str) -> bytes:
    """Return the scene as a PNG, from where `source` says (see `enum_items.SOURCES`).

    Raises `InvalidField` when there is nothing to take.
    """
    data: bytes = object_binding.finished(scene_picture_slowly(context.scene, source))
    return data


def scene_picture_slowly(scene: bpy.types.Scene, source: str) -> Iterator[float | None]:
    """Like `scene_picture`, in small steps, as far as Blender lets it: a render is one step."""
    if source == "RESULT":
        return _render_result(scene)
    _require_camera(scene)
    if source == "VIEWPORT":
        pixels = _viewport(scene)
        yield
        return (yield from png.encode_slowly(pixels))
    with _without_bound(scene) as stage:
        return rendered(stage)


def require_scene(scene: bpy.types.Scene, source: str) -> None:
    """Raise `InvalidField` if the scene's picture cannot be taken from there."""
    if source in ("RENDER", "VIEWPORT"):
        _require_camera(scene)
    if source == "VIEWPORT":
        _require_view(_view_of(bpy.context))


def object_mask(
    context: bpy.types.Context, family: list[bpy.types.Object], inside: bool = False
) -> bytes:
    """Return a mask of the canvas' size (PNG): white where objects are seen, or where they are not.

    `inside` is white in the objects, else around them. What stands before them hides them.
    """
    scene = context.scene
    _require_camera(scene)
    if not family:
        raise InvalidField("Nothing with a surface is chosen.", fix="Choose a mesh.")
    names = {body.name_full for body in family}
    hidden = {body.name_full for body in bound_bodies(scene)} | names
    others = [
        one
        for one in visible(scene, context.view_layer)
        if one.name_full not in hidden and one.type in object_binding.SOLID
    ]
    with staged(scene, family, others) as stage:
        sized(stage, scene.standee.canvas())
        stage.scene.render.film_transparent = True
        _plain_engine(stage.scene)
        found = image_datablocks.decoded(rendered(stage))
    if found is None:
        raise InvalidField("The mask could not be rendered.", fix="Check the render engine.")
    alpha = found[..., 3]
    return png.encode(alpha if inside else 1.0 - alpha)


def bound_bodies(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """Return the objects that layers are bound to: they stand in for pictures and are not seen."""
    return [body for layer in scene.standee.layers for body in object_binding.bodies(layer)]


@contextmanager
def _without_bound(scene: bpy.types.Scene) -> Iterator[Stage]:
    """A stage of all that a render shows, at the canvas' size, without what layers are bound to."""
    hidden = {body.name_full for body in bound_bodies(scene)}
    shown = [one for one in visible(scene, scene.view_layers[0]) if one.name_full not in hidden]
    with staged(scene, shown) as stage:
        sized(stage, scene.standee.canvas())
        stage.scene.render.film_transparent = False
        yield stage


def set_lens(camera: bpy.types.Camera, lens: Lens) -> None:
    """Give a camera these numbers."""
    camera.lens = lens.focal
    camera.ortho_scale = lens.ortho_scale
    camera.shift_x, camera.shift_y = lens.shift


def _crop(stage: Stage, scene: bpy.types.Scene, rect: Rect, detail: int) -> None:
    """Have the stage's camera see exactly a rectangle of the canvas, `detail` px for each of it."""
    canvas = scene.standee.canvas()
    lens = replace(lens_of(scene, scene.camera), width=canvas.width, height=canvas.height)
    cropped = enlarged(
        lens,
        left=int(-rect.x),
        right=int(rect.x + rect.w) - canvas.width,
        top=int(-rect.y),
        bottom=int(rect.y + rect.h) - canvas.height,
    )
    set_lens(stage.scene.camera.data, cropped)
    render = stage.scene.render
    render.resolution_x = int(rect.w) * detail
    render.resolution_y = int(rect.h) * detail
    render.resolution_percentage = 100


def _plain_engine(stage: bpy.types.Scene) -> None:
    """Take the engine that knows holdouts, with as little work as an outline needs."""
    engines = {getattr(kind, "bl_idname", "") for kind in bpy.types.RenderEngine.__subclasses__()}
    if "CYCLES" in engines:
        stage.render.engine = "CYCLES"
        stage.cycles.samples = 16
        stage.cycles.use_denoising = False
        stage.cycles.max_bounces = 0


def _render_result(scene: bpy.types.Scene) -> bytes:
    image = bpy.data.images.get("Render Result")
    with tempfile.TemporaryDirectory(prefix="standee-") as folder:
        path = Path(folder) / "picture.png"
        stage = scene.copy()
        try:
            settings = stage.render.image_settings
            if hasattr(settings, "media_type"):
                settings.media_type = "IMAGE"
            settings.file_format, settings.color_mode = "PNG", "RGB"
            if image is not None:
                image.save_render(str(path), scene=stage)
            return png.without_words(path.read_bytes())
        except (RuntimeError, OSError):
            raise InvalidField(
                "There is no render result yet.", fix="Render the picture first (F12)."
            ) from None
        finally:
            bpy.data.scenes.remove(stage)


def _viewport(scene: bpy.types.Scene) -> NDArray[np.float32]:
    """Draw what a 3D view shows, through the camera, without overlays and bound objects.

    Returns (height, width, 3), 0..1, the first row on top.
    """
    import gpu

    context = bpy.context
    space, region = _require_view(_view_of(context))
    canvas = scene.standee.canvas()
    depsgraph = context.evaluated_depsgraph_get()
    camera = scene.camera.evaluated_get(depsgraph)
    projection = camera.calc_matrix_camera(depsgraph, x=canvas.width, y=canvas.height)
    shown = [body for body in bound_bodies(scene) if not body.hide_get()]
    overlays = space.overlay.show_overlays
    offscreen = gpu.types.GPUOffScreen(canvas.width, canvas.height)
    try:
        space.overlay.show_overlays = False
        for body in shown:
            body.hide_set(True)
        context.view_layer.update()
        offscreen.draw_view3d(
            scene,
            context.view_layer,
            space,
            region,
            camera.matrix_world.normalized().inverted(),
            projection,
            do_color_management=True,
        )
        raw = offscreen.texture_color.read()
        raw.dimensions = canvas.width * canvas.height * 4
        pixels = np.array(raw, np.float32).reshape(canvas.height, canvas.width, 4)[::-1]
    finally:
        offscreen.free()
        space.overlay.show_overlays = overlays
        for body in shown:
            body.hide_set(False)
    return (pixels if pixels.max() <= 1.0 else pixels / 255.0)[..., :3]


def _require_view(
    found: tuple[bpy.types.SpaceView3D, bpy.types.Region] | None,
) -> tuple[bpy.types.SpaceView3D, bpy.types.Region]:
    if found is None or bpy.app.background:
        raise InvalidField(
            "There is no 3D view to take the picture from.",
            fix="Open a 3D view, or choose Fresh Render.",
        )
    return found


def _view_of(
    context: bpy.types.Context,
) -> tuple[bpy.types.SpaceView3D, bpy.types.Region] | None:
    """Return a 3D view: that of the context, or the first there is."""
    areas = [context.area] if context.area else []
    areas += [area for window in context.window_manager.windows for area in window.screen.areas]
    for area in areas:
        if area.type == "VIEW_3D":
            region = next(one for one in area.regions if one.type == "WINDOW")
            return area.spaces.active, region
    return None


def _require_camera(scene: bpy.types.Scene) -> None:
    if scene.camera is None:
        raise InvalidField(
            "The scene has no camera.", fix="Add one (Shift+A, Camera); its frame is the canvas."
        )
    if scene.camera.data.type not in ("PERSP", "ORTHO"):
        raise InvalidField("The camera is panoramic.", fix="Make it perspective or orthographic.")
