"""Result operators: show, discard, recall the composition that made one, save as a file."""

import json
from pathlib import Path

import bpy
from bpy_extras.io_utils import ExportHelper

from standee.composition import validate
from standee.document.receipt import embed
from standee.errors import InvalidField, MissingBlob, StandeeError, StorageFull
from standee.files import write_atomically

from ..i18n.translations import say
from ..preferences import preferences
from ..redraw import redraw
from ..results import display, store
from ..scene import composition_io, image_datablocks
from ..scene.enum_items import SHOWN_AS
from .base import NeedsResult, composition, refuse


class STANDEE_OT_result_show(NeedsResult, bpy.types.Operator):
    bl_idname = "standee.result_show"
    bl_label = "Show Result"
    bl_description = "Show the active result in the camera frame, an Image Editor or in the scene"
    bl_options = {"REGISTER", "UNDO"}

    where: bpy.props.EnumProperty(
        items=SHOWN_AS, name="Where", description="Where it appears", default="FRAME"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            display.show(context.scene, composition(context).active_result, self.where)
        except StandeeError as error:
            return refuse(self, error)
        return {"FINISHED"}


class STANDEE_OT_result_apply(NeedsResult, bpy.types.Operator):
    bl_idname = "standee.result_apply"
    bl_label = "Go On from Result"
    bl_description = (
        "Make the active result the scene, and hide the subjects that are in it now, to add others"
    )
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        standee = composition(context)
        image = standee.chosen_result().image
        if image is None:
            self.report({"ERROR"}, say("The picture of this result is gone. Compose it anew."))
            return {"CANCELLED"}
        standee.scene_picture, standee.scene_source = image, "PICTURE"
        standee.scene_kept, standee.use_scene_rect = None, False
        for layer in standee.layers:
            layer.visible = False
        redraw()
        return {"FINISHED"}


class STANDEE_OT_result_discard(NeedsResult, bpy.types.Operator):
    bl_idname = "standee.result_discard"
    bl_label = "Discard Result"
    bl_description = "Remove the active result and its picture"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        store.discard(context.scene, composition(context).active_result)
        return {"FINISHED"}


class STANDEE_OT_result_recall(NeedsResult, bpy.types.Operator):
    bl_idname = "standee.result_recall"
    bl_label = "Recall Composition"
    bl_description = (
        "Bring back the subjects, prompt and settings that the active result was made of"
    )
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        standee = composition(context)
        try:
            receipt = json.loads(standee.chosen_result().receipt or "{}")
            if not receipt.get("composition"):
                raise InvalidField(
                    "This result does not say what it was made of.", fix="Compose it anew."
                )
            composition_io.load_into_scene(standee, validate(receipt["composition"]), _picture)
        except StandeeError as error:
            return refuse(self, error)
        redraw()
        return {"FINISHED"}


class STANDEE_OT_result_save(NeedsResult, bpy.types.Operator, ExportHelper):
    bl_idname = "standee.result_save"
    bl_label = "Save Result"
    bl_description = "Write the active result to a PNG file, with its receipt"

    filename_ext = ".png"
    filter_glob: bpy.props.StringProperty(default="*.png", options={"HIDDEN"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        result = composition(context).chosen_result()
        try:
            _, data = image_datablocks.encode_image(result.image)
            data = embed(data, json.loads(result.receipt or "{}"), marked=preferences().marked)
            write_atomically(Path(bpy.path.abspath(self.filepath)), data)
        except StorageFull as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        except StandeeError as error:
            return refuse(self, error)
        return {"FINISHED"}


def _picture(digest: str) -> bytes:
    image = image_datablocks.find(digest)
    if image is None:
        raise MissingBlob(
            "A picture that the result was made of is no longer in this file.",
            fix="Add the subject again.",
        )
    return image_datablocks.encode_image(image)[1]


CLASSES = (
    STANDEE_OT_result_show,
    STANDEE_OT_result_apply,
    STANDEE_OT_result_discard,
    STANDEE_OT_result_recall,
    STANDEE_OT_result_save,
)
