"""Decoded pictures, by Pillow: the one reader of the engine and the editor.

What the pixels mean is in `images.py`. Pillow is imported when a picture is decoded, since a bare client has none.
"""

from __future__ import annotations

import io
import warnings
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from .coded_colours import Coding, coding_of
from .errors import BadPicture, StandeeError
from .image_metadata import ORIENTATION, orientation_of, profile_of, without_metadata
from .images import HEAD, MAX_PIXELS, check_kind, check_size, damaged, unit_range

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageCms import ImageCmsProfile

OPENERS = {
    "PNG": ("PNG",),
    "JPEG": ("JPEG", "MPO"),
    "WebP": ("WEBP",),
    "TIFF": ("TIFF",),
    "BMP": ("BMP", "DIB"),
    "GIF": ("GIF",),
    "AVIF": ("AVIF",),
    "HEIC": ("HEIF",),
    "JPEG XL": ("JXL",),
}
"""Pillow's readers of each kind: no other one ever sees a file."""
PLUGINS = {"HEIC": ("pillow_heif", "pillow-heif"), "JPEG XL": ("pillow_jxl", "pillow-jxl-plugin")}
"""What teaches Pillow a kind: the module, and the package that holds it."""

TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}
"""What sets a picture of each EXIF orientation upright."""
SPACES = {"RGB ": ("RGB",), "GRAY": ("L",), "CMYK": ("CMYK",), "Lab ": ("LAB",)}
"""The modes whose numbers a profile of each colour space can explain."""
ALIKE = 1
"""A profile that moves no colour by more than this, of 255, is sRGB: the file's own numbers stay."""


@dataclass(frozen=True)
class DecodedPicture:
    """An upright picture in sRGB, RGBA where something of it is transparent, else RGB, and what was true of its file.

    `size` is the file's own, upright; the image is smaller where a JPEG was decoded at a fraction. `as_is`: one
    frame that stands upright, so the file itself shows what the image shows.
    """

    image: Image.Image
    kind: str
    size: tuple[int, int]
    as_is: bool


