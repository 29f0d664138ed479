"""Clicks that cut a subject out of its picture: what belongs to it, what does not, or a box around it.

The daemon answers each of them with a mask that shows as a preview; the layer changes when it is taken, as one step
of the history. A click changes the piece that it lies on. Positions of the daemon are the picture's own px.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image
from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter

from standee.composition import Layer, Rect
from standee.errors import StandeeError
from standee.pictures import mask_of
from standee.wire.messages import Cutout, Point

from ...model import Signal
from ...model.mask_strokes import Mask, MaskPlacement
from ...model.notices import Notices
from ...services.cutouts import Cutouts
from ...services.image_cache import IMAGE_SIDE
from ...services.thread_pool import ThreadPool
from ...storage.image_import import open_picture
from ..mask_tint import SUBJECT, MaskTint
from ..painting import pen
from ..tool import Canvas, Pointer, Tool
from .words_tool import without_picture

DRAG = 6.0
"""px of the screen that the mouse moves before a click is a box."""
SPOT = 6.0
"""The radius of a click's mark, px of the screen."""
INSIDE, OUTSIDE = QColor(40, 170, 90), QColor(220, 50, 60)
MOST = 100
"""Clicks of one cut-out that the daemon takes."""


@dataclass(frozen=True)
class Asked:
    """What was asked for so far; `fresh` does not go on from the cut-out that the layer has."""

    points: tuple[Point, ...] = ()
    box: Rect | None = None
    words: str = ""
    fresh: bool = False


