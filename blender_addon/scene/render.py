"""Rendering: an object as a cut-out, the scene behind the subjects, masks of objects.

Renders are those of a temporary scene (`render_scene`), the viewport's picture is drawn offscreen.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
import gpu
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from standee.composition import Rect
from standee.errors import InvalidField

from ..core import png
from ..core.camera import enlarged
from ..core.projection import projected_bounds
from . import image_datablocks, object_binding
from .camera import (
    camera_matrix,
    depsgraph_of,
    lens_of,
    projection_of,
    require_camera,
    view_layer_of,
    view_matrix,
)
from .render_scene import (
    RenderObjects,
    RenderScene,
    objects_only,
    render_objects,
    render_png,
    temporary_render_scene,
    visible,
)

CAST_SHADOWS = {"CYCLES", "BLENDER_EEVEE", "BLENDER_EEVEE_NEXT"}
"""The engines that can show the shadow of what the camera does not see."""
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
    require_camera(scene)
    points, edges = object_binding.surfaces(family, depsgraph)
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
    with temporary_render_scene(scene, objects_only(family)) as target:
        _crop(target, scene, Rect(left, top, right - left, bottom - top), detail)
        target.scene.render.film_transparent = True
        data = render_png(target)
    return data, Rect(left, top, right - left, bottom - top)


def scene_picture(context: bpy.types.Context, source: str) -> bytes:
    """Return the scene as a PNG, from where `source` says (see `enum_items.SOURCES`).

    Raises `InvalidField` when there is nothing to take.
    """
    data: bytes = object_binding.run_to_end(scene_picture_in_steps(context.scene, source))
    return data


def scene_picture_in_steps(scene: bpy.types.Scene, source: str) -> Iterator[float | None]:
    """Like `scene_picture`, in small steps, as far as Blender lets it: a render is one step."""
    if source == "RESULT":
        return _render_result(scene)
    require_camera(scene)
    if source == "VIEWPORT":
        pixels = _viewport(scene)
        yield
        return (yield from png.encode_in_steps(pixels))
    with _without_bound(scene) as target:
        return render_png(target)


def require_scene(scene: bpy.types.Scene, source: str) -> None:
    """Raise `InvalidField` if the scene's picture cannot be taken from there."""
    if source in ("RENDER", "VIEWPORT"):
        require_camera(scene)
    if source == "VIEWPORT":
        _require_view(_view_of(bpy.context))


def object_mask(
    context: bpy.types.Context, family: list[bpy.types.Object], inside: bool = False
) -> bytes:
    """Return a mask of the canvas' size (PNG): white where objects are seen, or where they are not.

    `inside` is white in the objects, else around them. What stands before them hides them.
    """
    scene = context.scene
    require_camera(scene)
    if not family:
        raise InvalidField("Nothing with a surface is chosen.", fix="Choose a mesh.")
    hidden = object_binding.names_of([*bound_bodies(scene), *family])
    others = object_binding.with_surface(visible(scene, context.view_layer))
    holdout = [one for one in others if one.name_full not in hidden and one.visible_camera]
    with temporary_render_scene(scene, objects_only(family, holdout)) as target:
        target.scene.render.film_transparent = True
        _plain_engine(target.scene)
        found = image_datablocks.decode_pixels(render_png(target))
    if found is None:
        raise InvalidField("The mask could not be rendered.", fix="Check the render engine.")
    alpha = found[..., 3]
    return png.encode(alpha if inside else 1.0 - alpha)


def bound_bodies(scene: bpy.types.Scene) -> list[bpy.types.Object]:
    """Return the objects that layers are bound to: they stand in for pictures and are not seen."""
    return [body for layer in scene.standee.layers for body in object_binding.bodies(layer)]


def without_bound(scene: bpy.types.Scene) -> RenderObjects:
    """Return all that a render shows, with the bodies of shown layers as shadows and reflections."""
    objects = render_objects(scene, view_layer_of(scene))
    if scene.render.engine not in CAST_SHADOWS:
        return objects.without({body.name_full for body in bound_bodies(scene)})
    present = [
        one for layer in scene.standee.layers if layer.shown for one in object_binding.bodies(layer)
    ]
    absent = {body.name_full for body in bound_bodies(scene)}
    absent -= {body.name_full for body in present}
    return objects.without(absent).keeping_shadows({body.name_full for body in present})


@contextmanager
def _without_bound(scene: bpy.types.Scene) -> Iterator[RenderScene]:
    """A render scene of all that a render shows, at the canvas' size, but for what layers are bound to.

    That is not seen, but casts its shadow and is reflected while its layer is shown.
    """
    with temporary_render_scene(scene, without_bound(scene)) as target:
        target.scene.render.film_transparent = False
        yield target