def decode(
    data: bytes,
    name: str = "The picture",
    path: str = "",
    most: int = MAX_PIXELS,
    longest: int | None = None,
) -> DecodedPicture:
    """Decode the first picture of a file; a JPEG of more than `longest` px a side at a fraction of its size.

    Raises `BadPicture` and `TooLarge`; they call the picture `name`, and `path` is the field that holds its digest.
    """
    kind = check_kind(data[:HEAD], name, path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decode(data, kind, name, path, most, longest)
    except StandeeError:
        raise
    except Exception as error:  # decoders of broken files raise whatever they stumble over
        raise damaged(name, path) from error


def mask_of(image: Image.Image) -> Image.Image:
    """Return what a mask says as mode L, by the rules of `images.as_mask`."""
    channel = image.convert("L")
    if image.mode == "RGBA":
        alpha = image.getchannel("A")
        low, high = alpha.getextrema()
        channel = alpha if low != high else channel
    levels = [level for level, count in enumerate(channel.histogram()) if count]
    if len(levels) == 2 and levels[0] == 0:
        channel = channel.point(lambda value: 255 if value else 0)
    return channel


def _decode(
    data: bytes, kind: str, name: str, path: str, most: int, longest: int | None
) -> DecodedPicture:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # ours counts, and is asked before anything is decoded
    _check_opener(kind, name, path)
    picture: Image.Image = Image.open(io.BytesIO(without_metadata(data)), formats=OPENERS[kind])
    size = picture.size
    if kind == "JPEG" and longest is not None:
        picture.draft("L" if picture.mode == "L" else "RGB", (longest, longest))
    check_size(*picture.size, name, path, most)
    frames = getattr(picture, "n_frames", 1)
    picture.load()
    turn = orientation_of(data)
    if kind not in ("PNG", "JPEG", "WebP"):  # Pillow turns some of them itself, and then says so
        turn = 1
        with suppress(Exception):
            turn = int(picture.getexif().get(ORIENTATION, 1))
    _narrow_transparency(picture, kind, data)
    profile = profile_of(data) or picture.info.get("icc_profile") or b""
    coding = coding_of(data, bool(profile))
    image = _in_srgb(_to_8_bits(picture), profile, coding)
    if turn in TURNS:
        image = image.transpose(Image.Transpose[TURNS[turn]])
        size = size[::-1] if turn >= 5 else size
    image.info.clear()
    return DecodedPicture(image, kind, size, frames == 1 and turn == 1)


def _check_opener(kind: str, name: str, path: str) -> None:
    """Raise `BadPicture` where Pillow has no reader of a kind, not even after a plugin was asked."""
    from PIL import Image

    Image.init()
    module, package = PLUGINS.get(kind, ("", ""))
    if module and OPENERS[kind][0] not in Image.OPEN:
        with suppress(ImportError):
            plugin = import_module(module)
            if hasattr(plugin, "register_heif_opener"):
                plugin.register_heif_opener()
    if not any(one in Image.OPEN for one in OPENERS[kind]):
        more = f", or run `pip install {package}`" if package else ""
        raise BadPicture(
            f"{name} is a file of the kind {kind}, which cannot be read on this machine.",
            path=path,
            fix=f"Save it as PNG or JPEG{more}.",
        )


def _narrow_transparency(picture: Image.Image, kind: str, data: bytes) -> None:
    """Say the transparent colour of a PNG of 16 bits in the 8 bits that its colours were cut to."""
    clear = picture.info.get("transparency")
    if kind == "PNG" and picture.mode == "RGB" and isinstance(clear, tuple) and data[24] == 16:
        picture.info["transparency"] = tuple(part >> 8 for part in clear)


def _to_8_bits(picture: Image.Image) -> Image.Image:
    """Return a picture in 8 bits a channel: RGB, RGBA, L, LA, CMYK or LAB."""
    from PIL import Image

    mode = picture.mode
    if mode == "F" or mode.startswith("I"):
        values = np.asarray(picture)
        grey = Image.fromarray(np.rint(unit_range(values) * 255).astype(np.uint8))
        clear = picture.info.get("transparency")
        if isinstance(clear, int):
            seen = np.where(values == clear, 0, 255).astype(np.uint8)
            grey = Image.merge("LA", (grey, Image.fromarray(seen)))
        return grey
    if mode in ("RGB", "RGBA", "LA", "CMYK", "LAB") and "transparency" not in picture.info:
        return picture
    if mode in ("L", "1"):
        return picture.convert("LA" if "transparency" in picture.info else "L")
    clear_at_all = mode in ("PA", "La", "RGBa") or "transparency" in picture.info
    return picture.convert("RGBA" if clear_at_all else "RGB")


def _in_srgb(picture: Image.Image, profile: bytes, coding: Coding | None) -> Image.Image:
    """Return a picture of `_to_8_bits` as RGB or RGBA in sRGB, by its `coding`, or else its profile.

    A profile that cannot be used says nothing.
    """
    from PIL import Image

    alpha = picture.getchannel("A") if picture.mode in ("RGBA", "LA") else None
    if alpha is not None and alpha.getextrema() == (255, 255):
        alpha = None
    colour = None
    if coding is not None and not coding.is_srgb():
        colour = Image.fromarray(coding.to_srgb(np.asarray(picture.convert("RGB"))))
    elif coding is None and profile:
        with suppress(Exception):  # whatever is wrong with it, the picture is there
            plain = {"RGBA": "RGB", "LA": "L"}.get(picture.mode, picture.mode)
            colour = _convert_profile(picture.convert(plain), profile)
    if colour is None:
        if picture.mode == ("RGB" if alpha is None else "RGBA"):
            return picture  # a copy of a large one is hundreds of MiB
        colour = picture.convert("RGB")
    if alpha is not None:
        colour.putalpha(alpha)
    return colour


def _convert_profile(picture: Image.Image, profile: bytes) -> Image.Image | None:
    """Return `picture` with its numbers, which `profile` explains, as sRGB; `None` where they are that already."""
    from PIL import Image, ImageCms

    source: ImageCmsProfile = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    space = source.profile.xcolor_space
    if picture.mode not in SPACES.get(space, ()):
        return None
    transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), picture.mode, "RGB")
    if picture.mode in ("RGB", "L"):
        probe = _probe(picture.mode)
        before, after = probe.convert("RGB"), ImageCms.applyTransform(probe, transform)
        assert isinstance(after, Image.Image)
        difference = np.asarray(before, np.int16) - np.asarray(after, np.int16)
        if int(np.abs(difference).max()) <= ALIKE:
            return None
    return ImageCms.applyTransform(picture, transform)


def _probe(mode: str) -> Image.Image:
    """Return a picture of colours from all over the space."""
    from PIL import Image

    if mode == "L":
        return Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    levels = np.linspace(0, 255, 9).astype(np.uint8)
    return Image.fromarray(np.stack(np.meshgrid(levels, levels, levels), -1).reshape(27, 27, 3))
