"""Property group of a scene: layers, prompt, sampling, results; saved in the .blend.

All of it is plain Blender data: it undoes, animates, copies and links like everything else.
"""

import uuid

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from standee.composition import Canvas, Rect
from standee.geometry import PATCH

from ..redraw import redraw
from . import focus
from .enum_items import FITS, SCENE_CONTROL, SHOWN_AS, SOURCES
from .layer_properties import StandeeControl as StandeeControl
from .layer_properties import StandeeLayer as StandeeLayer
from .layer_properties import StandeeLora, StandeePrompt, number
from .layer_properties import StandeeResult as StandeeResult

known_models: list[str] = []
"""The names of the daemon's models; the link to the daemon fills it."""


def round_to_cells(canvas: Canvas) -> Canvas:
    """Return the canvas whose sides are the nearest whole cells."""
    sides = (canvas.width, canvas.height)
    return Canvas(*(min(8192, max(PATCH, int(side / PATCH + 0.5) * PATCH)) for side in sides))


def _round_canvas(self: "StandeeScene", context: bpy.types.Context) -> None:
    canvas = round_to_cells(Canvas(self.canvas_width, self.canvas_height))
    if canvas.width != self.canvas_width:
        self.canvas_width = canvas.width
    if canvas.height != self.canvas_height:
        self.canvas_height = canvas.height
    redraw()


def _models(self: "StandeeScene", context: bpy.types.Context, text: str) -> list[str]:
    return known_models or ["mini"]


def _chosen(self: "StandeeScene", context: bpy.types.Context) -> None:
    """A subject was made the active one: the keys of the tool mean it now."""
    focus.on_subject = True
    redraw()


