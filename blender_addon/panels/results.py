"""Pictures that were made: show, recall, save, discard."""

import bpy

from .base import Sidebar


class STANDEE_PT_results(Sidebar, bpy.types.Panel):
    bl_label = "Results"
    bl_order = 3

    def draw(self, context: bpy.types.Context) -> None:
        layout, standee = self.layout, context.scene.standee
        row = layout.row()
        row.template_list(
            "STANDEE_UL_results", "", standee, "results", standee, "active_result", rows=3
        )
        side = row.column(align=True)
        side.operator("standee.result_recall", text="", icon="LOOP_BACK")
        side.operator("standee.result_save", text="", icon="FILE_TICK")
        side.operator("standee.result_discard", text="", icon="TRASH")
        row = layout.row(align=True)
        shown = (("IMAGE_EDITOR", "Image"), ("BACKGROUND", "Background"), ("PLANE", "Plane"))
        for where, text in shown:
            row.operator("standee.result_show", text=text).where = where
        layout.operator("standee.result_apply", icon="SCENE_DATA")


CLASSES = (STANDEE_PT_results,)
