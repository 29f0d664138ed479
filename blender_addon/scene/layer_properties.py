"""Property groups of a layer, a LoRA, a result and a prompt at a marker."""

import json
from functools import lru_cache
from typing import Any

import bpy
import msgspec
from bpy.props import BoolProperty, EnumProperty, FloatProperty, PointerProperty, StringProperty

from standee.composition import Rect
from standee.wire.notes import Note

from ..redraw import redraw
from . import image_datablocks
from .enum_items import FITS


def number(name: str, description: str, default: float, **limits: float) -> Any:
    return FloatProperty(
        name=name, description=description, default=default, update=redraw, **limits
    )


class StandeeLayer(bpy.types.PropertyGroup):
    """One subject; the collection goes from back to front."""

    name: StringProperty(name="Name", description="What you call it", update=redraw)
    layer_id: StringProperty(options={"HIDDEN"})
    picture: PointerProperty(
        type=bpy.types.Image,
        name="Picture",
        description="The subject: a picture, best with a transparent background",
        update=redraw,
    )
    mask: PointerProperty(
        type=bpy.types.Image,
        name="Cut-out",
        description="White (or opaque) where the subject is. Empty: the picture's own transparency",
        update=redraw,
    )
    x: number("X", "The left edge in pixels of the canvas", 0.0, min=-32768, max=32768)
    y: number("Y", "The upper edge in pixels of the canvas", 0.0, min=-32768, max=32768)
    width: number("Width", "The width in pixels of the canvas", 128.0, min=0.01, max=32768)
    height: number("Height", "The height in pixels of the canvas", 128.0, min=0.01, max=32768)
    fit: EnumProperty(
        items=FITS,
        name="Fit",
        description="How the picture lies in its rectangle",
        default="contain",
        update=redraw,
    )
    flip: BoolProperty(name="Flip", description="Mirror it left to right", update=redraw)
    rotation: FloatProperty(
        name="Rotation",
        description="Degrees by which it is turned clockwise about its middle",
        min=-36000.0,
        max=36000.0,
        soft_min=-180.0,
        soft_max=180.0,
        step=100,
        precision=1,
        update=redraw,
    )
    opacity: FloatProperty(
        name="Opacity",
        description="How much of what is behind it shows: 1 nothing, 0 as if it were not there",
        min=0.0,
        max=1.0,
        default=1.0,
        subtype="FACTOR",
        update=redraw,
    )
    group: StringProperty(options={"HIDDEN"})
    prompt: StringProperty(
        name="Words", description="What it is, in a few words; they join the prompt"
    )
    fidelity: FloatProperty(
        name="Fidelity",
        description="0: the model only sees it, and its pose may change. 1: its look, place and pose are kept",
        min=0.0,
        max=1.0,
        default=0.5,
        subtype="FACTOR",
    )
    variation: FloatProperty(
        name="Variation",
        description="How freely its pose and details may change",
        min=0.0,
        max=1.0,
        default=0.0,
        subtype="FACTOR",
    )
    sharing: FloatProperty(
        name="Sharing",
        description="How strongly the finishing steps look at it: 0 not at all, 1 is usual",
        min=0.0,
        max=2.0,
        default=1.0,
    )
    light: FloatProperty(
        name="Light",
        description="Whose light falls on it: 0 its own picture's, 1 the scene's",
        min=0.0,
        max=1.0,
        default=0.5,
        subtype="FACTOR",
    )
    visible: BoolProperty(
        name="Visible", description="Whether it is in the picture", default=True, update=redraw
    )
    locked: BoolProperty(
        name="Locked", description="Whether the pointer leaves it alone", update=redraw
    )
    bound_object: PointerProperty(
        type=bpy.types.Object,
        name="Object",
        description="The 3D object whose place in the camera the rectangle follows",
        update=redraw,
    )
    bound_collection: PointerProperty(
        type=bpy.types.Collection,
        name="Collection",
        description="The collection whose place in the camera the rectangle follows",
        update=redraw,
    )
    occluded: BoolProperty(
        name="Hidden by the Scene",
        description="Whether objects in front of the bound one cut away what they hide",
        default=True,
        update=redraw,
    )
    distance: FloatProperty(
        name="Distance", description="How far the bound object is from the camera", min=0.0
    )
    in_view: BoolProperty(default=True, options={"HIDDEN"})
    origin: StringProperty(options={"HIDDEN"})

    @property
    def bound(self) -> bool:
        """Whether it follows something in 3D."""
        return self.bound_object is not None or self.bound_collection is not None

    @property
    def title(self) -> str:
        """Its name, and what it follows."""
        body = self.bound_object or self.bound_collection
        return self.name if body is None else f"{self.name} \N{RIGHTWARDS ARROW} {body.name}"

    @property
    def shown(self) -> bool:
        """Whether it is in the picture: visible, and its object in front of the camera."""
        return self.visible and (self.in_view or not self.bound)

    @property
    def drawn(self) -> bool:
        """Whether anything of it is in the picture: shown, and not wholly transparent."""
        return self.shown and self.opacity > 0

    @property
    def rect(self) -> Rect:
        return Rect(self.x, self.y, self.width, self.height)

    @rect.setter
    def rect(self, rect: Rect) -> None:
        self.x, self.y, self.width, self.height = rect.x, rect.y, rect.w, rect.h


class StandeeControl(bpy.types.PropertyGroup):
    """A control picture that came with a document; one without a picture is none."""

    kind: StringProperty(options={"HIDDEN"})
    layer_id: StringProperty(options={"HIDDEN"})
    origin: StringProperty(options={"HIDDEN"})
    picture: PointerProperty(
        type=bpy.types.Image,
        name="Control Picture",
        description="The picture shows how far things are, how they face, their lines or a pose",
    )


class StandeeLora(bpy.types.PropertyGroup):
    """A LoRA over the model; one without a path is none yet."""

    path: StringProperty(
        name="LoRA", description="A .safetensors file, its folder, or a hub id", subtype="FILE_PATH"
    )
    weight: FloatProperty(
        name="Weight",
        description="How much it counts: 1 as it was trained, 0 not at all, less turns it around",
        min=-4.0,
        max=4.0,
        soft_min=0.0,
        soft_max=1.5,
        default=1.0,
    )


class StandeeResult(bpy.types.PropertyGroup):
    """A picture that was made.

    It names its image by the digest and does not point to it: results arrive between undo steps,
    and after an undo Blender would follow the pointer to where the image was.
    """

    name: StringProperty(name="Name", description="What you call it")
    digest: StringProperty(options={"HIDDEN"})
    receipt: StringProperty(options={"HIDDEN"})
    key: StringProperty(options={"HIDDEN"})

    @property
    def image(self) -> bpy.types.Image | None:
        """The image datablock that holds the picture."""
        return image_datablocks.find(self.digest)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What the daemon noted of it."""
        return _notes_in(self.receipt)


@lru_cache(maxsize=64)
def _notes_in(receipt: str) -> tuple[Note, ...]:
    """Return the notes in a receipt; another version's may have none that are known here."""
    try:
        return msgspec.convert(json.loads(receipt)["notes"], tuple[Note, ...])
    except (ValueError, KeyError, TypeError):  # ValidationError is a ValueError
        return ()


class StandeePrompt(bpy.types.PropertyGroup):
    """The prompt from a timeline marker on."""

    name: StringProperty(name="Marker", description="The timeline marker where this prompt begins")
    prompt: StringProperty(name="Prompt", description="What the picture shows from there on")
