"""Document operators: open and save the desktop editor's `.standee` files."""

import contextlib
import json
import re
from pathlib import Path

import bpy
from bpy_extras.io_utils import ExportHelper, ImportHelper

from standee.document.document import Document
from standee.errors import StandeeError

from ..redraw import redraw
from ..rendering import visibility
from ..results import store
from ..scene import composition_io, image_datablocks, object_binding
from ..scene.scene_properties import StandeeScene
from .base import composition, refuse


class STANDEE_OT_open(bpy.types.Operator, ImportHelper):
    bl_idname = "standee.open"
    bl_label = "Open Standee Document"
    bl_description = "Bring the composition and results of a .standee file into this scene"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".standee"
    filter_glob: bpy.props.StringProperty(default="*.standee", options={"HIDDEN"})
    filepath: bpy.props.StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if self.filepath:  # dropped on a view
            return self.execute(context)
        return ImportHelper.invoke(self, context, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            open_document(context, Path(bpy.path.abspath(self.filepath)))
        except StandeeError as error:
            return refuse(self, error)
        return {"FINISHED"}


def open_document(context: bpy.types.Context, path: Path) -> None:
    """Bring the composition and results of a document into the scene. Raises `StandeeError`."""
    with Document.open(path) as document:
        composition_io.load_into_scene(composition(context), document.composition, document.read)
        for digest in document.blobs:  # also those that only results were made of
            image = image_datablocks.image_of(document.read(digest), "Standee picture")
            image.use_fake_user = True
        while composition(context).results:
            store.discard(context.scene, 0)
        for name, result in document.results.items():
            store.add(context.scene, result.data, result.receipt, name, "")
    redraw()


class STANDEE_OT_save(bpy.types.Operator, ExportHelper):
    bl_idname = "standee.save"
    bl_label = "Save Standee Document"
    bl_description = "Write the composition and results to a .standee file, for the desktop editor"

    filename_ext = ".standee"
    filter_glob: bpy.props.StringProperty(default="*.standee", options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        object_binding.sync(context.scene, context.evaluated_depsgraph_get())
        standee = composition(context)
        try:
            order = object_binding.order(standee.layers)
            masks = visibility.cut_masks(context.scene)
            made, blobs = composition_io.composition_of(standee, order=order, masks=masks)
            with Document(made, blobs) as document:
                _add_results(document, standee)
                _add_pictures_of_results(document, standee)
                document.save(Path(bpy.path.abspath(self.filepath)))
        except StandeeError as error:
            return refuse(self, error)
        return {"FINISHED"}


class STANDEE_FH_document(bpy.types.FileHandler):
    """A document dropped on a 3D view opens."""

    bl_idname = "STANDEE_FH_document"
    bl_label = "Standee Document"
    bl_import_operator = "standee.open"
    bl_file_extensions = ".standee"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and context.area.type == "VIEW_3D"


def _add_results(document: Document, standee: StandeeScene) -> None:
    """Put the results in, under their own names where a document can have them."""
    for result in standee.results:
        if result.image is None:
            continue
        _, data = image_datablocks.encode_image(result.image)
        plain = re.sub(r"[^\w .-]", "-", result.name)[:80].strip(" .-")
        name = result.name if re.fullmatch(r"\w[\w .-]{0,99}", result.name) else plain
        document.add_result(data, json.loads(result.receipt or "{}"), name)


def _add_pictures_of_results(document: Document, standee: StandeeScene) -> None:
    """Keep the pictures that results were made of, so that they can be recalled elsewhere too."""
    receipts = " ".join(result.receipt for result in standee.results)
    for image in bpy.data.images:
        if any(digest in receipts for digest in image_datablocks.known_digests(image)):
            with contextlib.suppress(StandeeError):
                document.add_picture(image_datablocks.encode_image(image)[1])


CLASSES = (STANDEE_OT_open, STANDEE_OT_save, STANDEE_FH_document)
