"""LoRA operators: add one to the list, remove one."""

import bpy

from standee.composition import MAX_LORAS

from .base import composition, poll_fails


class STANDEE_OT_lora_add(bpy.types.Operator):
    bl_idname = "standee.lora_add"
    bl_label = "Add LoRA"
    bl_description = "Lay another LoRA over the model, for a style or a thing that it does not know"
    bl_options = {"REGISTER", "UNDO"}

    path: bpy.props.StringProperty(
        name="LoRA", description="A .safetensors file, its folder, or a hub id", subtype="FILE_PATH"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if len(composition(context).loras) >= MAX_LORAS:
            return poll_fails(cls, "A composition has at most eight LoRAs")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        composition(context).loras.add().path = self.path
        return {"FINISHED"}


class STANDEE_OT_lora_remove(bpy.types.Operator):
    bl_idname = "standee.lora_remove"
    bl_label = "Remove LoRA"
    bl_description = "Take this LoRA out of the list"
    bl_options = {"REGISTER", "UNDO"}

    index: bpy.props.IntProperty(name="Index", description="Its place in the list", min=0)

    def execute(self, context: bpy.types.Context) -> set[str]:
        loras = composition(context).loras
        if self.index >= len(loras):
            return {"CANCELLED"}
        loras.remove(self.index)
        return {"FINISHED"}


CLASSES = (STANDEE_OT_lora_add, STANDEE_OT_lora_remove)
