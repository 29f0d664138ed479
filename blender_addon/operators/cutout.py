"""Cut-out operators: by words, by a click or a box in the picture, drawn around, or painted by hand."""

import bpy
import numpy as np

from standee.composition import Rect
from standee.errors import InvalidField, StandeeError
from standee.geometry import fit_picture
from standee.wire.messages import Point

from ..core import png
from ..core.picking import to_picture
from ..core.rendering.polygon_fill import Outline, fill
from ..i18n.translations import say
from ..jobs import cutout
from ..redraw import redraw
from ..scene import image_datablocks
from ..scene.layer_properties import StandeeLayer
from ..viewport import view_state
from .base import (
    DOWNLOAD,
    WAIT,
    NeedsLayer,
    NeedsStrokes,
    Submits,
    active_layer,
    poll_fails,
    refuse,
)

CLICK = 4.0
"""Px of the canvas within which a drag is a click."""
LARGEST_MASK = 4096
"""Px of the longer side of a mask that is drawn; it is stretched over larger pictures."""
LEFT, ESCAPES = "LEFTMOUSE", ("ESC", "RIGHTMOUSE")


class NeedsPicture(NeedsLayer):
    """An operator on the picture of the active layer."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not NeedsLayer.poll.__func__(cls, context):
            return False
        if active_layer(context).picture is None:
            return poll_fails(cls, "The active subject has no picture")
        return True


class STANDEE_OT_cut_out(NeedsPicture, Submits, bpy.types.Operator):
    bl_idname = "standee.cut_out"
    bl_label = "Cut Out"
    bl_description = (
        "Have the daemon cut the active subject out of its picture: what its words say it is, or all"
        " but the background"
    )
    bl_options = {"REGISTER"}

    by: bpy.props.EnumProperty(
        items=(
            ("WORDS", "By Words", "What the subject's words say; a model finds it"),
            ("PICTURE", "Whole Picture", "What fills the picture, without its background"),
        ),
        name="By",
        description="How the subject is found in its picture",
    )
    wait: WAIT
    download: DOWNLOAD

    def execute(self, context: bpy.types.Context) -> set[str]:
        layer = active_layer(context)
        words = layer.prompt.strip() if self.by == "WORDS" else ""
        if self.by == "WORDS" and not words:
            error = InvalidField(
                "There are no words for the subject.", fix="Write what it is into Words."
            )
            return refuse(self, error)
        return self.submit(lambda: [cutout.cut_out(layer, words=words, download=self.download)])


class STANDEE_OT_cut_out_here(NeedsPicture, Submits, bpy.types.Operator):
    bl_idname = "standee.cut_out_here"
    bl_label = "Cut Out Here"
    bl_description = (
        "Click on the active subject in the camera frame, or drag a box around it: the daemon cuts it"
        " out of its picture there"
    )
    bl_options = {"REGISTER", "BLOCKING"}

    start: bpy.props.FloatVectorProperty(
        name="Begins", description="Where it begins, in px of the canvas", size=2
    )
    end: bpy.props.FloatVectorProperty(
        name="Ends", description="Where it ends, in px of the canvas", size=2
    )
    wait: WAIT

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if context.area is None or context.area.type != "VIEW_3D":
            self.report({"ERROR"}, say("Look through the camera, with the rectangles shown"))
            return {"CANCELLED"}
        self._begun = False
        context.area.header_text_set(say("Click on the subject, or drag a box around it"))
        context.window.cursor_modal_set("CROSSHAIR")
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        frame = view_state.frame_under(context)
        if frame is None or event.type in ESCAPES:
            return self._done(context, {"CANCELLED"})
        point = frame.to_canvas(event.mouse_region_x, event.mouse_region_y)
        if event.type == LEFT and event.value == "PRESS":
            self.start, self._begun = point, True
        elif event.type == LEFT and event.value == "RELEASE" and self._begun:
            self.end = point
            return self._done(context, self.execute(context))
        return {"RUNNING_MODAL"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender itself ended it."""
        self._done(context, {"CANCELLED"})

    def execute(self, context: bpy.types.Context) -> set[str]:
        layer = active_layer(context)
        size = image_datablocks.size_of(layer.picture)
        placed = fit_picture(*size, layer.rect, layer.fit)
        first, last = (
            to_picture(tuple(point), placed, size, layer.flip, layer.rotation)
            for point in (self.start, self.end)
        )
        moved = max(abs(a - b) for a, b in zip(self.start, self.end, strict=True))
        if moved > CLICK:
            low, high = np.minimum(first, last), np.maximum(first, last)
            low, high = np.clip(low, 0, size), np.clip(high, 0, size)
            if min(high - low) < 1:
                return refuse(self, _beside(layer))
            box = Rect(*map(float, low), *map(float, high - low))
            return self.submit(lambda: [cutout.cut_out(layer, box=box)])
        if not all(0 <= at < side for at, side in zip(last, size, strict=True)):
            return refuse(self, _beside(layer))
        return self.submit(lambda: [cutout.cut_out(layer, points=(Point(*last),))])

    def _done(self, context: bpy.types.Context, result: set[str]) -> set[str]:
        context.window.cursor_modal_restore()
        if context.area is not None:
            context.area.header_text_set(None)
        return result


