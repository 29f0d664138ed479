"""Drag gesture as a state machine, from press to release: no events, drawing or undo.

The modal operator translates Blender's events into `Input`, and writes the rectangle that comes
back. Shift keeps the aspect, Ctrl snaps to the token grid, X and Y hold an axis, digits give an
exact number, Esc or the right button restores. A rectangle may be turned about its middle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from standee.composition import Rect
from standee.rotation import centre, normalized, turned_about

from .picking import BODY, HANDLES
from .projection import LIMIT

Kind = Literal["move", "resize", "scale", "turn"]
State = Literal["running", "done", "cancelled"]

SMALLEST = 1.0
"""The least width and height of a rectangle that a gesture leaves, in canvas px."""

STEP = 15.0
"""Degrees between the rotations that Ctrl and Shift allow."""

DIGITS = "0123456789.-"

_AXES: dict[str, Literal["x", "y"]] = {"x": "x", "y": "y"}


@dataclass(frozen=True)
class Input:
    """One event: where the pointer is (canvas px), which keys are held, and what happened.

    `action`: "move" the pointer, "confirm", "cancel", or "key" with its name or character.
    """

    x: float
    y: float
    action: Literal["move", "confirm", "cancel", "key"] = "move"
    key: str = ""
    shift: bool = False
    ctrl: bool = False


@dataclass(frozen=True)
class Gesture:
    """A gesture under way. `start` is where it began, `origin` the rectangle then (canvas px), `turned` by degrees."""

    kind: Kind
    origin: Rect
    start: tuple[float, float]
    part: str = BODY
    patch: int = 16
    turned: float = 0.0
    axis: Literal["", "x", "y"] = ""
    typed: str = ""
    last: Input = Input(0, 0)
    state: State = "running"

    @staticmethod
    def begin(
        kind: Kind,
        rect: Rect,
        x: float,
        y: float,
        part: str = BODY,
        patch: int = 16,
        turned: float = 0.0,
    ) -> Gesture:
        """Begin at a pointer position: "move" (G or a drag), "scale" (S), "turn" (R), or "resize" by a handle."""
        return Gesture(kind, rect, (x, y), part, patch, turned, last=Input(x, y))

    def feed(self, event: Input) -> Gesture:
        """Return the gesture after an event."""
        if self.state != "running":
            return self
        after = replace(self, last=event)
        if event.action == "confirm":
            return replace(after, state="done")
        if event.action == "cancel":
            return replace(after, state="cancelled")
        if event.action == "key":
            return after._key(event.key)
        return after

    @property
    def rect(self) -> Rect:
        """The rectangle now; after a cancel the one at the beginning."""
        if self.state == "cancelled" or self.kind == "turn":
            return self.origin
        if self.kind == "move":
            return self._moved()
        if self.kind == "scale":
            return self._scaled()
        return self._resized()

    @property
    def changed(self) -> bool:
        """Whether there is anything to undo."""
        return self.rect != self.origin or self.rotation != self.turned

    @property
    def rotation(self) -> float:
        """The rotation now, in degrees; after a cancel the one at the beginning."""
        if self.state == "cancelled" or self.kind != "turn":
            return self.turned
        if (number := self._number) is not None:
            return self.turned + number
        x, y = centre(self.origin)
        angles = (math.atan2(b - y, a - x) for a, b in (self.start, (self.last.x, self.last.y)))
        first, now = (math.degrees(angle) for angle in angles)
        rotation = self.turned + normalized(now - first)
        if self.last.ctrl or self.last.shift:
            rotation = round(rotation / STEP) * STEP
        return normalized(rotation) if now != first else self.turned

    @property
    def text(self) -> str:
        """What the header says meanwhile."""
        r = self.rect
        typed = f"  [{self.typed}]" if self.typed else ""
        if self.kind == "turn":
            return f"{self.rotation:.1f}°{typed}"
        return f"X {r.x:.0f}  Y {r.y:.0f}  W {r.w:.0f}  H {r.h:.0f} px{typed}"

    # -- keys ------------------------------------------------------------------------------------

    def _key(self, key: str) -> Gesture:
        if key in _AXES:
            return replace(self, axis="" if self.axis == key else _AXES[key])
        if key == "backspace":
            return replace(self, typed=self.typed[:-1])
        if key == "-":
            negative = self.typed.startswith("-")
            return replace(self, typed=self.typed[1:] if negative else "-" + self.typed)
        if len(key) == 1 and key in DIGITS and len(self.typed) < 8:
            if key == "." and "." in self.typed:
                return self
            return replace(self, typed=self.typed + key)
        return self

    @property
    def _number(self) -> float | None:
        try:
            return float(self.typed)
        except ValueError:
            return None

    # -- rectangles ------------------------------------------------------------------------------

    def _moved(self) -> Rect:
        dx, dy = self.last.x - self.start[0], self.last.y - self.start[1]
        if (number := self._number) is not None:
            dx, dy = (0.0, number) if self.axis == "y" else (number, 0.0)
        elif self.last.shift and not self.axis:  # as in every drawing program: along one axis
            dx, dy = (dx, 0.0) if abs(dx) >= abs(dy) else (0.0, dy)
        dx, dy = (0.0 if self.axis == "y" else dx), (0.0 if self.axis == "x" else dy)
        x, y = self.origin.x + dx, self.origin.y + dy
        if self.last.ctrl:
            x = self._snap(x) if dx else x
            y = self._snap(y) if dy else y
        return Rect(_bounded(x), _bounded(y), self.origin.w, self.origin.h)

    def _scaled(self) -> Rect:
        """Scale about the middle, by how much farther from it the pointer is than at the start."""
        r = self.origin
        middle = (r.x + r.w / 2, r.y + r.h / 2)
        was = max(1.0, _length(self.start[0] - middle[0], self.start[1] - middle[1]))
        factor = _length(self.last.x - middle[0], self.last.y - middle[1]) / was
        if (number := self._number) is not None:
            factor = abs(number)
        w = r.w if self.axis == "y" else r.w * factor
        h = r.h if self.axis == "x" else r.h * factor
        if self.last.ctrl:
            w, h = max(self.patch, self._snap(w)), max(self.patch, self._snap(h))
        w, h = _extent(w), _extent(h)
        x, y = middle[0] - w / 2, middle[1] - h / 2
        if self.last.ctrl:
            x, y = self._snap(x), self._snap(y)
        return Rect(_bounded(x), _bounded(y), w, h)

    def _resized(self) -> Rect:
        """Drag a handle: the opposite edge or corner stays where it is."""
        r, (u, v) = self.origin, HANDLES[self.part]
        dx, dy = turned_about(
            self.last.x - self.start[0], self.last.y - self.start[1], (0.0, 0.0), -self.turned
        )
        left, right = self._edges(r.x, r.w, dx, u)
        top, bottom = self._edges(r.y, r.h, dy, v)
        w, h = right - left, bottom - top
        if self.last.shift:
            w, h = self._in_aspect(w, h, u, v)
            left, top = _anchored(r.x, r.w, w, u), _anchored(r.y, r.h, h, v)
        if self.turned:  # about the old middle: then the opposite side does stay
            x, y = turned_about(left + w / 2, top + h / 2, centre(r), self.turned)
            left, top = x - w / 2, y - h / 2
        return Rect(_bounded(left), _bounded(top), _extent(w), _extent(h))

    def _edges(self, low: float, size: float, delta: float, part: float) -> tuple[float, float]:
        """Move the low edge (part 0), the high edge (part 1) or neither (0.5) by `delta`."""
        high = low + size
        if part == 0.0:
            low += delta
            low = min(self._snap(low) if self.last.ctrl else low, high - SMALLEST)
        elif part == 1.0:
            high += delta
            high = max(self._snap(high) if self.last.ctrl else high, low + SMALLEST)
        return low, high

    def _in_aspect(self, w: float, h: float, u: float, v: float) -> tuple[float, float]:
        """Return the size with the aspect of the beginning; a corner follows the larger change."""
        r = self.origin
        if u == 0.5:
            scale = h / r.h
        elif v == 0.5:
            scale = w / r.w
        else:
            scale = max(w / r.w, h / r.h)
        return max(SMALLEST, r.w * scale), max(SMALLEST, r.h * scale)

    def _snap(self, value: float) -> float:
        return round(value / self.patch) * self.patch


def _anchored(low: float, size: float, new: float, part: float) -> float:
    """Return the low edge when `size` becomes `new` and the point opposite to the handle stays."""
    return low + (size - new) * (1.0 - part)


def _bounded(value: float) -> float:
    return min(max(value, -LIMIT / 2), LIMIT / 2)


def _extent(value: float) -> float:
    return min(max(value, SMALLEST), LIMIT / 2)


def _length(x: float, y: float) -> float:
    return float((x * x + y * y) ** 0.5)
