"""Temporary render scene: a copy of the artist's scene, made for one render and then removed.

It takes from the artist's scene what `render_settings` lists and nothing else, so what an artist burns
into files, binds to markers or keys on the camera does not come along. Nothing of the artist's own is
hidden, moved or set differently. Blender renders it at once, as it does for a script: rendered
beside the window's own work (as F12 is) while scenes are made and removed, Blender 4.3 crashed now
and then.
"""

import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import bpy

from standee.errors import InvalidField, MissingDependency

from ..core import png
from ..core.camera import Lens
from .camera import depsgraph_of, lens_of, set_lens, view_layer_of
from .render_settings import copy_camera_settings, copy_scene_settings

NAME = ".standee"
"""What the names of everything in a render scene begin with."""
PARTS = ("shown", "holdout", "indirect", "unseen")
"""The collections of a render scene: what is seen, what cuts holes, what only gives indirect light, and
what the camera does not see though it casts shadows and is reflected."""

seconds_of: dict[str, float] = {}
"""How long Blender did not answer while it last rendered so, by the name of the artist's scene."""


@dataclass(frozen=True)
class RenderObjects:
    """The objects of a render scene, each in one of these parts."""

    shown: tuple[bpy.types.Object, ...]
    holdout: tuple[bpy.types.Object, ...] = ()
    indirect: tuple[bpy.types.Object, ...] = ()
    unseen: tuple[bpy.types.Object, ...] = ()

    def without(self, hidden: set[str]) -> "RenderObjects":
        """Return these without the objects of these full names."""
        parts = {name: getattr(self, name) for name in PARTS}
        left = {
            name: tuple(one for one in part if one.name_full not in hidden)
            for name, part in parts.items()
        }
        return replace(self, **left)

    def keeping_shadows(self, hidden: set[str]) -> "RenderObjects":
        """Return these with the objects of these full names left in as shadows and reflections."""
        seen = (*self.shown, *self.indirect)
        return replace(
            self.without(hidden), unseen=tuple(one for one in seen if one.name_full in hidden)
        )


@dataclass(frozen=True)
class RenderScene:
    """The names of the scene, collections, camera and copies of objects."""

    name: str
    parts: tuple[str, ...]
    camera: str
    lens: str
    copies: tuple[str, ...]

    @property
    def scene(self) -> bpy.types.Scene:
        """The scene. Raises `InvalidField` if undo or another file took it."""
        found = bpy.data.scenes.get(self.name)
        if found is None:
            raise InvalidField(
                "Undo, or opening a file, stopped the render of the scene.", fix="Compose again."
            )
        return found

    def aim(self, lens: Lens, detail: int = 1) -> None:
        """Have the camera see what a lens sees, with `detail` px for each of its own."""
        set_lens(self.scene.camera.data, lens)
        render = self.scene.render
        render.resolution_x, render.resolution_y = lens.width * detail, lens.height * detail
        render.resolution_percentage = 100
        render.pixel_aspect_x = max(1.0, 1.0 / lens.aspect)  # Blender's are never below 1
        render.pixel_aspect_y = max(1.0, lens.aspect)

    def remove(self) -> None:
        """Throw it away; what is gone already is no matter."""
        for home, names in (
            (bpy.data.scenes, (self.name,)),
            (bpy.data.collections, self.parts),
            (bpy.data.objects, (self.camera, *self.copies)),
            (bpy.data.cameras, (self.lens,)),
        ):
            for name in names:
                found = home.get(name)
                if found is not None:
                    home.remove(found)


@contextmanager
def temporary_render_scene(scene: bpy.types.Scene, objects: RenderObjects) -> Iterator[RenderScene]:
    """A render scene with these objects, the scene's lights, and a camera that sees the canvas."""
    began = time.perf_counter()
    target = _build(scene, objects)
    try:
        target.aim(lens_of(scene, depsgraph_of(scene)))
        yield target
    finally:
        target.remove()
        seconds_of[scene.name] = time.perf_counter() - began


def visible(scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer) -> list[bpy.types.Object]:
    """Return the objects that a render of the scene shows: not hidden, nor in a collection that is."""
    objects = render_objects(scene, view_layer)
    return [*objects.shown, *objects.holdout, *objects.indirect]


def render_objects(scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer) -> RenderObjects:
    """Return the objects that a render of the scene takes, as what the view layer takes them."""
    found: dict[str, tuple[bpy.types.Object, str]] = {}

    def walk(branch: bpy.types.LayerCollection) -> None:
        if branch.collection.hide_render:
            return
        part = "indirect" if branch.indirect_only else "holdout" if branch.holdout else "shown"
        for one in () if branch.exclude else branch.collection.objects:
            if not one.hide_render:
                known = found.get(one.name_full, (one, "shown"))[1]
                found[one.name_full] = (one, part if known == "shown" else known)
        for child in branch.children:  # an excluded one may hold others that are not
            walk(child)

    walk(_branches(view_layer))
    return RenderObjects(
        *(tuple(one for one, of in found.values() if of == part) for part in PARTS)
    )


