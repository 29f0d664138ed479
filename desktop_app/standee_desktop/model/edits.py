"""Edits: pure functions from a composition to the next one. They know no widgets and no history.

`ids` are the ids of the layers that an edit is about. Numbers are brought into the bounds of the
format here, so that no drag and no slider can make a document that cannot be saved.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from standee.composition import (
    MAX_CONTROLS,
    MAX_LAYERS,
    Canvas,
    Composition,
    Control,
    Layer,
    Rect,
    Scene,
)
from standee.rotation import Point, centre, normalized, turned_about

FAR = 32768.0
"""The bound of a coordinate in the format."""

SMALLEST = 1.0
"""The shortest side of a rectangle that a drag can make, px."""

LONGEST_SIDE = 8192
LARGEST_AREA = 4096 * 4096


def mapped(
    composition: Composition, ids: Collection[str], change: Callable[[Layer], Layer]
) -> Composition:
    """Return the composition with `change` made to the layers `ids`."""
    layers = tuple(change(one) if one.id in ids else one for one in composition.layers)
    return replace(composition, layers=layers)


def with_fields(composition: Composition, ids: Collection[str], **fields: Any) -> Composition:
    """Set fields of layers, such as `fidelity=0.7` or `visible=False`.

    A rectangle of words keeps those that it has where the new ones are blank: it is nothing without.
    """

    def change(layer: Layer) -> Layer:
        changed = replace(layer, **fields)
        if changed.picture is None and not changed.prompt.strip():
            changed = replace(changed, prompt=layer.prompt)
        return changed

    return mapped(composition, ids, change)


# -- where layers stand ----------------------------------------------------------------------------


def bounded(rect: Rect) -> Rect:
    """Return the rectangle within the bounds of the format."""
    w, h = (min(max(side, SMALLEST), FAR) for side in (rect.w, rect.h))
    x, y = (min(max(at, -FAR), FAR) for at in (rect.x, rect.y))
    return Rect(x, y, w, h)


def with_rects(composition: Composition, rects: Mapping[str, Rect]) -> Composition:
    """Put each layer named in `rects` into its rectangle."""
    return mapped(composition, rects.keys(), lambda one: replace(one, rect=bounded(rects[one.id])))


def moved(composition: Composition, ids: Collection[str], dx: float, dy: float) -> Composition:
    """Move layers by canvas px; locked ones stay."""

    def move(layer: Layer) -> Layer:
        rect = layer.rect
        return replace(layer, rect=bounded(Rect(rect.x + dx, rect.y + dy, rect.w, rect.h)))

    return mapped(composition, unlocked(composition, ids), move)


def turned(
    composition: Composition, ids: Collection[str], degrees: float, middle: Point
) -> Composition:
    """Turn layers clockwise about a point of the canvas; locked ones stay."""

    def turn(layer: Layer) -> Layer:
        x, y = turned_about(*centre(layer.rect), middle, degrees)
        rect = Rect(x - layer.rect.w / 2, y - layer.rect.h / 2, layer.rect.w, layer.rect.h)
        rotation = round(normalized(layer.rotation + degrees), 4)
        return replace(layer, rect=bounded(rect), rotation=rotation)

    return mapped(composition, unlocked(composition, ids), turn)


def flipped(composition: Composition, ids: Collection[str]) -> Composition:
    """Mirror the pictures of layers left to right; locked ones stay."""
    return mapped(composition, unlocked(composition, ids), lambda o: replace(o, flip=not o.flip))


def unlocked(composition: Composition, ids: Collection[str]) -> frozenset[str]:
    """Return those of `ids` whose layers are not locked."""
    return frozenset(one.id for one in composition.layers if one.id in ids and not one.locked)


# -- which layers there are ------------------------------------------------------------------------


def added(composition: Composition, layers: Iterable[Layer], at: int | None = None) -> Composition:
    """Add layers on top, or so that the first becomes number `at` from the bottom.

    What would be more than the format allows is left out.
    """
    room = MAX_LAYERS - len(composition.layers)
    new = tuple(layers)[:room]
    at = len(composition.layers) if at is None else at
    return replace(composition, layers=composition.layers[:at] + new + composition.layers[at:])


def removed(composition: Composition, ids: Collection[str]) -> Composition:
    """Remove layers, and the control pictures that are bound to them; locked ones stay."""
    gone = unlocked(composition, ids)
    return replace(
        composition,
        layers=tuple(one for one in composition.layers if one.id not in gone),
        control=tuple(one for one in composition.control if one.layer not in gone),
    )


def copies(layers: Iterable[Layer], dx: float = 0.0, dy: float = 0.0) -> tuple[Layer, ...]:
    """Return copies of layers with ids and groups of their own, moved by canvas px and not locked."""
    every = tuple(layers)
    groups: dict[str | None, str] = {
        one.group: uuid.uuid4().hex for one in every if one.group is not None
    }
    return tuple(
        replace(
            one,
            id=uuid.uuid4().hex,
            group=groups.get(one.group),
            locked=False,
            rect=bounded(Rect(one.rect.x + dx, one.rect.y + dy, one.rect.w, one.rect.h)),
        )
        for one in every
    )


def grouped(composition: Composition, ids: Collection[str]) -> Composition:
    """Join layers to a group; they leave those that they were in."""
    return with_fields(composition, ids, group=uuid.uuid4().hex)


def ungrouped(composition: Composition, ids: Collection[str]) -> Composition:
    """Let layers out of their groups."""
    return with_fields(composition, ids, group=None)


def with_company(composition: Composition, ids: Collection[str]) -> frozenset[str]:
    """Return `ids` and those of all layers that are in a group with one of them."""
    groups = {one.group for one in composition.layers if one.id in ids} - {None}
    return frozenset(ids) | {one.id for one in composition.layers if one.group in groups}


def reordered(composition: Composition, ids: Collection[str], at: int) -> Composition:
    """Move layers together so that they stand below the layer that is number `at` now."""
    moving = [one for one in composition.layers if one.id in ids]
    below = [one for one in composition.layers[:at] if one.id not in ids]
    above = [one for one in composition.layers[at:] if one.id not in ids]
    return replace(composition, layers=(*below, *moving, *above))


def raised(composition: Composition, ids: Collection[str], steps: int) -> Composition:
    """Move each layer `steps` up (down if negative), keeping their order among themselves."""
    layers = list(composition.layers)
    for _ in range(min(abs(steps), len(layers))):
        order = range(len(layers) - 2, -1, -1) if steps > 0 else range(1, len(layers))
        other = 1 if steps > 0 else -1
        for index in order:
            if layers[index].id in ids and layers[index + other].id not in ids:
                layers[index], layers[index + other] = layers[index + other], layers[index]
    return replace(composition, layers=tuple(layers))


# -- the rest of the composition -------------------------------------------------------------------


def with_prompt(composition: Composition, prompt: str) -> Composition:
    """Set the prompt, cut to what the format allows."""
    return replace(composition, prompt=prompt[:2000])


def with_sampling(composition: Composition, **fields: Any) -> Composition:
    """Set fields of the sampling, such as `steps=28`."""
    return replace(composition, sampling=replace(composition.sampling, **fields))


def with_method(composition: Composition, **fields: Any) -> Composition:
    """Set switches of the method, such as `mode="edit"`."""
    return replace(composition, method=replace(composition.method, **fields))


def with_controls(composition: Composition, controls: Iterable[Control]) -> Composition:
    """Set the control pictures; what would be more than the format allows is left out."""
    return replace(composition, control=tuple(controls)[:MAX_CONTROLS])


def with_scene(composition: Composition, scene: Scene | None) -> Composition:
    """Set or remove the scene."""
    return replace(composition, scene=scene)


def as_scene(composition: Composition, layer_id: str) -> Composition:
    """Make a layer's picture the scene, whole and as large as the canvas; the layer goes."""
    layer = next((one for one in composition.layers if one.id == layer_id), None)
    if layer is None or layer.locked or layer.picture is None:
        return composition
    old = composition.scene
    scene = (
        replace(old, picture=layer.picture, kept=None, rect=None) if old else Scene(layer.picture)
    )
    return replace(removed(composition, {layer_id}), scene=scene)


