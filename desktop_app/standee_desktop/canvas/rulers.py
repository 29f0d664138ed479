"""Rulers beside the canvas, from which guides are dragged."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPixmap, QPolygonF
from PySide6.QtWidgets import QGridLayout, QWidget

from ..model.rects import rect_of
from ..widgets import theme
from .view import CanvasView

WIDTH = 20
"""How wide a ruler is, px."""
SPACING = 56
"""How far numbers stand apart at least, screen px."""
STEPS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096)


class Ruler(QWidget):
    """Shows canvas px along one side of the view."""

    def __init__(self, canvas: CanvasView, across: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._canvas, self._across = canvas, across
        self._at: float | None = None
        self._dragged: int | None = None
        self._ticks: tuple[object, QPixmap] | None = None
        name = self.tr("Horizontal ruler") if across else self.tr("Vertical ruler")
        self.setAccessibleName(name)
        self.setToolTip(self.tr("Drag into the canvas to add a guide"))
        self.setCursor(Qt.CursorShape.SplitVCursor if across else Qt.CursorShape.SplitHCursor)
        (self.setFixedHeight if across else self.setFixedWidth)(WIDTH)
        font = self.font()
        font.setPointSizeF(max(font.pointSizeF() * 0.75, 6.5))
        self.setFont(font)
        canvas.camera_changed.connect(self.update)
        canvas.hovered.connect(self._follow)
        canvas.document.changed.connect(lambda _: self.update())
        canvas.document.selection_changed.connect(lambda _: self.update())

    def sizeHint(self) -> QSize:
        """A thin strip."""
        return QSize(WIDTH, WIDTH)

    def _follow(self, at: QPointF | None) -> None:
        self._at = None if at is None else at.x() if self._across else at.y()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the extent of the canvas and the selection, ticks, numbers and the mouse."""
        colours, camera = theme.current(), self._canvas.camera
        painter = QPainter(self)
        painter.fillRect(self.rect(), colours.colour("ruler"))
        length = self.width() if self._across else self.height()
        origin = camera.x if self._across else camera.y
        canvas = self._canvas.document.composition.canvas
        whole = canvas.width if self._across else canvas.height
        painter.fillRect(self._band(0, whole), colours.colour("hover"))
        selected = colours.colour("selected")
        for layer in self._canvas.document.selected:
            rect = rect_of(layer)
            low, size = (rect.x, rect.w) if self._across else (rect.y, rect.h)
            painter.fillRect(self._band(low, low + size), selected)
        painter.drawPixmap(0, 0, self._scale(length, origin))
        if self._at is not None:
            self._pointer(painter, origin + self._at * camera.scale)
        painter.setPen(colours.colour("border"))
        if self._across:
            painter.drawLine(0, WIDTH - 1, self.width(), WIDTH - 1)
        else:
            painter.drawLine(WIDTH - 1, 0, WIDTH - 1, self.height())

    def _scale(self, length: int, origin: float) -> QPixmap:
        """Return the ticks and numbers, painted anew only when they are others."""
        camera, ratio = self._canvas.camera, self.devicePixelRatioF()
        key = (camera, length, ratio, theme.current().dark)
        if self._ticks is not None and self._ticks[0] == key:
            return self._ticks[1]
        pixmap = QPixmap(self.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setFont(self.font())
        step = next((one for one in STEPS if one * camera.scale >= SPACING), STEPS[-1])
        small = step / 4
        first = int(-origin / camera.scale // small)
        last = int((length - origin) / camera.scale // small) + 1
        for number in range(first, last + 1):
            at = round(origin + number * small * camera.scale) + 0.5
            self._tick(painter, at, number % 4 == 0, f"{number * small:g}")
        painter.end()
        self._ticks = (key, pixmap)
        return pixmap

    def _band(self, low: float, high: float) -> QRectF:
        """Return what a part of the canvas takes of the ruler."""
        camera = self._canvas.camera
        origin = camera.x if self._across else camera.y
        start, end = origin + low * camera.scale, origin + high * camera.scale
        if self._across:
            return QRectF(start, 0, end - start, WIDTH)
        return QRectF(0, start, WIDTH, end - start)

    def _tick(self, painter: QPainter, at: float, long: bool, text: str) -> None:
        colours = theme.current()
        painter.setPen(colours.colour("border" if not long else "disabled"))
        start = WIDTH - (WIDTH if long else 5)
        if self._across:
            painter.drawLine(QPointF(at, start), QPointF(at, WIDTH))
        else:
            painter.drawLine(QPointF(start, at), QPointF(WIDTH, at))
        if not long:
            return
        painter.setPen(colours.colour("muted"))
        if self._across:
            painter.drawText(QPointF(at + 3, 10), text)
        else:
            painter.save()
            painter.translate(10, at + 3)
            painter.rotate(90)
            painter.drawText(QPointF(0, 3), text)
            painter.restore()

    def _pointer(self, painter: QPainter, at: float) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.current().accent))
        tip = [QPointF(at, WIDTH), QPointF(at - 4, WIDTH - 6), QPointF(at + 4, WIDTH - 6)]
        if not self._across:
            tip = [QPointF(point.y(), point.x()) for point in tip]
        painter.drawPolygon(QPolygonF(tip))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    # -- guides ----------------------------------------------------------------------------------

    def _places(self) -> tuple[str, tuple[float, ...]]:
        view = self._canvas.document.view
        return ("guides_y", view.guides_y) if self._across else ("guides_x", view.guides_x)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a guide."""
        if event.button() == Qt.MouseButton.LeftButton:
            name, places = self._places()
            self._dragged = len(places)
            self._canvas.document.look(**{name: (*places, self._under(event))})

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag it."""
        if self._dragged is not None:
            name, places = self._places()
            changed = (*places[: self._dragged], self._under(event), *places[self._dragged + 1 :])
            self._canvas.document.look(**{name: changed})

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Leave it there, or drop it when it came back to the ruler."""
        if self._dragged is not None:
            name, places = self._places()
            if self.rect().contains(event.position().toPoint()):
                self._canvas.document.look(**{name: places[: self._dragged]})
            self._dragged = None

    def _under(self, event: QMouseEvent) -> float:
        spot = self._canvas.mapFromGlobal(event.globalPosition())
        at = self._canvas.to_canvas(spot)
        return float(round(at.y() if self._across else at.x()))


class CanvasFrame(QWidget):
    """The canvas with its rulers."""

    def __init__(self, canvas: CanvasView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = canvas
        self.across, self.down = Ruler(canvas, True, self), Ruler(canvas, False, self)
        self._corner = QWidget(self)
        self._corner.setFixedSize(WIDTH, WIDTH)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self._corner, 0, 0)
        grid.addWidget(self.across, 0, 1)
        grid.addWidget(self.down, 1, 0)
        grid.addWidget(canvas, 1, 1)
        canvas.document.view_changed.connect(lambda view: self._show_rulers(view.rulers))
        self._show_rulers(canvas.document.view.rulers)

    def _show_rulers(self, shown: bool) -> None:
        for widget in (self.across, self.down, self._corner):
            widget.setVisible(shown)