class StandeeScene(bpy.types.PropertyGroup):
    """The composition of a scene."""

    uid: StringProperty(options={"HIDDEN"})  # see `identity`
    home: StringProperty(options={"HIDDEN"})
    origin: StringProperty(options={"HIDDEN"})
    layers: CollectionProperty(type=StandeeLayer, name="Layers")
    active_layer: IntProperty(name="Active Subject", options=set(), update=_chosen)
    results: CollectionProperty(type=StandeeResult, name="Results")
    active_result: IntProperty(name="Active Result", options=set(), update=redraw)
    prompts: CollectionProperty(type=StandeePrompt, name="Prompts")
    active_prompt: IntProperty(name="Active Prompt", options=set())
    loras: CollectionProperty(type=StandeeLora, name="LoRAs")
    controls: CollectionProperty(type=StandeeControl, name="Control Pictures")

    prompt: StringProperty(
        name="Prompt", description="What the whole picture shows, in your own words"
    )
    follow_render: BoolProperty(
        name="From Render Size",
        description="Make the picture as large as the render, in whole cells of the model",
        default=True,
        update=redraw,
    )
    canvas_side: IntProperty(
        name="Longest Side",
        description="Larger renders are composed smaller: at most so many pixels a side",
        min=64,
        max=8192,
        default=1024,
        step=PATCH,
        update=redraw,
    )
    canvas_width: IntProperty(
        name="Width",
        description="The width of the picture in pixels",
        min=16,
        max=8192,
        default=512,
        step=PATCH,
        update=_round_canvas,
    )
    canvas_height: IntProperty(
        name="Height",
        description="The height of the picture in pixels",
        min=16,
        max=8192,
        default=512,
        step=PATCH,
        update=_round_canvas,
    )

    scene_source: EnumProperty(
        items=SOURCES,
        name="Scene",
        description="What the subjects stand in",
        default="NONE",
        update=redraw,
    )
    scene_picture: PointerProperty(
        type=bpy.types.Image,
        name="Scene Picture",
        description="The picture that the subjects are composed into",
        update=redraw,
    )
    scene_kept: PointerProperty(
        type=bpy.types.Image,
        name="Kept",
        description="White where the scene's pixels stay as they are. Empty: all of them",
        update=redraw,
    )
    use_scene_geometry: BoolProperty(
        name="Depth and Normals",
        description="Take them with each fresh render that is taken: images, as exact as the picture",
    )
    scene_depth: PointerProperty(
        type=bpy.types.Image,
        name="Depth",
        description="How far each pixel of the scene is from the camera, along its axis",
    )
    scene_normals: PointerProperty(
        type=bpy.types.Image,
        name="Normals",
        description="Which way each pixel of the scene faces: right, up, towards the camera",
    )
    scene_control: EnumProperty(
        items=SCENE_CONTROL,
        name="Use Scene",
        description="Let the picture follow the depth or normals of the 3D scene, rendered anew each time",
        default="NONE",
    )
    scene_control_strength: FloatProperty(
        name="Control Strength",
        description="How strongly the picture follows the scene's depth and normals",
        min=0.0,
        max=2.0,
        soft_max=1.0,
        default=0.8,
        subtype="FACTOR",
    )
    scene_control_end: FloatProperty(
        name="Until",
        description="The share of the steps after which the picture is free of them",
        min=0.05,
        max=1.0,
        default=0.8,
        subtype="FACTOR",
    )
    scene_origin: StringProperty(options={"HIDDEN"})
    use_scene_rect: BoolProperty(
        name="Part of the Canvas",
        description="The scene fills a part of the canvas; around it the picture is continued",
    )
    scene_x: number("Scene X", "The scene's left edge in pixels", 0.0, min=-32768, max=32768)
    scene_y: number("Scene Y", "The scene's upper edge in pixels", 0.0, min=-32768, max=32768)
    scene_width: number("Scene Width", "The scene's width in pixels", 512.0, min=0.01, max=32768)
    scene_height: number("Scene Height", "The scene's height in pixels", 512.0, min=0.01, max=32768)
    scene_fit: EnumProperty(
        items=FITS, name="Scene Fit", description="How the scene fills its part", default="cover"
    )
    scene_fidelity: FloatProperty(
        name="Scene Fidelity",
        description="How strongly the scene leads what is generated in it",
        min=0.0,
        max=1.0,
        default=0.5,
        subtype="FACTOR",
    )
    scene_blend_share: FloatProperty(
        name="Blend",
        description=(
            "How far around each subject the scene may change too, for its shadow and light: a"
            " share of the canvas' shorter side"
        ),
        min=0.0,
        max=0.5,
        default=0.06,
        subtype="FACTOR",
    )
    scene_feather_share: FloatProperty(
        name="Feather",
        description=(
            "How far the border of what is kept is softened: a share of the canvas' shorter side"
        ),
        min=0.0,
        max=0.5,
        default=0.02,
        subtype="FACTOR",
    )

    model: StringProperty(
        name="Model",
        description="The model that makes the picture: a name, a folder or a hub id",
        default="mini",
        search=_models,
        search_options={"SUGGESTION"},
    )
    negative: StringProperty(
        name="Negative",
        description="What the picture shall not show, for models that are guided away from it",
    )
    steps: IntProperty(
        name="Steps",
        description="In how many steps the picture is made; 0 leaves it to the model",
        min=0,
        max=200,
        default=0,
    )
    use_guidance: BoolProperty(
        name="Own Guidance", description="Set the guidance instead of leaving it to the model"
    )
    guidance: FloatProperty(
        name="Guidance",
        description="How closely the picture follows the words",
        min=0.0,
        max=50.0,
        default=3.5,
    )
    seed: IntProperty(
        name="Seed", description="Another seed gives another picture of the same", min=0, default=0
    )
    count: IntProperty(
        name="Pictures",
        description="How many pictures are made, each with the next seed",
        min=1,
        max=64,
        default=1,
    )

    show_overlay: BoolProperty(
        name="Rectangles",
        description="Draw the subjects in views through the camera",
        default=True,
        update=redraw,
    )
    show_tokens: BoolProperty(
        name="Cells",
        description="Tint the cells that each subject owns, as the model sees them",
        update=redraw,
    )
    show_preview: BoolProperty(
        name="Preview",
        description="Draw the picture in the camera frame while it is being made",
        default=True,
        update=redraw,
    )
    show_as: EnumProperty(
        items=SHOWN_AS,
        name="Show Results In",
        description="Where a finished picture appears",
        default="FRAME",
    )
    show_result: BoolProperty(
        name="Result",
        description="Draw the active result in the camera frame, in front of everything",
        update=redraw,
    )
    result_wipe: FloatProperty(
        name="Wipe",
        description="How much of the result is drawn, from the left: to compare it with the scene",
        min=0.0,
        max=1.0,
        default=1.0,
        subtype="FACTOR",
        update=redraw,
    )
    result_opacity: FloatProperty(
        name="Opacity",
        description="How solid the result is drawn",
        min=0.0,
        max=1.0,
        default=1.0,
        subtype="FACTOR",
        update=redraw,
    )
    show_range: BoolProperty(
        name="Range in Frame",
        description="Whether the newest take of the range is drawn in the camera frame",
        options={"SKIP_SAVE"},
        update=redraw,
    )
    range_folder: StringProperty(
        name="Folder",
        description="Where the pictures of a range are written, one file per frame",
        default="//standee/",
        subtype="DIR_PATH",
    )

    def canvas(self) -> Canvas:
        """Return the size of the picture: the render's shape, no longer than `canvas_side`."""
        if not self.follow_render:
            return Canvas(self.canvas_width, self.canvas_height)
        width, height = self.render_size()
        scale = min(1.0, self.canvas_side / max(width, height))
        return round_to_cells(Canvas(int(width * scale + 0.5), int(height * scale + 0.5)))

    def render_size(self) -> tuple[float, float]:
        """Return the size of a render in px."""
        render = self.id_data.render
        part = render.resolution_percentage / 100
        return render.resolution_x * part, render.resolution_y * part

    def scene_rect(self) -> Rect | None:
        """Return the part of the canvas that the scene fills; `None` for all of it."""
        if not self.use_scene_rect:
            return None
        return Rect(self.scene_x, self.scene_y, self.scene_width, self.scene_height)

    def chosen_result(self) -> StandeeResult | None:
        """Return the active result."""
        inside = 0 <= self.active_result < len(self.results)
        return self.results[self.active_result] if inside else None

    def shown_result(self) -> StandeeResult | None:
        """Return the result that is drawn in the camera frame."""
        return self.chosen_result() if self.show_result else None

    def active(self) -> StandeeLayer | None:
        """Return the active layer."""
        inside = 0 <= self.active_layer < len(self.layers)
        return self.layers[self.active_layer] if inside else None

    def add_layer(self, name: str = "") -> StandeeLayer:
        """Add a layer in front of all others and make it the active one."""
        layer = self.layers.add()
        layer.layer_id = uuid.uuid4().hex
        layer.name = name
        self.active_layer = len(self.layers) - 1
        return layer


CLASSES = (StandeeLayer, StandeeLora, StandeeControl, StandeeResult, StandeePrompt, StandeeScene)


def register() -> None:
    """Give every scene a composition."""
    bpy.types.Scene.standee = PointerProperty(type=StandeeScene)


def unregister() -> None:
    """Take it away; what is saved in files stays there."""
    del bpy.types.Scene.standee
