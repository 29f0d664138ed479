"""Pixmap cache of the painted layers, so that a drag repaints only what moves.

During a drag only the layers that move are painted anew, between what is below and what is above
them: a drag costs the same with three layers and with a hundred. Where several are selected, what a
drag of those needs is painted before the hand moves. While one zooms or pans, or pictures are read,
many layers are shown as they were painted last, scaled, and painted anew in slices between the frames.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPixmap

from standee.composition import Composition, Layer, Rect, Scene

from ..model.camera import Camera
from ..model.rects import rect_of
from ..services.image_cache import ImageCache
from ..widgets import theme
from .painting import (
    checkerboard,
    enter_canvas,
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
SLICE = 0.002
"""How long they are painted between two frames otherwise, s."""

Key = tuple[Any, ...]


@dataclass
class Plate:
    """What is below all that moves, painted for a camera; `next` is the first layer that is not in it yet."""

    key: Key
    """All that it shows but the camera."""
    camera: Camera
    composition: Composition
    layers: tuple[Layer, ...]
    pixmap: QPixmap
    arrived: int = 0
    """How many pictures had been read when it was begun."""
    next: int = 0
    seconds: float = 0.0
    """How long painting it took so far."""

    @property
    def whole(self) -> bool:
        """Whether all layers are in it."""
        return self.next == len(self.layers)

    def shows(self, camera: Camera, arrived: int) -> bool:
        """Whether it is how the layers look, once so many pictures have been read."""
        return self.whole and self.camera == camera and self.arrived == arrived


class LayerCache:
    """Paints checkerboard, scene and layers of a composition.

    `veil` paints between the scene and the layers, in canvas px; `repaint` makes it do so anew.
    """

    def __init__(self, pictures: ImageCache) -> None:
        self._pictures = pictures
        self.veil: Callable[[QPainter, float], None] | None = None
        self._generation = self._arrived = 0
        self._opened = False
        self._below: Plate | None = None
        self._under_way: Plate | None = None
        self._above: tuple[object, QPixmap] | None = None
        self._sprites: OrderedDict[Key, QPixmap | None] = OrderedDict()
        self._sprite_pixels = 0
        self._at_place: tuple[object, dict[int, tuple[Layer, QPointF, QPixmap]]] = None, {}
        self._shown: tuple[tuple[Layer, ...], Camera, float] = (), Camera(), 1.0
        self._ahead: tuple[object, Iterator[Layer]] = None, iter(())
        pictures.ready.connect(self._on_arrival)
        pictures.failed.connect(self._on_arrival)

    def _on_arrival(self, *_: object) -> None:
        self._arrived += 1

    def repaint(self) -> None:
        """Paint all anew: the theme is another, or what is shown of the document."""
        self._generation += 1

    def forget(self) -> None:
        """Let go of what was painted: another document is open. Its first picture may take some frames."""
        self._below = self._under_way = None
        self._opened = True

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
        self._shown = layers, camera, ratio
        first, last = _span(layers, moving)
        ground = (composition.canvas, composition.scene)
        seen = (size.width(), size.height(), ratio, self._generation)
        key = (ground, layers[:first], seen)
        below = self._plate(key, composition, layers[:first], camera)
        at_rest = below.shows(camera, self._arrived)
        if below.camera == camera:
            painter.drawPixmap(0, 0, below.pixmap)
        else:
            self._paint_scaled(painter, below, composition, camera)
        if first == last:
            return at_rest
        self._paint_sprites(painter, layers[first:last], moving, camera, ratio)
        if not any(layer.shown for layer in layers[last:]):
            return at_rest
        key_above = (layers[last:], seen, camera, self._arrived)
        if self._above is None or self._above[0] != key_above:
            pixmap = QPixmap(size * ratio)
            pixmap.setDevicePixelRatio(ratio)
            pixmap.fill(Qt.GlobalColor.transparent)
            with_painter = QPainter(pixmap)
            self._paint_layers(with_painter, layers[last:], camera)
            with_painter.end()
            self._above = (key_above, pixmap)
        painter.drawPixmap(0, 0, self._above[1])
        return at_rest

    def _plate(
        self, key: Key, composition: Composition, layers: tuple[Layer, ...], camera: Camera
    ) -> Plate:
        """Return what is shown below all that moves; `_under_way` is what takes its place, where that takes time."""
        below = self._below
        if below is not None and below.key == key:
            if below.shows(camera, self._arrived):
                return below
            if self._may_wait(below):
                if self._under_way is None or self._under_way.key != key:
                    self._under_way = self._fresh(key, composition, layers, camera)
                return below
        fresh = self._fresh(key, composition, layers, camera)
        slices = self._opened and len(layers) > FEW
        self._opened = False
        self._paint_on(fresh, SLICE if slices else None)
        self._below, self._under_way = fresh, None if fresh.whole else fresh
        return fresh

    def _fresh(
        self, key: Key, composition: Composition, layers: tuple[Layer, ...], camera: Camera
    ) -> Plate:
        width, height, ratio, _ = key[-1]
        pixmap = QPixmap(QSize(width, height) * ratio)
        pixmap.setDevicePixelRatio(ratio)
        return Plate(key, camera, composition, layers, pixmap, self._arrived)

    def go_on(self) -> bool:
        """Paint on at what `paint` left, for a moment; returns whether that is whole now."""
        fresh = self._under_way
        if fresh is not None:
            self._paint_on(fresh, SLICE)
            if not fresh.whole:
                return False
            self._below, self._under_way = fresh, None
        return True

    def get_ready(self, ids: Collection[str]) -> bool:
        """Paint what it takes to move these of the layers that were shown last, for a moment.

        Returns whether all of that is there.
        """
        layers, camera, ratio = self._shown
        key = (layers, tuple(ids), camera.scale, ratio, self._generation, self._arrived)
        if self._ahead[0] != key:
            first, last = _span(layers, ids)
            self._ahead = key, iter(layers[first:last])
        began = time.perf_counter()
        for layer in self._ahead[1]:
            if layer.shown:
                self._sprite(layer, camera, ratio, ahead=True)
            if time.perf_counter() >= began + SLICE:
                return False
        return True

    @staticmethod
    def _may_wait(below: Plate) -> bool:
        return not below.whole or (len(below.layers) > FEW and below.seconds > SLOW)

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

    def _paint_layers(self, painter: QPainter, layers: Sequence[Layer], camera: Camera) -> None:
        _enter(painter, camera)
        for layer in layers:
            self._paint_at_rest(painter, layer, camera)

    def _paint_sprites(
        self,
        painter: QPainter,
        layers: Sequence[Layer],
        moving: Collection[str],
        camera: Camera,
        ratio: float,
    ) -> None:
        """Paint layers in screen px as they were painted before, where they are alike there.

        `ratio` is px of the screen to one of the widget.
        """
        seen = (camera, ratio, self._generation)
        if self._at_place[0] != seen:
            self._at_place = seen, {}
        places = self._at_place[1]
        for layer in layers:
            if not layer.shown:
                continue
            known = places.get(id(layer))
            if known is None:
                sprite = self._sprite(layer, camera, ratio) if len(layers) > 1 else None
                if sprite is None:
                    painter.save()
                    _enter(painter, camera)
                    self._paint_at_rest(painter, layer, camera)
                    painter.restore()
                    continue
                place = rect_of(layer)
                x, y = camera.to_screen(place.x, place.y)
                at = QPointF(round(x * ratio - 1) / ratio, round(y * ratio - 1) / ratio)
                known = layer, at, sprite
                if layer.id not in moving:
                    places[id(layer)] = known  # which keeps the layer, and so its id
            painter.drawPixmap(known[1], known[2])

    def _paint_at_rest(self, painter: QPainter, layer: Layer, camera: Camera) -> None:
        if layer.shown:
            with standing(painter, layer):
                self._paint_layer(painter, layer, camera)

    def _sprite(
        self, layer: Layer, camera: Camera, ratio: float, ahead: bool = False
    ) -> QPixmap | None:
        """Return a layer as it is painted to the whole px; None where it was not painted alike before.

        With `ahead` it is painted for what is to come.
        """
        look, place = self._pictures.look_of(layer), rect_of(layer)
        scale = camera.scale * ratio
        if look is None or place.w * place.h * scale**2 > LARGEST_SPRITE:
            return None
        rect = layer.rect
        how = rect.w, rect.h, layer.fit, layer.flip, layer.rotation, layer.opacity
        key = (layer.picture, layer.mask, how, scale, self._generation)
        if key not in self._sprites and not ahead:
            self._keep_sprite(key, None)  # it may be another one in each frame
            return None
        sprite = self._sprites.get(key)
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
        return sprite

    def _keep_sprite(self, key: Key, sprite: QPixmap | None) -> None:
        self._sprites[key] = sprite
        self._sprite_pixels += _pixels(sprite)
        while len(self._sprites) > SPRITES or self._sprite_pixels > SPRITE_PIXELS:
            self._sprite_pixels -= _pixels(self._sprites.popitem(last=False)[1])
            self._at_place = None, {}

    def _paint_layer(self, painter: QPainter, layer: Layer, camera: Camera) -> None:
        look = self._pictures.look_of(layer)
        if look is not None:
            paint_picture(painter, look, layer.rect, layer.fit, layer.flip, camera.scale)
        elif layer.picture is None:
            region = self._pictures.look(layer.mask, layer.mask) if layer.mask else None
            paint_words(painter, layer, camera.scale, region)
        else:
            broken = self._pictures.error(layer.picture, layer.mask) is not None
            paint_placeholder(painter, layer, camera.scale, broken)


def _enter(painter: QPainter, camera: Camera) -> None:
    """Let the painter paint pictures in canvas px from here on."""
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    enter_canvas(painter, camera)


def _span(layers: Sequence[Layer], ids: Collection[str]) -> tuple[int, int]:
    """Return where the layers with these ids begin and end in the pile."""
    indices = [n for n, layer in enumerate(layers) if layer.id in ids]
    return (indices[0], indices[-1] + 1) if indices else (len(layers), len(layers))


def _pixels(sprite: QPixmap | None) -> int:
    return sprite.width() * sprite.height() if sprite is not None else 0