class STANDEE_OT_cut_out_strokes(NeedsPicture, NeedsStrokes, bpy.types.Operator):
    bl_idname = "standee.cut_out_strokes"
    bl_label = "Cut Out by Strokes"
    bl_description = (
        "Take what Grease Pencil strokes enclose in the camera frame as the active subject's cut-out:"
        " those of the selected drawings, or of all that are shown"
    )
    bl_options = {"REGISTER", "UNDO"}

    how: bpy.props.EnumProperty(
        items=(
            ("REPLACE", "New", "What they enclose is the cut-out"),
            ("ADD", "Add", "What they enclose belongs to the subject, too"),
            ("SUBTRACT", "Subtract", "What they enclose does not belong to the subject"),
        ),
        name="How",
        description="What becomes of the cut-out there is",
    )
    hide: NeedsStrokes.HIDE

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return NeedsPicture.poll.__func__(cls, context) and NeedsStrokes.poll.__func__(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        layer = active_layer(context)
        size = image_datablocks.size_of(layer.picture)
        part = min(1.0, LARGEST_MASK / max(size))
        drawn = tuple(max(1, round(side * part)) for side in size)
        placed = fit_picture(*size, layer.rect, layer.fit)
        try:
            around = [
                Outline(
                    np.stack(
                        to_picture(one.points.T, placed, drawn, layer.flip, layer.rotation), axis=1
                    ),
                    one.erases,
                )
                for one in self.outlines(context)
            ]
            mask = fill(around, drawn)
            if not mask.any():
                raise _beside(layer)
            if self.how != "REPLACE":
                present = _resized(_present_mask(layer), drawn)
                add = self.how == "ADD"
                mask = np.maximum(present, mask) if add else np.minimum(present, 1 - mask)
        except StandeeError as error:
            return refuse(self, error)
        layer.mask = image_datablocks.image_of(png.encode(mask), f"{layer.name} cut-out")
        self.put_away(context)
        redraw()
        return {"FINISHED"}


class STANDEE_OT_paint_cut_out(NeedsPicture, bpy.types.Operator):
    bl_idname = "standee.paint_cut_out"
    bl_label = "Paint Cut-out"
    bl_description = (
        "Make an image of the active subject's present cut-out, white where the subject is, and open it"
        " for painting in an Image Editor"
    )
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        layer = active_layer(context)
        try:
            mask = _present_mask(layer)
        except StandeeError as error:
            return refuse(self, error)
        height, width = mask.shape
        image = bpy.data.images.new(f"{layer.name} cut-out", width, height)
        pixels = np.ones((height, width, 4), np.float32)
        pixels[..., :3] = mask[::-1, :, None]
        image.pixels.foreach_set(pixels.ravel())
        image.pack()  # else it is lost with the file
        layer.mask = image
        if not _open_for_painting(context, image):
            self.report({"INFO"}, say("Open it in an Image Editor to paint: white is the subject."))
        redraw()
        return {"FINISHED"}


def _present_mask(layer: StandeeLayer) -> np.ndarray:
    """Return what a layer's cut-out is now (height, width; 0..1). Raises `BadPicture`, `TooLarge`."""
    if layer.mask is not None:
        return image_datablocks.mask_of(layer.mask)
    image_datablocks.check(layer.picture)
    return image_datablocks.alpha_of(layer.picture)


def _resized(mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return a mask (height, width) at another size (width, height)."""
    rows, cols = (
        np.arange(new) * old // new for new, old in zip(size[::-1], mask.shape, strict=True)
    )
    return mask[rows[:, None], cols[None]]


def _open_for_painting(context: bpy.types.Context, image: bpy.types.Image) -> bool:
    """Show an image in an Image Editor, ready to be painted; return whether one is open."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "IMAGE_EDITOR":
                area.spaces.active.image = image
                area.spaces.active.ui_mode = "PAINT"
                return True
    return False


def _beside(layer: StandeeLayer) -> InvalidField:
    return InvalidField(
        f"That is beside the picture of {layer.name!r}.", fix="Click on it, or drag a box over it."
    )


CLASSES = (
    STANDEE_OT_cut_out,
    STANDEE_OT_cut_out_here,
    STANDEE_OT_cut_out_strokes,
    STANDEE_OT_paint_cut_out,
)
