"""Painting functions of the canvas: checkerboard, layers, borders, handles, guides.

Functions of a painter and plain data. `scale` is screen px per canvas px.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPainter, QPainterPath, QPen, QPixmap

from standee.composition import Fit, Layer, Rect
from standee.geometry import fit_picture

from ..model.camera import Camera
from ..model.rects import HANDLES, Handle
from ..model.snapping import Line
from ..services.image_cache import CachedImage
from ..widgets import theme

HANDLE_SIDE = 9.0
"""The side of a handle on the screen, px, at any zoom."""
TURN_AWAY = 15.0
"""How far the handles that turn are outside of the corners, px across and down."""
TURN_RADIUS = 3.5
"""Their radius, px."""
CHECKER = 8
"""The side of a square of the checkerboard on the screen, px."""
REGION = 0.4
"""How opaque the painted region of words is."""
OUTSIDE = 0.72
"""How much of the pasteboard lies over what reaches beyond the canvas."""


def qrect(rect: Rect) -> QRectF:
    """Return a rectangle of the document as Qt's."""
    return QRectF(rect.x, rect.y, rect.w, rect.h)


def enter_canvas(painter: QPainter, camera: Camera) -> None:
    """Let the painter paint in canvas px from here on."""
    painter.translate(camera.x, camera.y)
    painter.scale(camera.scale, camera.scale)


@lru_cache(maxsize=4)
def checkerboard(light: str, dark: str) -> QBrush:
    """Return the brush that shows where a picture is transparent."""
    tile = QPixmap(2 * CHECKER, 2 * CHECKER)
    tile.fill(QColor(light))
    painter = QPainter(tile)
    painter.fillRect(0, 0, CHECKER, CHECKER, QColor(dark))
    painter.fillRect(CHECKER, CHECKER, CHECKER, CHECKER, QColor(dark))
    painter.end()
    return QBrush(tile)


@contextmanager
def turned(painter: QPainter, middle: QPointF, degrees: float) -> Iterator[None]:
    """Turn what is painted inside the block about a point, clockwise."""
    if not degrees:
        yield
        return
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(middle)
    painter.rotate(degrees)
    painter.translate(-middle)
    yield
    painter.restore()


@contextmanager
def standing(painter: QPainter, layer: Layer) -> Iterator[None]:
    """Paint inside the block as a layer stands: turned, and as transparent; the painter is in canvas px."""
    before = painter.opacity()
    painter.setOpacity(before * layer.opacity)
    with turned(painter, qrect(layer.rect).center(), layer.rotation):
        yield
    painter.setOpacity(before)


def paint_picture(
    painter: QPainter, look: CachedImage, rect: Rect, fit: Fit, flip: bool, scale: float
) -> None:
    """Paint a picture fitted into a rectangle (canvas px), from the level that is large enough."""
    placed = fit_picture(look.width, look.height, rect, fit)
    image = look.level(max(placed.w, placed.h) * scale)
    target = QRectF(placed.x, placed.y, placed.w, placed.h)
    over = placed.w > rect.w + 1e-6 or placed.h > rect.h + 1e-6
    if not (flip or over):
        painter.drawImage(target, image)
        return
    painter.save()
    if over:
        painter.setClipRect(qrect(rect), Qt.ClipOperation.IntersectClip)
    if flip:
        middle = placed.x + placed.w / 2
        painter.translate(middle, 0)
        painter.scale(-1, 1)
        painter.translate(-middle, 0)
    painter.drawImage(target, image)
    painter.restore()


def paint_placeholder(painter: QPainter, layer: Layer, scale: float, broken: bool) -> None:
    """Paint what stands in for a picture that is being read, or cannot be."""
    colours = theme.current()
    tint = colours.colour("danger" if broken else "muted", 0.16)
    painter.setPen(pen(colours.colour("danger" if broken else "muted"), 1, Qt.PenStyle.DashLine))
    painter.setBrush(tint)
    painter.drawRect(qrect(layer.rect))
    painter.setBrush(Qt.BrushStyle.NoBrush)


