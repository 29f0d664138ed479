"""Subject operators: from files, the clipboard, an open image, or a render of an object."""

from pathlib import Path

import bpy
from bpy_extras.io_utils import ImportHelper

from standee.composition import MAX_LAYERS, Rect
from standee.errors import BadPicture, StandeeError
from standee.geometry import fit_picture

from ..redraw import redraw
from ..scene import image_datablocks, object_binding, render
from ..scene.scene_properties import StandeeLayer, StandeeScene
from ..viewport import view_state
from .base import NeedsCamera, composition, poll_fails, refuse

KINDS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".exr")
"""The files that subjects come from."""
ASIDE = 16
"""Px of the canvas between subjects that are added together."""
DETAIL = 2
"""The pixels of an object's picture for each of the canvas."""
PART = 0.5
"""A new subject fills this part of the canvas' shorter side."""


class STANDEE_OT_add_files(bpy.types.Operator, ImportHelper):
    bl_idname = "standee.add_files"
    bl_label = "Add Subjects"
    bl_description = "Add picture files as subjects; transparent backgrounds are cut out"
    bl_options = {"REGISTER", "UNDO"}

    filter_glob: bpy.props.StringProperty(
        default=";".join(f"*{kind}" for kind in KINDS), options={"HIDDEN"}
    )
    files: bpy.props.CollectionProperty(
        type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"}
    )
    directory: bpy.props.StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    at: bpy.props.FloatVectorProperty(size=2, options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if not self.files:
            return ImportHelper.invoke(self, context, event)
        frame = view_state.frame_under(context)  # dropped on a view: there they shall stand
        if frame is not None:
            self.at = frame.to_canvas(event.mouse_region_x, event.mouse_region_y)
        return self.execute(context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        names = [one.name for one in self.files if one.name]
        paths = [str(Path(self.directory) / name) for name in names] or [self.filepath]
        added = 0
        for path in paths:
            try:
                layer = add_subject(context, image_datablocks.load(path))
                if self.properties.is_property_set("at"):  # several fan out, each a little aside
                    layer.x = self.at[0] - layer.width / 2 + added * ASIDE
                    layer.y = self.at[1] - layer.height / 2 + added * ASIDE
                added += 1
            except StandeeError as error:
                self.report({"ERROR"}, f"{error.message} {error.fix}")
        return {"FINISHED"} if added else {"CANCELLED"}


def _pictures(operator: object, context: bpy.types.Context, text: str) -> list[str]:
    """Return the names of the images that can be subjects."""
    return [one.name for one in bpy.data.images if image_datablocks.is_picture(one)]


class STANDEE_OT_add_image(bpy.types.Operator):
    bl_idname = "standee.add_image"
    bl_label = "Add Image as Subject"
    bl_description = "Add an image that is in this file already as a subject"
    bl_options = {"REGISTER", "UNDO"}

    name: bpy.props.StringProperty(
        name="Image", description="The name of the image", search=_pictures
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not _pictures(None, context, ""):
            return poll_fails(cls, "There is no image in this file")
        return True

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)

    def draw(self, context: bpy.types.Context) -> None:
        self.layout.prop(self, "name", icon="IMAGE_DATA")

    def execute(self, context: bpy.types.Context) -> set[str]:
        image = bpy.data.images.get(self.name)
        if image is None:
            self.report({"ERROR"}, f"There is no image named '{self.name}'.")
            return {"CANCELLED"}
        try:
            add_subject(context, image)
        except StandeeError as error:
            return refuse(self, error)
        return {"FINISHED"}


class STANDEE_OT_add_clipboard(bpy.types.Operator):
    bl_idname = "standee.add_clipboard"
    bl_label = "Paste Subject"
    bl_description = (
        "Add the picture of the clipboard, or the file whose path is in it, as a subject"
    )
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            add_subject(context, _from_clipboard(context))
        except StandeeError as error:
            return refuse(self, error)
        return {"FINISHED"}


class STANDEE_OT_add_words(bpy.types.Operator):
    bl_idname = "standee.add_words"
    bl_label = "Add Rectangle of Words"
    bl_description = "Add a rectangle in which shall be what its words say, without a picture of it"
    bl_options = {"REGISTER", "UNDO"}

    words: bpy.props.StringProperty(
        name="Words", description="What shall be there, in a few words", options={"SKIP_SAVE"}
    )

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> set[str]:
        words = self.words.strip()
        if not words:
            self.report({"ERROR"}, "Say in words what shall be there.")
            return {"CANCELLED"}
        try:
            layer = add_layer(composition(context), words[:63])
        except StandeeError as error:
            return refuse(self, error)
        layer.prompt = words
        return {"FINISHED"}


class STANDEE_OT_add_object(NeedsCamera, bpy.types.Operator):
    bl_idname = "standee.add_object"
    bl_label = "Add Object as Subject"
    bl_description = (
        "Render the selected objects alone, with a transparent background, and stand the picture"
        " where they are in the camera"
    )
    bl_options = {"REGISTER", "UNDO"}

    detail: bpy.props.IntProperty(
        name="Detail",
        description="Pixels of the picture for each of the canvas",
        min=1,
        max=8,
        default=DETAIL,
    )
    bind: bpy.props.BoolProperty(
        name="Bind", description="Have the rectangle follow the active object", default=False
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not NeedsCamera.poll.__func__(cls, context):
            return False
        if not _chosen(context):
            return poll_fails(cls, "Select an object with a surface")
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        family = _chosen(context)
        target = context.object if context.object in family else family[0]
        try:
            layer = add_picture_of(context, family, target.name, self.detail)
        except StandeeError as error:
            return refuse(self, error)
        if self.bind:
            layer.bound_object = target
            object_binding.sync(context.scene, context.evaluated_depsgraph_get())
        return {"FINISHED"}


class STANDEE_FH_subjects(bpy.types.FileHandler):
    """Pictures dropped on a view through the camera become subjects, where they are dropped."""

    bl_idname = "STANDEE_FH_subjects"
    bl_label = "Standee Subjects"
    bl_import_operator = "standee.add_files"
    bl_file_extensions = ";".join(KINDS)

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        return context.area is not None and view_state.frame_under(context) is not None


def add_subject(
    context: bpy.types.Context, image: bpy.types.Image, rect: Rect | None = None
) -> StandeeLayer:
    """Add an image as the foremost layer, in the middle unless `rect` is given.

    Raises `BadPicture`, `TooLarge`.
    """
    standee = composition(context)
    image_datablocks.check(image)
    layer = add_layer(standee, image.name.replace("_", " "))
    layer.picture = image
    layer.rect = rect or _aside(
        standee, fit_picture(*image_datablocks.size_of(image), _middle_of(standee), "contain")
    )
    return layer


def add_layer(standee: StandeeScene, name: str) -> StandeeLayer:
    """Add a layer without a picture as the foremost one, in the middle of the canvas. Raises `BadPicture`."""
    if len(standee.layers) >= MAX_LAYERS:
        raise BadPicture(f"A composition has at most {MAX_LAYERS} layers.", fix="Remove one first.")
    layer = standee.add_layer(name)
    layer.rect = _aside(standee, _middle_of(standee))
    redraw()
    return layer


def _middle_of(standee: StandeeScene) -> Rect:
    canvas = standee.canvas()
    side = min(canvas.width, canvas.height) * PART
    return Rect((canvas.width - side) / 2, (canvas.height - side) / 2, side, side)


def add_picture_of(
    context: bpy.types.Context, family: list[bpy.types.Object], name: str, detail: int = DETAIL
) -> StandeeLayer:
    """Add a picture of objects alone as a subject, where they are in the camera. Raises `StandeeError`.

    The scene's light is on it already.
    """
    data, rect = render.object_picture(context, family, detail)
    layer = add_subject(context, image_datablocks.image_of(data, name), rect)
    layer.name, layer.fit, layer.light = name, "stretch", 0.0
    return layer


def _aside(standee: StandeeScene, rect: Rect) -> Rect:
    """Return where a new subject stands: a little aside of any that stands just there."""
    middles = {_middle(one.rect) for one in list(standee.layers)[:-1]}
    while _middle(rect) in middles:
        rect = Rect(rect.x + ASIDE, rect.y + ASIDE, rect.w, rect.h)
    return rect


def _middle(rect: Rect) -> tuple[int, int]:
    return round(rect.x + rect.w / 2), round(rect.y + rect.h / 2)


def _chosen(context: bpy.types.Context) -> list[bpy.types.Object]:
    selected = getattr(context, "selected_objects", None) or []
    return object_binding.with_surface(selected)


def _from_clipboard(context: bpy.types.Context) -> bpy.types.Image:
    """Return the clipboard's picture. Raises `BadPicture`."""
    text = context.window_manager.clipboard.strip().strip('"').removeprefix("file://")
    if text and "\n" not in text and Path(text).is_file():
        return image_datablocks.load(text)
    before = set(bpy.data.images)
    area = context.area or next(iter(context.screen.areas if context.screen else ()), None)
    if area is not None:
        kind = area.type
        try:
            area.type = "IMAGE_EDITOR"
            with context.temp_override(area=area):
                bpy.ops.image.clipboard_paste()
        except RuntimeError:
            pass  # no picture there: said below
        finally:
            area.type = kind
    for image in set(bpy.data.images) - before:
        image.pack()
        return image
    raise BadPicture(
        "There is no picture in the clipboard.",
        fix="Copy a picture, or the path of a picture file, and paste again.",
    )


CLASSES = (
    STANDEE_OT_add_files,
    STANDEE_OT_add_image,
    STANDEE_OT_add_clipboard,
    STANDEE_OT_add_words,
    STANDEE_OT_add_object,
    STANDEE_FH_subjects,
)
