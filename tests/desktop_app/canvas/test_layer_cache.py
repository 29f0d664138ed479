"""Layers under a drag or a zoom: painted from what was painted before, as they are at rest."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage, QPainter

from standee.composition import Composition
from standee_desktop.canvas import layer_cache
from standee_desktop.canvas.layer_cache import LayerCache
from standee_desktop.model import edits
from standee_desktop.model.camera import Camera
from support.desktop.person import Person

SIZE = QSize(240, 240)
AS_IT_IS = Camera(1.0)


def painted(
    cache: LayerCache, composition: Composition, moving: set[str], camera: Camera = AS_IT_IS
) -> np.ndarray:
    image = QImage(SIZE, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    cache.paint(painter, composition, moving, camera, SIZE, 1.0)
    painter.end()
    return np.frombuffer(image.constBits(), np.uint8).reshape(240, 240, 4)[..., :3].astype(int)


@pytest.fixture
def three(person: Person, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Someone with three layers, which are many and slow: they are painted one at a time."""
    for name, value in (("FEW", 2), ("SLOW", 0.0), ("SLICE", 0.0)):
        monkeypatch.setattr(layer_cache, name, value)
    person.has(("cat", 60, 40, 80, 60), ("dog", 100, 100, 50, 50), ("owl", 20, 130, 90, 60))
    return person


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one whenever a layer's picture is painted."""
    painted, paint = [], layer_cache.paint_picture
    monkeypatch.setattr(
        layer_cache, "paint_picture", lambda *given: (painted.append(1), paint(*given))
    )
    return painted


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


def test_each_size_that_a_layer_has_on_tokens_is_painted_once(
    person: Person, drawn: list[int]
) -> None:
    person.has(("cat", 60, 40, 80, 60), ("dog", 100, 100, 50, 50), rotation=20.0)
    composition, moving = person.document.composition, {"cat", "dog"}
    cache = LayerCache(person.canvas.pictures)
    wider = edits.with_rects(
        composition, {one.id: replace(one.rect, w=one.rect.w + 16) for one in composition.layers}
    )
    for _ in range(2):
        for one in (composition, wider):
            painted(cache, one, moving)
    drawn.clear()
    for one in (composition, wider, composition, wider):
        painted(cache, one, moving)
    assert not drawn


def test_what_a_drag_of_several_layers_needs_is_painted_before_it_a_layer_at_a_time(
    three: Person, drawn: list[int]
) -> None:
    composition, moving = three.document.composition, {"cat", "owl"}
    cache = LayerCache(three.canvas.pictures)
    still = painted(cache, composition, set())
    drawn.clear()
    slices = 1
    while not cache.get_ready(moving):
        slices += 1
    assert len(drawn) == 3  # the dog between them, too
    assert slices >= 3
    drawn.clear()
    np.testing.assert_array_equal(painted(cache, composition, moving), still)
    assert cache.get_ready(moving)  # nor is it done twice
    assert not drawn


def test_the_canvas_is_ready_for_a_drag_of_what_is_selected(
    person: Person, drawn: list[int], settle
) -> None:  # type: ignore[no-untyped-def]
    person.has(("cat", 60, 40, 80, 60), ("dog", 100, 100, 50, 50))
    settle()
    for chosen, times in (({"cat"}, 0), ({"cat", "dog"}, 2)):
        drawn.clear()
        person.document.select(chosen)
        for _ in range(5):
            settle()
        assert len(drawn) == times


def test_zooming_shows_many_layers_scaled_and_then_as_they_are(three: Person) -> None:
    composition = three.document.composition
    cache = LayerCache(three.canvas.pictures)
    first = painted(cache, composition, set())
    closer = Camera(2.0, -60.0, -40.0)
    hurried = painted(cache, composition, set(), closer)
    assert abs(hurried - first).mean() > 1  # it follows the hand at once
    sharp = painted(LayerCache(three.canvas.pictures), composition, set(), closer)
    assert abs(hurried - sharp).mean() < 10  # nearly as it will be
    slices = 1
    while not cache.go_on():
        slices += 1
    assert slices == 3  # a layer each, so that no frame waits for all of them
    np.testing.assert_array_equal(painted(cache, composition, set(), closer), sharp)


def test_what_is_changed_while_one_zooms_is_never_shown_as_it_was(three: Person) -> None:
    composition, closer = three.document.composition, Camera(1.5, -20.0, -10.0)
    cache = LayerCache(three.canvas.pictures)
    painted(cache, composition, set())
    painted(cache, composition, set(), closer)
    assert not cache.go_on()
    other = edits.with_fields(composition, {"cat"}, opacity=0.3)
    fresh = painted(LayerCache(three.canvas.pictures), other, set(), closer)
    np.testing.assert_array_equal(painted(cache, other, set(), closer), fresh)
    assert cache.go_on()


def test_a_document_that_is_opened_and_pictures_that_are_read_hold_up_no_frame(
    three: Person, drawn: list[int]
) -> None:
    composition, pictures = three.document.composition, three.canvas.pictures
    fresh = painted(LayerCache(pictures), composition, set())
    cache = LayerCache(pictures)
    drawn.clear()
    cache.forget()
    painted(cache, composition, set())
    assert len(drawn) == 1
    assert (cache.go_on(), cache.go_on()) == (False, True)
    np.testing.assert_array_equal(painted(cache, composition, set()), fresh)
    drawn.clear()
    pictures.ready.emit(composition.layers[0].picture)
    np.testing.assert_array_equal(painted(cache, composition, set()), fresh)  # as it was so far
    assert not drawn
    while not cache.go_on():
        pass
    np.testing.assert_array_equal(painted(cache, composition, set()), fresh)
    assert len(drawn) == 3


def test_a_picture_that_was_read_meanwhile_is_shown_in_the_end(
    three: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    composition, pictures = three.document.composition, three.canvas.pictures
    fresh, cache = painted(LayerCache(pictures), composition, set()), LayerCache(pictures)
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "look_of", lambda layer: None)  # none of them is read yet
        cache.forget()
        empty = painted(cache, composition, set())
        cache.go_on()
        pictures.ready.emit(composition.layers[0].picture)  # the one that is painted already
    for _ in range(12):
        shown = painted(cache, composition, set())
        cache.go_on()
    assert (empty != fresh).any()
    np.testing.assert_array_equal(shown, fresh)
