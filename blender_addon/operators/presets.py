"""Preset operators: named sets of sampling settings, LoRAs and strengths."""

import json
import re
from pathlib import Path
from typing import Any

import bpy

from standee.files import write_atomically

from .. import storage
from ..redraw import redraw
from .base import composition

SAMPLING = (
    "model", "steps", "use_guidance", "guidance", "negative", "count", "scene_blend_share",
    "scene_feather_share",
)  # fmt: skip
STRENGTHS = ("fidelity", "variation", "sharing", "light")

BUILT_IN: dict[str, dict[str, Any]] = {
    "Faithful": {"layers": {"fidelity": 0.7, "variation": 0.0, "sharing": 1.0}},
    "New Pose": {"layers": {"fidelity": 0.3, "variation": 0.5, "sharing": 1.2}},
    "Quick Look": {"sampling": {"steps": 8, "count": 1}},
}


def names() -> list[str]:
    """Return the names of all presets, the built-in ones first."""
    own = sorted(path.stem for path in storage.own_folder("presets").glob("*.json"))
    return [*BUILT_IN, *(name for name in own if name not in BUILT_IN)]


def read(name: str) -> dict[str, Any] | None:
    """Return a preset; `None` if there is none of that name, or it is damaged."""
    if name in BUILT_IN:
        return BUILT_IN[name]
    try:
        preset = json.loads(_path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return preset if isinstance(preset, dict) else None


class STANDEE_OT_preset_apply(bpy.types.Operator):
    bl_idname = "standee.preset_apply"
    bl_label = "Apply Preset"
    bl_description = "Set sampling, LoRAs, and the strengths of all subjects, as the preset says"
    bl_options = {"REGISTER", "UNDO"}

    name: bpy.props.StringProperty(name="Name", description="The preset's name")

    def execute(self, context: bpy.types.Context) -> set[str]:
        preset, standee = read(self.name), composition(context)
        if preset is None:
            self.report({"ERROR"}, f"There is no preset named '{self.name}'.")
            return {"CANCELLED"}
        for key, value in preset.get("sampling", {}).items():
            if key in SAMPLING:
                setattr(standee, key, value)
        if "loras" in preset:
            standee.loras.clear()
            for path, weight in preset["loras"]:
                lora = standee.loras.add()
                lora.path, lora.weight = path, weight
        for key, value in preset.get("layers", {}).items():
            for layer in standee.layers:
                if key in STRENGTHS:
                    setattr(layer, key, value)
        redraw()
        return {"FINISHED"}


class STANDEE_OT_preset_save(bpy.types.Operator):
    bl_idname = "standee.preset_save"
    bl_label = "Save Preset"
    bl_description = (
        "Keep the present sampling and LoRAs, and the active subject's strengths, under a name"
    )

    name: bpy.props.StringProperty(name="Name", description="The preset's name")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> set[str]:
        standee, name = composition(context), self.name.strip()
        if not re.fullmatch(r"[\w .-]{1,60}", name) or name.startswith(".") or name in BUILT_IN:
            self.report({"ERROR"}, "Give it a name of its own: letters, digits, spaces, hyphens.")
            return {"CANCELLED"}
        preset: dict[str, Any] = {"sampling": {key: getattr(standee, key) for key in SAMPLING}}
        # whole paths: other files lie in other folders
        preset["loras"] = [(bpy.path.abspath(one.path), one.weight) for one in standee.loras]
        layer = standee.active()
        if layer is not None:
            preset["layers"] = {key: getattr(layer, key) for key in STRENGTHS}
        write_atomically(_path(name), json.dumps(preset, indent=2).encode())
        return {"FINISHED"}


class STANDEE_OT_preset_remove(bpy.types.Operator):
    bl_idname = "standee.preset_remove"
    bl_label = "Remove Preset"
    bl_description = "Delete one of your own presets"

    name: bpy.props.StringProperty(name="Name", description="The preset's name")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, context: bpy.types.Context) -> set[str]:
        if self.name in BUILT_IN or not _path(self.name).is_file():
            self.report({"ERROR"}, f"'{self.name}' is not one of your own presets.")
            return {"CANCELLED"}
        _path(self.name).unlink()
        return {"FINISHED"}


def _path(name: str) -> Path:
    return storage.own_folder("presets") / f"{Path(name).name}.json"


CLASSES = (STANDEE_OT_preset_apply, STANDEE_OT_preset_save, STANDEE_OT_preset_remove)
