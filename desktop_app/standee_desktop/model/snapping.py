"""Snapping of edges and centres to nearby lines. Canvas px.

Lines (of the canvas, other layers, guides) win over the token grid, which has no guide to show.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from standee.composition import Composition, Rect

from .document import ViewState
from .rects import Handle, Seen, rect_of

SAME = 1e-3
"""Positions nearer than this are one, px."""


@dataclass(frozen=True)
class Line:
    """A line that edges are drawn to: `x = at` if `upright`, else `y = at`, from `start` to `end`."""

    upright: bool
    at: float
    start: float
    end: float


@dataclass(frozen=True)
class Snap:
    """How far to move to lie on the nearest lines, and the lines that are met then."""

    dx: float
    dy: float
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class SnapTargets:
    """All that a drag may snap to. `patch` is 0 where the token grid does not count."""

    lines: tuple[Line, ...] = ()
    patch: int = 0

    def move(self, rect: Rect, distance: float) -> Snap:
        """Snap a rectangle that is moved as a whole."""
        dx = self._pull(True, (rect.x, rect.x + rect.w / 2, rect.x + rect.w), distance, rect.x)
        dy = self._pull(False, (rect.y, rect.y + rect.h / 2, rect.y + rect.h), distance, rect.y)
        return Snap(dx, dy, self._met(Rect(rect.x + dx, rect.y + dy, rect.w, rect.h)))

    def drag(self, rect: Rect, handle: Handle, distance: float) -> Snap:
        """Snap the sides of a rectangle that move with `handle`."""
        x, y = handle.at(rect)
        dx = self._pull(True, (x,), distance, x) if handle.x else 0.0
        dy = self._pull(False, (y,), distance, y) if handle.y else 0.0
        return Snap(dx, dy)

    def met(self, rect: Rect) -> tuple[Line, ...]:
        """Return the lines that a rectangle lies on, as guides to show."""
        return self._met(rect)

    @cached_property
    def _places(self) -> dict[bool, list[float]]:
        """Where the upright (True) and the level (False) lines are, in order."""
        return {
            upright: sorted({line.at for line in self.lines if line.upright == upright})
            for upright in (True, False)
        }

    @cached_property
    def _at(self) -> dict[tuple[bool, float], list[Line]]:
        found: dict[tuple[bool, float], list[Line]] = {}
        for line in self.lines:
            found.setdefault((line.upright, line.at), []).append(line)
        return found

    def _near(self, upright: bool, edge: float) -> list[float]:
        """Return the places on either side of an edge."""
        places = self._places[upright]
        index = bisect_left(places, edge)
        return places[max(0, index - 1) : index + 1]

    def _pull(
        self, upright: bool, edges: Iterable[float], distance: float, on_grid: float
    ) -> float:
        pulls = [place - edge for edge in edges for place in self._near(upright, edge)]
        nearest = min(pulls, key=abs, default=None)
        if nearest is not None and abs(nearest) <= distance:
            return nearest
        if self.patch:
            pull = round(on_grid / self.patch) * self.patch - on_grid
            if abs(pull) <= distance:
                return pull
        return 0.0

    def _met(self, rect: Rect) -> tuple[Line, ...]:
        xs = (rect.x, rect.x + rect.w / 2, rect.x + rect.w)
        ys = (rect.y, rect.y + rect.h / 2, rect.y + rect.h)
        met = []
        for upright, edges, (low, _, high) in ((True, xs, ys), (False, ys, xs)):
            places = {place for edge in edges for place in self._near(upright, edge)}
            for place in sorted(places):
                if any(abs(place - edge) < SAME for edge in edges):
                    lines = self._at[upright, place]
                    start = min(low, *(line.start for line in lines))
                    end = max(high, *(line.end for line in lines))
                    met.append(Line(upright, place, start, end))
        return tuple(met)


def snap_targets(
    composition: Composition, moving: Collection[str], view: ViewState, seen: Seen = rect_of
) -> SnapTargets:
    """Return what a drag of the layers `moving` may snap to: of others, what is `seen` of them."""
    canvas = composition.canvas
    lines: list[Line] = []
    if view.snap_canvas:
        lines += _around(Rect(0, 0, canvas.width, canvas.height))
    if view.snap_layers:
        for layer in composition.layers:
            if layer.shown and layer.id not in moving:
                lines += _around(seen(layer))
    if view.snap_guides:
        lines += [Line(True, x, 0, canvas.height) for x in view.guides_x]
        lines += [Line(False, y, 0, canvas.width) for y in view.guides_y]
    return SnapTargets(tuple(lines), view.patch if view.snap_tokens else 0)


def _around(rect: Rect) -> list[Line]:
    right, bottom = rect.x + rect.w, rect.y + rect.h
    upright = [Line(True, x, rect.y, bottom) for x in (rect.x, rect.x + rect.w / 2, right)]
    level = [Line(False, y, rect.x, right) for y in (rect.y, rect.y + rect.h / 2, bottom)]
    return upright + level
