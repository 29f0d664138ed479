"""Compose panel: prompt, button, running jobs, errors."""

import bpy

from ..i18n.translations import say
from ..jobs import preview_icons, submit
from ..jobs.daemon_link import link
from ..jobs.job import Job
from ..scene.render_scene import seconds_of
from . import status
from .base import Sidebar, paragraph, remark

CLOSE = 40
"""Px that the button takes which closes a notice."""


class STANDEE_PT_compose(Sidebar, bpy.types.Panel):
    bl_label = "Compose"
    bl_order = 0

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        row = self.layout.row(align=True)
        row.operator("standee.open", text="", icon="FILE_FOLDER")
        row.operator("standee.save", text="", icon="FILE_TICK")

    def draw(self, context: bpy.types.Context) -> None:
        layout, standee = self.layout, context.scene.standee
        status.draw(layout, context)
        _notice(layout)
        row = layout.row(align=True)
        row.prop(standee, "prompt", text="", placeholder="What the picture shows")
        row.operator("standee.prompt_edit", text="", icon="GREASEPENCIL")
        row = layout.row(align=True)
        row.scale_y = 1.4
        row.operator("standee.compose", icon="RENDER_STILL")
        row.operator("standee.compose_batch", text="", icon="RENDERLAYERS")
        reason = submit.obstacle(context)
        if reason:
            paragraph(layout, reason, "INFO")
        elif submit.renders_first(context.scene):
            paragraph(layout, _render_hint(context.scene), "RENDER_STILL")
        for job in link().unfinished:
            _job(layout, job)
            if not _in_frame(context) and (icon := preview_icons.icon_of(job.id)):
                layout.template_icon(icon, scale=8)


class STANDEE_PT_sampling(Sidebar, bpy.types.Panel):
    bl_label = "Sampling"
    bl_parent_id = "STANDEE_PT_compose"
    bl_options = {"DEFAULT_CLOSED"}

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        self.layout.menu("STANDEE_MT_presets", text="", icon="PRESET")

    def draw(self, context: bpy.types.Context) -> None:
        layout, standee = self.layout, context.scene.standee
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(standee, "model")
        column = layout.column(align=True)
        column.prop(standee, "seed")
        column.prop(standee, "count")
        column.prop(standee, "steps")
        row = column.row(align=True, heading="Guidance")
        row.prop(standee, "use_guidance", text="")
        value = row.row()
        value.active = standee.use_guidance
        value.prop(standee, "guidance", text="")
        layout.prop(standee, "negative")
        layout.prop(standee, "show_as")


def _render_hint(scene: bpy.types.Scene) -> str:
    """What is to be expected of the button, as long as Blender cannot render beside the window."""
    seconds = seconds_of.get(scene.name)
    if seconds is None:
        return "Composing renders the scene first; Blender does not answer meanwhile."
    return say(
        "Composing renders the scene first; Blender does not answer meanwhile (last time {seconds:.1f} s).",
        seconds=seconds,
    )


def _in_frame(context: bpy.types.Context) -> bool:
    """Whether this view draws the preview in its camera frame, or nobody wants one."""
    standee, view = context.scene.standee, context.space_data.region_3d
    camera = view is not None and view.view_perspective == "CAMERA"
    return not standee.show_preview or (standee.show_overlay and camera)


def _notice(layout: bpy.types.UILayout) -> None:
    """What went wrong, and what to do, in words that fit the sidebar."""
    notice = link().notice
    if notice is None:
        return
    box = layout.box()
    row = box.row()
    words = row.column()
    paragraph(words, notice.message, "ERROR", CLOSE)
    if notice.fix:
        paragraph(words, notice.fix, "BLANK1", CLOSE)
    row.operator("standee.dismiss", text="", icon="X", emboss=False)
    if notice.download:
        box.operator(notice.download, text="Download", icon="IMPORT").download = True
        return
    box.operator("standee.preferences", icon="PREFERENCES")


def _job(layout: bpy.types.UILayout, job: Job) -> None:
    row = layout.row(align=True)
    row.progress(factor=job.part, text=link().status_text(job))
    row.operator("standee.cancel", text="", icon="X").job = job.id
    for note in job.notes:
        remark(layout, note)


class STANDEE_PT_loras(Sidebar, bpy.types.Panel):
    bl_label = "LoRAs"
    bl_parent_id = "STANDEE_PT_sampling"

    def draw(self, context: bpy.types.Context) -> None:
        layout, standee = self.layout, context.scene.standee
        for index, lora in enumerate(standee.loras):
            column = layout.column(align=True)
            row = column.row(align=True)
            row.prop(lora, "path", text="")
            row.operator("standee.lora_remove", text="", icon="X").index = index
            column.prop(lora, "weight", slider=True)
        layout.operator("standee.lora_add", icon="ADD").path = ""


CLASSES = (STANDEE_PT_compose, STANDEE_PT_sampling, STANDEE_PT_loras)
