"""Pictures as the engine sees them: decoded safely, upright, with a cut-out; and back to bytes.

Arrays are float32, 0..1: colour (height, width, 3), cut-outs and masks (height, width).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from msgspec.structs import replace
from numpy.typing import NDArray
from PIL import Image, ImageOps, PngImagePlugin

from standee import pictures
from standee.arrangement import MASK_SIDE, Values, VisibleLayer, reduce_mask
from standee.composition import Fit, Layer, Rect
from standee.geometry import Cells, drawn_box, fit_picture
from standee.rotation import centre, quarter_turned, turn_of

from .turned import common, paint_turned

Array = NDArray[np.float32]

BLANK = Image.new("RGB", (1, 1))
"""Stands for the picture of a rectangle of words."""
SRGB = b"\0"
"""The body of a PNG's sRGB chunk: perceptual intent."""
SPARE = 3
"""How many px of a picture are kept for each that is drawn, along a side, at least: what a resampling looks at."""
TURNS = {1: "ROTATE_270", 2: "ROTATE_180", 3: "ROTATE_90"}
"""Pillow's names of quarter turns clockwise."""


def decode(data: bytes, path: str) -> Image.Image:
    """Decode an encoded picture, upright and in sRGB, as RGBA or RGB.

    Raises `BadPicture` or `TooLarge`, both naming `path`, the field that holds the digest.
    """
    return pictures.decode(data, path=path).image


def stand(layer: Layer) -> Layer:
    """Return a layer with the picture that `stood` makes of its own: unmirrored, and turned by 45 degrees at most."""
    turn = turn_of(layer.rotation)
    rect = quarter_turned(layer.rect, turn.quarters)
    return replace(layer, rect=rect, flip=False, rotation=turn.rest)


