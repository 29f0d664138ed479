"""Pictures as the engine sees them: decoded safely, upright, with a cut-out; and back to bytes.

Arrays are float32, 0..1: colour (height, width, 3), cut-outs and masks (height, width).
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from standee.composition import Fit, Rect
from standee.errors import BadPicture, TooLarge
from standee.geometry import Cells, fit_picture

Array = NDArray[np.float32]

MAX_PIXELS = 64_000_000
MASK_SIDE = 1024
"""Cut-outs are reduced to this many px on their long side before cells are counted."""


def decode(data: bytes, path: str) -> Image.Image:
    """Decode an encoded picture, upright, as RGBA or RGB.

    Raises `BadPicture` or `TooLarge`, both naming `path`, the field that holds the digest.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture: Image.Image = Image.open(io.BytesIO(data))
            if picture.width * picture.height > MAX_PIXELS:
                raise TooLarge(
                    f"The picture has {picture.width} x {picture.height} px.",
                    path=path,
                    fix=f"Scale it to at most {MAX_PIXELS:,} px in all.",
                )
            picture = ImageOps.exif_transpose(picture)
            has_alpha = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
            return picture.convert("RGBA" if has_alpha else "RGB")
    except UnidentifiedImageError:
        raise BadPicture(
            "The file is not a picture of a known kind.",
            path=path,
            fix="Use PNG, JPEG, WebP or TIFF.",
        ) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, EOFError) as error:
        raise BadPicture(
            f"The picture cannot be decoded: {error}.",
            path=path,
            fix="Save it again as PNG, JPEG or WebP.",
        ) from None


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Encode uint8 pixels (height, width, 3) as PNG."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG", compress_level=4)
    return out.getvalue()


@dataclass(frozen=True)
class Picture:
    """A picture with its cut-out: `colour` RGB and `matte` L, of one size.

    `own_surroundings` is true when the colour around the cut-out is worth keeping (a photograph with a mask) and false
    where it is nothing (transparent pixels).
    """

    colour: Image.Image
    matte: Image.Image
    own_surroundings: bool

    @staticmethod
    def build(picture: Image.Image, mask: Image.Image | None = None, flip: bool = False) -> Picture:
        """Join a picture and its mask. A mask of another size is stretched over the picture."""
        if mask is not None:
            matte = mask.getchannel("A") if mask.mode == "RGBA" else mask.convert("L")
            matte = matte.resize(picture.size, Image.Resampling.BILINEAR)
        elif picture.mode == "RGBA":
            matte = picture.getchannel("A")
        else:
            matte = Image.new("L", picture.size, 255)
        own = picture.mode == "RGB"
        if not own:
            matte_under = picture.getchannel("A")
            colour = Image.composite(
                picture.convert("RGB"), Image.new("RGB", picture.size, (128,) * 3), matte_under
            )
            colour = picture.convert("RGB") if mask is None else colour
        else:
            colour = picture
        if flip:
            colour, matte = ImageOps.mirror(colour), ImageOps.mirror(matte)
        return Picture(colour, matte, own)

    def mask(self) -> Array:
        """Return the cut-out, reduced to at most `MASK_SIDE` px, for counting cells."""
        factor = -(-max(self.matte.size) // MASK_SIDE)
        return _array(self.matte.reduce(factor) if factor > 1 else self.matte)

    def paint(self, rect: Rect, fit: Fit, view: Rect) -> tuple[Array, Array, Array]:
        """Render the picture, fitted into `rect`, as seen in `view` (both whole canvas px).

        Returns colour (h, w, 3), matte (h, w) and extent (h, w; 1 where the picture itself lies), in the size of
        `view`. Only the part inside `rect` and `view` is ever resized.
        """
        height, width = round(view.h), round(view.w)
        colour = np.zeros((height, width, 3), np.float32)
        matte, extent = np.zeros((2, height, width), np.float32)
        placed = fit_picture(*self.colour.size, rect, fit)
        left, top = (
            round(max(a, b, c))
            for a, b, c in ((placed.x, rect.x, view.x), (placed.y, rect.y, view.y))
        )
        right = round(min(placed.x + placed.w, rect.x + rect.w, view.x + view.w))
        bottom = round(min(placed.y + placed.h, rect.y + rect.h, view.y + view.h))
        if right <= left or bottom <= top:
            return colour, matte, extent
        across, down = self.colour.width / placed.w, self.colour.height / placed.h
        box = (
            max(0.0, (left - placed.x) * across),
            max(0.0, (top - placed.y) * down),
            min(self.colour.width, (right - placed.x) * across),
            min(self.colour.height, (bottom - placed.y) * down),
        )
        rgba = self.colour.copy()
        rgba.putalpha(self.matte if not self.own_surroundings else 255)
        size = (right - left, bottom - top)
        pixels = _array(rgba.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0))
        part = np.s_[
            top - round(view.y) : bottom - round(view.y),
            left - round(view.x) : right - round(view.x),
        ]
        colour[part] = pixels[..., :3]
        matte[part] = _array(
            self.matte.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
        )
        extent[part] = 1.0
        return colour, matte, extent


def to_tensor(pixels: Array) -> torch.Tensor:
    """Return pixels (h, w, 3) in 0..1 as a tensor (1, 3, h, w) in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(2, 0, 1)[None] * 2 - 1


def from_tensor(pixels: torch.Tensor) -> Array:
    """Undo `to_tensor` for the first picture of a batch."""
    return ((pixels[0].float().clamp(-1, 1) + 1) / 2).permute(1, 2, 0).cpu().numpy()


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