def paint_words(
    painter: QPainter, layer: Layer, scale: float, region: CachedImage | None = None
) -> None:
    """Paint a rectangle of words: a dashed frame with what shall be there; the painter is in canvas px.

    `region` is its mask, as opaque as that is white: the part of the rectangle that is theirs.
    """
    rect, words = layer.rect, layer.prompt
    painter.setPen(pen(QColor(0, 0, 0, 110), 3))
    painter.setBrush(QColor(20, 22, 28, 70) if region is None else Qt.BrushStyle.NoBrush)
    painter.drawRect(qrect(rect))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if region is not None:
        image = region.level(max(rect.w, rect.h) * scale)
        tint = _in_colour(image, theme.current().colour("accent", REGION))
        painter.drawImage(qrect(rect), tint.mirrored(True, False) if layer.flip else tint)
    painter.setPen(pen(QColor("#ffffff"), 1.5, Qt.PenStyle.DashLine))
    painter.drawRect(qrect(rect))
    painter.save()
    painter.translate(rect.x, rect.y)
    painter.scale(1 / scale, 1 / scale)  # words have one size on the screen, at any zoom
    inside = QRectF(0, 0, rect.w * scale, rect.h * scale).adjusted(8, 6, -8, -6)
    how = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
    box = painter.boundingRect(inside, int(how), words)
    if inside.contains(box.adjusted(-2, -2, 2, 2)):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(20, 22, 28, 190))
        painter.drawRoundedRect(box.adjusted(-6, -3, 6, 3), 5, 5)
        painter.setPen(QColor("#ffffff"))
        painter.drawText(box, int(how), words)
    painter.restore()


def _in_colour(image: QImage, colour: QColor) -> QImage:
    """Return an image all in one colour, as opaque as it was times the colour's own."""
    made = image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
    painter = QPainter(made)
    painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceIn)
    painter.fillRect(made.rect(), colour)
    painter.end()
    return made


