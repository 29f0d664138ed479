"""Arrange tool: select, move, resize, nudge, duplicate by dragging, rubber band."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QKeyEvent, QPainter

from standee.composition import Composition, Layer, Rect

from ...model import edits
from ...model.rects import Handle, bounds, overlaps, rect_between, resized, scale_with_bounds
from ...model.snapping import Line, SnapTargets, snap_targets
from ...widgets import theme
from ..painting import paint_badge, paint_handles, paint_outline, paint_snap_lines, pen
from ..picking import guide_at, handle_at, layers_at
from ..tool import Pointer, Tool, is_alt
from .handle_drags import CURSORS, STEPS, drag_handle, pull_of_handle, round_moved_sides

START = 4.0
"""How far the mouse must go before a press becomes a drag, screen px."""
SNAP = 7.0
"""How near an edge must come to a line to snap, screen px."""


@dataclass
class Gesture:
    """What is under way from a press to its release. `kind` is move, resize, band or guide."""

    kind: str
    start: Pointer
    composition: Composition
    selection: tuple[str, ...]
    handle: Handle | None = None
    snap_targets: SnapTargets = field(default_factory=SnapTargets)
    seen: Rect | None = None
    """The bounds of what shows of the layers that go along, as the gesture began."""
    clicked: str = ""
    going: bool = False
    band: Rect | None = None
    guide: tuple[bool, int] = (True, 0)


class ArrangeTool(Tool):
    """Select and arrange layers with mouse and keyboard."""

    _gesture: Gesture | None = None
    _lines: tuple[Line, ...] = ()
    _hovered: str = ""

    def end(self) -> None:
        """Give up what is under way."""
        self._cancel()

    # -- what is where ---------------------------------------------------------------------------

    def layer_at(self, at: QPointF) -> Layer | None:
        """Return the foremost layer at a position."""
        return next(layers_at(self.canvas.document, self.canvas.pictures, at), None)

    def frame(self) -> Rect | None:
        """Return the bounds of the selected layers that can be moved, canvas px."""
        return bounds(one.rect for one in self.canvas.document.selected if not one.locked)

    def _handle_at(self, at: QPointF) -> Handle | None:
        frame = self.frame()
        spot = QPointF(*self.canvas.camera.to_screen(at.x(), at.y()))
        return None if frame is None else handle_at(self.canvas.to_screen(frame), spot)

    def _guide_at(self, pointer: Pointer) -> tuple[bool, int] | None:
        return guide_at(self.canvas.document, pointer.at, pointer.scale)

    def cursor(self, pointer: Pointer) -> Qt.CursorShape:
        """Show what a press would do."""
        handle = self._handle_at(pointer.at)
        if self._gesture is not None and self._gesture.kind == "resize":
            handle = self._gesture.handle
        if handle is not None:
            return CURSORS[handle.x, handle.y]
        if (guide := self._guide_at(pointer)) is not None:
            return Qt.CursorShape.SplitHCursor if guide[0] else Qt.CursorShape.SplitVCursor
        if self.layer_at(pointer.at) is not None:
            return Qt.CursorShape.SizeAllCursor
        return Qt.CursorShape.ArrowCursor

    # -- mouse -----------------------------------------------------------------------------------

    def press(self, pointer: Pointer) -> bool:
        """Begin to resize, move, drag a guide or select by a rubber band."""
        document = self.canvas.document
        document.end_gesture()
        gesture = Gesture("band", pointer, document.composition, document.selection)
        layers = list(layers_at(document, self.canvas.pictures, pointer.at))
        if (handle := self._handle_at(pointer.at)) is not None:
            gesture.kind, gesture.handle = "resize", handle
        elif (guide := self._guide_at(pointer)) is not None:
            gesture.kind, gesture.guide = "guide", guide
        elif layers:
            self._press_layer(gesture, layers, pointer)
        elif not pointer.shift:
            document.select(())
        self._gesture = gesture
        return True

    def _press_layer(self, gesture: Gesture, layers: list[Layer], pointer: Pointer) -> None:
        document = self.canvas.document
        gesture.kind = "move"
        hit = layers[0]
        if pointer.ctrl:  # goes through what lies beneath, one deeper each time
            selected = [n for n, layer in enumerate(layers) if layer.id in document.selection]
            hit = layers[(selected[-1] + 1) % len(layers)] if selected else layers[0]
            document.select((hit.id,))
        elif pointer.shift:
            document.select(set(document.selection) ^ {hit.id})
        elif hit.id not in document.selection:
            document.select((hit.id,))
        else:
            gesture.clicked = hit.id
        gesture.selection = document.selection

    def hover(self, pointer: Pointer) -> None:
        """Outline the layer that a press would select."""
        layer = self.layer_at(pointer.at)
        hovered = layer.id if layer is not None else ""
        if hovered != self._hovered:
            self._hovered = hovered
            self.canvas.update()

    def move(self, pointer: Pointer) -> None:
        """Go on with the gesture."""
        gesture = self._gesture
        if gesture is None:
            return
        if not gesture.going:
            moved = (pointer.at - gesture.start.at) * pointer.scale
            if moved.manhattanLength() < START:
                return
            gesture.going = True
            self._begin_drag(gesture)
            self.canvas.update()
        if gesture.kind in ("move", "resize"):
            self._update_area()
            if gesture.kind == "move":
                self._move_layers(gesture, pointer)
            else:
                self._resize_layers(gesture, pointer)
            self._update_area()
            return
        if gesture.kind == "guide":
            self._move_guide(gesture, pointer)
        else:
            self._stretch_band(gesture, pointer)
        self.canvas.update()

    def _update_area(self) -> None:
        """Repaint where the moving layers and the lines they meet are now."""
        frame = bounds(one.rect for one in self.canvas.document.selected)
        if frame is not None:
            self.canvas.update_area(frame)
        for line in self._lines:
            start, length = line.start, line.end - line.start
            along = Rect(line.at, start, 1e-6, max(length, 1e-6))
            level = Rect(start, line.at, max(length, 1e-6), 1e-6)
            self.canvas.update_area(along if line.upright else level)

    def _begin_drag(self, gesture: Gesture) -> None:
        document = self.canvas.document
        if gesture.kind == "move" and gesture.start.alt:
            copies = edits.copies(document.selected)
            gesture.composition = edits.added(gesture.composition, copies)
            gesture.selection = tuple(one.id for one in copies)
        if gesture.kind in ("move", "resize"):
            ids = edits.unlocked(gesture.composition, gesture.selection)
            seen = self.canvas.pictures.seen
            gesture.snap_targets = snap_targets(gesture.composition, ids, document.view, seen)
            gesture.seen = bounds(seen(one) for one in gesture.composition.layers if one.id in ids)
            self.canvas.moving = ids
            self._hovered = ""

    def _move_layers(self, gesture: Gesture, pointer: Pointer) -> None:
        delta = pointer.at - gesture.start.at
        dx, dy = delta.x(), delta.y()
        if pointer.shift:
            dx, dy = (dx, 0.0) if abs(dx) > abs(dy) else (0.0, dy)
        ids = self.canvas.moving
        frame = bounds(one.rect for one in gesture.composition.layers if one.id in ids)
        self._lines = ()
        if (seen := gesture.seen) is not None and not pointer.ctrl:
            there = Rect(seen.x + dx, seen.y + dy, seen.w, seen.h)
            snapped = gesture.snap_targets.move(there, SNAP / pointer.scale)
            dx, dy, self._lines = dx + snapped.dx, dy + snapped.dy, snapped.lines
        if frame is not None:  # whole px, but for what stands on a line
            upright = {line.upright for line in self._lines}
            dx += 0.0 if True in upright else round(frame.x + dx) - (frame.x + dx)
            dy += 0.0 if False in upright else round(frame.y + dy) - (frame.y + dy)
        moved = edits.moved(gesture.composition, ids, dx, dy)
        text = self.tr("Duplicate") if gesture.start.alt else self.tr("Move")
        self.canvas.document.apply(text, moved, "drag", gesture.selection)

    def _resize_layers(self, gesture: Gesture, pointer: Pointer) -> None:
        ids, handle = self.canvas.moving, gesture.handle
        rects = {one.id: one.rect for one in gesture.composition.layers if one.id in ids}
        frame = bounds(rects.values())
        if frame is None or handle is None:
            return
        delta = pointer.at - gesture.start.at
        keep = handle.corner and not pointer.shift
        dx, dy = delta.x(), delta.y()
        now = resized(frame, handle, dx, dy, keep_aspect=keep, from_centre=pointer.alt)
        self._lines = ()
        # Off its aspect a picture does not fill its rectangle: then that is what snaps.
        seen = gesture.seen if keep and gesture.seen is not None else frame
        if not pointer.ctrl:
            there = scale_with_bounds({"": seen}, frame, now)[""]
            pull = gesture.snap_targets.drag(there, handle, SNAP / pointer.scale)
            by = pull_of_handle((pull.dx, pull.dy), there, now, handle, pointer.alt)
            now = drag_handle(frame, now, handle, by, keep, pointer.alt)
            self._lines = gesture.snap_targets.met(scale_with_bounds({"": seen}, frame, now)[""])
        if not keep:
            now = round_moved_sides(now, handle, self._lines)
        changed = edits.with_rects(gesture.composition, scale_with_bounds(rects, frame, now))
        self.canvas.document.apply(self.tr("Resize"), changed, "drag")

    def _move_guide(self, gesture: Gesture, pointer: Pointer) -> None:
        document, (upright, index) = self.canvas.document, gesture.guide
        name = "guides_x" if upright else "guides_y"
        places = list(getattr(document.view, name))
        places[index] = round(pointer.at.x() if upright else pointer.at.y())
        document.look(**{name: tuple(places)})

    def _stretch_band(self, gesture: Gesture, pointer: Pointer) -> None:
        start, document = gesture.start.at, self.canvas.document
        gesture.band = rect_between(start.x(), start.y(), pointer.at.x(), pointer.at.y())
        met = {
            layer.id
            for layer in document.composition.layers
            if layer.visible
            and not layer.locked
            and overlaps(self.canvas.pictures.seen(document.shown(layer)), gesture.band)
        }
        document.select(met | set(gesture.selection) if pointer.shift else met)

    def release(self, pointer: Pointer) -> None:
        """Let go: the gesture is one step of the history."""
        gesture, self._gesture = self._gesture, None
        self._lines, self.canvas.moving = (), ()
        if gesture is not None:
            if not gesture.going and gesture.clicked:
                self.canvas.document.select((gesture.clicked,))
            if gesture.kind == "guide" and gesture.going:
                self._drop_guide(gesture)
        self.canvas.document.end_gesture()
        self.canvas.update()

    def _drop_guide(self, gesture: Gesture) -> None:
        """Remove a guide that was dragged out of the view, back to its ruler."""
        document, (upright, index) = self.canvas.document, gesture.guide
        name = "guides_x" if upright else "guides_y"
        places = list(getattr(document.view, name))
        place = places[index]
        at = self.canvas.camera.to_screen(place, place)[0 if upright else 1]
        if not 0 <= at <= (self.canvas.width() if upright else self.canvas.height()):
            del places[index]
            document.look(**{name: tuple(places)})

    def double_click(self, pointer: Pointer) -> bool:
        """Open what belongs to a layer."""
        layer = self.layer_at(pointer.at)
        if layer is not None:
            self.canvas.layer_activated.emit(layer.id)
        return layer is not None

    def pick(self, at: QPointF) -> None:
        """Select what a context menu shall be about; a selected layer keeps its company."""
        layer = self.layer_at(at)
        document = self.canvas.document
        if layer is None:
            document.select(())
        elif layer.id not in document.selection:
            document.select((layer.id,))

    # -- keyboard --------------------------------------------------------------------------------

    def key(self, event: QKeyEvent) -> bool:
        """Arrows move, with Shift by a token, with Alt they resize; Tab walks; Escape gives up."""
        key, document = event.key(), self.canvas.document
        step = STEPS.get(Qt.Key(key))
        if step is not None and document.selection:
            self._nudge(step, event.modifiers())
            return True
        if key == Qt.Key.Key_Escape:
            busy = self._gesture is not None
            self._cancel()
            if not busy and self.canvas.covered == "result":
                self.canvas.uncover_wanted.emit()
            elif not busy:
                document.select(())
            return True
        if key in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            return self._walk(-1 if key == Qt.Key.Key_Backtab else 1)
        return False

    def _nudge(self, step: tuple[int, int], modifiers: Qt.KeyboardModifier) -> None:
        document = self.canvas.document
        shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        both = shift and bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        far = document.view.patch if shift and not both else 1
        dx, dy = step[0] * far, step[1] * far
        composition, ids = document.composition, document.selection
        if is_alt(modifiers):
            free = edits.unlocked(composition, ids)
            rects = {
                one.id: Rect(one.rect.x, one.rect.y, one.rect.w + dx, one.rect.h + dy)
                for one in composition.layers
                if one.id in free
            }
            document.apply(self.tr("Resize"), edits.with_rects(composition, rects), "nudge size")
        else:
            document.apply(self.tr("Move"), edits.moved(composition, ids, dx, dy), "nudge")

    def _walk(self, step: int) -> bool:
        """Select the next layer; after the last one, let the focus go on."""
        document = self.canvas.document
        ids = [one.id for one in document.composition.layers if one.visible]
        if not ids:
            return False
        chosen = [n for n, one in enumerate(ids) if one in document.selection]
        at = (0 if step > 0 else len(ids) - 1) if not chosen else chosen[-1] + step
        if not 0 <= at < len(ids):
            return False  # the selection stays: its settings are where Tab goes
        document.select((ids[at],))
        return True

    def _cancel(self) -> None:
        gesture, self._gesture = self._gesture, None
        self._lines, self.canvas.moving = (), ()
        if gesture is not None and gesture.going and gesture.kind in ("move", "resize"):
            document = self.canvas.document
            first = gesture.composition
            if gesture.start.alt and gesture.kind == "move":
                first = edits.removed(first, gesture.selection)
            document.apply(self.tr("Move"), first, "drag")
        self.canvas.document.end_gesture()
        self.canvas.update()

    # -- painting --------------------------------------------------------------------------------

    def paint(self, painter: QPainter, scale: float) -> None:
        """Paint outlines, handles, guides met, the rubber band and a badge with the size."""
        canvas, document = self.canvas, self.canvas.document
        paint_snap_lines(painter, self._lines)
        painter.resetTransform()
        selected = document.selected
        hovered = document.layer(self._hovered) if self._gesture is None else None
        if hovered is not None and hovered.id not in document.selection:
            seen = canvas.pictures.seen(document.shown(hovered))
            paint_outline(painter, canvas.to_screen(seen), faint=True)
        for layer in selected:
            faint = len(selected) > 1
            paint_outline(painter, canvas.to_screen(layer.rect), locked=layer.locked, faint=faint)
        frame = self.frame()
        if frame is not None:
            place = canvas.to_screen(frame)
            if len(selected) > 1:
                paint_outline(painter, place)
            dragging = self._gesture is not None and self._gesture.going
            if not (dragging and self._gesture and self._gesture.kind == "move"):
                paint_handles(painter, place)
            if dragging and self._gesture and self._gesture.kind in ("move", "resize"):
                self._paint_badge(painter, frame, place)
        if self._gesture is not None and self._gesture.band is not None:
            accent = theme.current()
            painter.setPen(pen(accent.colour("accent"), 1))
            painter.setBrush(accent.colour("accent", 0.12))
            painter.drawRect(canvas.to_screen(self._gesture.band))

    def _paint_badge(self, painter: QPainter, frame: Rect, place: QRectF) -> None:
        if self._gesture is not None and self._gesture.kind == "move":
            text = f"{round(frame.x)}, {round(frame.y)}"
        else:
            text = f"{round(frame.w)} × {round(frame.h)}"
        at = QPointF(place.left(), place.bottom() + 10)
        paint_badge(painter, at, text, QRectF(self.canvas.rect()))

    @staticmethod
    def tr(text: str) -> str:
        """Translate; a tool is no `QObject`."""
        return QCoreApplication.translate("ArrangeTool", text)
