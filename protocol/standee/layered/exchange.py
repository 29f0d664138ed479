"""Exchange with painting programs: their files as compositions, results as their files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..composition import MAX_CANVAS_AREA, Canvas, Composition, Layer, Rect, Scene
from ..document.document import Document
from ..document.receipt import embed, mark_of
from ..errors import BadPicture
from .openraster import is_openraster, openraster_of, read_openraster
from .photoshop import MAGIC, photoshop_of, read_photoshop
from .raster_layers import RESULT, SCENE, SHADOWS, LayeredPicture, RasterLayer
from .rasterize import Read, rasterized

SUFFIXES = (".ora", ".psd", ".psb")
"""How the names of files with layers end, for dialogs."""
WRITTEN = (".ora", ".psd")
LARGEST, SMALLEST, STEP = 8192, 16, 16
"""Of a canvas' sides, px."""
FAR = 32768.0
"""The bound of a coordinate in a composition."""


def is_layered(head: bytes) -> bool:
    """Return whether a file that begins so (64 bytes) holds layers that are read here."""
    return head.startswith(MAGIC) or is_openraster(head)


def read_layered(path: Path) -> LayeredPicture:
    """Read an OpenRaster or Photoshop file. Raises `BadPicture`, `TooLarge` and `MissingDependency`.

    Of a file that Standee wrote the layers with the result and its shadows are no part: they are made of the others.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(64)
    except OSError as error:
        raise BadPicture(
            f"{path.name} cannot be read: {error.strerror}.", fix="Check its name and permissions."
        ) from error
    if not is_layered(head):
        raise BadPicture(
            f"{path.name} is neither an OpenRaster nor a Photoshop file.",
            fix="Save it again as .ora or .psd from the program that made it.",
        )
    picture = read_photoshop(path) if head.startswith(MAGIC) else read_openraster(path)
    own = any(one.name == RESULT for one in picture.layers)
    made = (RESULT, SHADOWS) if own else ()
    layers = tuple(one for one in picture.layers if one.name not in made)
    plain = tuple(name for name in picture.plain if name not in made)
    if not layers:
        raise BadPicture(
            f"{path.name} has no layer with pixels.", fix="Save it again with its layers."
        )
    return replace(picture, layers=layers, plain=plain, own=own)


def stand(
    picture: LayeredPicture, document: Document, canvas: Canvas, behind: bool = True
) -> tuple[tuple[Layer, ...], Scene | None]:
    """Return a picture's layers as subjects on `canvas`, all of it fitted in and centred, and what is its scene.

    The lowest layer is the scene where there is room for one `behind`: in a file of Standee's own that of this name, in
    others one of several that covers all of its canvas. The pixels are added to `document`.
    """
    scale = min(canvas.width / picture.width, canvas.height / picture.height)
    left = (canvas.width - picture.width * scale) / 2
    top = (canvas.height - picture.height * scale) / 2
    if 0 <= picture.width - canvas.width < STEP and 0 <= picture.height - canvas.height < STEP:
        scale, left, top = 1.0, 0.0, 0.0  # its own canvas: px stay px

    def placed(one: RasterLayer) -> Rect:
        x, y = (max(-FAR, min(FAR, at)) for at in (one.x * scale + left, one.y * scale + top))
        return Rect(x, y, min(FAR, one.width * scale), min(FAR, one.height * scale))

    layers: Sequence[RasterLayer] = picture.layers
    scene = None
    if behind and _is_place(layers[0], picture):
        rect = placed(layers[0])
        whole = rect == Rect(0, 0, canvas.width, canvas.height)
        scene = Scene(document.add_picture(layers[0].png), None if whole else rect, fit="stretch")
        layers = layers[1:]
    return tuple(
        Layer(
            placed(one),
            document.add_picture(one.png),
            name=_text(one.name)[:200],
            fit="stretch",
            opacity=one.opacity,
            visible=one.visible,
            group=(_text(one.group)[:64] or None) if one.group else None,
        )
        for one in layers
    ), scene


def document_of(picture: LayeredPicture) -> Document:
    """Return a layered picture as a document on a canvas of its size, in whole steps of 16 px."""
    document = Document()
    width, height = canvas_sides(picture)
    canvas = Canvas(width, height)
    layers, scene = stand(picture, document, canvas)
    document.composition = Composition(canvas, layers=layers, scene=scene)
    return document


def canvas_sides(picture: LayeredPicture) -> tuple[int, int]:
    """Return the canvas that a picture is opened on, (width, height) px: its own, but not over what a canvas may be."""
    width, height = picture.width, picture.height
    area = (MAX_CANVAS_AREA / (width * height)) ** 0.5
    scale = min(1.0, LARGEST / max(width, height), area)
    across, down = (max(SMALLEST, int(side * scale) // STEP * STEP) for side in (width, height))
    return across, down


def layered_of(
    suffix: str,
    composition: Composition,
    read: Read,
    png: bytes,
    receipt: dict[str, Any],
    *,
    marked: bool = True,
) -> tuple[bytes, LayeredPicture]:
    """Return a result with its arrangement as a file of the kind of `suffix`, and what is in that.

    The scene is its lowest layer, the result its topmost one. `read` returns the bytes of a digest. Raises
    `BadPicture`, `TooLarge`, `MissingBlob` and `MissingDependency`.
    """
    picture = rasterized(composition, read, png)
    whole = picture.layers[-1].png  # the result in the canvas' size, which hides all below
    if suffix.lower() == ".psd":
        data = photoshop_of(picture, whole, mark_of(receipt) if marked else b"")
    else:
        data = openraster_of(picture, embed(whole, receipt, marked=marked))
    return data, picture


def _text(name: str) -> str:
    """Return a name in letters that can be saved: files hold broken ones, too."""
    return name.encode("utf-8", "replace").decode()


def _is_place(layer: RasterLayer, picture: LayeredPicture) -> bool:
    if picture.own:
        return layer.name == SCENE
    return (
        len(picture.layers) > 1
        and layer.covers
        and layer.visible
        and layer.opacity == 1
        and layer.x <= 0
        and layer.y <= 0
        and layer.x + layer.width >= picture.width
        and layer.y + layer.height >= picture.height
    )