def paint_outside(painter: QPainter, view: QRectF, canvas: QRectF) -> None:
    """Dim what lies off the canvas (both in screen px) and draw the canvas' border."""
    colours = theme.current()
    path = QPainterPath()
    path.addRect(view)
    path.addRect(canvas)
    painter.fillPath(path, colours.colour("pasteboard", OUTSIDE))
    painter.setPen(pen(QColor(0, 0, 0, 120 if colours.dark else 50), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(canvas.adjusted(-0.5, -0.5, 0.5, 0.5))


def pen(colour: QColor, width: float, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    """Return a pen of constant width on the screen."""
    made = QPen(colour, width, style)
    made.setCosmetic(True)
    return made


def paint_outline(
    painter: QPainter, rect: QRectF, *, locked: bool = False, faint: bool = False
) -> None:
    """Paint the outline of a selected layer, screen px: accent on a thin contrasting line."""
    colours = theme.current()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(pen(QColor(0, 0, 0, 70) if not colours.dark else QColor(0, 0, 0, 140), 3))
    if not faint:
        painter.drawRect(rect)
    painter.setPen(_outline_pen(locked, faint))
    painter.drawRect(rect)


def paint_faint_outlines(
    painter: QPainter, frames: Iterable[Sequence[QPointF]], locked: bool
) -> None:
    """Paint the outlines of layers that are selected together, each by its corners, screen px.

    All lines in one call: a hundred rectangles one by one take longer than a frame may.
    """
    lines = [QLineF(one[n - 1], one[n]) for one in frames for n in range(len(one))]
    painter.setPen(_outline_pen(locked, faint=True))
    painter.drawLines(lines)


def _outline_pen(locked: bool, faint: bool) -> QPen:
    accent = theme.current().colour("muted" if locked else "accent", 0.75 if faint else 1.0)
    style = Qt.PenStyle.DashLine if locked else Qt.PenStyle.SolidLine
    return pen(accent, 1 if faint else 1.5, style)


def handle_places(rect: QRectF) -> dict[Handle, QPointF]:
    """Return where the handles of a rectangle are, screen px; small ones keep their corners only."""
    small = min(rect.width(), rect.height()) < 4 * HANDLE_SIDE
    box = Rect(rect.x(), rect.y(), max(rect.width(), 1e-6), max(rect.height(), 1e-6))
    return {one: QPointF(*one.at(box)) for one in HANDLES if one.corner or not small}


def turn_places(rect: QRectF) -> dict[Handle, QPointF]:
    """Return where the handles are, screen px, that turn a rectangle: outside of its corners."""
    return {
        one: place + QPointF(one.x * TURN_AWAY, one.y * TURN_AWAY)
        for one, place in handle_places(rect).items()
        if one.corner
    }


def paint_turn_handles(painter: QPainter, rect: QRectF) -> None:
    """Paint the handles that turn a rectangle, screen px."""
    painter.setPen(pen(theme.current().colour("accent"), 1.5))
    painter.setBrush(QColor("#ffffff"))
    for at in turn_places(rect).values():
        painter.drawEllipse(at, TURN_RADIUS, TURN_RADIUS)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def paint_handles(painter: QPainter, rect: QRectF) -> None:
    """Paint the handles of a rectangle, screen px."""
    colours = theme.current()
    painter.setPen(pen(colours.colour("accent"), 1.5))
    painter.setBrush(QColor("#ffffff"))
    half = HANDLE_SIDE / 2
    for at in handle_places(rect).values():
        painter.drawRoundedRect(
            QRectF(at.x() - half, at.y() - half, HANDLE_SIDE, HANDLE_SIDE), 2, 2
        )
    painter.setBrush(Qt.BrushStyle.NoBrush)


def paint_guides(
    painter: QPainter, view: QRectF, camera: Camera, xs: Iterable[float], ys: Iterable[float]
) -> None:
    """Paint the artist's own guides; their positions in canvas px, the painter and `view` in screen px."""
    painter.setPen(pen(QColor("#22b8cf"), 1))
    across = [camera.to_screen(x, 0)[0] for x in xs]
    down = [camera.to_screen(0, y)[1] for y in ys]
    painter.drawLines([QLineF(x, view.top(), x, view.bottom()) for x in across])
    painter.drawLines([QLineF(view.left(), y, view.right(), y) for y in down])


def paint_snap_lines(painter: QPainter, lines: Iterable[Line]) -> None:
    """Paint the lines that a drag has met; the painter is in canvas px."""
    painter.setPen(pen(QColor("#ff4d8d"), 1))
    for line in lines:
        if line.upright:
            painter.drawLine(QLineF(line.at, line.start, line.at, line.end))
        else:
            painter.drawLine(QLineF(line.start, line.at, line.end, line.at))


def paint_badge(painter: QPainter, at: QPointF, text: str, view: QRectF) -> None:
    """Paint a small label, screen px, kept inside the view: a size, a position, a count."""
    colours = theme.current()
    metrics = painter.fontMetrics()
    box = QRectF(metrics.boundingRect(text)).adjusted(-7, -4, 7, 4)
    box.moveTo(at)
    box.moveLeft(min(max(box.left(), view.left() + 4), view.right() - box.width() - 4))
    box.moveTop(min(max(box.top(), view.top() + 4), view.bottom() - box.height() - 4))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(20, 22, 28, 225))
    painter.drawRoundedRect(box, 5, 5)
    painter.setPen(QColor("#f2f3f7") if colours.dark else QColor("#ffffff"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


def paint_image(painter: QPainter, image: QImage, rect: QRectF) -> None:
    """Paint an image over a rectangle, smoothly."""
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(rect, image)
