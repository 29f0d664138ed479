"""Binding operators: a layer follows an object or a collection, until it is baked."""

import bpy

from standee.errors import StandeeError

from ..redraw import redraw
from ..rendering import visibility
from ..scene import image_datablocks, object_binding
from ..scene.scene_properties import StandeeLayer
from .base import NeedsCamera, NeedsLayer, active_layer, poll_fails, refuse
from .layers import move_animation


class STANDEE_OT_bind(NeedsLayer, bpy.types.Operator):
    bl_idname = "standee.bind"
    bl_label = "Bind to Object"
    bl_description = (
        "Have the active subject stand where the active object is in the camera, before and behind"
        " others as it is"
    )
    bl_options = {"REGISTER", "UNDO"}

    collection: bpy.props.BoolProperty(
        name="Collection",
        description="Follow the whole collection of the active object",
        default=False,
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not NeedsLayer.poll.__func__(cls, context):
            return False
        if not NeedsCamera.poll.__func__(cls, context):
            return False
        body = context.object
        if body is None or body.type not in object_binding.SOLID | {"EMPTY"}:
            return poll_fails(cls, "Make an object with a surface the active one")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        layer, body = active_layer(context), context.object
        homes = [one for one in body.users_collection if one != context.scene.collection]
        if self.collection and not homes:
            self.report({"ERROR"}, f"'{body.name}' is in no collection of its own.")
            return {"CANCELLED"}
        layer.bound_object = None if self.collection else body
        layer.bound_collection = homes[0] if self.collection else None
        object_binding.sync(context.scene, context.evaluated_depsgraph_get())
        redraw()
        return {"FINISHED"}


class STANDEE_OT_unbind(NeedsLayer, bpy.types.Operator):
    bl_idname = "standee.unbind"
    bl_label = "Unbind"
    bl_description = "Leave the subject where it is now, cut as it is now, and follow no more"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        layer = active_layer(context)
        if layer is None or not layer.bound:
            return poll_fails(cls, "The active subject follows nothing")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        layer, scene = active_layer(context), context.scene
        object_binding.sync(scene, context.evaluated_depsgraph_get())
        try:
            if layer.occluded and scene.camera is not None:
                data = visibility.cut_masks(scene, layer).get(layer.layer_id)
                if data is not None:
                    layer.mask = image_datablocks.image_of(data, f"{layer.name} cut-out")
        except StandeeError as error:
            return refuse(self, error)
        layer = reorder_bound_layers(scene, layer.layer_id)
        layer.visible = layer.shown
        layer.bound_object = layer.bound_collection = None
        redraw()
        return {"FINISHED"}


def reorder_bound_layers(scene: bpy.types.Scene, layer_id: str) -> StandeeLayer:
    """Bring the bound layers to the places in the list where their distances have put them.

    Returns the layer with this id, which is the active one then.
    """
    standee = scene.standee
    wanted = [standee.layers[index].layer_id for index in object_binding.order(standee.layers)]
    for place, one in enumerate(wanted):
        now = next(i for i, layer in enumerate(standee.layers) if layer.layer_id == one)
        if now != place:
            standee.layers.move(now, place)
            move_animation(scene, now, place)
    standee.active_layer = wanted.index(layer_id)
    return standee.layers[standee.active_layer]


CLASSES = (STANDEE_OT_bind, STANDEE_OT_unbind)
