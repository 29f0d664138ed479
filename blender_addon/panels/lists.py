"""Lists and menus of the sidebar."""

import bpy

from ..operators import presets


def newest_first(uilist: bpy.types.UIList, data: object, name: str) -> tuple[list[int], list[int]]:
    """Show a collection upside down: the foremost subject, or the newest picture, on top."""
    count = len(getattr(data, name))
    return [uilist.bitflag_filter_item] * count, list(reversed(range(count)))


class STANDEE_UL_layers(bpy.types.UIList):
    """Subjects, the foremost on top."""

    def draw_item(
        self, context, layout, data, item, icon, active_data, active_property, index=0, flt_flag=0
    ) -> None:
        row = layout.row(align=True)
        row.active = item.visible
        if item.picture is not None:
            icon_id = layout.icon(item.picture)
            row.prop(item, "name", text="", emboss=False, icon_value=icon_id)
        else:
            row.prop(item, "name", text="", emboss=False, icon="TEXT")
        if item.bound:
            row.label(text="", icon="LINKED" if item.in_view else "UNLINKED")
        row.prop(
            item, "locked", text="", emboss=False, icon="LOCKED" if item.locked else "UNLOCKED"
        )
        row.prop(
            item, "visible", text="", emboss=False, icon="HIDE_OFF" if item.visible else "HIDE_ON"
        )

    def filter_items(self, context, data, property) -> tuple[list[int], list[int]]:
        return newest_first(self, data, property)


class STANDEE_UL_results(bpy.types.UIList):
    """Pictures that were made, the newest on top."""

    def draw_item(
        self, context, layout, data, item, icon, active_data, active_property, index=0, flt_flag=0
    ) -> None:
        icon_id = layout.icon(item.image) if item.image is not None else 0
        layout.prop(item, "name", text="", emboss=False, icon_value=icon_id)

    def filter_items(self, context, data, property) -> tuple[list[int], list[int]]:
        return newest_first(self, data, property)


class STANDEE_UL_prompts(bpy.types.UIList):
    """Prompts and the markers from which they hold."""

    def draw_item(
        self, context, layout, data, item, icon, active_data, active_property, index=0, flt_flag=0
    ) -> None:
        there = item.name in context.scene.timeline_markers
        split = layout.split(factor=0.42)
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
        layout.operator("standee.add_words", text="Rectangle of Words", icon="TEXT")
        layout.operator("standee.add_image", text="From Image", icon="IMAGE_DATA")
        layout.operator("standee.add_object", text="From Selected Object", icon="OBJECT_DATA")
        layout.operator("standee.adopt_cards", text="From Selected Cards", icon="IMAGE_PLANE")


CLASSES = (
    STANDEE_UL_layers,
    STANDEE_UL_results,
    STANDEE_UL_prompts,
    STANDEE_MT_presets,
    STANDEE_MT_add,
)
