"""Subjects panel: the list, the active subject's strengths, placement and binding."""

import bpy

from ..i18n.translations import say
from ..operators.standees import dropped
from ..rendering import billboards
from ..rendering.billboard_material import SEEN, explain_colours, off_by
from ..scene.object_binding import bodies, is_not_evaluated
from .base import Sidebar, paragraph


class STANDEE_PT_layers(Sidebar, bpy.types.Panel):
    bl_label = "Subjects"
    bl_order = 1

    def draw(self, context: bpy.types.Context) -> None:
        layout, standee = self.layout, context.scene.standee
        row = layout.row()
        row.template_list(
            "STANDEE_UL_layers", "", standee, "layers", standee, "active_layer", rows=5
        )
        side = row.column(align=True)
        side.menu("STANDEE_MT_add", text="", icon="ADD")
        side.operator("standee.layer_remove", text="", icon="REMOVE")
        side.separator()
        side.operator("standee.layer_move", text="", icon="TRIA_UP").direction = "FORWARD"
        side.operator("standee.layer_move", text="", icon="TRIA_DOWN").direction = "BACKWARD"
        side.operator("standee.layer_duplicate", text="", icon="DUPLICATE")
        row = layout.row(align=True)
        row.prop(standee, "show_overlay", toggle=True)
        row.prop(standee, "show_tokens", toggle=True)
        row.prop(standee, "show_preview", toggle=True)
        if dropped(context):
            layout.operator("standee.adopt_cards", text="Add Selected as Subjects", icon="ADD")
        if not standee.layers:
            paragraph(layout, "Add pictures of what shall stand in the scene.", "INFO")


class NeedsActive(Sidebar):
    """A part of the panel that is there while a subject is."""

    bl_parent_id = "STANDEE_PT_layers"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.scene.standee.active() is not None


class STANDEE_PT_layer(NeedsActive, bpy.types.Panel):
    bl_label = "Active Subject"

    def draw(self, context: bpy.types.Context) -> None:
        layout, layer = self.layout, context.scene.standee.active()
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(layer, "prompt")
        strengths = layout.column(align=True)
        strengths.use_property_decorate = True
        pictured = () if layer.picture is None else ("variation", "sharing", "light")
        for name in ("opacity", "fidelity", *pictured):
            strengths.prop(layer, name)
        column = layout.column(align=True)
        column.template_ID(layer, "picture", open="image.open")
        column.prop(layer, "mask")
        row = layout.row(align=True)
        row.operator("standee.cut_out", text="By Words", icon="TEXT").by = "WORDS"
        row.operator("standee.cut_out", text="Whole Picture", icon="IMAGE_DATA").by = "PICTURE"
        layout.operator("standee.cut_out_here", text="Click or Box", icon="RESTRICT_SELECT_OFF")
        row = layout.row(align=True)
        row.operator("standee.cut_out_strokes", text="Drawn", icon="GREASEPENCIL")
        row.operator("standee.paint_cut_out", text="Paint", icon="BRUSH_DATA")


class STANDEE_PT_placement(NeedsActive, bpy.types.Panel):
    bl_label = "Placement"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, layer = self.layout, context.scene.standee.active()
        layout.use_property_split = True
        placed = layout.column(align=True)
        placed.enabled = not layer.bound
        for name in ("x", "y", "width", "height"):
            placed.prop(layer, name)
        layout.prop(layer, "rotation")
        row = layout.row(align=True)
        row.use_property_decorate = False
        row.prop(layer, "fit")
        row.prop(layer, "flip", text="", icon="MOD_MIRROR")
        row.operator("standee.layer_fit", text="", icon="FULLSCREEN_EXIT")
        row = layout.row(align=True)
        row.operator("standee.layer_center", text="Center", icon="PIVOT_BOUNDBOX")
        row.operator("standee.layer_key", text="Key", icon="KEY_HLT")


class STANDEE_PT_binding(NeedsActive, bpy.types.Panel):
    bl_label = "Follow in 3D"

    def draw(self, context: bpy.types.Context) -> None:
        layout, layer = self.layout, context.scene.standee.active()
        layout.use_property_split = True
        layout.use_property_decorate = False
        if not layer.bound:
            layout.operator("standee.stand_in_3d", icon="IMAGE_PLANE")
            row = layout.row(align=True)
            row.operator("standee.bind", text="Bind to Object", icon="OBJECT_DATA")
            more = row.operator("standee.bind", text="Collection", icon="OUTLINER_COLLECTION")
            more.collection = True
            return
        column = layout.column(align=True)
        column.prop(layer, "bound_object" if layer.bound_object else "bound_collection")
        column.prop(layer, "occluded")
        row = layout.row(align=True)
        where = f"{layer.distance:.2f} m" if layer.in_view else say("behind the camera")
        row.label(text=where, icon="CON_DISTLIMIT")
        row.operator("standee.unbind", icon="UNLINKED")
        for body in bodies(layer):
            for slot in body.material_slots if billboards.is_card(body) else ():
                off = off_by(slot.material, context.scene) if slot.material else 0
                if off > SEEN:
                    paragraph(layout, explain_colours(off, context.scene), "INFO")
        if any(is_not_evaluated(body, context.view_layer) for body in bodies(layer)):
            paragraph(
                layout,
                "Hidden in the viewport: keys, constraints and modifiers do not move the subject.",
                "INFO",
            )


CLASSES = (STANDEE_PT_layers, STANDEE_PT_layer, STANDEE_PT_placement, STANDEE_PT_binding)
