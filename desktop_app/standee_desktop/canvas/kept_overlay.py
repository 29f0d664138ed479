"""Overlay of the scene's kept region: pixels that will be generated are veiled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath

from standee.arrangement import scene_rect
from standee.geometry import fit_picture

from ..services.image_cache import ImageCache
from ..widgets import theme
from .painting import pen, qrect
from .view import CanvasView

VEIL = QColor(124, 92, 255, 92)
"""Over what will be generated."""


class KeptOverlay:
    """Veils what will be generated, while `ViewState.kept_region` is on and there is a scene."""

    def __init__(self, canvas: CanvasView, pictures: ImageCache) -> None:
        self._canvas, self._pictures = canvas, pictures
        self._veil: tuple[NDArray[np.uint8], QImage] | None = None
        canvas.set_veil(self._paint)

    def _paint(self, painter: QPainter, scale: float) -> None:
        document = self._canvas.document
        scene, canvas = document.composition.scene, document.composition.canvas
        if scene is None or not document.view.kept_region:
            return
        whole = QRectF(0, 0, canvas.width, canvas.height)
        rect = scene_rect(scene.rect, canvas)
        look = self._pictures.look(scene.picture, scene.kept)
        if look is None:
            return
        placed = fit_picture(look.width, look.height, rect, scene.fit)
        inside = qrect(rect).intersected(qrect(placed)).intersected(whole)
        outside = QPainterPath()
        outside.addRect(whole)
        outside.addRect(inside)
        painter.fillPath(outside, VEIL)
        if scene.kept is not None or look.has_alpha:
            painter.save()
            painter.setClipRect(inside, Qt.ClipOperation.IntersectClip)
            painter.drawImage(qrect(placed), self._veil_of(look.kept))
            painter.restore()
        if inside != whole:
            painter.setPen(pen(theme.current().colour("accent", 0.9), 1.5, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(inside)

    def _veil_of(self, kept: NDArray[np.uint8]) -> QImage:
        """Return the veil over what a mask does not keep; the last one is remembered."""
        if self._veil is None or self._veil[0] is not kept:
            step = max(1, max(kept.shape) // 512)
            alpha = np.where(kept[::step, ::step] >= 128, 0, VEIL.alpha()).astype(np.uint32)
            share = alpha * 257  # colours are premultiplied
            parts = [part * share // 65535 for part in (VEIL.red(), VEIL.green(), VEIL.blue())]
            pixels = (alpha << 24) | (parts[0] << 16) | (parts[1] << 8) | parts[2]
            data = np.ascontiguousarray(pixels.astype(np.uint32))
            rows, columns = data.shape
            form = QImage.Format.Format_ARGB32_Premultiplied
            self._veil = (kept, QImage(data.data, columns, rows, columns * 4, form).copy())
        return self._veil[1]
