"""Composing: hand the scene in, cancel, look for the daemon."""

import bpy

from standee.errors import StandeeError

from ..jobs import submit
from ..jobs.daemon_link import link
from ..redraw import redraw
from .base import cannot, composition, refuse


class STANDEE_OT_compose(bpy.types.Operator):
    bl_idname = "standee.compose"
    bl_label = "Compose"
    bl_description = "Make the picture: subjects in their rectangles, in the scene, as prompted"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        reason = submit.obstacle(context)
        if reason:
            return cannot(cls, reason)
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            submit.compose(context)
        except StandeeError as error:
            link().tell(error)
            return refuse(self, error)
        return {"FINISHED"}


class STANDEE_OT_prompt_edit(bpy.types.Operator):
    bl_idname = "standee.prompt_edit"
    bl_label = "Edit Prompt"
    bl_description = "Write the prompt, and the words of each subject, in a wide window"
    bl_options = {"REGISTER", "UNDO"}

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self, width=640)

    def draw(self, context: bpy.types.Context) -> None:
        standee, layout = composition(context), self.layout
        layout.prop(standee, "prompt", text="")
        for layer in reversed(standee.layers):
            row = layout.row()
            split = row.split(factor=0.25)
            split.label(text=layer.name, translate=False, icon="BLANK1")
            split.prop(layer, "prompt", text="", placeholder="What it is, in a few words")

    def execute(self, context: bpy.types.Context) -> set[str]:
        redraw()
        return {"FINISHED"}


class STANDEE_OT_cancel(bpy.types.Operator):
    bl_idname = "standee.cancel"
    bl_label = "Cancel"
    bl_description = "Stop a job within one step"

    job: bpy.props.StringProperty(
        name="Job", description="Which one; empty stops all of them", options={"SKIP_SAVE"}
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not link().unfinished:
            return cannot(cls, "Nothing is being composed")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        chosen = [job for job in link().unfinished if self.job in ("", job.id)]
        for job in chosen:
            link().cancel(job)
        return {"FINISHED"} if chosen else {"CANCELLED"}


class STANDEE_OT_connect(bpy.types.Operator):
    bl_idname = "standee.connect"
    bl_label = "Connect"
    bl_description = "Look for the daemon; start it if the preferences say so"

    def execute(self, context: bpy.types.Context) -> set[str]:
        link().connect()
        notice = link().notice
        if notice is not None:
            self.report({"ERROR"}, f"{notice.message} {notice.fix}")
            return {"CANCELLED"}
        return {"FINISHED"}


class STANDEE_OT_tick(bpy.types.Operator):
    bl_idname = "standee.tick"
    bl_label = "Tick"
    bl_description = "Move what is under way on by a little; the timer of Standee calls it"
    bl_options = {"INTERNAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        link().tick()
        return {"CANCELLED"}  # nothing for Blender to update, report or remember


class STANDEE_OT_dismiss(bpy.types.Operator):
    bl_idname = "standee.dismiss"
    bl_label = "Dismiss"
    bl_description = "Clear the message and the list of finished jobs"

    def execute(self, context: bpy.types.Context) -> set[str]:
        link().notice = None
        link().forget()
        return {"FINISHED"}


CLASSES = (
    STANDEE_OT_compose,
    STANDEE_OT_prompt_edit,
    STANDEE_OT_cancel,
    STANDEE_OT_connect,
    STANDEE_OT_tick,
    STANDEE_OT_dismiss,
)
