"""Compositions as raster layers: the scene, each subject cut out where it stands, the result on top."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..composition import Canvas, Composition, Fit, Layer, Rect
from ..geometry import fit_picture
from ..images import MAX_PIXELS
from ..pictures import decode, mask_of
from ..rotation import bounds_turned, centre, quarter_turned, turn_of, turned_about
from .raster_layers import RESULT, SCENE, LayeredPicture, RasterLayer, ShadowsTold, png_of
from .shadows import shadow_layer

if TYPE_CHECKING:
    from PIL import Image

Read = Callable[[str], bytes]


def rasterized(composition: Composition, read: Read, result: bytes) -> LayeredPicture:
    """Return a composition with its `result`, a PNG, as layers; `read` returns the bytes of a digest.

    A layer is drawn at the canvas' resolution, turned as it stands, with its cut-out as its transparency; it keeps
    its name, opacity and visibility, and what of it reaches over the canvas by at most half of that. Rectangles of
    words have no pixels: they are in `left_out`. Over the scene comes what `shadows` tells of the result. Raises
    `BadPicture`, `TooLarge`, `MissingBlob`.
    """
    canvas, scene = composition.canvas, composition.scene
    layers, left_out, subjects = [], [], []
    place = None
    groups = {one: f"Group {n}" for n, one in enumerate(_groups(composition), 1)}
    if scene is not None:
        rect = scene.rect or Rect(0, 0, canvas.width, canvas.height)
        image = decode(read(scene.picture), "The scene").image
        if (placed := place_picture(image, rect, scene.fit, 0.0, canvas)) is not None:
            layers.append(_raster(SCENE, *placed))
            place = (*placed, 1.0)
    for number, layer in enumerate(composition.layers, 1):
        name = layer.name or f"Layer {number}"
        if layer.picture is None:
            left_out.append(name)
            continue
        image = cut_out(layer, read, name)
        placed = place_picture(image, layer.rect, layer.fit, layer.rotation, canvas)
        if placed is None:
            left_out.append(name)
            continue
        group = groups[layer.group] if layer.group is not None else None
        layers.append(_raster(name, *placed, layer.opacity, layer.visible, group))
        if layer.shown:
            subjects.append((*placed, layer.opacity))
    whole = decode(result, "The result").image
    if whole.size != (canvas.width, canvas.height):
        whole = whole.resize((canvas.width, canvas.height))
    layers.append(_raster(RESULT, whole, 0, 0))
    told: ShadowsTold = "no scene"
    if place is not None:
        shadows, told = shadow_layer(place, subjects, whole)
        layers[1:1] = [shadows] if shadows is not None else []
    return LayeredPicture(canvas.width, canvas.height, tuple(layers), tuple(left_out), shadows=told)


def _groups(composition: Composition) -> list[str]:
    return list(dict.fromkeys(one.group for one in composition.layers if one.group is not None))


def cut_out(layer: Layer, read: Read, name: str) -> Image.Image:
    """Return a layer's picture at its own size, mirrored where it is to be, with its cut-out as alpha.

    Errors call it `name`. Raises `BadPicture`, `TooLarge`, `MissingBlob`.
    """
    from PIL import ImageOps

    image = decode(read(layer.picture or ""), name).image
    if layer.mask is not None:
        mask = mask_of(decode(read(layer.mask), f"The mask of {name}").image)
        image = image.convert("RGB")
        image.putalpha(mask.resize(image.size) if mask.size != image.size else mask)
    return ImageOps.mirror(image) if layer.flip else image


def _raster(
    name: str,
    image: Image.Image,
    x: int,
    y: int,
    opacity: float = 1.0,
    visible: bool = True,
    group: str | None = None,
) -> RasterLayer:
    covers = image.mode != "RGBA" or image.getchannel("A").getextrema()[0] == 255
    png = png_of(image)
    return RasterLayer(name, png, x, y, *image.size, covers, opacity, visible, group)


def place_picture(
    image: Image.Image, rect: Rect, fit: Fit, rotation: float, canvas: Canvas
) -> tuple[Image.Image, int, int] | None:
    """Return a picture as it stands, and where its corner is, in whole px; `None` where none of it is near."""
    placed = fit_picture(*image.size, rect, fit)
    left, top = max(placed.x, rect.x), max(placed.y, rect.y)
    right = min(placed.x + placed.w, rect.x + rect.w)
    bottom = min(placed.y + placed.h, rect.y + rect.h)
    shown = Rect(left, top, max(right - left, 1e-3), max(bottom - top, 1e-3))
    turn = turn_of(rotation)
    upright = quarter_turned(shown, turn.quarters)  # both have one centre
    bounds = bounds_turned(upright, turn.rest)
    view = Rect(-canvas.width / 2, -canvas.height / 2, 2 * canvas.width, 2 * canvas.height)
    x0, y0 = math.floor(max(bounds.x, view.x)), math.floor(max(bounds.y, view.y))
    x1 = math.ceil(min(bounds.x + bounds.w, view.x + view.w))
    y1 = math.ceil(min(bounds.y + bounds.h, view.y + view.h))
    if x1 <= x0 or y1 <= y0:
        return None
    across, down = image.width / placed.w, image.height / placed.h
    x, y = (left - placed.x) * across, (top - placed.y) * down
    box = x, y, min(image.width, x + shown.w * across), min(image.height, y + shown.h * down)
    fewer = min(1.0, math.sqrt(MAX_PIXELS / (shown.w * shown.h)))
    size = max(1, round(shown.w * fewer)), max(1, round(shown.h * fewer))
    drawn = _resized(image, size, box, turn.quarters)
    if not turn.rest and _within(bounds, view):
        return _straight(drawn), round(upright.x), round(upright.y)
    return _straight(_sampled(drawn, upright, turn.rest, (x0, y0, x1, y1))), x0, y0


def _within(rect: Rect, view: Rect) -> bool:
    return (
        rect.x >= view.x
        and rect.y >= view.y
        and rect.x + rect.w <= view.x + view.w
        and rect.y + rect.h <= view.y + view.h
    )


def _resized(
    image: Image.Image, size: tuple[int, int], box: tuple[float, ...], quarters: int
) -> Image.Image:
    """Return a part of a picture at another size, then in quarter turns clockwise; alpha premultiplied."""
    from PIL import Image

    image = image.convert("RGBa") if image.mode == "RGBA" else image
    if size != image.size or box != (0, 0, *image.size):
        image = image.resize(size, Image.Resampling.LANCZOS, (box[0], box[1], box[2], box[3]))
    turns = {1: Image.Transpose.ROTATE_270, 2: Image.Transpose.ROTATE_180}
    turns[3] = Image.Transpose.ROTATE_90  # Pillow's turn the other way
    return image.transpose(turns[quarters]) if quarters else image


def _sampled(
    image: Image.Image, rect: Rect, degrees: float, out: tuple[int, int, int, int]
) -> Image.Image:
    """Return the px from (x0, y0) to (x1, y1) of a picture that fills `rect` and is turned about its centre."""
    from PIL import Image, ImageOps

    if image.mode == "RGB":
        image = image.convert("RGBA").convert("RGBa")
    across, down = image.width / rect.w, image.height / rect.h
    image = ImageOps.expand(image, 1)  # its border fades out over one px
    middle = centre(rect)

    def source(x: float, y: float) -> tuple[float, float]:
        x, y = turned_about(x, y, middle, -degrees)
        return (x - rect.x) * across + 1, (y - rect.y) * down + 1

    (c, f), (ac, df), (bc, ef) = (
        source(out[0] + right, out[1] + below) for right, below in ((0, 0), (1, 0), (0, 1))
    )
    numbers = (ac - c, bc - c, c, df - f, ef - f, f)
    size = out[2] - out[0], out[3] - out[1]
    return image.transform(size, Image.Transform.AFFINE, numbers, Image.Resampling.BICUBIC)


def _straight(image: Image.Image) -> Image.Image:
    return image.convert("RGBA") if image.mode == "RGBa" else image
