"""Arrange operators: the modal shell around `core.gesture`, hovering and nudging.

Events come in, rectangles go out; what they mean is decided there. One gesture is one undo step,
and Esc or the right button leaves everything as it was.
"""

import bpy

from standee.composition import Rect

from ..core.gesture import Gesture, Input
from ..core.picking import BODY
from ..i18n.translations import say
from ..jobs.daemon_link import link
from ..redraw import redraw
from ..scene import focus
from ..scene.scene_properties import StandeeLayer
from ..viewport import view_state
from .base import NeedsLayer, ToolKey, active_layer, composition, poll_fails
from .layers import key_rectangle

DIGITS = {
    "ZERO": "0", "ONE": "1", "TWO": "2", "THREE": "3", "FOUR": "4", "FIVE": "5", "SIX": "6",
    "SEVEN": "7", "EIGHT": "8", "NINE": "9", "PERIOD": ".", "MINUS": "-", "BACK_SPACE": "backspace",
    "NUMPAD_PERIOD": ".", "NUMPAD_MINUS": "-", **{f"NUMPAD_{n}": str(n) for n in range(10)},
    "X": "x", "Y": "y",
}  # fmt: skip


class STANDEE_OT_arrange(bpy.types.Operator):
    bl_idname = "standee.arrange"
    bl_label = "Arrange Subjects"
    bl_description = (
        "Drag the subject under the pointer, or a handle of the selected one. Shift keeps the"
        " aspect, Ctrl snaps to the cells"
    )
    bl_options = {"REGISTER", "UNDO", "BLOCKING"}

    kind: bpy.props.EnumProperty(
        items=(
            ("DRAG", "Drag", "What is under the pointer: a subject or a handle"),
            ("MOVE", "Move", "The active subject, until a click"),
            ("SCALE", "Scale", "The active subject about its middle, until a click"),
            ("TURN", "Rotate", "The active subject about its middle, until a click; Ctrl by steps"),
        ),
        name="Kind",
        description="What is moved, and how",
        options={"SKIP_SAVE"},
    )

    tool: bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"})

    _gesture: Gesture
    _layer_id: str

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if view_state.frame_under(context) is None:
            return poll_fails(cls, "Look through the camera, with the rectangles shown")
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        standee = composition(context)
        if self.tool and not view_state.keys_mean_subjects(context):
            return {"PASS_THROUGH"}
        part = BODY
        if self.kind == "DRAG":
            found = view_state.hit(context, event.mouse_region_x, event.mouse_region_y)
            focus.on_subject = found is not None
            if found is None:
                return {"PASS_THROUGH"}
            part = found.part
            ids = [layer.layer_id for layer in standee.layers]
            standee.active_layer = ids.index(found.id)
        layer = active_layer(context)
        if layer is None:
            return {"PASS_THROUGH"}
        redraw()
        held = (
            layer.bound and self.kind != "TURN"
        )  # what it follows says where it is, not how turned
        if held or layer.locked or not layer.visible:
            self.report({"INFO"}, explain_immovable(layer))
            return {"FINISHED"} if self.kind == "DRAG" else {"CANCELLED"}
        x, y = self._pointer(context, event)
        drag = "move" if part == BODY else "resize"
        kind = {"DRAG": drag, "MOVE": "move", "SCALE": "scale", "TURN": "turn"}[self.kind]
        self._layer_id, patch = layer.layer_id, link().patch(standee.model)
        self._gesture = Gesture.begin(kind, layer.rect, x, y, part, patch, layer.rotation)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        layer = self._layer(context)
        if layer is None or view_state.frame_under(context) is None:
            self._say(context, None)  # the layer or the view went away in mid-gesture
            return {"CANCELLED"}
        self._gesture = self._gesture.feed(self._input(context, event))
        self._write(layer, self._gesture.rect, self._gesture.rotation)
        self._say(context, self._gesture.text)
        redraw()
        if self._gesture.state == "running":
            return {"RUNNING_MODAL"}
        self._say(context, None)
        if self._gesture.state == "done" and self._gesture.changed:
            key_rectangle(context.scene, composition(context).active_layer)
            return {"FINISHED"}
        self._write(layer, self._gesture.origin, self._gesture.turned)
        return {"FINISHED"} if self.kind == "DRAG" and not self._cancelled else {"CANCELLED"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender itself ended the gesture: another file is opened, or it quits."""
        layer = self._layer(context)
        if layer is not None:
            self._write(layer, self._gesture.origin, self._gesture.turned)

    @property
    def _cancelled(self) -> bool:
        return self._gesture.state == "cancelled"

    def _input(self, context: bpy.types.Context, event: bpy.types.Event) -> Input:
        x, y = self._pointer(context, event)
        return Input(x, y, *self._action(event), shift=event.shift, ctrl=event.ctrl)

    def _action(self, event: bpy.types.Event) -> tuple[str, str]:
        """Return what an event means to a gesture: (action, key)."""
        if event.type in ("ESC", "RIGHTMOUSE") and event.value == "PRESS":
            return "cancel", ""
        if event.type in ("RET", "NUMPAD_ENTER") and event.value == "PRESS":
            return "confirm", ""
        ends = "RELEASE" if self.kind == "DRAG" else "PRESS"
        if event.type == "LEFTMOUSE" and event.value == ends:
            return "confirm", ""
        if event.value == "PRESS" and event.type in DIGITS:
            return "key", DIGITS[event.type]
        return "move", ""

    def _pointer(self, context: bpy.types.Context, event: bpy.types.Event) -> tuple[float, float]:
        frame = view_state.frame_under(context)
        assert frame is not None
        return frame.to_canvas(event.mouse_region_x, event.mouse_region_y)

    def _layer(self, context: bpy.types.Context) -> StandeeLayer | None:
        layers = composition(context).layers
        return next((one for one in layers if one.layer_id == self._layer_id), None)

    def _write(self, layer: StandeeLayer, rect: Rect, rotation: float) -> None:
        if layer.rect != rect:
            layer.rect = rect
        if layer.rotation != rotation:
            layer.rotation = rotation

    def _say(self, context: bpy.types.Context, text: str | None) -> None:
        if context.area is not None:
            context.area.header_text_set(text)


class STANDEE_OT_hover(bpy.types.Operator):
    bl_idname = "standee.hover"
    bl_label = "Point at Subject"
    bl_description = "Light up the subject under the pointer"
    bl_options = {"INTERNAL"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return view_state.frame_under(context) is not None

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        found = view_state.hit(context, event.mouse_region_x, event.mouse_region_y)
        now = found.id if found is not None else None
        if now != view_state.hovered:
            view_state.hovered = now
            context.area.tag_redraw()
        return {"PASS_THROUGH"}


class STANDEE_OT_nudge(NeedsLayer, ToolKey, bpy.types.Operator):
    bl_idname = "standee.nudge"
    bl_label = "Nudge"
    bl_description = "Move the active subject by pixels of the canvas"
    bl_options = {"REGISTER", "UNDO"}

    x: bpy.props.FloatProperty(name="X", description="Pixels to the right", default=0.0)
    y: bpy.props.FloatProperty(name="Y", description="Pixels down", default=0.0)

    def execute(self, context: bpy.types.Context) -> set[str]:
        layer = active_layer(context)
        if layer.bound or layer.locked:
            self.report({"WARNING"}, explain_immovable(layer))
            return {"CANCELLED"}
        layer.x, layer.y = layer.x + self.x, layer.y + self.y
        key_rectangle(context.scene, composition(context).active_layer)
        return {"FINISHED"}


def explain_immovable(layer: StandeeLayer) -> str:
    """Say why the pointer does not move a layer."""
    if layer.bound:
        return say("'{name}' follows a 3D object; unbind it to move it.", name=layer.name)
    return say("'{name}' is locked or hidden.", name=layer.name)


CLASSES = (STANDEE_OT_arrange, STANDEE_OT_hover, STANDEE_OT_nudge)
