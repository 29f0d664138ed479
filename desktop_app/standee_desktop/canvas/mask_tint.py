"""The tint over what a mask leaves out of its picture, mirrored with its layer."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter

from ..model.mask_strokes import Box, Mask, MaskPlacement
from .painting import paint_image

SUBJECT = QColor(235, 60, 80, 130)
"""Over what is not the subject."""
CHANGE = QColor(190, 70, 255, 150)
"""Over what will be generated."""
UNDERLAY = 0.4
"""How strongly the whole picture shows while its cut-out is decided."""


class MaskTint:
    """The tint of one mask, (height, width) with 255 where nothing is tinted."""

    def __init__(self, mask: Mask, colour: QColor) -> None:
        height, width = mask.shape
        self._colour = colour
        self._pixels = np.zeros((height, width), np.uint32)
        form = QImage.Format.Format_ARGB32_Premultiplied
        self._image = QImage(self._pixels.data, width, height, width * 4, form)
        self.show(mask, (0, 0, width, height))

    def show(self, mask: Mask, box: Box) -> None:
        """Take over a part of the mask."""
        left, top, right, bottom = box
        part = (slice(top, bottom), slice(left, right))
        colour = self._colour
        alpha = (255 - mask[part]).astype(np.uint32) * colour.alpha() // 255
        red, green, blue = (
            alpha * value // 255 for value in (colour.red(), colour.green(), colour.blue())
        )
        self._pixels[part] = (alpha << 24) | (red << 16) | (green << 8) | blue

    def paint(self, painter: QPainter, frame: MaskPlacement, whole: QImage | None = None) -> None:
        """Paint it where its picture lies, over `whole`, the picture itself, if that is wanted."""
        placed = frame.placed
        area = QRectF(placed.x, placed.y, placed.w, placed.h)
        painter.save()
        painter.translate(area.center())
        painter.rotate(frame.rotation)
        painter.translate(-area.center())
        if frame.flip:
            middle = placed.x + placed.w / 2
            painter.translate(middle, 0)
            painter.scale(-1, 1)
            painter.translate(-middle, 0)
        if whole is not None:
            painter.setOpacity(UNDERLAY)
            paint_image(painter, whole, area)
            painter.setOpacity(1.0)
        paint_image(painter, self._image, area)
        painter.restore()
