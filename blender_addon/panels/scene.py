"""Scene panel: the canvas, and the scene that subjects stand in."""

import bpy

from ..i18n.translations import say
from ..jobs import submit
from ..scene.scene_properties import StandeeScene
from .base import Sidebar

KINDS = {"depth": "Depth", "normal": "Normals", "lines": "Lines", "pose": "Pose"}
"""The kinds of control pictures."""


class STANDEE_PT_scene(Sidebar, bpy.types.Panel):
    bl_label = "Scene"
    bl_order = 3
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, standee = self.layout, context.scene.standee
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.prop(standee, "scene_source")
        _control(layout, standee)
        if standee.scene_source == "NONE":
            return
        row = layout.row(align=True)
        row.prop(standee, "scene_picture", text="Picture")
        if standee.scene_source == "PICTURE":
            row.operator("standee.scene_picture", text="", icon="FILE_FOLDER")
        else:
            row.operator("standee.scene_capture", text="", icon="FILE_REFRESH")
        if standee.scene_source == "RENDER":
            layout.prop(standee, "use_scene_geometry")
        column = layout.column(align=True)
        for name in ("scene_fidelity", "scene_blend_share", "scene_feather_share", "scene_fit"):
            column.prop(standee, name)
        layout.prop(standee, "use_scene_rect")
        if standee.use_scene_rect:
            column = layout.column(align=True)
            for name in ("scene_x", "scene_y", "scene_width", "scene_height"):
                column.prop(standee, name)


def _control(layout: bpy.types.UILayout, standee: StandeeScene) -> None:
    """Show what of 3D the picture follows, and control pictures that came with a document."""
    if standee.scene_source in submit.SHOW_3D:
        layout.prop(standee, "scene_control")
        if standee.scene_control != "NONE":
            column = layout.column(align=True)
            column.prop(standee, "scene_control_strength", text="Strength")
            column.prop(standee, "scene_control_end")
    for control in standee.controls:
        if control.picture is not None:
            layout.prop(control, "picture", text=say(KINDS[control.kind]))


class STANDEE_PT_kept(Sidebar, bpy.types.Panel):
    bl_label = "What Stays"
    bl_parent_id = "STANDEE_PT_scene"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.scene.standee.scene_source != "NONE"

    def draw(self, context: bpy.types.Context) -> None:
        layout, standee = self.layout, context.scene.standee
        row = layout.row(align=True)
        row.prop(standee, "scene_kept", text="")
        row.operator("standee.scene_clear", text="", icon="X")
        row = layout.row(align=True)
        row.operator(
            "standee.scene_mask", text="Repaint Selected", icon="BRUSH_DATA"
        ).keep = "AROUND"
        row.operator("standee.scene_mask", text="Keep Selected", icon="MOD_MASK").keep = "INSIDE"
        row = layout.row(align=True)
        repaint = row.operator("standee.scene_strokes", text="Repaint Drawn", icon="GREASEPENCIL")
        repaint.keep = "AROUND"
        keep = row.operator("standee.scene_strokes", text="Keep Drawn", icon="MOD_MASK")
        keep.keep = "INSIDE"


class STANDEE_PT_canvas(Sidebar, bpy.types.Panel):
    bl_label = "Canvas"
    bl_order = 2

    def draw(self, context: bpy.types.Context) -> None:
        layout, standee = self.layout, context.scene.standee
        layout.use_property_split = True
        layout.use_property_decorate = False
        _canvas(layout, standee, context.scene.render)


def _canvas(layout: bpy.types.UILayout, standee: StandeeScene, render: object) -> None:
    layout.prop(standee, "follow_render")
    canvas = standee.canvas()
    if standee.follow_render:
        layout.prop(standee, "canvas_side")
    else:
        column = layout.column(align=True)
        column.prop(standee, "canvas_width")
        column.prop(standee, "canvas_height")
        shape = render.resolution_x / render.resolution_y
        if abs(canvas.width / canvas.height - shape) > 0.02 * shape:
            layout.operator("standee.render_size", icon="ERROR")
    row = layout.row()
    row.label(text=say("{width} x {height} px", width=canvas.width, height=canvas.height))
    row.operator("standee.enlarge", text="Enlarge", icon="FULLSCREEN_ENTER")
    width, height = (int(side) for side in standee.render_size())
    if standee.follow_render and (canvas.width, canvas.height) != (width, height):
        lowered = say("The render has {width} x {height} px", width=width, height=height)
        layout.label(text=lowered, icon="INFO")


CLASSES = (STANDEE_PT_scene, STANDEE_PT_kept, STANDEE_PT_canvas)
