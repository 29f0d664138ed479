"""Pictures out of Blender: an object as a cut-out, the scene behind the subjects, masks of objects.

Everything is rendered in a copy of the scene that is thrown away, so nothing of the artist's own is
hidden, moved or set differently, whatever goes wrong.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import bpy
import numpy as np

from standee.composition import Rect
from standee.errors import InvalidField, MissingDependency

from . import binding, pictures
from .stage import png
from .stage.camera import Lens, enlarged
from .stage.projection import projected_bounds

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
    points, edges = binding._points(family, depsgraph)
    canvas = scene.standee.canvas()
    bounds = projected_bounds(points, edges, binding.camera_matrix(scene, depsgraph), canvas)
    if bounds is None:
        raise InvalidField(
            "The object is behind the camera or has no surface.",
            fix="Turn the camera towards it, or choose another object.",
        )
    left, top = int(np.floor(bounds.x)) - MARGIN, int(np.floor(bounds.y)) - MARGIN
    right = int(np.ceil(bounds.x + bounds.w)) + MARGIN
    bottom = int(np.ceil(bounds.y + bounds.h)) + MARGIN
    if max(right - left, bottom - top) * detail > pictures.LARGEST_SIDE:
        raise InvalidField(
            "The object is so near that its picture would be too large.",
            fix="Move the camera away from it.",
        )
    with _stage(scene, family) as stage:
        _crop(stage, scene, Rect(left, top, right - left, bottom - top), detail)
        stage.render.film_transparent = True
        data = _render(stage)
    return data, Rect(left, top, right - left, bottom - top)


def scene_picture(context: bpy.types.Context, source: str) -> bytes:
    """Return the scene as a PNG, from where `source` says (see `choices.SOURCES`).

    Raises `InvalidField` when there is nothing to take.
    """
    if source == "RESULT":
        return _render_result(context.scene)
    _require_camera(context.scene)
    if source == "VIEWPORT":
        return _viewport(context)
    hidden = {body.name_full for body in bound_bodies(context.scene)}
    rest = [one for one in context.scene.objects if one.name_full not in hidden]
    with _stage(context.scene, [one for one in rest if not one.hide_render]) as stage:
        _size(stage, context.scene)
        stage.render.film_transparent = False
        return _render(stage)


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
    hidden = {body.name_full for body in bound_bodies(scene)} - names
    others = [
        one
        for one in scene.objects
        if one.name_full not in names | hidden and one.type in binding.SOLID
    ]
    with _stage(scene, family, [one for one in others if not one.hide_render]) as stage:
        _size(stage, scene)
        stage.render.film_transparent = True
        _plain_engine(stage)
        found = pictures.decoded(_render(stage))
    if found is None:
        raise InvalidField("The mask could not be rendered.", fix="Check the render engine.")
    alpha = found[..., 3]
    return png.encode(alpha if inside else 1.0 - alpha)


def bound_bodies(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """Return the objects that layers are bound to: they stand in for pictures and are not seen."""
    return [body for layer in scene.standee.layers for body in binding.bodies(layer)]


def set_lens(camera: bpy.types.Camera, lens: Lens) -> None:
    """Give a camera these numbers."""
    camera.lens = lens.focal
    camera.ortho_scale = lens.ortho_scale
    camera.shift_x, camera.shift_y = lens.shift


# -- the stage -----------------------------------------------------------------------------------


@contextmanager
def _stage(
    scene: bpy.types.Scene,
    shown: Iterable[bpy.types.Object],
    holdout: Iterable[bpy.types.Object] = (),
) -> Iterator[bpy.types.Scene]:
    """A copy of the scene with these objects, its lights and a camera of its own; then removed."""
    stage = scene.copy()
    stage.name = ".standee"
    camera = scene.camera.copy()
    camera.data = scene.camera.data.copy()
    parts = [bpy.data.collections.new(".standee"), bpy.data.collections.new(".standee holdout")]
    try:
        for child in list(stage.collection.children):
            stage.collection.children.unlink(child)
        for one in list(stage.collection.objects):
            stage.collection.objects.unlink(one)
        for part, objects in zip(parts, (shown, holdout), strict=True):
            stage.collection.children.link(part)
            for one in objects:
                part.objects.link(one)
        present = {one.name_full for part in parts for one in part.objects}
        for one in [*(one for one in scene.objects if one.type == "LIGHT"), camera]:
            if one.name_full not in present:
                parts[0].objects.link(one)
        stage.camera = camera
        stage.render.use_compositing = stage.render.use_sequencer = False
        stage.render.use_border = stage.render.use_multiview = False
        for layer in stage.view_layers:
            layer.layer_collection.children[parts[1].name].holdout = True
            layer.layer_collection.children[parts[0].name].exclude = False
        yield stage
    finally:
        bpy.data.scenes.remove(stage)
        for part in parts:
            bpy.data.collections.remove(part)
        lens = camera.data
        bpy.data.objects.remove(camera)
        bpy.data.cameras.remove(lens)


def _size(stage: bpy.types.Scene, scene: bpy.types.Scene) -> None:
    canvas = scene.standee.canvas()
    stage.render.resolution_x, stage.render.resolution_y = canvas.width, canvas.height
    stage.render.resolution_percentage = 100


def _crop(stage: bpy.types.Scene, scene: bpy.types.Scene, rect: Rect, detail: int) -> None:
    """Have the stage's camera see exactly a rectangle of the canvas, `detail` px for each of it."""
    canvas = scene.standee.canvas()
    lens = replace(binding.lens_of(scene, scene.camera), width=canvas.width, height=canvas.height)
    cropped = enlarged(
        lens,
        left=int(-rect.x),
        right=int(rect.x + rect.w) - canvas.width,
        top=int(-rect.y),
        bottom=int(rect.y + rect.h) - canvas.height,
    )
    set_lens(stage.camera.data, cropped)
    stage.render.resolution_x = int(rect.w) * detail
    stage.render.resolution_y = int(rect.h) * detail
    stage.render.resolution_percentage = 100


