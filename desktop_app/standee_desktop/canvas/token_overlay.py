"""Token overlay: which cells each subject owns, which are hidden, which are clipped.

Counted in a worker thread by `standee.geometry`; a newer arrangement replaces one that waits.
"""

from __future__ import annotations

import time
from math import ceil, floor

from PySide6.QtCore import QObject, QPointF, QRectF, QTimer, Signal
from PySide6.QtGui import QPainter

from standee.geometry import Cells

from ..model import EditorDocument
from ..model.token_counts import CutOut, TokenCounter, Tokens, pictures_of
from ..services.image_cache import ImageCache
from ..services.thread_pool import ThreadPool
from .cell_picture import CellPicture, picture_of_cells
from .view import CanvasView

PAUSE = 30
"""Milliseconds between two counts, at least: counting shall not take the time of painting."""
REST = 3
"""So many times as long as a count took, the next one waits."""
CROWD = 8
"""While more layers than these are dragged together, cells are counted where the hand rests."""
SETTLED = 120
"""Milliseconds without a move that are a rest."""
AROUND = 256
"""So many px of the widget around it are painted too, for the canvas to be panned."""


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
        self.tokens: Tokens | None = None
        self.picture: CellPicture | None = None
        """What the canvas shows of them."""
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
        if len(self._canvas.moving) > CROWD and self.picture is not None:
            self._settled.start()
        else:
            self._settled.stop()
            self._count()

    def _count(self) -> None:
        if self._busy:
            self._again = True
            return
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

        scale, ratio = self._scale(), self._canvas.devicePixelRatioF()
        asked, before = self._seen(AROUND), self.picture

        def work() -> tuple[Tokens, CellPicture, QRectF, float]:
            began = time.perf_counter()
            tokens = counter.count(composition, patch, cut_out)
            painted = picture_of_cells(tokens, composition, asked, scale, ratio)
            return tokens, painted, painted.changed(before), time.perf_counter() - began

        self._busy = True
        self._workers.run(work, self._show, lambda _: self._done())

    def _scale(self) -> float:
        """Return px of the screen per canvas px."""
        return self._canvas.camera.scale * self._canvas.devicePixelRatioF()

    def _seen(self, around: int) -> Cells:
        """Return the cells that the view shows, and those so many px around it."""
        view = QRectF(self._canvas.rect()).adjusted(-around, -around, around, around)
        start, end = (self._canvas.to_canvas(at) for at in (view.topLeft(), view.bottomRight()))
        patch = self._document.view.patch
        row, col = floor(start.y() / patch), floor(start.x() / patch)
        return Cells(row, col, ceil(end.y() / patch) - row, ceil(end.x() / patch) - col)

    def _on_camera(self) -> None:
        shown, seen = self.picture, self._seen(0)
        if shown is not None and (shown.scale != self._scale() or seen.clip(shown.asked) != seen):
            self.refresh()

    def _show(self, outcome: tuple[Tokens, CellPicture, QRectF, float]) -> None:
        tokens, shown, changed, self._seconds = outcome
        if self._document.view.token_view:
            if self.picture is None:
                self._canvas.set_overlay("tokens", self._paint)
            self.tokens, self.picture = tokens, shown
            place = changed.translated(self._canvas.camera.x, self._canvas.camera.y)
            self._canvas.update(place.toAlignedRect().adjusted(-1, -1, 1, 1))
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
        self.tokens = self.picture = None
        self._settled.stop()
        self._counter = TokenCounter()
        self._canvas.set_overlay("tokens", None)
        self.counted.emit(None)

    def _paint(self, painter: QPainter, scale: float) -> None:
        shown, ratio = self.picture, self._canvas.devicePixelRatioF()
        if shown is None:
            return
        if shown.scale != self._scale():  # until it is painted anew
            rect = shown.cells.rect(shown.patch)
            painter.drawImage(QRectF(rect.x, rect.y, rect.w, rect.h), shown.image)
            return
        camera = self._canvas.camera
        x, y = round(camera.x * ratio) + shown.origin[0], round(camera.y * ratio) + shown.origin[1]
        painter.resetTransform()
        painter.drawImage(QPointF(x / ratio, y / ratio), shown.image)
