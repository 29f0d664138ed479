"""Hit testing on the canvas: layers by their cut-out, handles, guides."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QPointF, QRectF

from standee.composition import Layer
from standee.geometry import fit_picture

from ..model import EditorDocument
from ..model.rects import Frame, Handle, contains
from ..services.image_cache import CachedImage, ImageCache
from .painting import handle_places, turn_places

REACH = 8.0
"""How near to a handle or guide the mouse must be, screen px."""
SEEN = 0.1
"""How opaque a cut-out must be to be hit."""


def layers_at(document: EditorDocument, pictures: ImageCache, at: QPointF) -> Iterator[Layer]:
    """Yield the layers at a position (canvas px), front to back: first those hit in their cut-out.

    After them come those whose cut-out has the position between its parts: a handle of a mug, legs.
    """
    around = []
    for layer in reversed(document.composition.layers):
        if layer.shown and not layer.locked:
            shown = document.shown(layer)
            within = Frame(shown.rect, shown.rotation).inward(at.x(), at.y())
            if not contains(shown.rect, *within):
                continue
            look = pictures.look_of(shown)
            if is_solid(shown, look, *within):
                yield layer
            elif look is not None and contains(look.seen_upright(shown), *within):
                around.append(layer)
    yield from around


def is_solid(layer: Layer, look: CachedImage | None, x: float, y: float) -> bool:
    """Whether a layer's cut-out is there at a position; one of words, or not read yet, is everywhere.

    The position is the one that it has once the layer is turned upright.
    """
    if look is None:
        return True
    height, width = look.cutout.shape
    placed = fit_picture(look.width, look.height, layer.rect, layer.fit)
    across, down = (x - placed.x) / placed.w, (y - placed.y) / placed.h
    if not (0 <= across < 1 and 0 <= down < 1):
        return False
    across = 1 - across - 1e-9 if layer.flip else across
    return bool(look.cutout[int(down * height), int(across * width)] > SEEN)


def handle_at(frame: QRectF, spot: QPointF) -> Handle | None:
    """Return the handle of a frame nearest to a spot within reach; both in screen px."""
    near = []
    for handle, place in handle_places(frame).items():
        away = place - spot
        if max(abs(away.x()), abs(away.y())) <= REACH:
            near.append((away.manhattanLength(), handle))
    return min(near, key=lambda one: one[0])[1] if near else None


def turn_handle_at(frame: QRectF, spot: QPointF) -> Handle | None:
    """Return the handle that turns a frame within reach of a spot; both in screen px."""
    for handle, place in turn_places(frame).items():
        away = place - spot
        if max(abs(away.x()), abs(away.y())) <= REACH:
            return handle
    return None


def guide_at(document: EditorDocument, at: QPointF, scale: float) -> tuple[bool, int] | None:
    """Return the guide at a position as (upright, its number)."""
    view = document.view
    for upright, places, where in ((True, view.guides_x, at.x()), (False, view.guides_y, at.y())):
        for index, place in enumerate(places):
            if abs(place - where) * scale <= REACH / 2:
                return upright, index
    return None
