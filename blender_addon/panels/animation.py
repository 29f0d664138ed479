"""Animation panel: prompts at markers, the frame range, its strip."""

import bpy

from ..core.timeline import spelled_out
from ..i18n.translations import say
from ..jobs import frame_range
from .base import Sidebar, remark


class STANDEE_PT_animation(Sidebar, bpy.types.Panel):
    bl_label = "Animation"
    bl_order = 5
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, standee = self.layout, context.scene.standee
        row = layout.row()
        row.template_list(
            "STANDEE_UL_prompts", "", standee, "prompts", standee, "active_prompt", rows=2
        )
        side = row.column(align=True)
        side.operator("standee.prompt_add", text="", icon="ADD")
        side.operator("standee.prompt_remove", text="", icon="REMOVE")
        layout.prop(standee, "range_folder")
        row = layout.row(align=True)
        row.operator("standee.compose_range", icon="RENDER_ANIMATION")
        row.operator("standee.stop_range", text="", icon="PAUSE")
        if frame_range.current is not None:
            work = frame_range.current
            part = work.done / max(1, len(work.frames))
            layout.progress(factor=part, text=work.text)
            for note, where in work.noted:
                remark(layout, note, say("Frames {frames}: ", frames=spelled_out(where)))
        row = layout.row(align=True)
        row.operator("standee.show_range", icon="CAMERA_DATA", depress=standee.show_range)
        row.operator("standee.add_strip", icon="SEQUENCE")


CLASSES = (STANDEE_PT_animation,)