def _plain_engine(stage: bpy.types.Scene) -> None:
    """Take the engine that knows holdouts, with as little work as an outline needs."""
    engines = {getattr(kind, "bl_idname", "") for kind in bpy.types.RenderEngine.__subclasses__()}
    if "CYCLES" in engines:
        stage.render.engine = "CYCLES"
        stage.cycles.samples = 16
        stage.cycles.use_denoising = False
        stage.cycles.max_bounces = 0


def _render(stage: bpy.types.Scene) -> bytes:
    """Render the stage and return the PNG. Raises `MissingDependency` if Blender cannot."""
    settings = stage.render.image_settings
    if hasattr(settings, "media_type"):  # Blender 5.0
        settings.media_type = "IMAGE"
    settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGBA", "8"
    stage.render.use_overwrite, stage.render.use_file_extension = True, True
    with tempfile.TemporaryDirectory(prefix="standee-") as folder:
        path = Path(folder) / "picture.png"
        stage.render.filepath = str(path)
        try:
            bpy.ops.render.render(write_still=True, scene=stage.name)
            return png.without_words(path.read_bytes())
        except (RuntimeError, OSError) as error:
            raise MissingDependency(
                f"Blender could not render: {error}.",
                fix="Choose another render engine (Render Properties), for example Cycles.",
            ) from None


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


def _viewport(context: bpy.types.Context) -> bytes:
    """Draw what a 3D view shows, through the camera, without overlays and bound objects."""
    import gpu

    view = _view_of(context)
    if view is None or bpy.app.background:
        raise InvalidField(
            "There is no 3D view to take the picture from.",
            fix="Open a 3D view, or choose Fresh Render.",
        )
    scene = context.scene
    space, region = view
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
    return png.encode((pixels if pixels.max() <= 1.0 else pixels / 255.0)[..., :3])


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
