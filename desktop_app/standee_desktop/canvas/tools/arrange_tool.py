"""Arrange tool: select, move, resize, turn, nudge, duplicate by dragging, rubber band."""

from __future__ import annotations

from dataclasses import dataclass, field

from PySide6.QtCore import QCoreApplication, QPointF, Qt
from PySide6.QtGui import QCursor, QKeyEvent, QPainter

from standee.composition import Composition, Layer, Rect
from standee.rotation import centre, normalized

from ...model import edits
from ...model.rects import (
    Frame,
    Handle,
    bounds,
    frame_of,
    overlaps,
    rect_between,
    rect_of,
    refitted,
    resized,
    scale_with_bounds,
)
from ...model.snapping import Line, SnapTargets, snap_targets
from ...widgets import theme
from ..painting import paint_outline, paint_snap_lines, pen
from ..picking import guide_at, handle_at, layers_at, turn_handle_at
from ..tool import Pointer, Tool, is_alt
from .guide_drags import drop_guide, move_guide
from .handle_drags import (
    STEPS,
    cursor_of,
    drag_handle,
    pull_of_handle,
    round_moved_sides,
    turn_cursor,
    turned_by,
)
from .selection_frame import badge, paint_selection

START = 4.0
"""How far the mouse must go before a press becomes a drag, screen px."""
SNAP = 7.0
"""How near an edge must come to a line to snap, screen px."""
DRAGS = ("move", "resize", "turn")
"""The gestures that change layers."""