def _crop(target: RenderScene, scene: bpy.types.Scene, rect: Rect, detail: int) -> None:
    """Have the render scene's camera see exactly a rectangle of the canvas, `detail` px for each of it."""
    lens = lens_of(scene, depsgraph_of(scene))
    cropped = enlarged(
        lens,
        left=int(-rect.x),
        right=int(rect.x + rect.w) - lens.width,
        top=int(-rect.y),
        bottom=int(rect.y + rect.h) - lens.height,
    )
    target.aim(cropped, detail)


def _plain_engine(scene: bpy.types.Scene) -> None:
    """Take the engine that knows holdouts, with as little work as an outline needs."""
    engines = {getattr(kind, "bl_idname", "") for kind in bpy.types.RenderEngine.__subclasses__()}
    if "CYCLES" in engines:
        scene.render.engine = "CYCLES"
        scene.cycles.samples = 16
        scene.cycles.use_denoising = False
        scene.cycles.max_bounces = 0


def _render_result(scene: bpy.types.Scene) -> bytes:
    """Return the artist's last render. Raises `InvalidField` if there is none.

    Only the scene that was rendered has it, so the scene's own output settings are another for a
    moment.
    """
    image = bpy.data.images.get("Render Result")
    with tempfile.TemporaryDirectory(prefix="standee-") as folder, _saving_png(scene):
        path = Path(folder) / "picture.png"
        try:
            if image is not None:
                image.save_render(str(path), scene=scene)
            return png.strip_metadata(path.read_bytes())
        except (RuntimeError, OSError):
            raise InvalidField(
                "There is no render result yet.", fix="Render the picture first (F12)."
            ) from None


@contextmanager
def _saving_png(scene: bpy.types.Scene) -> Iterator[None]:
    """Have the scene save PNGs as it shows them; all is as it was afterwards."""
    render, settings = scene.render, scene.render.image_settings
    wanted: tuple[tuple[Any, str, object], ...] = (
        (settings, "media_type", "IMAGE"),
        (settings, "file_format", "PNG"),
        (settings, "color_mode", "RGB"),
        (settings, "color_depth", "8"),
        (settings, "color_management", "FOLLOW_SCENE"),
        (render, "use_stamp", False),
    )
    known = [(home, name, value) for home, name, value in wanted if hasattr(home, name)]
    before = [(home, name, getattr(home, name)) for home, name, _ in known]
    for home, name, value in known:
        setattr(home, name, value)
    try:
        yield
    finally:
        for home, name, value in before:
            setattr(home, name, value)


def _viewport(scene: bpy.types.Scene) -> NDArray[np.float32]:
    """Draw what a 3D view shows, through the camera, without overlays and bound objects.

    Returns (height, width, 3), 0..1, the first row on top.
    """
    context = bpy.context
    space, region = _require_view(_view_of(context))
    canvas = scene.standee.canvas()
    depsgraph = context.evaluated_depsgraph_get()
    view = view_matrix(scene.camera.evaluated_get(depsgraph))
    overlays = space.overlay.show_overlays
    offscreen = gpu.types.GPUOffScreen(canvas.width, canvas.height)
    try:
        space.overlay.show_overlays = False
        with without_seeing(context, bound_bodies(scene)):
            offscreen.draw_view3d(
                scene,
                context.view_layer,
                space,
                region,
                Matrix(view),
                projection_of(scene, depsgraph),
                do_color_management=True,
            )
        raw = offscreen.texture_color.read()
        raw.dimensions = canvas.width * canvas.height * 4
        pixels = np.array(raw, np.float32).reshape(canvas.height, canvas.width, 4)[::-1]
    finally:
        offscreen.free()
        space.overlay.show_overlays = overlays
    return (pixels if pixels.max() <= 1.0 else pixels / 255.0)[..., :3]


@contextmanager
def without_seeing(context: bpy.types.Context, bodies: list[bpy.types.Object]) -> Iterator[None]:
    """Hide objects in the viewport for a moment; they are selected again afterwards, if they were."""
    layer = context.view_layer
    active = layer.objects.active
    there = [one for one in bodies if layer.objects.get(one.name) == one and not one.hide_get()]
    chosen = [one for one in there if one.select_get()]
    for one in there:
        one.hide_set(True)
    layer.update()
    try:
        yield
    finally:
        for one in there:
            one.hide_set(False)
        for one in chosen:
            one.select_set(True)
        layer.objects.active = active


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