def canvas_sides(width: float, height: float, patch: int) -> Canvas:
    """Return the canvas nearest to a size that the model and the format allow."""
    w, h = (min(max(round(side / patch), 1) * patch, LONGEST_SIDE) for side in (width, height))
    if w * h > LARGEST_AREA:
        shrink = (LARGEST_AREA / (w * h)) ** 0.5
        w, h = (int(side * shrink / patch) * patch for side in (w, h))
    return Canvas(max(16, w), max(16, h))


def with_aspect(composition: Composition, width: float, height: float, patch: int) -> Composition:
    """Give the canvas the aspect of `width` x `height` px on the area that it has.

    What stands on it keeps its place to the middle; a scene that fills it goes on doing so.
    """
    old = composition.canvas
    scale = (old.width * old.height / (width * height)) ** 0.5
    new = canvas_sides(width * scale, height * scale, patch)
    left, top = (new.width - old.width) / 2, (new.height - old.height) / 2
    bare = replace(composition, scene=None)
    changed = with_canvas(bare, new.width, new.height, patch, left, top)
    return replace(changed, scene=composition.scene)


def with_canvas(
    composition: Composition,
    width: float,
    height: float,
    patch: int,
    left: float = 0,
    top: float = 0,
) -> Composition:
    """Give the canvas a size; what stands on it moves by (`left`, `top`) px.

    A scene that filled the canvas keeps its size, so a larger canvas is an outpainting.
    """
    canvas, old = canvas_sides(width, height, patch), composition.canvas
    layers = tuple(
        replace(
            one, rect=bounded(Rect(one.rect.x + left, one.rect.y + top, one.rect.w, one.rect.h))
        )
        for one in composition.layers
    )
    scene = composition.scene
    if scene is not None and canvas != old:
        at = scene.rect or Rect(0, 0, old.width, old.height)
        scene = replace(scene, rect=bounded(Rect(at.x + left, at.y + top, at.w, at.h)))
    return replace(composition, canvas=canvas, layers=layers, scene=scene)