@dataclass
class Gesture:
    """What is under way from a press to its release. `kind` is move, resize, turn, band or guide."""

    kind: str
    start: Pointer
    composition: Composition
    selection: tuple[str, ...]
    handle: Handle | None = None
    frame: Frame | None = None
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
    _degrees: float = 0.0

    def end(self) -> None:
        """Give up what is under way."""
        self._cancel()

    # -- what is where ---------------------------------------------------------------------------

    def layer_at(self, at: QPointF) -> Layer | None:
        """Return the foremost layer at a position."""
        return next(layers_at(self.canvas.document, self.canvas.pictures, at), None)

    def frame(self) -> Frame | None:
        """Return the frame of the selected layers that can be moved."""
        return frame_of(one for one in self.canvas.document.selected if not one.locked)

    def _handle_at(self, at: QPointF) -> tuple[str, Handle] | None:
        """Return the handle at a position, and whether it is to `resize` or to `turn`."""
        frame = self.frame()
        if frame is None:
            return None
        spot = QPointF(*self.canvas.camera.to_screen(*frame.inward(at.x(), at.y())))
        place = self.canvas.to_screen(frame.rect)
        if (handle := handle_at(place, spot)) is not None:
            return "resize", handle
        handle = turn_handle_at(place, spot)
        return None if handle is None else ("turn", handle)

    def _guide_at(self, pointer: Pointer) -> tuple[bool, int] | None:
        return guide_at(self.canvas.document, pointer.at, pointer.scale)

    def cursor(self, pointer: Pointer) -> Qt.CursorShape | QCursor:
        """Show what a press would do."""
        gesture = self._gesture
        if gesture is not None and gesture.kind == "move" and gesture.going:
            return Qt.CursorShape.SizeAllCursor
        handle, frame = self._handle_at(pointer.at), self.frame()
        if gesture is not None and gesture.handle is not None:
            handle = gesture.kind, gesture.handle
        if handle is not None and frame is not None:
            kind, which = handle
            return turn_cursor() if kind == "turn" else cursor_of(which, frame.rotation)
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
            (gesture.kind, gesture.handle), gesture.frame = handle, self.frame()
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
            company = edits.with_company(document.composition, {hit.id})
            document.select(set(document.selection) ^ company)
        elif hit.id not in document.selection:
            document.select(edits.with_company(document.composition, {hit.id}))
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
        if (gesture := self._gesture) is None:
            return
        if not gesture.going:
            moved = (pointer.at - gesture.start.at) * pointer.scale
            if moved.manhattanLength() < START:
                return
            gesture.going = True
            self._begin_drag(gesture)
            self.canvas.update()
        drag = {"move": self._move_layers, "resize": self._resize_layers, "turn": self._turn_layers}
        if gesture.kind in drag:
            self._update_area()
            drag[gesture.kind](gesture, pointer)
            self._update_area()
            return
        if gesture.kind == "guide":
            move_guide(self.canvas, gesture.guide, pointer.at)
        else:
            self._stretch_band(gesture, pointer)
        self.canvas.update()

    def _update_area(self) -> None:
        """Repaint where the moving layers and the lines they meet are now."""
        frame = bounds(rect_of(one) for one in self.canvas.document.selected)
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
        if gesture.kind in DRAGS:
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
        ids, handle, held = self.canvas.moving, gesture.handle, gesture.frame
        layers = [one for one in gesture.composition.layers if one.id in ids]
        if held is None or handle is None:
            return
        frame, start = held.rect, held.inward(gesture.start.at.x(), gesture.start.at.y())
        there_x, there_y = held.inward(pointer.at.x(), pointer.at.y())
        keep = handle.corner and not pointer.shift
        dx, dy = there_x - start[0], there_y - start[1]
        now = resized(frame, handle, dx, dy, keep_aspect=keep, from_centre=pointer.alt)
        self._lines = ()
        # Off its aspect a picture does not fill its rectangle: then that is what snaps.
        seen = gesture.seen if keep and gesture.seen is not None else frame
        if not pointer.ctrl and not held.rotation:  # lines are upright and level
            there = scale_with_bounds({"": seen}, frame, now)[""]
            pull = gesture.snap_targets.drag(there, handle, SNAP / pointer.scale)
            by = pull_of_handle((pull.dx, pull.dy), there, now, handle, pointer.alt)
            now = drag_handle(frame, now, handle, by, keep, pointer.alt)
            self._lines = gesture.snap_targets.met(scale_with_bounds({"": seen}, frame, now)[""])
        if not keep:
            now = round_moved_sides(now, handle, self._lines)
        changed = edits.with_rects(gesture.composition, refitted(layers, held, now))
        self.canvas.document.apply(self.tr("Resize"), changed, "drag")

    def _turn_layers(self, gesture: Gesture, pointer: Pointer) -> None:
        if gesture.frame is None:
            return
        middle, before = centre(gesture.frame.rect), gesture.frame.rotation
        degrees = turned_by(
            middle, gesture.start.at, pointer.at, before, pointer.shift, pointer.ctrl
        )
        changed = edits.turned(gesture.composition, self.canvas.moving, degrees, middle)
        self._degrees = normalized(before + degrees)
        self.canvas.document.apply(self.tr("Turn"), changed, "drag")

    def _stretch_band(self, gesture: Gesture, pointer: Pointer) -> None:
        start, document = gesture.start.at, self.canvas.document
        gesture.band = rect_between(start.x(), start.y(), pointer.at.x(), pointer.at.y())
        met = {
            layer.id
            for layer in document.composition.layers
            if layer.shown
            and not layer.locked
            and overlaps(self.canvas.pictures.seen(document.shown(layer)), gesture.band)
        }
        chosen = edits.with_company(document.composition, met)
        document.select(chosen | set(gesture.selection) if pointer.shift else chosen)

    def release(self, pointer: Pointer) -> None:
        """Let go: the gesture is one step of the history."""
        gesture, self._gesture = self._gesture, None
        self._lines, self.canvas.moving = (), ()
        if gesture is not None:
            if not gesture.going and gesture.clicked:
                self.canvas.document.select((gesture.clicked,))
            if gesture.kind == "guide" and gesture.going:
                drop_guide(self.canvas, gesture.guide)
        self.canvas.document.end_gesture()
        self.canvas.update()

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
            document.select(edits.with_company(document.composition, {layer.id}))

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
        ids = [one.id for one in document.composition.layers if one.shown]
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
        if gesture is not None and gesture.going and gesture.kind in DRAGS:
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
        hovered = document.layer(self._hovered) if self._gesture is None else None
        if hovered is not None and hovered.id not in document.selection:
            seen = canvas.pictures.seen(document.shown(hovered))
            paint_outline(painter, canvas.to_screen(seen), faint=True)
        going = self._gesture is not None and self._gesture.going
        dragged = self._gesture.kind if self._gesture is not None and going else ""
        frame = self.frame()
        paint_selection(painter, canvas, frame, dragged, badge(dragged, frame, self._degrees))
        if self._gesture is not None and self._gesture.band is not None:
            accent = theme.current()
            painter.setPen(pen(accent.colour("accent"), 1))
            painter.setBrush(accent.colour("accent", 0.12))
            painter.drawRect(canvas.to_screen(self._gesture.band))

    @staticmethod
    def tr(text: str) -> str:
        """Translate; a tool is no `QObject`."""
        return QCoreApplication.translate("ArrangeTool", text)
