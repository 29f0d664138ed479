"""Document preview: a small picture of the newest result, or of the layers. For worker threads."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QImage, QPainter

from standee.composition import Composition, Rect
from standee.document.document import Document
from standee.errors import TooLarge

from ..services.image_cache import CachedImage, small_look, to_qimage
from ..storage.image_import import open_picture
from .painting import paint_picture, paint_words, standing

LARGEST = 64 << 20
"""Bytes of a document that is worth reading for a preview."""
MOST_LAYERS = 24


def preview(path: Path, side: int, wanted: Callable[[], bool] = lambda: True) -> QImage:
    """Return a picture of a document of at most `side` px; an empty one once it is not `wanted`.

    Raises `BadDocument`, `BadPicture`, `InvalidField`, `MissingBlob`, and `TooLarge` for one that
    would take long to read.
    """
    if not wanted():
        return QImage()
    if path.is_file() and path.stat().st_size > LARGEST:
        raise TooLarge(f"{path.name} is too large for a preview.", fix="Open it.")
    with Document.open(path) as document:
        newest = next(reversed(list(document.results.values())), None)
        if newest is not None:
            return to_qimage(open_picture(newest.data, side))
        return _arranged(document, document.composition, side, wanted)


def _arranged(
    document: Document, composition: Composition, side: int, wanted: Callable[[], bool]
) -> QImage:
    canvas, scene = composition.canvas, composition.scene
    layers = [one for one in composition.layers if one.shown][-MOST_LAYERS:]
    looks = []
    for one in layers:
        if not wanted():
            return QImage()
        shown = one.picture or one.mask  # of words their region, if there is one
        looks.append(_look(document, shown, one.mask, side) if shown is not None else None)
    behind = _look(document, scene.picture, None, side) if scene is not None else None
    scale = side / max(canvas.width, canvas.height)
    width, height = max(1, round(canvas.width * scale)), max(1, round(canvas.height * scale))
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.scale(scale, scale)
    if scene is not None and behind is not None:
        rect = scene.rect or Rect(0, 0, canvas.width, canvas.height)
        paint_picture(painter, behind, rect, scene.fit, False, scale)
    for layer, look in zip(layers, looks, strict=True):
        with standing(painter, layer):
            if look is None or layer.picture is None:
                paint_words(painter, layer, scale, look)
            else:
                paint_picture(painter, look, layer.rect, layer.fit, layer.flip, scale)
    painter.end()
    return image


def _look(document: Document, picture: str, mask: str | None, side: int) -> CachedImage:
    return small_look(document.read(picture), document.read(mask) if mask else None, side)
