"""Operator that makes a subject an object in 3D which stands on the ground."""

import bpy

from standee.errors import StandeeError

from ..i18n.translations import say
from ..redraw import redraw
from ..rendering import billboards
from ..scene import object_binding
from .base import NeedsCamera, NeedsLayer, active_layer, poll_fails, refuse


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
            text = "The camera sees no ground under it: it hovers as far away as the 3D cursor."
            self.report({"WARNING"}, say(text))
        redraw()
        return {"FINISHED"}


CLASSES = (STANDEE_OT_stand_in_3d,)
