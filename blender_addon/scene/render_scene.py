"""The stage: a copy of the scene that is rendered in the artist's stead, and then thrown away.

Nothing of the artist's own is hidden, moved or set differently. Blender renders a stage at once, as it does
for a script: rendered beside the window's own work (as F12 is) while scenes are made and removed, Blender
4.3 crashed now and then.
"""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bpy

from standee.composition import Canvas
from standee.errors import InvalidField, MissingDependency

from ..core import png

NAME = ".standee"
"""What the names of everything on a stage begin with."""


@dataclass(frozen=True)
class Stage:
    """The names of a stage's scene, collections (shown, held out) and camera."""

    name: str
    parts: tuple[str, str]
    camera: str
    lens: str

    @property
    def scene(self) -> bpy.types.Scene:
        """The scene. Raises `InvalidField` if undo or another file took it."""
        found = bpy.data.scenes.get(self.name)
        if found is None:
            raise InvalidField(
                "Undo, or opening a file, stopped the render of the scene.", fix="Compose again."
            )
        return found

    def remove(self) -> None:
        """Throw it away; what is gone already is no matter."""
        for home, names in (
            (bpy.data.scenes, (self.name,)),
            (bpy.data.collections, self.parts),
            (bpy.data.objects, (self.camera,)),
            (bpy.data.cameras, (self.lens,)),
        ):
            for name in names:
                found = home.get(name)
                if found is not None:
                    home.remove(found)


@contextmanager
def staged(
    scene: bpy.types.Scene,
    shown: Iterable[bpy.types.Object],
    holdout: Iterable[bpy.types.Object] = (),
) -> Iterator[Stage]:
    """A copy of the scene with these objects, its lights and a camera of its own."""
    stage = _build(scene, shown, holdout)
    try:
        yield stage
    finally:
        stage.remove()


def visible(scene: bpy.types.Scene, view_layer: bpy.types.ViewLayer) -> list[bpy.types.Object]:
    """Return the objects that a render of the scene shows: not hidden, nor in a collection that is."""
    found: dict[str, bpy.types.Object] = {}

    def walk(branch: bpy.types.LayerCollection) -> None:
        if branch.exclude or branch.collection.hide_render:
            return
        for one in branch.collection.objects:
            if not one.hide_render:
                found[one.name_full] = one
        for child in branch.children:
            walk(child)

    walk(view_layer.layer_collection)
    return list(found.values())


def sized(stage: Stage, canvas: Canvas) -> None:
    """Have the stage rendered at the canvas' size."""
    render = stage.scene.render
    render.resolution_x, render.resolution_y = canvas.width, canvas.height
    render.resolution_percentage = 100


def rendered(stage: Stage) -> bytes:
    """Render the stage at once and return the PNG. Raises `MissingDependency` if Blender cannot."""
    _require_idle()
    with tempfile.TemporaryDirectory(prefix="standee-") as folder:
        path = _aimed(stage.scene, Path(folder))
        try:
            bpy.ops.render.render(write_still=True, scene=stage.name)
            return png.without_words(path.read_bytes())
        except (RuntimeError, OSError) as error:
            raise MissingDependency(
                f"Blender could not render: {error}.",
                fix="Choose another render engine (Render Properties), for example Cycles.",
            ) from None


def sweep() -> None:
    """Remove what undo brought back of a stage that was thrown away."""
    if bpy.app.is_job_running("RENDER"):
        return
    for home in (bpy.data.scenes, bpy.data.collections, bpy.data.objects, bpy.data.cameras):
        for one in [one for one in home if one.name.startswith(NAME)]:
            home.remove(one)


def _build(
    scene: bpy.types.Scene,
    shown: Iterable[bpy.types.Object],
    holdout: Iterable[bpy.types.Object],
) -> Stage:
    copy = scene.copy()
    copy.name = NAME
    camera = scene.camera.copy()
    camera.data = scene.camera.data.copy()
    camera.name = camera.data.name = NAME
    parts = [bpy.data.collections.new(NAME), bpy.data.collections.new(f"{NAME} holdout")]
    for child in list(copy.collection.children):
        copy.collection.children.unlink(child)
    for one in list(copy.collection.objects):
        copy.collection.objects.unlink(one)
    for part, objects in zip(parts, (shown, holdout), strict=True):
        copy.collection.children.link(part)
        for one in objects:
            part.objects.link(one)
    present = {one.name_full for part in parts for one in part.objects}
    lights = [one for one in scene.objects if one.type == "LIGHT" and not one.hide_render]
    for one in [*lights, camera]:
        if one.name_full not in present:
            parts[0].objects.link(one)
    copy.camera = camera
    copy.render.use_compositing = copy.render.use_sequencer = False
    copy.render.use_border = copy.render.use_multiview = False
    for layer in copy.view_layers:
        layer.layer_collection.children[parts[1].name].holdout = True
        layer.layer_collection.children[parts[0].name].exclude = False
    names = (parts[0].name, parts[1].name)
    return Stage(copy.name, names, camera.name, camera.data.name)


def _aimed(scene: bpy.types.Scene, folder: Path) -> Path:
    """Have the scene rendered into a PNG in this folder; return its path."""
    settings = scene.render.image_settings
    if hasattr(settings, "media_type"):  # Blender 5.0
        settings.media_type = "IMAGE"
    settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGBA", "8"
    scene.render.use_overwrite, scene.render.use_file_extension = True, True
    path = folder / "picture.png"
    scene.render.filepath = str(path)
    return path


def _require_idle() -> None:
    if bpy.app.is_job_running("RENDER"):
        raise InvalidField("Blender is rendering already.", fix="Wait until that is done.")
