"""Pixmap cache of the painted layers, so that a drag repaints only what moves.

During a drag only the layers that move are painted anew, between what is below and what is above
them: a drag costs the same with three layers and with a hundred. While one zooms or pans, many
layers are shown as they were painted last, scaled, and painted anew in slices between the frames.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
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
SPRITES = 512
"""How many sprites are kept, a few of a layer: on tokens it is a cell wider here than there."""
SPRITE_PIXELS = 48 << 20
"""How many px they have together, 4 bytes each."""
FEW = 12
"""So many layers are painted anew at once however the camera moves."""
SLOW = 0.008
"""More of them too, if painting them took no longer than this, s."""
SLICE = 0.003
"""How long they are painted between two frames otherwise, s."""

Key = tuple[object, ...]


@dataclass
class Plate:
    """What is below all that moves, painted for a camera; `next` is the first layer that is not in it yet."""

    key: Key
    """All that it shows but the camera."""
    camera: Camera
    composition: Composition
    layers: tuple[Layer, ...]
    pixmap: QPixmap
    next: int = 0
    seconds: float = 0.0
    """How long painting it took so far."""

    @property
    def whole(self) -> bool:
        """Whether all layers are in it."""
        return self.next == len(self.layers)


class LayerCache:
    """Paints checkerboard, scene and layers of a composition.

    `veil` paints between the scene and the layers, in canvas px; `repaint` makes it do so anew.
    """

    def __init__(self, pictures: ImageCache) -> None:
        self._pictures = pictures
        self.veil: Callable[[QPainter, float], None] | None = None
        self._generation = 0
        self._below: Plate | None = None
        self._under_way: Plate | None = None
        self._above: tuple[object, QPixmap] | None = None
        self._sprites: OrderedDict[Key, QPixmap | None] = OrderedDict()
        self._sprite_pixels = 0
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
    ) -> bool:
        """Paint in screen px; `moving` are the ids of the layers that change from frame to frame.

        Returns whether that is how it looks at rest. If not, `go_on` until that is painted.
        """
        layers = composition.layers
        indices = [n for n, layer in enumerate(layers) if layer.id in moving]
        first, last = (indices[0], indices[-1] + 1) if indices else (len(layers), len(layers))
        ground = (composition.canvas, composition.scene)
        seen = (size.width(), size.height(), ratio, self._generation)
        key = (ground, layers[:first], seen)
        below = self._below
        if below is None or below.key != key or below.camera != camera:
            fresh = self._under_way
            if fresh is None or fresh.key != key:
                pixmap = _blank(size, ratio, theme.current().pasteboard)
                fresh = Plate(key, camera, composition, layers[:first], pixmap)
            if below is not None and below.key == key and self._may_wait(below):
                self._under_way = fresh
                self._paint_scaled(painter, below, composition, camera)
                return False
            if fresh.camera != camera:
                fresh = Plate(key, camera, composition, layers[:first], fresh.pixmap)
            self._paint_on(fresh)
            self._below, self._under_way = fresh, None
            below = fresh
        painter.drawPixmap(0, 0, below.pixmap)
        if first == last:
            return True
        painter.save()
        self._paint_layers(painter, layers[first:last], camera, ratio)
        painter.restore()
        if not any(layer.shown for layer in layers[last:]):
            return True
        key_above = (layers[last:], seen, camera)
        if self._above is None or self._above[0] != key_above:
            pixmap = _blank(size, ratio, None)
            with_painter = QPainter(pixmap)
            self._paint_layers(with_painter, layers[last:], camera)
            with_painter.end()
            self._above = (key_above, pixmap)
        painter.drawPixmap(0, 0, self._above[1])
        return True

    def go_on(self) -> bool:
        """Paint on at what `paint` left, for a moment; returns whether that is whole now."""
        fresh = self._under_way
        if fresh is not None:
            self._paint_on(fresh, SLICE)
            if not fresh.whole:
                return False
            self._below, self._under_way = fresh, None
        return True

    @staticmethod
    def _may_wait(below: Plate) -> bool:
        return len(below.layers) > FEW and below.seconds > SLOW

    def _paint_on(self, plate: Plate, seconds: float | None = None) -> None:
        """Paint what is missing in a plate, after one layer for so long at most."""
        began = time.perf_counter()
        painter = QPainter(plate.pixmap)
        if not plate.next and not plate.seconds:
            plate.pixmap.fill(theme.current().colour("pasteboard"))
            self._paint_ground(painter, plate.composition, plate.camera)
        _enter(painter, plate.camera)
        while not plate.whole:
            self._paint_at_rest(painter, plate.layers[plate.next], plate.camera)
            plate.next += 1
            if seconds is not None and time.perf_counter() >= began + seconds:
                break
        painter.end()
        plate.seconds += time.perf_counter() - began

    def _paint_scaled(
        self, painter: QPainter, plate: Plate, composition: Composition, camera: Camera
    ) -> None:
        """Paint a plate of another camera, as far as it reaches, and the ground around."""
        before, by = plate.camera, camera.scale / plate.camera.scale
        sides = plate.pixmap.deviceIndependentSize() * by
        place = QRectF(QPointF(camera.x - before.x * by, camera.y - before.y * by), sides)
        area = QRectF(painter.viewport())
        if not place.contains(area):
            painter.fillRect(area, theme.current().colour("pasteboard"))
            self._paint_ground(painter, composition, camera)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawPixmap(place, plate.pixmap, QRectF(plate.pixmap.rect()))
        painter.restore()

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
            sprites = ratio and layer.shown and len(layers) > 1
            if not (sprites and self._paint_sprite(painter, layer, camera, ratio)):
                self._paint_at_rest(painter, layer, camera)

    def _paint_at_rest(self, painter: QPainter, layer: Layer, camera: Camera) -> None:
        if layer.shown:
            with standing(painter, layer):
                self._paint_layer(painter, layer, camera)

    def _paint_sprite(self, painter: QPainter, layer: Layer, camera: Camera, ratio: float) -> bool:
        """Paint a layer as it was painted before, to the whole px; return whether it was alike there."""
        look, place = self._pictures.look_of(layer), rect_of(layer)
        scale = camera.scale * ratio
        if look is None or place.w * place.h * scale**2 > LARGEST_SPRITE:
            return False
        rect = layer.rect
        how = rect.w, rect.h, layer.fit, layer.flip, layer.rotation, layer.opacity
        key = (layer.picture, layer.mask, how, scale, self._generation)
        if key not in self._sprites:
            self._keep_sprite(key, None)  # it may be another one in each frame
            return False
        sprite = self._sprites[key]
        if sprite is None:
            sprite = QPixmap(ceil(place.w * scale) + 2, ceil(place.h * scale) + 2)
            sprite.fill(Qt.GlobalColor.transparent)
            with_painter = QPainter(sprite)
            origin = Camera(scale, 1 - place.x * scale, 1 - place.y * scale)
            self._paint_layers(with_painter, (layer,), origin)
            with_painter.end()
            sprite.setDevicePixelRatio(ratio)
            self._keep_sprite(key, sprite)
        self._sprites.move_to_end(key)
        x, y = camera.to_screen(place.x, place.y)
        painter.save()
        painter.resetTransform()
        painter.drawPixmap(
            QPointF(round(x * ratio - 1) / ratio, round(y * ratio - 1) / ratio), sprite
        )
        painter.restore()
        return True

    def _keep_sprite(self, key: Key, sprite: QPixmap | None) -> None:
        self._sprites[key] = sprite
        self._sprite_pixels += _pixels(sprite)
        while len(self._sprites) > SPRITES or self._sprite_pixels > SPRITE_PIXELS:
            self._sprite_pixels -= _pixels(self._sprites.popitem(last=False)[1])

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


def _pixels(sprite: QPixmap | None) -> int:
    return sprite.width() * sprite.height() if sprite is not None else 0


def _blank(size: QSize, ratio: float, colour: str | None) -> QPixmap:
    pixmap = QPixmap(size * ratio)
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(theme.current().colour("pasteboard") if colour else Qt.GlobalColor.transparent)
    return pixmap
