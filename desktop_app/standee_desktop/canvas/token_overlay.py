"""Token overlay: which cells each subject owns, which are hidden, which are clipped.

Counted in a worker thread by `standee.geometry`; a newer arrangement replaces one that waits.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QBrush, QColor, QImage, QPainter

from standee import token_overlay
from standee.composition import Canvas, Composition
from standee.geometry import NOBODY, Bools, Cells

from ..model import EditorDocument
from ..model.token_counts import CutOut, TokenCounter, Tokens, pictures_of
from ..services.image_cache import ImageCache
from ..services.thread_pool import ThreadPool
from ..widgets import theme
from .view import CanvasView

SCENE, SCENE_COLOUR = 1000, QColor(token_overlay.SCENE)
"""The number and the colour of the cells that the scene keeps."""
PAUSE = 30
"""Milliseconds between two counts, at least: counting shall not take the time of painting."""
REST = 3
"""So many times as long as a count took, the next one waits."""
CROWD = 8
"""While more layers than these are dragged together, cells are counted where the hand rests."""
SETTLED = 120
"""Milliseconds without a move that are a rest."""
STALE = 0.3
"""How much of the last count is shown until then."""
FINEST = 5.0
"""Lines between cells are drawn when a cell is this many screen px wide."""
FILL = 0.5
"""How opaque the colour of a cell is."""
LARGEST = 4096
"""The side of the picture of all cells, px of the screen; closer in they are painted one by one."""


Edge = tuple[int, int, int, int]
"""A level or an upright line, px: from x, y to x, y."""


@dataclass(frozen=True)
class CellRuns:
    """Cells of one colour as horizontal runs, px: what is hidden, what is clipped, and borders."""

    colour: QColor
    hidden: list[QRectF]
    clipped: list[QRectF]
    border: list[Edge]


@dataclass(frozen=True)
class CellPicture:
    """What the canvas shows: the cells, and their picture at a scale where that is not too large."""

    owners: QImage
    """The colour of each cell's owner, a px a cell: one image is painted faster than its runs."""
    runs: tuple[CellRuns, ...]
    canvas: Canvas
    patch: int
    scale: float
    image: QImage | None = None


