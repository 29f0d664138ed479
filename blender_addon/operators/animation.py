"""Animation operators: prompts at timeline markers, a frame range, its strip in the sequencer."""

import bpy

from standee.errors import StandeeError, StorageFull

from ..core import takes
from ..i18n.translations import say
from ..jobs import frame_range, range_playback, range_strip, submit
from ..jobs.daemon_link import link
from ..jobs.waiting import wait
from .base import WAIT, composition, poll_fails, refuse, report_notes


class STANDEE_OT_prompt_add(bpy.types.Operator):
    bl_idname = "standee.prompt_add"
    bl_label = "Change Prompt Here"
    bl_description = "Add a timeline marker at this frame, from which another prompt holds"
    bl_options = {"REGISTER", "UNDO"}

    prompt: bpy.props.StringProperty(
        name="Prompt", description="What the picture shows from here on"
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        self.prompt = submit.prompt_now(context.scene)
        return context.window_manager.invoke_props_dialog(self, width=420)

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene, standee = context.scene, composition(context)
        here = [one for one in scene.timeline_markers if one.frame == scene.frame_current]
        marker = here[0] if here else None
        if marker is None:
            taken = {one.name for one in scene.timeline_markers}
            name = next(n for i in range(1, 10_000) if (n := f"Prompt {i}") not in taken)
            marker = scene.timeline_markers.new(name, frame=scene.frame_current)
        entry = next((one for one in standee.prompts if one.name == marker.name), None)
        entry = entry or standee.prompts.add()
        entry.name, entry.prompt = marker.name, self.prompt
        standee.active_prompt = [one.name for one in standee.prompts].index(marker.name)
        return {"FINISHED"}


class STANDEE_OT_prompt_remove(bpy.types.Operator):
    bl_idname = "standee.prompt_remove"
    bl_label = "Remove Prompt"
    bl_description = "Remove the active prompt; its marker stays"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not composition(context).prompts:
            return poll_fails(cls, "No marker changes the prompt")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        standee = composition(context)
        standee.prompts.remove(standee.active_prompt)
        standee.active_prompt = min(standee.active_prompt, len(standee.prompts) - 1)
        return {"FINISHED"}


class STANDEE_OT_compose_range(bpy.types.Operator):
    bl_idname = "standee.compose_range"
    bl_label = "Compose Range"
    bl_description = (
        "Compose each frame of the scene's range with the same noise. Frames that are done and"
        " unchanged are left out, so it goes on where it was stopped"
    )

    wait: WAIT

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        reason = submit.obstacle(context)
        if frame_range.current is not None and not frame_range.current.over:
            reason = "A range is being composed already"
        if reason:
            return poll_fails(cls, reason)
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            work = frame_range.start(context)
            if self.wait:
                wait(lambda: work.over and link().idle)
                report_notes(self, (note for note, _ in work.noted))
                if work.error:
                    self.report({"ERROR"}, work.error)
                    return {"CANCELLED"}
        except StandeeError as error:
            link().show_error(error)
            return refuse(self, error)
        return {"FINISHED"}


class STANDEE_OT_stop_range(bpy.types.Operator):
    bl_idname = "standee.stop_range"
    bl_label = "Stop Range"
    bl_description = "Stop; the finished frames stay, and composing again goes on from there"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if frame_range.current is None or frame_range.current.over:
            return poll_fails(cls, "No range is being composed")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        frame_range.stop()
        return {"FINISHED"}


class STANDEE_OT_add_strip(bpy.types.Operator):
    bl_idname = "standee.add_strip"
    bl_label = "Add to Sequencer"
    bl_description = (
        "Put the composed frames into the sequencer of a new scene, each at its own time; the"
        " renders of this scene stay as they are"
    )
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            shown = range_strip.add_strips(context.scene)
        except StandeeError as error:
            return refuse(self, error)
        self.report({"INFO"}, say("The frames are in the scene '{name}'.", name=shown.name))
        return {"FINISHED"}


class STANDEE_OT_show_range(bpy.types.Operator):
    bl_idname = "standee.show_range"
    bl_label = "Show in Frame"
    bl_description = (
        "Draw the newest take of the range in the camera frame, each picture at its own time, and hide it"
        " again: play the animation to see it move"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = context.scene
        standee = scene.standee
        if not standee.show_range:
            try:
                if takes.newest(frame_range.folder_of(scene)) is None:
                    raise StorageFull(
                        "There are no pictures of the range.", fix="Compose it first."
                    )
            except StandeeError as error:
                return refuse(self, error)
        standee.show_range = not standee.show_range
        range_playback.update(scene)
        return {"FINISHED"}


CLASSES = (
    STANDEE_OT_prompt_add,
    STANDEE_OT_prompt_remove,
    STANDEE_OT_compose_range,
    STANDEE_OT_stop_range,
    STANDEE_OT_add_strip,
    STANDEE_OT_show_range,
)