class CutoutClicks(Tool):
    """Cuts the selected layer out by clicks. The left button adds, with Shift or Alt it takes away; a drag is a box.

    `changed` tells that what was asked, or the preview, is another, for the bar above the canvas.
    """

    def __init__(
        self, canvas: Canvas, cutouts: Cutouts, workers: ThreadPool, notices: Notices
    ) -> None:
        super().__init__(canvas)
        self.taking = False
        self.asked: tuple[Asked, ...] = (Asked(),)
        self.changed: Signal[None] = Signal()
        self._cutouts, self._workers, self._notices = cutouts, workers, notices
        self._layer_id = ""
        self._encoded: bytes | None = None
        self._tint: MaskTint | None = None
        self._pressed: QPointF | None = None
        self._at: QPointF | None = None
        self._takes = False
        self._ends: list[Callable[[], None]] = []

    # -- in charge -------------------------------------------------------------------------------

    def begin(self) -> None:
        """Take the selected layer; one that is not cut out yet is at once, as a preview."""
        document = self.canvas.document
        self._ends = [
            document.changed.connect(lambda _: self._on_change()),
            document.selection_changed.connect(lambda _: self._on_selection()),
        ]
        self._take_layer(document.selection[-1] if document.selection else "")

    def end(self) -> None:
        """Keep what the preview shows."""
        self.take()
        self._cutouts.cancel(self._layer_id)
        for end in self._ends:
            end()
        self._ends = []

    def _take_layer(self, layer_id: str) -> None:
        self._layer_id = layer_id
        self._reset()
        layer = self.layer
        if layer is None:
            text = QCoreApplication.translate(
                "CutoutClicks", "Select a subject to cut out, one that is not locked."
            )
            text = without_picture(self.canvas.document.layer(self._layer_id)) or text
            self._notices.tell(text, topic="clicks")
            return
        look = self.canvas.pictures.look(self.picture)
        if layer.mask is None and look is not None and not look.has_alpha:
            self._ask()

    def _reset(self) -> None:
        self.asked, self._encoded, self._tint = (Asked(),), None, None
        self._pressed = self._at = None
        self._tell()

    @property
    def layer(self) -> Layer | None:
        """The layer that is cut out, or `None`: there is none, it is locked, or a rectangle of words."""
        layer = self.canvas.document.layer(self._layer_id)
        if layer is None or layer.locked or layer.picture is None:
            return None
        return layer

    @property
    def picture(self) -> str:
        """The digest of the picture that is cut out; nothing where there is no layer."""
        layer = self.layer
        return (layer.picture or "") if layer is not None else ""

    @property
    def previewing(self) -> bool:
        """Whether there is a cut-out to take."""
        return self._encoded is not None

    def _on_selection(self) -> None:
        selection = self.canvas.document.selection
        if selection and self._layer_id not in selection:
            self.take()
            self._cutouts.cancel(self._layer_id)
            self._take_layer(selection[-1])

    def _on_change(self) -> None:
        """The layer may be gone, or have another mask: by an undo, or because the preview was taken."""
        if self._encoded is None and self._tint is not None:
            self._tint = None
            self._tell()

    def _tell(self) -> None:
        self.changed.emit(None)
        self.canvas.update()

    # -- asking ----------------------------------------------------------------------------------

    def set_taking(self, taking: bool) -> None:
        """Take away with a plain click instead of adding."""
        self.taking = taking
        self._tell()

    def say(self, words: str) -> None:
        """Look for what words say, in the box if there is one, and nowhere else."""
        now = self.asked[-1]
        self._want(Asked(box=now.box, words=words.strip(), fresh=True))

    def begin_anew(self) -> None:
        """Forget the layer's cut-out and all clicks: what stands out by itself is the subject."""
        self._want(Asked(fresh=True))

    def step_back(self) -> None:
        """Forget the last click, box or words."""
        if len(self.asked) > 1:
            self.asked = self.asked[:-1]
            self._encoded = self._tint = None
            self._ask()

    def take(self) -> None:
        """Make the preview the layer's cut-out: one step of the history."""
        layer, encoded = self.layer, self._encoded
        self._reset()
        if layer is not None and encoded is not None:
            self._cutouts.keep(layer, encoded)

    def discard(self) -> None:
        """Leave the layer as it is."""
        self._cutouts.cancel(self._layer_id)
        self._reset()

    def _want(self, asked: Asked) -> None:
        if len(asked.points) > MOST:
            return
        self.asked = (*self.asked, asked)
        self._ask()

    def _ask(self) -> None:
        """Have the daemon cut out what was asked; its answer is the preview."""
        layer, asked = self.layer, self.asked[-1]
        self._tell()
        if layer is None:
            return
        if asked == Asked() and (layer.mask is not None or len(self.asked) > 1):
            self._cutouts.cancel(layer.id)
            return
        spec = Cutout(
            picture=self.picture,
            box=asked.box,
            points=asked.points,
            words=asked.words,
            mask=None if asked.fresh else layer.mask,
        )
        wanted = self.asked

        def answered(mask: bytes) -> None:
            if wanted is self.asked and self._ends:
                self._encoded = mask
                self._workers.run(lambda: _small(mask), show, failed)
                self._tell()

        def show(mask: Mask) -> None:
            if wanted is self.asked and self._encoded is not None:
                self._tint = MaskTint(mask, SUBJECT)
                self._tell()

        def failed(error: StandeeError) -> None:
            self._notices.fail(error, "clicks", "")

        self._cutouts.preview(layer, spec, answered)

    # -- the mouse and the keys ------------------------------------------------------------------

    def _frame(self) -> MaskPlacement | None:
        """Return where the picture's own px lie on the canvas."""
        layer = self.layer
        size = self.canvas.pictures.size(self.picture) if layer is not None else None
        if layer is None or size is None:
            return None
        return MaskPlacement.of(size, layer.rect, layer.fit, size, layer.flip, layer.rotation)

    def cursor(self, pointer: Pointer) -> Qt.CursorShape:
        """A cross over what can be cut out."""
        ready = self._frame() is not None
        return Qt.CursorShape.CrossCursor if ready else Qt.CursorShape.ForbiddenCursor

    def press(self, pointer: Pointer) -> bool:
        """Begin a click or a box."""
        if self._frame() is None:
            return False
        self._pressed = self._at = pointer.at
        self._takes = self.taking != (pointer.shift or pointer.alt)
        return True

    def move(self, pointer: Pointer) -> None:
        """Draw the box on."""
        self._at = pointer.at
        self.canvas.update()

    def release(self, pointer: Pointer) -> None:
        """Ask for what was clicked, or for what is in the box."""
        start, frame = self._pressed, self._frame()
        self._pressed = self._at = None
        if start is None or frame is None:
            return
        way = pointer.at - start
        now = self.asked[-1]
        x, y = frame.to_mask(start.x(), start.y())
        if max(abs(way.x()), abs(way.y())) * pointer.scale > DRAG:
            ends = [frame.to_mask(at.x(), at.y()) for at in _corners(QRectF(start, pointer.at))]
            xs, ys = zip(*ends, strict=True)  # around what was drawn, if the picture is turned
            left, right = (min(max(one, 0.0), frame.width) for one in (min(xs), max(xs)))
            top, bottom = (min(max(one, 0.0), frame.height) for one in (min(ys), max(ys)))
            if min(right - left, bottom - top) >= 2:
                box = Rect(left, top, right - left, bottom - top)
                self._want(Asked(box=box, words=now.words, fresh=True))
        elif 0 <= x < frame.width and 0 <= y < frame.height:
            point = Point(x, y, inside=not self._takes)
            self._want(replace(now, points=(*now.points, point)))
        self.canvas.update()

    def key(self, event: QKeyEvent) -> bool:
        """Return takes the preview, Escape leaves things as they are, Backspace forgets the last click, X exchanges."""
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.discard()
            self.canvas.set_tool(None)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.canvas.set_tool(None)
        elif key == Qt.Key.Key_Backspace:
            self.step_back()
        elif key == Qt.Key.Key_X:
            self.set_taking(not self.taking)
        else:
            return False
        return True

    # -- painting --------------------------------------------------------------------------------

    def paint(self, painter: QPainter, scale: float) -> None:
        """Paint the preview, the box and the marks of the clicks."""
        layer, frame = self.layer, self._frame()
        if layer is None or frame is None or self.canvas.covered:
            return
        if self._tint is not None:
            self._tint.paint(painter, frame, self.canvas.pictures.image(self.picture))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for box in (self._drawn(), self._shown(frame)):
            for colour, width in ((QColor(0, 0, 0, 160), 3.0), (QColor(255, 255, 255), 1.5)):
                painter.setPen(pen(colour, width))
                painter.drawPolygon(box)
        for point in self.asked[-1].points:
            painter.setPen(pen(QColor(255, 255, 255), 1.5))
            painter.setBrush(INSIDE if point.inside else OUTSIDE)
            spot = QPointF(*frame.to_canvas(point.x, point.y))
            painter.drawEllipse(spot, SPOT / scale, SPOT / scale)

    def _drawn(self) -> list[QPointF]:
        """The corners of the box that is being drawn."""
        if self._pressed is None or self._at is None:
            return []
        return _corners(QRectF(self._pressed, self._at))

    def _shown(self, frame: MaskPlacement) -> list[QPointF]:
        """The corners on the canvas of the box that was asked for."""
        box = self.asked[-1].box
        if box is None:
            return []
        places = _corners(QRectF(box.x, box.y, box.w, box.h))
        return [QPointF(*frame.to_canvas(at.x(), at.y())) for at in places]


def _small(mask: bytes) -> Mask:
    """Decode a mask, at the size that the canvas shows. For worker threads."""
    image = mask_of(open_picture(mask))
    image.thumbnail((IMAGE_SIDE, IMAGE_SIDE), Image.Resampling.BOX)
    return np.asarray(image)


def _corners(box: QRectF) -> list[QPointF]:
    return [box.topLeft(), box.topRight(), box.bottomRight(), box.bottomLeft()]
