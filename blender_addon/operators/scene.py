"""Scene operators: the scene's picture, its kept region, a larger camera frame."""

import bpy
from bpy_extras.io_utils import ImportHelper

from standee.errors import InvalidField, StandeeError

from ..core import png
from ..core.camera import Lens, enlarged
from ..core.rendering.polygon_fill import fill
from ..jobs import submit
from ..redraw import redraw
from ..scene import image_datablocks, object_binding
from ..scene import render as rendering
from ..scene.animation import follows_others, remap
from ..scene.camera import lens_of, require_camera
from .base import NeedsCamera, NeedsStrokes, composition, poll_fails, refuse


class STANDEE_OT_scene_picture(bpy.types.Operator, ImportHelper):
    bl_idname = "standee.scene_picture"
    bl_label = "Open Scene Picture"
    bl_description = "Choose the picture that the subjects are composed into"
    bl_options = {"REGISTER", "UNDO"}

    filter_glob: bpy.props.StringProperty(
        default="*.png;*.jpg;*.jpeg;*.webp;*.tif;*.tiff;*.bmp;*.exr", options={"HIDDEN"}
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            image = image_datablocks.load(self.filepath)
        except StandeeError as error:
            return refuse(self, error)
        standee = composition(context)
        standee.scene_picture, standee.scene_source = image, "PICTURE"
        return {"FINISHED"}


class STANDEE_OT_scene_capture(bpy.types.Operator):
    bl_idname = "standee.scene_capture"
    bl_label = "Take Scene Now"
    bl_description = "Take the scene's picture now, to see what the subjects are composed into"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if composition(context).scene_source not in submit.FRESH:
            return poll_fails(cls, "The scene does not come from a render or a view")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            submit.refresh_scene_picture(context)
        except StandeeError as error:
            return refuse(self, error)
        return {"FINISHED"}


class STANDEE_OT_scene_mask(NeedsCamera, bpy.types.Operator):
    bl_idname = "standee.scene_mask"
    bl_label = "Kept from Object"
    bl_description = (
        "Say by 3D what of the scene stays: repaint where the selected objects are seen, or keep"
        " only them"
    )
    bl_options = {"REGISTER", "UNDO"}

    keep: bpy.props.EnumProperty(
        items=(
            ("AROUND", "Repaint Them", "Everything stays except where the objects are seen"),
            ("INSIDE", "Keep Them", "Only the objects stay; the rest is generated"),
        ),
        name="Keep",
        description="What of the scene stays",
    )
    collection: bpy.props.StringProperty(
        name="Collection", description="Take this collection instead of the selected objects"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not NeedsCamera.poll.__func__(cls, context):
            return False
        if composition(context).scene_source == "NONE":
            return poll_fails(cls, "There is no scene of which anything could be kept")
        return True

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.use_property_split = True
        self.layout.prop(self, "keep")
        self.layout.prop_search(self, "collection", bpy.data, "collections")

    def execute(self, context: bpy.types.Context) -> set[str]:
        chosen = bpy.data.collections.get(self.collection) if self.collection else None
        if self.collection and chosen is None:
            self.report({"ERROR"}, f"There is no collection named '{self.collection}'.")
            return {"CANCELLED"}
        objects = chosen.all_objects if chosen else (context.selected_objects or [])
        family = object_binding.with_surface(objects)
        try:
            data = rendering.object_mask(context, family, inside=self.keep == "INSIDE")
        except StandeeError as error:
            return refuse(self, error)
        composition(context).scene_kept = image_datablocks.image_of(data, "Standee kept")
        return {"FINISHED"}


class STANDEE_OT_scene_strokes(NeedsStrokes, bpy.types.Operator):
    bl_idname = "standee.scene_strokes"
    bl_label = "Kept from Strokes"
    bl_description = (
        "Say with Grease Pencil what of the scene stays: repaint what the strokes enclose in the camera"
        " frame, or keep only that"
    )
    bl_options = {"REGISTER", "UNDO"}

    keep: bpy.props.EnumProperty(
        items=(
            ("AROUND", "Repaint It", "Everything stays except what they enclose"),
            ("INSIDE", "Keep It", "Only what they enclose stays; the rest is generated"),
        ),
        name="Keep",
        description="What of the scene stays",
    )
    hide: NeedsStrokes.HIDE

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not NeedsStrokes.poll.__func__(cls, context):
            return False
        if composition(context).scene_source == "NONE":
            return poll_fails(cls, "There is no scene of which anything could be kept")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        standee = composition(context)
        canvas = standee.canvas()
        try:
            mask = fill(self.outlines(context), (canvas.width, canvas.height))
        except StandeeError as error:
            return refuse(self, error)
        kept = mask if self.keep == "INSIDE" else 1 - mask
        standee.scene_kept = image_datablocks.image_of(png.encode(kept), "Standee kept")
        self.put_away(context)
        redraw()
        return {"FINISHED"}


class STANDEE_OT_scene_clear(bpy.types.Operator):
    bl_idname = "standee.scene_clear"
    bl_label = "Keep the Whole Scene"
    bl_description = "Drop the mask of what is kept"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if composition(context).scene_kept is None:
            return poll_fails(cls, "Nothing masks the scene")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        composition(context).scene_kept = None
        return {"FINISHED"}


class STANDEE_OT_enlarge(NeedsCamera, bpy.types.Operator):
    bl_idname = "standee.enlarge"
    bl_label = "Enlarge Camera Frame"
    bl_description = (
        "Widen the frame and keep the scene's picture where it is: the new border is generated"
    )
    bl_options = {"REGISTER", "UNDO"}

    left: bpy.props.IntProperty(
        name="Left", description="More pixels to the left", min=0, max=4096, default=64, step=16
    )
    right: bpy.props.IntProperty(
        name="Right", description="More pixels to the right", min=0, max=4096, default=64, step=16
    )
    top: bpy.props.IntProperty(
        name="Top", description="More pixels above", min=0, max=4096, default=0, step=16
    )
    bottom: bpy.props.IntProperty(
        name="Bottom", description="More pixels below", min=0, max=4096, default=0, step=16
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene, standee = context.scene, composition(context)
        margins = [16 * round(side / 16) for side in (self.left, self.right, self.top, self.bottom)]
        left, right, top, bottom = margins
        if not any(margins):
            self.report({"WARNING"}, "The frame stays as it is: every side is 0.")
            return {"CANCELLED"}
        canvas = standee.canvas()
        if max(canvas.width + left + right, canvas.height + top + bottom) > 8192:
            self.report({"ERROR"}, "The frame would be over 8192 pixels. Enlarge it less.")
            return {"CANCELLED"}
        depsgraph = context.evaluated_depsgraph_get()
        try:
            camera = require_camera(scene)
            lens = lens_of(scene, depsgraph)
            wider = enlarged(lens, left, right, top, bottom)
            widen(camera.data, lens, wider)
        except StandeeError as error:
            return refuse(self, error)
        scene.render.resolution_x, scene.render.resolution_y = wider.width, wider.height
        scene.render.resolution_percentage = 100
        standee.canvas_width, standee.canvas_height = wider.width, wider.height
        standee.canvas_side = max(standee.canvas_side, wider.width, wider.height)
        if standee.scene_source != "NONE":
            if not standee.use_scene_rect:
                standee.scene_x = standee.scene_y = 0
                standee.scene_width, standee.scene_height = canvas.width, canvas.height
                standee.use_scene_rect = True
            standee.scene_x += left
            standee.scene_y += top
            standee.scene_source = "PICTURE" if standee.scene_picture else standee.scene_source
        for layer in standee.layers:
            if not layer.bound:
                layer.x, layer.y = layer.x + left, layer.y + top
        object_binding.sync(scene, context.evaluated_depsgraph_get())
        redraw()
        return {"FINISHED"}


class STANDEE_OT_render_size(bpy.types.Operator):
    bl_idname = "standee.render_size"
    bl_label = "Fit Render to Canvas"
    bl_description = "Give the render the canvas' size, so that the camera frame is the canvas"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        canvas, render = composition(context).canvas(), context.scene.render
        render.resolution_x, render.resolution_y = canvas.width, canvas.height
        render.resolution_percentage = 100
        return {"FINISHED"}


LENS = ("lens", "ortho_scale", "shift_x", "shift_y")
"""What widens a camera's view."""


def widen(camera: bpy.types.Camera, lens: Lens, wider: Lens) -> None:
    """Widen a camera's view, at all of its keys. Raises `InvalidField` if it cannot stay so."""
    if not camera.is_editable:
        raise InvalidField(
            "The camera is linked from another file.", fix="Make it local, or a library override."
        )
    if follows_others(camera, LENS):
        raise InvalidField(
            "Drivers or action strips move the camera's lens, and would put it back.",
            fix="Bake them to keys first.",
        )
    if lens.kind == "ORTHO":
        remap(camera, "ortho_scale", wider.ortho_scale / lens.ortho_scale)
    else:
        remap(camera, "lens", wider.focal / lens.focal)
    part = lens.across / wider.across
    for path, old, new in zip(LENS[2:], lens.shift, wider.shift, strict=True):
        remap(camera, path, part, new - old * part)


CLASSES = (
    STANDEE_OT_scene_picture,
    STANDEE_OT_scene_capture,
    STANDEE_OT_scene_mask,
    STANDEE_OT_scene_strokes,
    STANDEE_OT_scene_clear,
    STANDEE_OT_enlarge,
    STANDEE_OT_render_size,
)
