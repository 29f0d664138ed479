"""Layer operators: remove, duplicate, reorder, select, fit, and keyframes."""

import uuid

import bpy

from standee.composition import Rect
from standee.geometry import fit_picture

from ..redraw import redraw
from ..scene import image_datablocks
from ..scene.animation import curve_bags
from .base import NeedsLayer, ToolKey, active_layer, composition, poll_fails

COPIED = (
    "name", "picture", "mask", "x", "y", "width", "height", "fit", "flip", "rotation", "opacity",
    "group", "prompt", "fidelity", "variation", "sharing", "light", "visible", "locked",
    "bound_object", "bound_collection", "occluded", "distance", "in_view",
)  # fmt: skip
ANIMATED = (
    "x", "y", "width", "height", "rotation", "opacity", "fidelity", "variation", "light", "visible",
)  # fmt: skip


class STANDEE_OT_layer_remove(NeedsLayer, ToolKey, bpy.types.Operator):
    bl_idname = "standee.layer_remove"
    bl_label = "Remove Subject"
    bl_description = "Take the active subject out of the composition"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        standee = composition(context)
        index = standee.active_layer
        drop_animation(context.scene, index)
        standee.layers.remove(index)
        standee.active_layer = min(index, len(standee.layers) - 1)
        redraw()
        return {"FINISHED"}


class STANDEE_OT_layer_duplicate(NeedsLayer, ToolKey, bpy.types.Operator):
    bl_idname = "standee.layer_duplicate"
    bl_label = "Duplicate Subject"
    bl_description = "Add a copy of the active subject in front of all others, a little aside"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        standee = composition(context)
        index = standee.active_layer
        copy = standee.layers.add()
        original = standee.layers[index]  # after add: the collection may have moved
        for name in COPIED:
            setattr(copy, name, getattr(original, name))
        copy.layer_id = uuid.uuid4().hex
        copy.x, copy.y = original.x + 16, original.y + 16
        standee.active_layer = len(standee.layers) - 1
        redraw()
        return {"FINISHED"}


class STANDEE_OT_layer_move(NeedsLayer, ToolKey, bpy.types.Operator):
    bl_idname = "standee.layer_move"
    bl_label = "Move Subject"
    bl_description = "Bring the active subject one place to the front or to the back"
    bl_options = {"REGISTER", "UNDO"}

    direction: bpy.props.EnumProperty(
        items=(
            ("FORWARD", "Forward", "In front of the next one"),
            ("BACKWARD", "Backward", "Behind the one before"),
            ("FRONT", "To the Front", "In front of all others"),
            ("BACK", "To the Back", "Behind all others"),
        ),
        name="Direction",
        description="Where the subject goes",
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        standee = composition(context)
        old, last = standee.active_layer, len(standee.layers) - 1
        targets = {"FORWARD": old + 1, "BACKWARD": old - 1, "FRONT": last, "BACK": 0}
        new = min(max(targets[self.direction], 0), last)
        if new == old:
            return {"CANCELLED"}
        standee.layers.move(old, new)
        move_animation(context.scene, old, new)
        standee.active_layer = new
        redraw()
        return {"FINISHED"}


class STANDEE_OT_layer_select(bpy.types.Operator):
    bl_idname = "standee.layer_select"
    bl_label = "Select Subject"
    bl_description = "Make a subject the active one"
    bl_options = {"REGISTER", "UNDO"}

    index: bpy.props.IntProperty(
        name="Index", description="Its place, counted from the back", min=0
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not composition(context).layers:
            return poll_fails(cls, "Add a subject first")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        standee = composition(context)
        if self.index >= len(standee.layers):
            self.report({"ERROR"}, f"There are only {len(standee.layers)} layers.")
            return {"CANCELLED"}
        standee.active_layer = self.index
        redraw()
        return {"FINISHED"}


class STANDEE_OT_layer_fit(NeedsLayer, bpy.types.Operator):
    bl_idname = "standee.layer_fit"
    bl_label = "Fit Rectangle to Picture"
    bl_description = "Shrink the rectangle to the aspect of its picture"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        layer = active_layer(context)
        if layer is None or layer.picture is None:
            return poll_fails(cls, "The active subject has no picture")
        if layer.bound:
            return poll_fails(cls, "The subject follows a 3D object; unbind it first")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        layer = active_layer(context)
        width, height = image_datablocks.size_of(layer.picture)
        if not width or not height:
            self.report({"ERROR"}, "Blender cannot read the picture of this layer.")
            return {"CANCELLED"}
        layer.rect = fit_picture(width, height, layer.rect, "contain")
        return {"FINISHED"}


class STANDEE_OT_layer_key(NeedsLayer, bpy.types.Operator):
    bl_idname = "standee.layer_key"
    bl_label = "Insert Keyframe"
    bl_description = "Key the rectangle and the strengths of the active subject at this frame"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        index = composition(context).active_layer
        for name in ANIMATED:
            context.scene.keyframe_insert(f"standee.layers[{index}].{name}")
        return {"FINISHED"}


class STANDEE_OT_layer_center(NeedsLayer, bpy.types.Operator):
    bl_idname = "standee.layer_center"
    bl_label = "Center on Canvas"
    bl_description = "Bring the active subject back into the middle of the camera frame"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        layer, canvas = active_layer(context), composition(context).canvas()
        if layer.bound:
            self.report({"ERROR"}, "The subject follows a 3D object; unbind it first.")
            return {"CANCELLED"}
        rect = layer.rect
        x, y = (canvas.width - rect.w) / 2, (canvas.height - rect.h) / 2
        layer.rect = Rect(x, y, rect.w, rect.h)
        return {"FINISHED"}


def key_rectangle(scene: bpy.types.Scene, index: int) -> None:
    """Key a rectangle that was moved, if auto keying is on and it is animated already."""
    if not scene.tool_settings.use_keyframe_insert_auto:
        return
    for name in ("x", "y", "width", "height", "rotation"):
        scene.keyframe_insert(f"standee.layers[{index}].{name}")


def move_animation(scene: bpy.types.Scene, old: int, new: int) -> None:
    """Have the curves of layers follow them to their new places in the list."""
    step = 1 if new > old else -1
    places = {old: new} | {index: index - step for index in range(old + step, new + step, step)}
    _rename(scene, places)


def drop_animation(scene: bpy.types.Scene, index: int) -> None:
    """Remove the curves of a layer that goes, and move those of the layers behind it up."""
    for bag in curve_bags(scene):
        for curve in list(bag):
            if curve.data_path.startswith(f"standee.layers[{index}]."):
                bag.remove(curve)
    count = len(scene.standee.layers)
    _rename(scene, {place: place - 1 for place in range(index + 1, count)})


def _rename(scene: bpy.types.Scene, places: dict[int, int]) -> None:
    for bag in curve_bags(scene):
        for curve in bag:
            for old, new in places.items():
                start = f"standee.layers[{old}]."
                if curve.data_path.startswith(start):
                    curve.data_path = f"standee.layers[{new}].{curve.data_path[len(start) :]}"
                    break


CLASSES = (
    STANDEE_OT_layer_remove,
    STANDEE_OT_layer_duplicate,
    STANDEE_OT_layer_move,
    STANDEE_OT_layer_select,
    STANDEE_OT_layer_fit,
    STANDEE_OT_layer_key,
    STANDEE_OT_layer_center,
)
