"""The sidebar: subjects, scene, prompt, sampling, progress, results, animation."""

import bpy

from . import composing, previews, sequence
from .daemon_link import link
from .jobs import Job
from .operators import presets
from .properties import StandeeScene


class STANDEE_UL_layers(bpy.types.UIList):
    """Subjects, the foremost on top."""

    def draw_item(
        self, context, layout, data, item, icon, active_data, active_property, index=0, flt_flag=0
    ) -> None:
        row = layout.row(align=True)
        icon_id = layout.icon(item.picture) if item.picture is not None else 0
        row.prop(item, "name", text="", emboss=False, icon_value=icon_id)
        if item.bound:
            row.label(text="", icon="LINKED")
        row.prop(
            item, "locked", text="", emboss=False, icon="LOCKED" if item.locked else "UNLOCKED"
        )
        row.prop(
            item, "visible", text="", emboss=False, icon="HIDE_OFF" if item.visible else "HIDE_ON"
        )

    def filter_items(self, context, data, property) -> tuple[list[int], list[int]]:
        count = len(getattr(data, property))
        return [self.bitflag_filter_item] * count, list(reversed(range(count)))


class STANDEE_UL_results(bpy.types.UIList):
    """Pictures that were made, the newest on top."""

    def draw_item(
        self, context, layout, data, item, icon, active_data, active_property, index=0, flt_flag=0
    ) -> None:
        icon_id = layout.icon(item.image) if item.image is not None else 0
        layout.prop(item, "name", text="", emboss=False, icon_value=icon_id)

    def filter_items(self, context, data, property) -> tuple[list[int], list[int]]:
        count = len(getattr(data, property))
        return [self.bitflag_filter_item] * count, list(reversed(range(count)))


class STANDEE_UL_prompts(bpy.types.UIList):
    """Prompts and the markers from which they hold."""

    def draw_item(
        self, context, layout, data, item, icon, active_data, active_property, index=0, flt_flag=0
    ) -> None:
        there = item.name in context.scene.timeline_markers
        split = layout.split(factor=0.35)
        split.label(text=item.name, icon="MARKER_HLT" if there else "ERROR")
        split.prop(item, "prompt", text="", emboss=False)


class STANDEE_MT_presets(bpy.types.Menu):
    bl_idname = "STANDEE_MT_presets"
    bl_label = "Presets"
    bl_description = "Settings under a name"

    def draw(self, context: bpy.types.Context) -> None:
        for name in presets.names():
            self.layout.operator("standee.preset_apply", text=name).name = name
        self.layout.separator()
        self.layout.operator("standee.preset_save", icon="ADD")
        for name in presets.names():
            if name not in presets.BUILT_IN:
                row = self.layout.operator("standee.preset_remove", text=name, icon="REMOVE")
                row.name = name


class STANDEE_MT_add(bpy.types.Menu):
    bl_idname = "STANDEE_MT_add"
    bl_label = "Add Subject"
    bl_description = "Add a subject from a file, the clipboard, an image or an object"

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.operator("standee.add_files", text="From Files", icon="FILE_IMAGE")
        layout.operator("standee.add_clipboard", text="From Clipboard", icon="PASTEDOWN")
        layout.operator("standee.add_image", text="From Image", icon="IMAGE_DATA")
        layout.operator("standee.add_object", text="From Selected Object", icon="OBJECT_DATA")


