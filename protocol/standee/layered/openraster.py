"""OpenRaster files: a zip of `stack.xml` and a PNG for each layer.

Files come from anywhere: names, sizes and counts are checked before anything is unpacked, and nothing is written to
the disk. An XML with a document type, which may hold entities, is refused.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

from ..document.archive import BROKEN, MAX_ENTRIES, MAX_RATIO, write_archive
from ..document.blobs import CHUNK, MAX_PICTURE
from ..errors import BadPicture, TooLarge
from ..images import MAX_PIXELS, check_size
from ..pictures import decode
from .raster_layers import Blend, Budget, LayeredPicture, RasterLayer, damaged_layers, png_of

MIME = b"image/openraster"
MAX_STACK = 1 << 20
"""The most bytes of `stack.xml`."""
MAX_DEPTH = 32
THUMBNAIL = 256
PLAIN = "svg:src-over"
OPERATIONS: dict[Blend, str] = {"normal": PLAIN, "multiply": "svg:multiply"}


@dataclass(frozen=True)
class _Folder:
    """What the folders around a layer say of it."""

    x: int = 0
    y: int = 0
    opacity: float = 1.0
    visible: bool = True
    group: str | None = None
    depth: int = 0


def is_openraster(head: bytes) -> bool:
    """Return whether a file that begins so (64 bytes) is an OpenRaster picture."""
    return head.startswith(b"PK\3\4") and head[30:54] == b"mimetype" + MIME


def read_openraster(path: Path) -> LayeredPicture:
    """Read the layers of a file. Raises `BadPicture` and `TooLarge`, naming it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _Reader(archive, path.name).read()
    except OSError as error:
        raise BadPicture(
            f"{path.name} cannot be read: {error.strerror}.", fix="Check its name and permissions."
        ) from error
    except BROKEN as error:
        raise damaged_layers(path.name, str(error)) from error


def openraster_of(picture: LayeredPicture, merged: bytes) -> bytes:
    """Return a layered picture as a file; `merged` is the PNG of how all of it looks."""
    root = ElementTree.Element(
        "image", version="0.0.3", w=str(picture.width), h=str(picture.height)
    )
    stack = ElementTree.SubElement(root, "stack")
    pngs: dict[str, bytes] = {}
    for group, layers in reversed(list(picture.runs())):  # the first is on top
        home = stack if group is None else ElementTree.SubElement(stack, "stack", name=group)
        for layer in reversed(layers):
            source = f"data/layer{len(pngs):03d}.png"
            pngs[source] = layer.png
            ElementTree.SubElement(
                home,
                "layer",
                {
                    "name": layer.name,
                    "src": source,
                    "x": str(layer.x),
                    "y": str(layer.y),
                    "opacity": f"{layer.opacity:g}",
                    "visibility": "visible" if layer.visible else "hidden",
                    "composite-op": OPERATIONS[layer.blend],
                },
            )
    small = decode(merged).image
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    out = io.BytesIO()
    entries = {
        "mimetype": MIME,  # the first, and not packed
        "stack.xml": ElementTree.tostring(root, "utf-8", xml_declaration=True),
        **pngs,
        "mergedimage.png": merged,
        "Thumbnails/thumbnail.png": png_of(small),
    }
    write_archive(out, entries.items())
    return out.getvalue()


class _Reader:
    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive, self._name = archive, name
        self._budget = Budget(name)
        self._left_out: list[str] = []
        self._plain: list[str] = []

    def read(self) -> LayeredPicture:
        if len(self._archive.infolist()) > MAX_ENTRIES:
            raise TooLarge(f"{self._name} holds more than {MAX_ENTRIES} files.", fix=_AGAIN)
        root = self._stack()
        width, height = _whole(root, "w"), _whole(root, "h")
        stack = root.find("stack")
        if root.tag != "image" or stack is None or width < 1 or height < 1:
            raise damaged_layers(self._name, "stack.xml tells of no picture")
        check_size(width, height, self._name)
        layers = tuple(self._layers(stack, _Folder()))[::-1]
        return LayeredPicture(width, height, layers, tuple(self._left_out), tuple(self._plain))

    def _stack(self) -> ElementTree.Element:
        data = self._entry("stack.xml", MAX_STACK)
        try:
            text = data.decode("utf-8-sig")
            if "<!DOCTYPE" in text.upper():
                raise damaged_layers(self._name, "stack.xml has a document type")
            return ElementTree.fromstring(text)
        except (UnicodeError, ElementTree.ParseError, ValueError) as error:
            raise damaged_layers(self._name, f"stack.xml: {error}") from error

    def _layers(self, stack: ElementTree.Element, folder: _Folder) -> Iterator[RasterLayer]:
        """Yield the layers, top to bottom."""
        if folder.depth > MAX_DEPTH:
            raise damaged_layers(self._name, f"more than {MAX_DEPTH} folders in one another")
        for one in stack:
            inside = replace(
                folder,
                x=folder.x + _whole(one, "x"),
                y=folder.y + _whole(one, "y"),
                opacity=folder.opacity * min(1.0, max(0.0, _number(one, "opacity", 1.0))),
                visible=folder.visible and one.get("visibility", "visible") == "visible",
            )
            name = one.get("name", "")
            if one.get("composite-op", PLAIN) != PLAIN:
                self._plain.append(name)
            if one.tag == "stack":
                group = folder.group or name or "Group"
                yield from self._layers(one, replace(inside, group=group, depth=folder.depth + 1))
            elif one.tag == "layer" and (layer := self._layer(one, name, inside)) is not None:
                yield layer
            else:
                self._left_out.append(name)

    def _layer(self, one: ElementTree.Element, name: str, here: _Folder) -> RasterLayer | None:
        source = one.get("src", "")
        if not source.lower().endswith(".png"):
            return None
        data = self._entry(source, MAX_PICTURE)
        if data[12:16] == b"IHDR":
            self._budget.take(*(int.from_bytes(data[at : at + 4], "big") for at in (16, 20)))
        decoded = decode(data, f"{name or source} in {self._name}", most=MAX_PIXELS)
        image = decoded.image
        covers = image.mode != "RGBA"
        if not covers and image.getchannel("A").getbbox() is None:
            return None
        png = data if decoded.as_is and decoded.kind == "PNG" else png_of(image)
        place = here.x, here.y, *image.size
        return RasterLayer(name, png, *place, covers, here.opacity, here.visible, here.group)

    def _entry(self, name: str, most: int) -> bytes:
        try:
            entry = self._archive.getinfo(name)
        except KeyError:
            raise damaged_layers(self._name, f"it holds no {name[:80]}") from None
        packed = max(entry.compress_size, CHUNK // MAX_RATIO)
        if entry.file_size > most or entry.file_size > MAX_RATIO * packed:
            raise TooLarge(
                f"{self._name} is not safe to open: {name[:80]} would unpack to {entry.file_size:,} bytes.",
                fix=_AGAIN,
            )
        with self._archive.open(entry) as stream:
            data = stream.read(entry.file_size)  # never more than it says
        return data


_AGAIN = "Ask whoever made it to save it again."


def _number(one: ElementTree.Element, name: str, usual: float = 0.0) -> float:
    try:
        value = float(one.get(name, usual))
    except ValueError:
        return usual
    return value if math.isfinite(value) else usual


def _whole(one: ElementTree.Element, name: str) -> int:
    return round(min(1e6, max(-1e6, _number(one, name))))