class TokenOverlay(QObject):
    """Shows the token view on the canvas while `ViewState.token_view` is on."""

    counted = Signal(object)
    """New `Tokens`, or None when the token view went off."""

    def __init__(
        self,
        canvas: CanvasView,
        pictures: ImageCache,
        workers: ThreadPool,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._canvas, self._pictures, self._workers = canvas, pictures, workers
        self._document: EditorDocument = canvas.document
        self._counter = TokenCounter()
        self._busy = self._again = False
        self._seconds = 0.0
        self._settled = QTimer(self, singleShot=True, interval=SETTLED)
        self._settled.timeout.connect(self._count)
        self._shown: CellPicture | None = None
        self.tokens: Tokens | None = None
        self._document.changed.connect(lambda _: self.refresh())
        self._document.view_changed.connect(lambda _: self.refresh())
        self._document.opened.connect(lambda _: self._forget())
        pictures.ready.connect(lambda _: self.refresh())
        canvas.camera_changed.connect(self._on_camera)

    def refresh(self) -> None:
        """Count anew, if it is shown; what is shown stays until that is done."""
        if not self._document.view.token_view:
            if self.tokens is not None:
                self._forget()
            return
        if len(self._canvas.moving) > CROWD and self._shown is not None:
            self._settled.start()
        else:
            self._settled.stop()
            self._count()

    def _count(self) -> None:
        if self._busy:
            self._again = True
            return
        self._canvas.update()  # what is stale no longer
        composition, patch = self._document.composition, self._document.view.patch
        looks = {}
        for layer in composition.layers:
            if (digests := pictures_of(layer)) is not None:
                looks[digests] = self._pictures.look(*digests)
        if (scene := composition.scene) is not None:
            looks[scene.picture, scene.kept] = self._pictures.look(scene.picture, scene.kept)

        def cut_out(picture: str, mask: str | None) -> CutOut | None:
            look = looks.get((picture, mask))
            return look.cut_out if look is not None else None

        counter = self._counter

        scale = self._scale()

        def work() -> tuple[Tokens, CellPicture, float]:
            began = time.perf_counter()
            tokens = counter.count(composition, patch, cut_out)
            cells = CellPicture(*_cells(tokens, composition), composition.canvas, patch, scale)
            painted = replace(cells, image=_painted(cells))
            return tokens, painted, time.perf_counter() - began

        self._busy = True
        self._workers.run(work, self._show, lambda _: self._done())

    def _scale(self) -> float:
        """Return px of the screen per canvas px."""
        return self._canvas.camera.scale * self._canvas.devicePixelRatioF()

    def _on_camera(self) -> None:
        if self._shown is not None and self._shown.scale != self._scale():
            self.refresh()

    def _show(self, outcome: tuple[Tokens, CellPicture, float]) -> None:
        tokens, shown, self._seconds = outcome
        if self._document.view.token_view:
            self.tokens, self._shown = tokens, shown
            self._canvas.set_overlay("tokens", self._paint)
            self.counted.emit(self.tokens)
        self._done()

    def _done(self) -> None:
        if self._again:
            pause = max(PAUSE, round(self._seconds * 1000 * REST))
            QTimer.singleShot(pause, self._count_again)
        else:
            self._busy = False

    def _count_again(self) -> None:
        self._busy = self._again = False
        self.refresh()

    def _forget(self) -> None:
        self.tokens = self._shown = None
        self._settled.stop()
        self._counter = TokenCounter()
        self._canvas.set_overlay("tokens", None)
        self.counted.emit(None)

    def _paint(self, painter: QPainter, scale: float) -> None:
        shown = self._shown
        if shown is None:
            return
        if shown.image is None:
            _paint_cells(painter, shown, scale)
        else:
            painter.drawImage(QRectF(0, 0, shown.canvas.width, shown.canvas.height), shown.image)


def _painted(cells: CellPicture) -> QImage | None:
    """Return the view in px of the screen, so that a frame costs one image; None where that is large."""
    canvas = cells.canvas
    width, height = ceil(canvas.width * cells.scale), ceil(canvas.height * cells.scale)
    if max(width, height) > LARGEST:
        return None
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.scale(width / canvas.width, height / canvas.height)
    _paint_cells(painter, cells, cells.scale)
    painter.end()
    return image


def _paint_cells(painter: QPainter, cells: CellPicture, scale: float) -> None:
    """Paint all cells, in canvas px."""
    width, height, patch = cells.canvas.width, cells.canvas.height, cells.patch
    whole = QRectF(0, 0, cells.owners.width() * patch, cells.owners.height() * patch)
    painter.fillRect(QRectF(0, 0, width, height), QColor(10, 12, 18, 70))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.setOpacity(painter.opacity() * FILL)
    painter.drawImage(whole, cells.owners)
    painter.restore()
    painter.setPen(Qt.PenStyle.NoPen)
    if patch * scale >= FINEST:
        thin = 1 / scale
        painter.setBrush(QColor(255, 255, 255, 46))
        painter.drawRects([QRectF(x, 0, thin, height) for x in range(0, width + 1, patch)])
        painter.drawRects([QRectF(0, y, width, thin) for y in range(0, height + 1, patch)])
    for runs in cells.runs:
        for chosen, style in (
            (runs.hidden, Qt.BrushStyle.BDiagPattern),
            (runs.clipped, Qt.BrushStyle.DiagCrossPattern),
        ):
            if chosen:
                brush = QBrush(runs.colour.lighter(130), style)
                brush.setTransform(painter.transform().inverted()[0])
                painter.setBrush(brush)
                painter.drawRects(chosen)
    for runs in cells.runs:
        if runs.border:
            painter.setBrush(runs.colour.lighter(115))
            painter.drawRects(_lines(runs.border, 2 / scale))


def _cells(tokens: Tokens, composition: Composition) -> tuple[QImage, tuple[CellRuns, ...]]:
    """Return the owners' colours and all else by colour: a few large calls paint fast."""
    numbers = {layer.id: n for n, layer in enumerate(composition.layers)}
    seen, grid, patch = tokens.arrangement, tokens.arrangement.grid, tokens.patch
    colours = [
        numbers[one] % len(token_overlay.SUBJECTS) if one else SCENE for one in tokens.layers
    ]
    owners = np.array([*colours, NOBODY])[seen.owner]  # the last one where nobody owns a cell
    hidden = {colour: np.zeros((grid.rows, grid.cols), bool) for colour in colours}
    clipped: dict[int, list[QRectF]] = {colour: [] for colour in colours}
    for index, colour in enumerate(colours):
        cells = seen.placements[index].cells
        part = cells.clip(grid)
        if colour != SCENE:
            hidden[colour][part.within(grid)] |= seen.hidden(index)[part.within(cells)]
        if part != cells:
            clipped[colour] += _strips(seen.clipped(index), cells, patch)
    paints = {one: SCENE_COLOUR if one == SCENE else theme.subject_colour(one) for one in hidden}
    runs = tuple(
        CellRuns(
            paints[colour],
            _strips(hidden[colour], grid, patch),
            clipped[colour],
            [] if colour == SCENE else _border(owners == colour, seen.owner, patch),
        )
        for colour in sorted(hidden)
    )
    return _one_px_a_cell(owners, paints), runs


def _one_px_a_cell(owners: NDArray[np.int64], paints: dict[int, QColor]) -> QImage:
    """Return the colours of numbered owners (rows, columns) as an image."""
    pixels = np.zeros(owners.shape, np.uint32)
    for number, colour in paints.items():
        pixels[owners == number] = colour.rgba()
    rows, columns = owners.shape
    form = QImage.Format.Format_ARGB32_Premultiplied
    return QImage(pixels.data, columns, rows, columns * 4, form).copy()


def _lines(edges: list[Edge], width: float) -> list[QRectF]:
    """Return level and upright edges as rectangles of a width: those are filled far faster than lines."""
    half = width / 2
    return [
        QRectF(x0 - half, y0 - half, x1 - x0 + width, y1 - y0 + width) for x0, y0, x1, y1 in edges
    ]


def _strips(chosen: Bools, cells: Cells, patch: int) -> list[QRectF]:
    """Return the chosen cells as rectangles of one row each, px."""
    if not chosen.any():
        return []
    return [
        QRectF((cells.col + a) * patch, (cells.row + row) * patch, (b - a) * patch, patch)
        for a, b, row in token_overlay.runs(chosen)
    ]


def _border(chosen: Bools, owner: NDArray[np.int64], patch: int) -> list[Edge]:
    """Return the edges around what chosen cells of one owner make up, px."""
    level, upright = token_overlay.borders(chosen, owner)
    edges = [(a * patch, y * patch, b * patch, y * patch) for a, b, y in level]
    return edges + [(x * patch, a * patch, x * patch, b * patch) for a, b, x in upright]
