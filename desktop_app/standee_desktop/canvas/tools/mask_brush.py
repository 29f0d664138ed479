"""Mask brush: paints a subject's cut-out, the region of words, or the kept region of the scene.

A stroke shows at once and becomes one step of the history when the button comes up; encoding and
hashing happen in a worker thread meanwhile. White of a mask is the subject, or is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from msgspec.structs import replace
from PySide6.QtCore import QCoreApplication, QPointF, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter

from standee.composition import Composition, Rect
from standee.errors import StandeeError

from ...model import Signal, edits
from ...model.mask_strokes import Mask, MaskPlacement, Stroke, encode_mask, grown, softened
from ...model.notices import Notices
from ...services.image_cache import CachedImage, make_look, with_mask
from ...services.thread_pool import ThreadPool
from ..mask_tint import CHANGE, SUBJECT, MaskTint
from ..painting import pen
from ..tool import Canvas, Pointer, Tool

Kind = Literal["cutout", "kept"]
SMALLEST, LARGEST = 1.0, 512.0
MASK_SIDE = 512
"""The longer side of the mask of a rectangle of words, px."""


class MaskBrush(Tool):
    """Paints one kind of mask. The left button adds (or marks to change), with Alt or Ctrl it takes away.

    With Shift a stroke begins where the last one ended: a click draws a straight line.

    `changed` tells that size, softness or mode are others, for the bar above the canvas.
    """

    draws = True

    def __init__(self, canvas: Canvas, kind: Kind, workers: ThreadPool, notices: Notices) -> None:
        super().__init__(canvas)
        self.kind: Kind = kind
        self.radius, self.softness, self.taking = 16.0, 0.2, False
        self.changed: Signal[None] = Signal()
        self._workers, self._notices = workers, notices
        self._layer = ""
        self._known: str | None = None
        self._mask: Mask | None = None
        self._last: QPointF | None = None
        self._frame: MaskPlacement | None = None
        self._tint: MaskTint | None = None
        self._stroke: Stroke | None = None
        self._finish_pending_step: Callable[[], None] = lambda: None
        self._changing = 0
        self._at: QPointF | None = None
        self._showed_kept = True
        self._ends: list[Callable[[], None]] = []

    # -- in charge -------------------------------------------------------------------------------

    def begin(self) -> None:
        """Take the selected layer, or the scene."""
        document = self.canvas.document
        self._layer = document.selection[-1] if document.selection else ""
        self._last = None
        if self.kind == "kept":
            self._showed_kept = document.view.kept_region
            document.look(kept_region=False)
        self._ends = [
            document.changed.connect(self._reload),
            document.selection_changed.connect(lambda _: self._on_selection()),
        ]
        self.canvas.pictures.ready.connect(self._reload)
        self._reload()
        if self._target(document.composition) is None:
            self._tell_missing()

    def end(self) -> None:
        """Keep what was painted."""
        self._finish()
        for end in self._ends:
            end()
        self._ends = []
        self.canvas.pictures.ready.disconnect(self._reload)
        self._mask = self._tint = self._frame = self._at = None
        if self.kind == "kept":
            self.canvas.document.look(kept_region=self._showed_kept)

    def _tell_missing(self) -> None:
        """Say why nothing can be painted."""
        translate = QCoreApplication.translate
        text = translate("MaskBrush", "Select a subject to paint on, one that is not locked.")
        if self.kind == "kept":
            text = translate("MaskBrush", "Choose a picture as the scene to paint on first.")
        self._notices.tell(text, topic="brush")

    @property
    def ready(self) -> bool:
        """Whether there is something to paint on."""
        return self._mask is not None

    @property
    def of_words(self) -> bool:
        """Whether it paints where the words of a rectangle count."""
        layer = self.canvas.document.layer(self._layer)
        return self.kind == "cutout" and layer is not None and layer.picture is None

    def set_radius(self, radius: float) -> None:
        """Choose the size, canvas px."""
        self.radius = min(max(radius, SMALLEST), LARGEST)
        self._tell()

    def set_softness(self, softness: float) -> None:
        """Choose how much of the brush fades out, 0..1."""
        self.softness = min(max(softness, 0.0), 1.0)
        self._tell()

    def set_taking(self, taking: bool) -> None:
        """Take away instead of adding."""
        self.taking = taking
        self._tell()

    def _tell(self) -> None:
        self.changed.emit(None)
        self.canvas.update()

    # -- what is painted on ----------------------------------------------------------------------

    def _target(
        self, composition: Composition, layer_id: str | None = None
    ) -> tuple[str | None, str | None] | None:
        """Return the digests of a picture, none of words, and of its mask, by default of what is painted on."""
        if self.kind == "kept":
            scene = composition.scene
            return (scene.picture, scene.kept) if scene is not None else None
        layer = self.canvas.document.layer(self._layer if layer_id is None else layer_id)
        return None if layer is None or layer.locked else (layer.picture, layer.mask)

    def _reload(self, _: object = None) -> None:
        """Take over the document's mask, unless it is what was painted here."""
        composition = self.canvas.document.composition
        target = self._target(composition)
        if target is None:
            self._mask = self._tint = self._frame = None
            return
        shown = target[0] or target[1]  # of words there is the mask alone
        look = self.canvas.pictures.look(shown, target[1]) if shown is not None else None
        if (look is None and shown is not None) or self._stroke is not None:
            return
        if self._mask is None or target[1] != self._known:
            self._mask = look.matte.copy() if look is not None else self._whole_rectangle()
            self._known = target[1]
            self._make_tint()
        height, width = self._mask.shape
        size = (look.width, look.height) if look is not None else (width, height)
        self._frame = self._frame_of(composition, size, (width, height))

    def _whole_rectangle(self) -> Mask:
        """Return the mask of words that fill their rectangle."""
        layer = self.canvas.document.layer(self._layer)
        assert layer is not None
        scale = MASK_SIDE / max(layer.rect.w, layer.rect.h)
        height, width = (max(1, round(side * scale)) for side in (layer.rect.h, layer.rect.w))
        return np.full((height, width), 255, np.uint8)

    def _limit(self) -> Mask | None:
        """Return where the picture has something of its own: beyond, a cut-out would gain black."""
        target = self._target(self.canvas.document.composition)
        if self.kind != "cutout" or target is None or target[0] is None:
            return None
        look = self.canvas.pictures.look(target[0])
        return look.matte if look is not None and look.has_alpha else None

    def _frame_of(
        self, composition: Composition, size: tuple[int, int], shape: tuple[int, int]
    ) -> MaskPlacement:
        if self.kind == "kept":
            assert composition.scene is not None
            canvas = composition.canvas
            rect = composition.scene.rect or Rect(0, 0, canvas.width, canvas.height)
            return MaskPlacement.of(size, rect, composition.scene.fit, shape)
        layer = self.canvas.document.layer(self._layer)
        assert layer is not None
        fit = "stretch" if layer.picture is None else layer.fit
        return MaskPlacement.of(size, layer.rect, fit, shape, layer.flip, layer.rotation)

    def _on_selection(self) -> None:
        """Another layer is selected: go on with that one."""
        selection = self.canvas.document.selection
        if self.kind == "cutout" and selection and self._layer not in selection:
            self._finish()
            self._layer, self._mask, self._last = selection[-1], None, None
            self._reload()
            self._tell()

    # -- strokes ---------------------------------------------------------------------------------

    def cursor(self, pointer: Pointer) -> Qt.CursorShape:
        """The circle of the brush is the cursor."""
        return Qt.CursorShape.BlankCursor if self.ready else Qt.CursorShape.ForbiddenCursor

    def press(self, pointer: Pointer) -> bool:
        """Begin a stroke."""
        if self._mask is None or self._frame is None or self._changing:
            return False
        self._finish_pending_step = self.canvas.document.pending_steps.expect()
        takes = self.taking != (pointer.alt or pointer.ctrl)
        # Marking a part of the scene to change makes it black: it is not kept any more.
        erase = takes if self.kind == "cutout" else not takes
        if not erase and self._target(self.canvas.document.composition) == (None, None):
            self._mask[:] = 0  # words that fill their rectangle are painted where they shall be
            self._make_tint()
        self._stroke = Stroke(
            self._mask, self._frame, self.radius, self.softness, erase, self._limit()
        )
        if pointer.shift and self._last is not None:
            self._draw(self._last, pointer.pressure)
        self.move(pointer)
        return True

    def hover(self, pointer: Pointer) -> None:
        """Show where the brush is."""
        self._at = pointer.at
        self.canvas.update()

    def move(self, pointer: Pointer) -> None:
        """Draw on."""
        self._at = pointer.at
        if self._stroke is not None:
            self._draw(pointer.at, pointer.pressure)
        self.canvas.update()

    def _draw(self, at: QPointF, pressure: float) -> None:
        assert self._stroke is not None
        box = self._stroke.to(at.x(), at.y(), pressure)
        self._last = at
        if box is not None:
            assert self._mask is not None
            assert self._tint is not None
            self._tint.show(self._mask, box)

    def release(self, pointer: Pointer) -> None:
        """The stroke is done: one step of the history."""
        self._finish()

    def key(self, event: QKeyEvent) -> bool:
        """[ and ] change the size, X adds or takes away, Escape leaves the brush."""
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.canvas.set_tool(None)
        elif key == Qt.Key.Key_BracketLeft:
            self.set_radius(self.radius / 1.2)
        elif key == Qt.Key.Key_BracketRight:
            self.set_radius(self.radius * 1.2)
        elif key == Qt.Key.Key_X:
            self.set_taking(not self.taking)
        else:
            return False
        return True

    def grow(self, px: float) -> None:
        """Grow the subject, or what will be generated, by canvas px; shrink it if negative."""
        if self._mask is not None and self._frame is not None:
            scale = sum(self._frame.scale) / 2 * (1 if self.kind == "cutout" else -1)
            self._change(lambda mask: grown(mask, px * scale))

    def soften(self, px: float) -> None:
        """Blur the mask's edge over canvas px."""
        if self._mask is not None and self._frame is not None:
            scale = sum(self._frame.scale) / 2
            self._change(lambda mask: softened(mask, px * scale))

    def invert(self) -> None:
        """Exchange what is in and what is out."""
        self._change(lambda mask: 255 - mask)

    def clear(self) -> None:
        """Go back to the picture's own cut-out, or keep all of the scene."""
        target = self._target(self.canvas.document.composition)
        if target is not None and target[1] is not None:
            self._apply(None)

    def _finish(self) -> None:
        stroke, self._stroke = self._stroke, None
        if stroke is not None and stroke.changed and self._mask is not None:
            self._commit(lambda mask: mask, self._mask.copy(), self._finish_pending_step)
        else:
            self._finish_pending_step()

    def _change(self, change: Callable[[Mask], Mask]) -> None:
        limit = self._limit()

        def limited(mask: Mask) -> Mask:
            changed = change(mask)
            return changed if limit is None else np.minimum(changed, limit)

        pending_steps = self.canvas.document.pending_steps

        def begin() -> None:
            """Change the mask as it is after all strokes; a new one has to wait."""
            if self._mask is None:
                return
            arrived, self._changing = pending_steps.expect(), self._changing + 1

            def changed() -> None:
                self._changing -= 1
                arrived()

            self._commit(limited, self._mask.copy(), changed)

        pending_steps.after(begin)

    def _commit(
        self, change: Callable[[Mask], Mask], mask: Mask, arrived: Callable[[], None]
    ) -> None:
        """Encode a mask, put it into the document, and make it a step; most of it elsewhere.

        `arrived` is called when the step has come, or cannot come.
        """
        editor, painted = self.canvas.document, self._mask
        document, layer = editor.document, self._layer
        target = self._target(editor.composition)
        if target is None:
            arrived()
            return
        picture = target[0]
        whole = self.canvas.pictures.look(picture) if picture is not None else None

        def work() -> tuple[Mask, str, CachedImage]:
            changed = change(mask)
            data = encode_mask(changed)
            digest = document.add_picture(data)
            shown = data if picture is None else document.read(picture)
            look = with_mask(whole, data) if whole else make_look(shown, data)
            return changed, digest, look

        def done(made: tuple[Mask, str, CachedImage]) -> None:
            changed, digest, look = made
            now = self._target(editor.composition, layer)
            if document is editor.document and now is not None and now[0] == picture:
                self.canvas.pictures.put(picture or digest, look, digest)
                if painted is not None and self._mask is painted:  # and no other was taken over
                    if not np.array_equal(changed, mask):
                        self._mask = changed
                        self._make_tint()
                    self._known = digest
                self._apply(digest, layer)
            arrived()

        def failed(error: StandeeError) -> None:
            self._notices.fail(error, "mask", "")
            arrived()

        self._workers.run(work, done, failed)

    def _apply(self, digest: str | None, layer: str = "") -> None:
        editor = self.canvas.document
        composition = editor.composition
        if self.kind == "cutout":
            text = QCoreApplication.translate("MaskBrush", "Paint the cut-out")
            changed = edits.with_fields(composition, {layer or self._layer}, mask=digest)
        else:
            text = QCoreApplication.translate("MaskBrush", "Paint the kept region")
            assert composition.scene is not None
            changed = edits.with_scene(composition, replace(composition.scene, kept=digest))
        editor.apply(text, changed)

    # -- painting --------------------------------------------------------------------------------

    def _make_tint(self) -> None:
        assert self._mask is not None
        self._tint = MaskTint(self._mask, SUBJECT if self.kind == "cutout" else CHANGE)

    def paint(self, painter: QPainter, scale: float) -> None:
        """Paint what is outside of the mask in a tint, and the brush."""
        # A result shall be seen as it is: the tint comes back with the next stroke.
        tinted = not self.canvas.covered or self._stroke is not None
        if self._frame is not None and self._tint is not None and tinted:
            whole = None
            if self.kind == "cutout":
                target = self._target(self.canvas.document.composition)
                whole = self.canvas.pictures.image(target[0]) if target and target[0] else None
            self._tint.paint(painter, self._frame, whole)
        if self._at is not None:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            for colour, width in ((QColor(0, 0, 0, 160), 3.0), (QColor(255, 255, 255), 1.5)):
                painter.setPen(pen(colour, width))
                painter.drawEllipse(self._at, self.radius, self.radius)
