"""Results panel: finished pictures to show, recall, save or discard."""

import bpy

from .base import Sidebar, remark


class STANDEE_PT_results(Sidebar, bpy.types.Panel):
    bl_label = "Results"
    bl_order = 4

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
        row.prop(standee, "show_result", text="In Frame", toggle=True)
        shown = (("IMAGE_EDITOR", "Image"), ("BACKGROUND", "Background"), ("PLANE", "Plane"))
        for where, text in shown:
            row.operator("standee.result_show", text=text).where = where
        row = layout.row(align=True)
        row.active = standee.show_result
        row.prop(standee, "result_wipe", slider=True)
        row.prop(standee, "result_opacity", slider=True)
        layout.operator("standee.result_apply", icon="SCENE_DATA")
        _picture(context, layout)
        chosen = standee.chosen_result()
        for note in chosen.notes if chosen is not None else ():
            remark(layout, note)


def _picture(context: bpy.types.Context, layout: bpy.types.UILayout) -> None:
    """The active result itself, where the view does not show it."""
    standee, view = context.scene.standee, context.space_data.region_3d
    through = view is not None and view.view_perspective == "CAMERA"
    chosen = standee.chosen_result()
    if chosen is None or (through and standee.shown_result() is not None):
        return
    image = chosen.image
    if image is not None and (icon := layout.icon(image)):
        layout.template_icon(icon, scale=8)


CLASSES = (STANDEE_PT_results,)
