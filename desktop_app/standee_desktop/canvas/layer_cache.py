"""Pixmap cache of the painted layers, so that a drag repaints only what moves.

During a drag only the layers that move are painted anew, between what is below and what is above
them: a drag costs the same with three layers and with a hundred.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from math import ceil

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPixmap

from standee.composition import Composition, Layer, Rect, Scene

from ..model.camera import Camera
from ..model.rects import rect_of
from ..services.image_cache import ImageCache
from ..widgets import theme
from .painting import (
    checkerboard,
    paint_picture,
    paint_placeholder,
    paint_words,
    pen,
    standing,
)

LARGEST_SPRITE = 1 << 20
"""Layers of more px on the screen are always painted from their pictures."""
SPRITES = 128
"""How many layers' sprites are kept, 4 MiB each at most."""


class LayerCache:
    """Paints checkerboard, scene and layers of a composition.

    `veil` paints between the scene and the layers, in canvas px; `repaint` makes it do so anew.
    """

    def __init__(self, pictures: ImageCache) -> None:
        self._pictures = pictures
        self.veil: Callable[[QPainter, float], None] | None = None
        self._generation = 0
        self._below: tuple[object, QPixmap] | None = None
        self._above: tuple[object, QPixmap] | None = None
        self._sprites: dict[str, tuple[object, QPixmap | None]] = {}
        pictures.ready.connect(self._stale)
        pictures.failed.connect(self._stale)

    def _stale(self, *_: object) -> None:
        self._generation += 1

    def repaint(self) -> None:
        """Paint all anew: the theme is another, or the document."""
        self._generation += 1

    def paint(
        self,
        painter: QPainter,
        composition: Composition,
        moving: Collection[str],
        camera: Camera,
        size: QSize,
        ratio: float,
    ) -> None:
        """Paint in screen px; `moving` are the ids of the layers that change from frame to frame."""
        layers = composition.layers
        indices = [n for n, layer in enumerate(layers) if layer.id in moving]
        first, last = (indices[0], indices[-1] + 1) if indices else (len(layers), len(layers))
        ground = (composition.canvas, composition.scene)
        look = (camera, size.width(), size.height(), ratio, self._generation)
        key = (ground, layers[:first], look)
        if self._below is None or self._below[0] != key:
            pixmap = _blank(size, ratio, theme.current().pasteboard)
            with_painter = QPainter(pixmap)
            self._paint_ground(with_painter, composition, camera)
            self._paint_layers(with_painter, layers[:first], camera)
            with_painter.end()
            self._below = (key, pixmap)
        painter.drawPixmap(0, 0, self._below[1])
        if first == last:
            return
        painter.save()
        self._paint_layers(painter, layers[first:last], camera, ratio)
        painter.restore()
        if not any(layer.shown for layer in layers[last:]):
            return
        key_above = (layers[last:], look)
        if self._above is None or self._above[0] != key_above:
            pixmap = _blank(size, ratio, None)
            with_painter = QPainter(pixmap)
            self._paint_layers(with_painter, layers[last:], camera)
            with_painter.end()
            self._above = (key_above, pixmap)
        painter.drawPixmap(0, 0, self._above[1])

    def _paint_ground(self, painter: QPainter, composition: Composition, camera: Camera) -> None:
        canvas = composition.canvas
        left, top = camera.to_screen(0, 0)
        area = QRectF(left, top, canvas.width * camera.scale, canvas.height * camera.scale)
        colours = theme.current()
        painter.save()
        painter.setBrushOrigin(area.topLeft())
        painter.fillRect(area, checkerboard(colours.checker_a, colours.checker_b))
        painter.restore()
        if composition.scene is not None:
            self._paint_scene(painter, composition.scene, composition, camera)
        if self.veil is not None:
            painter.save()
            _enter(painter, camera)
            self.veil(painter, camera.scale)
            painter.restore()

    def _paint_scene(
        self, painter: QPainter, scene: Scene, composition: Composition, camera: Camera
    ) -> None:
        canvas = composition.canvas
        rect = scene.rect or Rect(0, 0, canvas.width, canvas.height)
        look = self._pictures.look(scene.picture)
        painter.save()
        _enter(painter, camera)
        if look is not None:
            paint_picture(painter, look, rect, scene.fit, False, camera.scale)
        else:
            painter.setPen(pen(theme.current().colour("muted"), 1, Qt.PenStyle.DashLine))
            painter.drawRect(QRectF(rect.x, rect.y, rect.w, rect.h))
        painter.restore()

    def _paint_layers(
        self, painter: QPainter, layers: Sequence[Layer], camera: Camera, ratio: float = 0.0
    ) -> None:
        """Paint layers; with `ratio`, px of the screen to one of the widget, from sprites where there are some."""
        _enter(painter, camera)
        for layer in layers:
            if not layer.shown:
                continue
            if ratio and len(layers) > 1 and self._paint_sprite(painter, layer, camera, ratio):
                continue
            with standing(painter, layer):
                self._paint_layer(painter, layer, camera)

    def _paint_sprite(self, painter: QPainter, layer: Layer, camera: Camera, ratio: float) -> bool:
        """Paint a layer as it was painted in the last frame, to the whole px; return whether it was alike there."""
        look, place = self._pictures.look_of(layer), rect_of(layer)
        scale = camera.scale * ratio
        if look is None or place.w * place.h * scale**2 > LARGEST_SPRITE:
            return False
        rect = layer.rect
        how = rect.w, rect.h, layer.fit, layer.flip, layer.rotation, layer.opacity
        key = (layer.picture, layer.mask, how, scale, self._generation)
        before = self._sprites.pop(layer.id, None)
        sprite = before[1] if before is not None and before[0] == key else None
        if before is None or before[0] != key:
            self._sprites[layer.id] = (key, None)  # it may be another one in each frame
            return False
        if sprite is None:
            sprite = QPixmap(ceil(place.w * scale) + 2, ceil(place.h * scale) + 2)
            sprite.fill(Qt.GlobalColor.transparent)
            with_painter = QPainter(sprite)
            origin = Camera(scale, 1 - place.x * scale, 1 - place.y * scale)
            self._paint_layers(with_painter, (layer,), origin)
            with_painter.end()
            sprite.setDevicePixelRatio(ratio)
        self._sprites[layer.id] = (key, sprite)
        while len(self._sprites) > SPRITES:
            del self._sprites[next(iter(self._sprites))]
        x, y = camera.to_screen(place.x, place.y)
        painter.save()
        painter.resetTransform()
        painter.drawPixmap(
            QPointF(round(x * ratio - 1) / ratio, round(y * ratio - 1) / ratio), sprite
        )
        painter.restore()
        return True

    def _paint_layer(self, painter: QPainter, layer: Layer, camera: Camera) -> None:
        look = self._pictures.look_of(layer)
        if look is not None:
            paint_picture(painter, look, layer.rect, layer.fit, layer.flip, camera.scale)
        elif layer.picture is None:
            paint_words(painter, layer.rect, layer.prompt, camera.scale)
        else:
            broken = self._pictures.error(layer.picture, layer.mask) is not None
            paint_placeholder(painter, layer, camera.scale, broken)


def _enter(painter: QPainter, camera: Camera) -> None:
    """Let the painter paint in canvas px from here on."""
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.translate(camera.x, camera.y)
    painter.scale(camera.scale, camera.scale)


def _blank(size: QSize, ratio: float, colour: str | None) -> QPixmap:
    pixmap = QPixmap(size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(theme.current().colour("pasteboard") if colour else Qt.GlobalColor.transparent)
    return pixmap
