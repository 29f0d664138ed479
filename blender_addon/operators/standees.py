"""Operator that makes a subject an object in 3D which stands on the ground."""

import bpy

from standee.errors import StandeeError

from ..i18n.translations import say
from ..redraw import redraw
from ..rendering import billboard_material, billboards
from ..scene import object_binding
from .base import NeedsCamera, NeedsLayer, active_layer, poll_fails, refuse
from .subjects import add_subject


class STANDEE_OT_stand_in_3d(bpy.types.Operator):
    bl_idname = "standee.stand_in_3d"
    bl_label = "Stand in 3D"
    bl_description = (
        "Make an object of the active subject: a card on the ground, just where the camera sees it,"
        " which faces the camera and casts its shadow. The subject follows it"
    )
    bl_options = {"REGISTER", "UNDO"}

    upright: bpy.props.BoolProperty(
        name="Upright",
        description="Turn with the camera about the vertical only; off: be parallel to the picture",
        default=True,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not NeedsLayer.poll.__func__(cls, context):
            return False
        if not NeedsCamera.poll.__func__(cls, context):
            return False
        layer = active_layer(context)
        if layer.bound:
            return poll_fails(cls, "The active subject follows something already")
        if layer.picture is None:
            return poll_fails(cls, "The active subject has no picture")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene, layer = context.scene, active_layer(context)
        try:
            body, grounded = billboards.stand(
                scene, context.evaluated_depsgraph_get(), layer, self.upright
            )
        except StandeeError as error:
            return refuse(self, error)
        for one in context.selected_objects or []:
            one.select_set(False)
        body.select_set(True)
        context.view_layer.objects.active = body
        object_binding.sync(scene, context.evaluated_depsgraph_get())
        if not grounded:
            said = say(
                "The camera sees no ground under it: it hovers as far away as the 3D cursor."
            )
            self.report({"WARNING"}, said)
        off = billboard_material.off_by(body.data.materials[0], scene)
        if off > billboard_material.SEEN:
            self.report({"WARNING"}, billboard_material.explain_colours(off, scene))
        redraw()
        return {"FINISHED"}


class STANDEE_OT_adopt_cards(NeedsCamera, bpy.types.Operator):
    bl_idname = "standee.adopt_cards"
    bl_label = "Add Cards as Subjects"
    bl_description = (
        "Make subjects of the selected cards: copies of one, and what was dropped from the Asset Browser"
        " or appended from another file"
    )
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not NeedsCamera.poll.__func__(cls, context):
            return False
        if not _loose(context):
            return poll_fails(cls, "Select cards that no subject follows yet")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        for body in _loose(context):
            try:
                layer = add_subject(context, billboards.picture_on(body))
            except StandeeError as error:
                return refuse(self, error)
            layer.name, layer.bound_object = body.name, body
            layer.flip = billboards.is_mirrored(body)
        billboards.attend(context.scene)
        object_binding.sync(context.scene, context.evaluated_depsgraph_get())
        redraw()
        return {"FINISHED"}


def _loose(context: bpy.types.Context) -> list[bpy.types.Object]:
    return billboards.loose_cards(context.scene, context.selected_objects or [])


CLASSES = (STANDEE_OT_stand_in_3d, STANDEE_OT_adopt_cards)