def stood(image: Image.Image, layer: Layer) -> Image.Image:
    """Return a layer's picture, or its mask, mirrored and after its nearest quarter turn, to the px."""
    if layer.flip:
        image = ImageOps.mirror(image)
    quarters = turn_of(layer.rotation).quarters
    return image.transpose(Image.Transpose[TURNS[quarters]]) if quarters else image


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode uint8 pixels (height, width, 3) as PNG, marked as sRGB."""
    out, colours = io.BytesIO(), PngImagePlugin.PngInfo()
    colours.add(b"sRGB", SRGB)
    Image.fromarray(pixels).save(out, "PNG", compress_level=4, pnginfo=colours)
    return out.getvalue()


@dataclass(frozen=True)
class Picture:
    """A picture with its cut-out: `colour` RGB and `matte` L, of one size.

    `stencil` is the cut-out as cells are counted of it: of any size, stretched over the picture.
    `own_surroundings` is true when the colour around the cut-out is worth keeping (a photograph with a mask) and false
    where it is nothing (transparent pixels). Of a file of `size` px each `factor` x `factor` are one px here.
    """

    colour: Image.Image
    matte: Image.Image
    stencil: Values
    own_surroundings: bool
    size: tuple[int, int]
    factor: int

    @staticmethod
    def build(
        picture: Image.Image,
        mask: Image.Image | None = None,
        drawn: tuple[float, float] | None = None,
    ) -> Picture:
        """Join a picture and its mask. A mask of another size is stretched over the picture.

        What is `drawn` (px across and down) much smaller than it is gets reduced: many layers have to fit into memory.
        """
        size, own, factor = picture.size, picture.mode == "RGB", 1
        if drawn is not None:
            parts = (
                side / (SPARE * max(part, 1.0)) for side, part in zip(size, drawn, strict=True)
            )
            factor = max(1, int(min(parts)))
        stencil: Values = np.broadcast_to(np.uint8(255), size[::-1])
        given = pictures.mask_of(mask) if mask else None if own else picture.getchannel("A")
        if given is not None:
            stencil = np.asarray(given)
        if given is not None and drawn is not None and max(stencil.shape) > MASK_SIDE:
            stencil = reduce_mask(stencil)
        if mask is not None and not own:
            picture = picture.convert("RGB")
        if factor > 1:
            picture = picture.reduce(factor)
        colour = picture
        if mask is not None and given is not None:
            matte = given.resize(size, Image.Resampling.BILINEAR).reduce(factor)
        elif own:
            matte = Image.new("L", picture.size, 255)
        else:
            matte = picture.getchannel("A")
            grey = Image.new("RGB", picture.size, (128,) * 3)
            colour = Image.composite(picture.convert("RGB"), grey, matte)
        return Picture(colour, matte, stencil, own, size, factor)

    def standing(self, layer: Layer) -> VisibleLayer:
        """Return the picture as it stands in `layer`, upright, whose picture it is."""
        return VisibleLayer(
            self.stencil, layer.rect, layer.fit, False, self.size, layer.rotation, layer.opacity
        )

    def paint(
        self, rect: Rect, fit: Fit, view: Rect, degrees: float = 0.0
    ) -> tuple[Array, Array, Array]:
        """Render the picture, fitted into `rect` and turned about its middle, as seen in `view` (both whole canvas px).

        Returns colour (h, w, 3), matte (h, w) and extent (h, w; 1 where the picture itself lies), in the size of
        `view`. Only the part inside `rect` and `view` is ever resized.
        """
        placed = fit_picture(*self.size, rect, fit)
        if degrees:
            upright = partial(self._resized, placed)
            return paint_turned(upright, common(placed, rect), centre(rect), view, degrees)
        height, width = round(view.h), round(view.w)
        colour = np.zeros((height, width, 3), np.float32)
        matte, extent = np.zeros((2, height, width), np.float32)
        left, top, right, bottom = drawn_box(self.size, rect, fit, view)
        if right <= left or bottom <= top:
            return colour, matte, extent
        drawn = Rect(left, top, right - left, bottom - top)
        pixels, _, soft = self._resized(placed, drawn, (right - left, bottom - top))
        part = np.s_[
            top - round(view.y) : bottom - round(view.y),
            left - round(view.x) : right - round(view.x),
        ]
        colour[part], matte[part], extent[part] = pixels, soft, 1.0
        return colour, matte, extent

    def _resized(
        self, placed: Rect, part: Rect, size: tuple[int, int]
    ) -> tuple[Array, Array, Array]:
        """Return colour (h, w, 3), its coverage and matte (h, w) of a `part` of the picture at `placed`, `size` px."""
        across, down = (
            side / self.factor / length
            for side, length in zip(self.size, (placed.w, placed.h), strict=True)
        )
        box = (
            max(0.0, (part.x - placed.x) * across),
            max(0.0, (part.y - placed.y) * down),
            min(self.colour.width, (part.x + part.w - placed.x) * across),
            min(self.colour.height, (part.y + part.h - placed.y) * down),
        )
        rgba = self.colour.copy()
        rgba.putalpha(self.matte if not self.own_surroundings else 255)
        lanczos = Image.Resampling.LANCZOS
        pixels = _array(rgba.resize(size, lanczos, box=box, reducing_gap=3.0))
        matte = _array(self.matte.resize(size, lanczos, box=box, reducing_gap=3.0))
        return pixels[..., :3], pixels[..., 3], matte


def to_tensor(pixels: Array) -> torch.Tensor:
    """Return pixels (h, w, 3) in 0..1 as a tensor (1, 3, h, w) in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None] * 2 - 1


def from_tensor(pixels: torch.Tensor) -> Array:
    """Undo `to_tensor` for the first picture of a batch."""
    unit = (pixels[0].float().clamp(-1, 1) + 1) / 2
    return np.ascontiguousarray(unit.permute(1, 2, 0).cpu().numpy())


def to_uint8(pixels: Array) -> NDArray[np.uint8]:
    """Round pixels in 0..1 to bytes."""
    return (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)


def block_mean(mask: Array, side: int) -> Array:
    """Average a map (height, width) over blocks of `side` x `side` px."""
    height, width = mask.shape
    return mask.reshape(height // side, side, width // side, side).mean(axis=(1, 3))


def crop(pixels: Array, part: Cells, whole: Cells, patch: int) -> Array:
    """Return the view of `pixels`, which spans the cells `whole`, on the cells `part`."""
    rows, cols = part.within(whole)
    return pixels[rows.start * patch : rows.stop * patch, cols.start * patch : cols.stop * patch]


def _array(picture: Image.Image) -> Array:
    return np.asarray(picture, dtype=np.float32) / np.float32(255)