def render_png(target: RenderScene) -> bytes:
    """Render it at once and return the PNG. Raises `MissingDependency` if Blender cannot."""
    settings = target.scene.render.image_settings
    if hasattr(settings, "media_type"):  # Blender 5.0
        settings.media_type = "IMAGE"
    settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGBA", "8"
    with tempfile.TemporaryDirectory(prefix="standee-") as folder:
        return png.strip_metadata(render_to(target, Path(folder) / "picture.png"))


def render_to(target: RenderScene, path: Path) -> bytes:
    """Render it at once into a file, as its image settings say, and return what is in it.

    Raises `InvalidField` while Blender renders already, `MissingDependency` if it cannot.
    """
    _require_idle()
    render = target.scene.render
    render.use_overwrite, render.use_file_extension = True, True
    render.filepath = str(path)
    # Blender renders whatever scene at the frame of that which is worked on.
    astray = bpy.context.scene.frame_current != target.scene.frame_current
    here = {"scene": target.scene} if astray else {}
    try:
        with bpy.context.temp_override(**here):
            bpy.ops.render.render(write_still=True, scene=target.name)
        return path.read_bytes()
    except (RuntimeError, OSError) as error:
        raise MissingDependency(
            f"Blender could not render: {error}.",
            fix="Choose another render engine (Render Properties), for example Cycles.",
        ) from None


def remove_leftovers() -> None:
    """Remove what undo brought back of a render scene that was removed."""
    if bpy.app.is_job_running("RENDER"):
        return
    for home in (bpy.data.scenes, bpy.data.collections, bpy.data.objects, bpy.data.cameras):
        for one in [one for one in home if one.name.startswith(NAME)]:
            home.remove(one)


def _build(scene: bpy.types.Scene, objects: RenderObjects) -> RenderScene:
    layer = view_layer_of(scene)
    target = bpy.data.scenes.new(NAME)
    copy_scene_settings(target, scene, layer)
    lens = bpy.data.cameras.new(NAME)
    copy_camera_settings(lens, scene.camera.data, depsgraph_of(scene))
    camera = bpy.data.objects.new(NAME, lens)
    camera.constraints.new("COPY_TRANSFORMS").target = scene.camera  # and its motion, for blur
    copies: list[bpy.types.Object] = []
    parts = {name: bpy.data.collections.new(f"{NAME} {name}") for name in PARTS}
    for name, part in parts.items():
        target.collection.children.link(part)
        for one in getattr(objects, name):
            posed = _posed_object(scene, one, copies)
            if name == "unseen" and not _knows_indirect(scene):
                posed = _invisible_copy(posed, copies)
            part.objects.link(posed)
    present = {one.name_full for part in parts.values() for one in part.objects}
    lights = [one for one in visible(scene, layer) if one.type == "LIGHT"]
    for one in [*lights, camera]:
        if one.name_full not in present:
            parts["shown"].objects.link(one)
    target.camera = camera
    branches = _branches(target.view_layers[0]).children
    branches[parts["holdout"].name].holdout = True
    branches[parts["indirect"].name].indirect_only = True
    branches[parts["unseen"].name].indirect_only = True
    names = tuple(part.name for part in parts.values())
    return RenderScene(
        target.name, names, camera.name, lens.name, tuple(one.name for one in copies)
    )


def _branches(layer: bpy.types.ViewLayer) -> bpy.types.LayerCollection:
    """Return a view layer's tree of collections."""
    if layer.layer_collection is None:  # Blender 5.2 makes it with the first evaluation
        layer.update()
    return layer.layer_collection


def _posed_object(
    scene: bpy.types.Scene, one: bpy.types.Object, copies: list[bpy.types.Object]
) -> bpy.types.Object:
    """Return an object; one that a rigid body simulation moves as a copy that stands where it is.

    The simulation belongs to the artist's scene and does not run in the copy.
    """
    if scene.rigidbody_world is None or not _is_simulated(one):
        return one
    depsgraph = depsgraph_of(scene)
    place = (one.evaluated_get(depsgraph) if depsgraph is not None else one).matrix_world.copy()
    copy = one.copy()
    copy.name = NAME
    copy.animation_data_clear()
    copy.constraints.clear()
    copy.parent = None
    copy.matrix_world = place
    copies.append(copy)
    return copy


def _knows_indirect(scene: bpy.types.Scene) -> bool:
    """Whether the engine keeps a collection that is only indirect from the camera."""
    return scene.render.engine == "CYCLES"


def _invisible_copy(one: bpy.types.Object, copies: list[bpy.types.Object]) -> bpy.types.Object:
    """Return a copy of an object that no camera sees; the artist's own is not set differently."""
    copy = one.copy()
    copy.name = NAME
    copy.visible_camera = False
    copies.append(copy)
    return copy


def _is_simulated(one: bpy.types.Object | None) -> bool:
    return one is not None and (one.rigid_body is not None or _is_simulated(one.parent))


def _require_idle() -> None:
    if bpy.app.is_job_running("RENDER"):
        raise InvalidField("Blender is rendering already.", fix="Wait until that is done.")


def objects_only(
    shown: Iterable[bpy.types.Object], holdout: Iterable[bpy.types.Object] = ()
) -> RenderObjects:
    """Return these objects alone."""
    return RenderObjects(tuple(shown), tuple(holdout))
