"""Previews of a layout without a model: cut-outs where they stand, and the cells that each owns."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from msgspec import Struct

from standee.arrangement import Backdrop, Values, VisibleLayer, arrangement, words_layer
from standee.composition import Composition, Layer, Rect, Scene
from standee.errors import InvalidField
from standee.geometry import Arrangement
from standee.layered.rasterize import cut_out, place_picture
from standee.pictures import decode, mask_of
from standee.token_overlay import SCENE, SUBJECTS, borders

if TYPE_CHECKING:
    from PIL import Image

Read = Callable[[str], bytes]
TINT = 0.35
"""How much of a cell's colour lies over the picture."""


class LayerCells(Struct, frozen=True):
    """How a layer stands: the token cells that it owns, those behind other layers, those off the canvas."""

    id: str
    name: str
    cells: int
    hidden: int
    outside: int
    colour: str


class LayoutPreview(Struct, frozen=True):
    """A layout as a PNG of the canvas' size, and its shown layers from back to front. A cell has `patch` px a side."""

    picture: bytes
    patch: int
    layers: tuple[LayerCells, ...]


def preview_layout(composition: Composition, read: Read, patch: int) -> LayoutPreview:
    """Draw a layout; `read` returns the bytes of a digest. Raises `InvalidField`, `BadPicture`, `TooLarge`."""
    canvas = composition.canvas
    if canvas.width % patch or canvas.height % patch:
        raise InvalidField(
            f"The canvas of {canvas.width} x {canvas.height} px is not made of whole cells of {patch} px.",
            path="$.canvas",
            fix=f"Use multiples of {patch} for its sides.",
        )
    shown = [layer for layer in composition.layers if layer.shown]
    scene = composition.scene
    backdrop = None if scene is None else _backdrop(scene, read)
    found = arrangement([_visible(layer, read) for layer in shown], canvas, patch, backdrop)
    first = 0 if scene is None else 1
    colours = [SUBJECTS[index % len(SUBJECTS)] for index in range(len(shown))]
    cells = tuple(
        LayerCells(
            layer.id,
            layer.name or layer.prompt,
            int(found.visible(index).sum()),
            int(found.hidden(index).sum()),
            int(found.clipped(index).sum()),
            colours[index - first],
        )
        for index, layer in enumerate(shown, first)
    )
    image = _tinted(_pasted(composition, shown, read), found, patch, [SCENE] * first + colours)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return LayoutPreview(stream.getvalue(), patch, cells)


def _visible(layer: Layer, read: Read) -> VisibleLayer:
    name = layer.name or "The picture"
    if layer.picture is None:
        mask = None
        if layer.mask is not None:
            mask = np.asarray(mask_of(decode(read(layer.mask), f"The mask of {name}").image))
        return words_layer(mask, layer.rect, layer.flip, layer.rotation, layer.opacity)
    image = cut_out(msgspec.structs.replace(layer, flip=False), read, name)
    return VisibleLayer(
        _alpha(image),
        layer.rect,
        layer.fit,
        layer.flip,
        image.size,
        layer.rotation,
        layer.opacity,
    )


def _backdrop(scene: Scene, read: Read) -> Backdrop:
    image = decode(read(scene.picture), "The scene").image
    kept = _alpha(image)
    if scene.kept is not None:
        kept = np.asarray(mask_of(decode(read(scene.kept), "The mask of the scene").image))
    return Backdrop(kept, image.size, scene.rect, scene.fit, scene.blend)


def _alpha(image: Image.Image) -> Values:
    if image.mode == "RGBA":
        return np.asarray(image.getchannel("A"))
    return np.broadcast_to(np.uint8(255), (image.height, image.width))


def _pasted(composition: Composition, shown: list[Layer], read: Read) -> Image.Image:
    """Return the scene and the layers' cut-outs where they stand, on grey."""
    from PIL import Image

    canvas, scene = composition.canvas, composition.scene
    whole = Image.new("RGBA", (canvas.width, canvas.height), "#e4e6ea")
    if scene is not None:
        rect = scene.rect or Rect(0, 0, canvas.width, canvas.height)
        image = decode(read(scene.picture), "The scene").image
        if placed := place_picture(image, rect, scene.fit, 0.0, canvas):
            _paste(whole, *placed)
    for layer in shown:
        if layer.picture is None:
            continue
        image = cut_out(layer, read, layer.name or "The picture")
        if placed := place_picture(image, layer.rect, layer.fit, layer.rotation, canvas):
            _paste(whole, *placed, layer.opacity)
    return whole.convert("RGB")


def _paste(whole: Image.Image, image: Image.Image, x: int, y: int, opacity: float = 1.0) -> None:
    """Paste a picture over another; it may reach over its edges."""
    from PIL import Image

    image = image.convert("RGBA")
    if opacity < 1:
        image.putalpha(image.getchannel("A").point(lambda value: round(value * opacity)))
    over = Image.new("RGBA", whole.size)
    over.paste(image, (x, y))
    whole.alpha_composite(over)


def _tinted(image: Image.Image, found: Arrangement, patch: int, colours: list[str]) -> Image.Image:
    """Return the picture with each owner's cells in its colour, and a line around what they make up."""
    from PIL import Image, ImageColor, ImageDraw

    pixels = np.asarray(image, np.float32)
    table = np.array([ImageColor.getrgb(one)[:3] for one in [*colours, "#000000"]], np.float32)
    owner = np.repeat(np.repeat(found.owner, patch, 0), patch, 1)
    weight = np.where(owner[..., None] >= 0, TINT, 0.0)
    pixels = (
        pixels * (1 - weight) + table[owner] * weight
    )  # nobody's, -1, is the last one, and weighs nothing
    image = Image.fromarray((pixels + 0.5).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for index, colour in enumerate(colours):
        level, upright = borders(found.owner == index, found.owner)
        for start, end, line in level:
            draw.line((start * patch, line * patch, end * patch, line * patch), colour, 2)
        for start, end, line in upright:
            draw.line((line * patch, start * patch, line * patch, end * patch), colour, 2)
    return image
