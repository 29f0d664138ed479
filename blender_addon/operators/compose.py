"""Compose operators: submit the scene, cancel, connect to the daemon."""

import bpy

from standee.errors import StandeeError

from ..jobs import batch, submit
from ..jobs.daemon_link import link
from ..jobs.waiting import wait_for
from ..redraw import redraw
from .base import DOWNLOAD, WAIT, Submits, composition, poll_fails, refuse, report_notes


class Composes(Submits):
    """An operator that composes the scene."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        reason = submit.obstacle(context)
        if reason:
            return poll_fails(cls, reason)
        return True


class STANDEE_OT_compose(Composes, bpy.types.Operator):
    bl_idname = "standee.compose"
    bl_label = "Compose"
    bl_description = "Make the picture: subjects in their rectangles, in the scene, as prompted"
    bl_options = {"REGISTER"}

    wait: WAIT
    download: DOWNLOAD

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self.submit(lambda: [submit.compose(context, download=self.download)])


class STANDEE_OT_compose_batch(Composes, bpy.types.Operator):
    bl_idname = "standee.compose_batch"
    bl_label = "Compose Batch"
    bl_description = (
        "Compose once for each camera that a timeline marker names, each view layer and each of"
        " several seeds; every picture is a result"
    )
    bl_options = {"REGISTER"}

    cameras: bpy.props.BoolProperty(
        name="Marker Cameras",
        description="Compose at each timeline marker that a camera is bound to",
        default=True,
    )
    view_layers: bpy.props.BoolProperty(
        name="View Layers",
        description="Compose each view layer that is used for rendering",
        default=False,
    )
    seeds: bpy.props.IntProperty(
        name="Seeds",
        description="How many seeds to compose with, counted up from the scene's",
        min=1,
        max=64,
        default=1,
    )
    wait: WAIT

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> set[str]:
        chosen = self.cameras, self.view_layers, self.seeds
        return self.submit(lambda: batch.start(context, *chosen))


class STANDEE_OT_wait(bpy.types.Operator):
    bl_idname = "standee.wait"
    bl_label = "Wait"
    bl_description = "Return only when all that is being composed is done and kept; for scripts"

    def execute(self, context: bpy.types.Context) -> set[str]:
        jobs = link().unfinished
        try:
            wait_for(jobs)
            report_notes(self, (note for job in jobs for note in job.notes))
        except StandeeError as error:
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
            return poll_fails(cls, "Nothing is being composed")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        chosen = [job for job in link().unfinished if self.job in ("", job.id)]
        for job in chosen:
            link().cancel(job)
        return {"FINISHED"} if chosen else {"CANCELLED"}


class STANDEE_OT_connect(bpy.types.Operator):
    bl_idname = "standee.connect"
    bl_label = "Look Again"
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
    STANDEE_OT_compose_batch,
    STANDEE_OT_wait,
    STANDEE_OT_prompt_edit,
    STANDEE_OT_cancel,
    STANDEE_OT_connect,
    STANDEE_OT_tick,
    STANDEE_OT_dismiss,
)
