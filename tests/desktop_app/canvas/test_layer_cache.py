"""Layers under a drag: painted from what the last frame painted, as they are painted at rest."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage, QPainter

from standee.composition import Composition
from standee_desktop.canvas.layer_cache import LayerCache
from standee_desktop.model import edits
from standee_desktop.model.camera import Camera
from support.desktop.person import Person

SIZE = QSize(240, 240)


def painted(cache: LayerCache, composition: Composition, moving: set[str]) -> np.ndarray:
    image = QImage(SIZE, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    cache.paint(painter, composition, moving, Camera(1.0), SIZE, 1.0)
    painter.end()
    return np.frombuffer(image.constBits(), np.uint8).reshape(240, 240, 4)[..., :3].astype(int)


def test_layers_that_are_dragged_look_as_they_do_at_rest(person: Person) -> None:
    person.has(("cat", 60, 40, 80, 60), ("still", 100, 100, 50, 50))
    person.has(("dog", 120, 60, 70, 90), rotation=33.0)
    person.has(("glass", 40, 60, 90, 60), rotation=-120.0, opacity=0.5)
    composition, moving = person.document.composition, {"cat", "dog", "glass"}
    cache = LayerCache(person.canvas.pictures)
    for _ in range(4):
        composition = edits.moved(composition, moving, 3, 2)
        dragged = painted(cache, composition, moving)
    still = painted(LayerCache(person.canvas.pictures), composition, set())
    off = abs(dragged - still).max(axis=2)
    assert (off > 4).mean() < 0.01  # but for px of edges
    assert len(np.unique(still.reshape(-1, 3), axis=0)) > 3


def test_a_layer_that_is_changed_in_a_drag_is_not_shown_as_it_was(person: Person) -> None:
    person.has(("cat", 60, 40, 80, 60), ("dog", 100, 100, 50, 50))
    composition, moving = person.document.composition, {"cat", "dog"}
    cache = LayerCache(person.canvas.pictures)
    for _ in range(3):
        painted(cache, composition, moving)
    turned = edits.with_fields(composition, moving, rotation=45.0, opacity=0.5)
    fresh = painted(LayerCache(person.canvas.pictures), turned, set())
    np.testing.assert_array_equal(painted(cache, turned, moving), fresh)
