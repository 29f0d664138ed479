"""Photoshop files by psd-tools: layers with pixels, in and out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import BadPicture, MissingDependency, StandeeError, TooLarge
from ..images import check_size
from ..pictures import decode
from .raster_layers import Budget, LayeredPicture, RasterLayer, damaged_layers, png_of

if TYPE_CHECKING:
    from PIL import Image

MAGIC = b"8BPS"
MAX_FILE = 1 << 30
MAX_DECODED = 1 << 30
"""The most bytes that decoding one layer may take."""
MAX_OBJECTS = 400_000
MAX_NAME = 200
NORMAL = ("normal", "pass_through")


def read_photoshop(path: Path) -> LayeredPicture:
    """Read the layers of a file. Raises `BadPicture`, `TooLarge` and `MissingDependency`."""
    check_installed()
    from psd_tools import ParseLimits, PSDImage

    name = path.name
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(26)
    except OSError as error:
        raise BadPicture(
            f"{name} cannot be read: {error.strerror}.", fix="Check its name and permissions."
        ) from error
    if size > MAX_FILE:
        raise TooLarge(
            f"{name} has more than {MAX_FILE >> 20} MiB.", fix="Scale it, or merge layers."
        )
    height, width = (int.from_bytes(head[at : at + 4], "big") for at in (14, 18))
    check_size(width, height, name)
    limits = ParseLimits(max_read_bytes=MAX_FILE, max_total_bytes=MAX_FILE, max_objects=MAX_OBJECTS)
    try:
        picture = PSDImage.open(path, max_alloc_bytes=MAX_DECODED, parse_limits=limits)
        return _Reader(name).read(picture)
    except StandeeError:
        raise
    except Exception as error:  # readers of broken files raise whatever they stumble over
        raise damaged_layers(name, str(error) or type(error).__name__) from error


def photoshop_of(picture: LayeredPicture, merged: bytes, mark: bytes = b"") -> bytes:
    """Return a layered picture as a file; `merged` is the PNG of how it looks, `mark` XMP.

    Raises `MissingDependency`.
    """
    check_installed()
    from psd_tools import PSDImage
    from psd_tools.api.layers import Group, PixelLayer
    from psd_tools.constants import BlendMode, Resource
    from psd_tools.psd.image_resources import ImageResource

    class Merged(PSDImage):
        def _update_preview(self) -> None:
            """Keep `merged`: to blend the layers anew takes seconds, and gives the same."""

    whole = Merged.frompil(decode(merged).image.convert("RGBA"))
    for group, layers in picture.runs():
        home: Any = whole if group is None else Group.new(whole, group)
        for layer in layers:
            image = decode(layer.png).image.convert("RGBA")
            made = PixelLayer.frompil(image, home, top=layer.y, left=layer.x)
            made.name = layer.name[:MAX_NAME]  # in letters of any script, which `frompil` refuses
            made.opacity = round(layer.opacity * 255)
            made.visible = layer.visible
            made.blend_mode = BlendMode[layer.blend.upper()]
    if mark:
        key = Resource.XMP_METADATA
        whole.image_resources[key] = ImageResource(key=key.value, data=mark)
    out = io.BytesIO()
    whole.save(out)
    return out.getvalue()


def check_installed() -> None:
    """Raise `MissingDependency` where Photoshop files can be neither read nor written."""
    if find_spec("psd_tools") is None:
        raise MissingDependency(
            "Photoshop files need the package psd-tools, which is not installed.",
            fix="Run `pip install psd-tools`, or use OpenRaster (.ora).",
        )


class _Reader:
    def __init__(self, name: str) -> None:
        self._name, self._budget = name, Budget(name)
        self._left_out: list[str] = []
        self._plain: list[str] = []

    def read(self, picture: Any) -> LayeredPicture:
        layers = tuple(self._layers(picture, 1.0, True, None))
        left_out, plain = tuple(self._left_out), tuple(self._plain)
        return LayeredPicture(picture.width, picture.height, layers, left_out, plain)

    def _layers(
        self, folder: Any, opacity: float, visible: bool, group: str | None
    ) -> Iterator[RasterLayer]:
        """Yield the layers, bottom to top."""
        for one in folder:
            clear, shown = opacity * one.opacity / 255, visible and one.visible
            mixed = one.blend_mode.name.lower() not in NORMAL or one.clipping
            masked = one.has_vector_mask() or (one.is_group() and one.has_mask())
            if mixed or masked or one.has_effects():
                self._plain.append(one.name)
            if one.is_group():
                yield from self._layers(one, clear, shown, group or one.name or "Group")
                continue
            image = self._pixels(one)
            if image is None:
                self._left_out.append(one.name)
                continue
            covers = image.getchannel("A").getextrema()[0] == 255
            png = png_of(image.convert("RGB") if covers else image)
            place = one.left, one.top, *image.size
            yield RasterLayer(one.name, png, *place, covers, clear, shown, group)

    def _pixels(self, one: Any) -> Image.Image | None:
        """Return what a layer shows, RGBA; `None` for one without pixels, or with nothing to see in them."""
        from PIL import Image, ImageChops

        if not one.has_pixels() or one.width < 1 or one.height < 1:
            return None
        self._budget.take(one.width, one.height)
        drawn = one.topil()
        if drawn is None:
            return None
        image: Image.Image = drawn.convert("RGBA")
        if one.has_mask() and not one.mask.disabled:
            mask = one.mask
            stencil = Image.new("L", image.size, mask.background_color)
            if mask.width > 0 and mask.height > 0:
                check_size(mask.width, mask.height, f"A mask of {self._name}")
                stencil.paste(mask.topil().convert("L"), (mask.left - one.left, mask.top - one.top))
            image.putalpha(ImageChops.multiply(image.getchannel("A"), stencil))
        return image if image.getchannel("A").getbbox() is not None else None