class Sidebar:
    """Where all panels are."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Standee"


class STANDEE_PT_layers(Sidebar, bpy.types.Panel):
    bl_label = "Subjects"
    bl_order = 0

    def draw(self, context: bpy.types.Context) -> None:
        layout, standee = self.layout, context.scene.standee
        _notice(layout)
        row = layout.row(align=True)
        row.operator("standee.open", text="Open", icon="FILE_FOLDER")
        row.operator("standee.save", text="Save", icon="FILE_TICK")
        row = layout.row(align=True)
        row.prop(standee, "show_overlay", toggle=True)
        row.prop(standee, "show_tokens", toggle=True)
        row.prop(standee, "show_preview", toggle=True)
        row = layout.row()
        row.template_list(
            "STANDEE_UL_layers", "", standee, "layers", standee, "active_layer", rows=4
        )
        side = row.column(align=True)
        side.menu("STANDEE_MT_add", text="", icon="ADD")
        side.operator("standee.layer_remove", text="", icon="REMOVE")
        side.separator()
        side.operator("standee.layer_move", text="", icon="TRIA_UP").direction = "FORWARD"
        side.operator("standee.layer_move", text="", icon="TRIA_DOWN").direction = "BACKWARD"
        side.operator("standee.layer_duplicate", text="", icon="DUPLICATE")


class STANDEE_PT_layer(Sidebar, bpy.types.Panel):
    bl_label = "Active Subject"
    bl_parent_id = "STANDEE_PT_layers"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return context.scene.standee.active() is not None

    def draw(self, context: bpy.types.Context) -> None:
        layout, layer = self.layout, context.scene.standee.active()
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column(align=True)
        column.template_ID(layer, "picture", open="image.open")
        column.prop(layer, "mask")
        layout.prop(layer, "prompt")
        strengths = layout.column(align=True)
        strengths.use_property_decorate = True
        for name in ("fidelity", "variation", "sharing"):
            strengths.prop(layer, name)
        placed = layout.column(align=True)
        placed.enabled = not layer.bound
        placed.use_property_decorate = True
        for name in ("x", "y", "width", "height"):
            placed.prop(layer, name)
        row = layout.row(align=True)
        row.prop(layer, "fit", text="Fit")
        row.prop(layer, "flip", text="", icon="MOD_MIRROR")
        row = layout.row(align=True)
        row.operator("standee.layer_fit", text="Fit", icon="FULLSCREEN_EXIT")
        row.operator("standee.layer_center", text="Centre", icon="PIVOT_BOUNDBOX")
        row.operator("standee.layer_key", text="Key", icon="KEY_HLT")
        box = layout.column(align=True)
        if layer.bound:
            box.prop(layer, "bound_object")
            box.prop(layer, "bound_collection")
            box.prop(layer, "occluded")
            where = f"{layer.distance:.2f} m" if layer.in_view else "behind the camera"
            box.label(text=where, icon="CON_DISTLIMIT")
            box.operator("standee.unbind", icon="UNLINKED")
        else:
            box.operator("standee.bind", icon="LINKED")


class STANDEE_PT_scene(Sidebar, bpy.types.Panel):
    bl_label = "Scene"
    bl_order = 1
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: bpy.types.Context) -> None:
        layout, standee = self.layout, context.scene.standee
        layout.use_property_split = True
        layout.use_property_decorate = False
        _canvas(layout, standee, context.scene.render)
        layout.prop(standee, "scene_source")
        if standee.scene_source == "NONE":
            return
        row = layout.row(align=True)
        row.prop(standee, "scene_picture", text="Picture")
        if standee.scene_source == "PICTURE":
            row.operator("standee.scene_picture", text="", icon="FILE_FOLDER")
        else:
            row.operator("standee.scene_capture", text="", icon="FILE_REFRESH")
        row = layout.row(align=True)
        row.prop(standee, "scene_kept")
        row.operator("standee.scene_clear", text="", icon="X")
        layout.operator("standee.scene_mask", icon="MOD_MASK")
        column = layout.column(align=True)
        for name in ("scene_fidelity", "scene_blend", "scene_feather", "scene_fit"):
            column.prop(standee, name)
        layout.prop(standee, "use_scene_rect")
        if standee.use_scene_rect:
            column = layout.column(align=True)
            for name in ("scene_x", "scene_y", "scene_width", "scene_height"):
                column.prop(standee, name)


class STANDEE_PT_compose(Sidebar, bpy.types.Panel):
    bl_label = "Compose"
    bl_order = 2

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        self.layout.menu("STANDEE_MT_presets", text="", icon="PRESET")

    def draw(self, context: bpy.types.Context) -> None:
        layout, standee = self.layout, context.scene.standee
        layout.prop(standee, "prompt", text="")
        column = layout.column(align=True)
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(standee, "model")
        column.prop(standee, "seed")
        column.prop(standee, "count")
        column.prop(standee, "steps")
        row = column.row(align=True, heading="Guidance")
        row.prop(standee, "use_guidance", text="")
        value = row.row()
        value.active = standee.use_guidance
        value.prop(standee, "guidance", text="")
        column.prop(standee, "show_as")
        row = layout.row(align=True)
        row.scale_y = 1.4
        row.operator("standee.compose", icon="RENDER_STILL")
        reason = composing.obstacle(context)
        if reason:
            layout.label(text=reason, icon="INFO")
        for job in link().unfinished:
            _job(layout, job)
            if standee.show_preview and (icon := previews.icon_of(job.id)):
                layout.template_icon(icon, scale=8)
        if not link().connected and link().unfinished:
            layout.operator("standee.connect", icon="FILE_REFRESH")


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


class STANDEE_PT_animation(Sidebar, bpy.types.Panel):
    bl_label = "Animation"
    bl_order = 4
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
        if sequence.current is not None:
            work = sequence.current
            part = work.done / max(1, len(work.frames))
            layout.progress(factor=part, text=work.text)
        layout.operator("standee.add_strip", icon="SEQUENCE")


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
    row.label(text=f"{canvas.width} x {canvas.height} px")
    row.operator("standee.enlarge", text="Enlarge", icon="FULLSCREEN_ENTER")


def _notice(layout: bpy.types.UILayout) -> None:
    """What went wrong, and what to do, in words that fit the sidebar."""
    notice = link().notice
    if notice is None:
        return
    box = layout.box()
    words = box.column(align=True)
    for text, icon in ((notice.message, "ERROR"), (notice.fix, "BLANK1")):
        for index, line in enumerate(_wrapped(bpy.app.translations.pgettext_iface(text))):
            words.label(text=line, icon=icon if index == 0 else "BLANK1")
    box.operator("standee.dismiss", icon="X")


def _wrapped(text: str, width: int = 34) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width)


def _job(layout: bpy.types.UILayout, job: Job) -> None:
    row = layout.row(align=True)
    row.progress(factor=job.factor, text=f"{job.label}: {job.text}"[:60])
    row.operator("standee.cancel", text="", icon="X").job = job.id


CLASSES = (
    STANDEE_UL_layers,
    STANDEE_UL_results,
    STANDEE_UL_prompts,
    STANDEE_MT_presets,
    STANDEE_MT_add,
    STANDEE_PT_layers,
    STANDEE_PT_layer,
    STANDEE_PT_scene,
    STANDEE_PT_compose,
    STANDEE_PT_results,
    STANDEE_PT_animation,
)
