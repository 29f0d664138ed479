"""Workspace tool in the 3D view's toolbar: pointer and keys act on subjects.

What does not hit a subject goes on to Blender: selecting, orbiting and the rest stay as they are.
"""

from pathlib import Path

import bpy

_DRAG = ("LEFTMOUSE", "PRESS")


def _key(operator: str, event: str, value: str = "PRESS", **more: object) -> tuple[object, ...]:
    """Return a key of the tool; with `tool` it means the subject that was clicked, or nothing here."""
    held = {name: more.pop(name) for name in ("shift", "ctrl", "any") if name in more}
    return operator, {"type": event, "value": value, **held}, {"properties": list(more.items())}


class StandeeTool(bpy.types.WorkSpaceTool):
    bl_space_type = "VIEW_3D"
    bl_context_mode = "OBJECT"
    bl_idname = "standee.arrange_tool"
    bl_label = "Stand Subjects"
    bl_description = (
        "Look through the camera and drag subjects and their handles.\n"
        "After a click on one, G moves it, S scales it, R turns it, X removes it; arrows nudge it"
    )
    bl_icon = str(
        Path(bpy.utils.system_resource("DATAFILES")) / "icons" / "ops.gpencil.primitive_box"
    )
    bl_widget = None
    bl_keymap = (
        _key("standee.arrange", *_DRAG, any=True, kind="DRAG"),
        _key("standee.arrange", "G", tool=True, kind="MOVE"),
        _key("standee.arrange", "S", tool=True, kind="SCALE"),
        _key("standee.arrange", "R", tool=True, kind="TURN"),
        _key("standee.layer_remove", "X", tool=True),
        _key("standee.layer_remove", "DEL", tool=True),
        _key("standee.layer_duplicate", "D", tool=True, shift=True),
        _key("standee.layer_move", "PAGE_UP", tool=True, direction="FORWARD"),
        _key("standee.layer_move", "PAGE_DOWN", tool=True, direction="BACKWARD"),
        _key("standee.nudge", "LEFT_ARROW", tool=True, x=-1.0),
        _key("standee.nudge", "RIGHT_ARROW", tool=True, x=1.0),
        _key("standee.nudge", "UP_ARROW", tool=True, y=-1.0),
        _key("standee.nudge", "DOWN_ARROW", tool=True, y=1.0),
        _key("standee.hover", "MOUSEMOVE", "ANY"),
    )

    @staticmethod
    def draw_settings(context: bpy.types.Context, layout: bpy.types.UILayout, tool: object) -> None:
        """The tool's row in the header."""
        standee = context.scene.standee
        layout.prop(standee, "show_overlay", toggle=True)
        layout.prop(standee, "show_tokens", toggle=True)
        layout.operator("standee.compose", icon="RENDER_STILL")


_keymap_items: list[tuple[bpy.types.KeyMap, bpy.types.KeyMapItem]] = []


def register() -> None:
    """Add the tool, and the two keys that work without it."""
    bpy.utils.register_tool(StandeeTool, separator=True)
    keyconfig = bpy.context.window_manager.keyconfigs.addon
    if keyconfig is None:  # no window
        return
    keymap = keyconfig.keymaps.new(name="3D View", space_type="VIEW_3D")
    compose = keymap.keymap_items.new("standee.compose", "RET", "PRESS", ctrl=True, shift=True)
    paste = keymap.keymap_items.new("standee.add_clipboard", "V", "PRESS", ctrl=True, alt=True)
    _keymap_items.extend([(keymap, compose), (keymap, paste)])


def unregister() -> None:
    """Take them away."""
    for keymap, item in _keymap_items:
        keymap.keymap_items.remove(item)
    _keymap_items.clear()
    bpy.utils.unregister_tool(StandeeTool)
