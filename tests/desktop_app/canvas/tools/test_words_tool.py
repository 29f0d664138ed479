"""Drawing a rectangle of words: the layer it makes, its settings, and ways out."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from standee.composition import Layer, Rect
from standee_desktop.model import edits
from standee_desktop.panels.brush_bar import BrushBar
from support.desktop.person import ALT, Person


@pytest.fixture
def words(person: Person, assembly, settle):  # type: ignore[no-untyped-def]
    """The tool, in charge of an empty canvas, with the token grid out of the way."""
    person.has()
    person.chooses("tool-words")
    return assembly.words_tool


def test_a_drawn_rectangle_and_its_words_are_a_layer_in_one_step(person: Person, words) -> None:  # type: ignore[no-untyped-def]
    person.drags((32, 48), (160, 208))
    QTest.keyClicks(words.words, "a red boat")
    assert not person.document.composition.layers
    QTest.keyClick(words.words, Qt.Key.Key_Return)
    person.settle()
    [layer] = person.document.composition.layers
    assert (layer.picture, layer.prompt, layer.name) == (None, "a red boat", "a red boat")
    rect = layer.rect
    assert (rect.x, rect.y, rect.w, rect.h) == pytest.approx((32, 48, 128, 160), abs=1)
    assert person.document.selection == (layer.id,)
    assert person.window.canvas.tool is not words
    person.chooses("undo")
    assert not person.document.composition.layers


def test_escape_gives_the_rectangle_up_and_then_leaves_the_tool(person: Person, words) -> None:  # type: ignore[no-untyped-def]
    person.drags((32, 48), (160, 208))
    QTest.keyClicks(words.words, "a boat")
    QTest.keyClick(words.words, Qt.Key.Key_Escape)
    person.settle()
    assert words.words.isHidden()
    assert person.window.canvas.tool is words
    person.types(Qt.Key.Key_Escape)
    assert person.window.canvas.tool is not words
    assert not person.document.composition.layers


def test_another_tool_keeps_what_was_written_and_a_click_gives_half_the_canvas(  # type: ignore[no-untyped-def]
    person: Person, words
) -> None:
    canvas = person.document.composition.canvas
    person.clicks(canvas.width / 2, canvas.height / 2)
    QTest.keyClicks(words.words, "a boat")
    person.chooses("tool-arrange")
    [layer] = person.document.composition.layers
    assert (layer.rect.w, layer.rect.h) == (canvas.width / 2, canvas.height / 2)


def test_settings_show_what_words_know_and_never_lose_them(person: Person, words, settle) -> None:  # type: ignore[no-untyped-def]
    person.drags((32, 48), (160, 208))
    QTest.keyClicks(words.words, "a boat")
    QTest.keyClick(words.words, Qt.Key.Key_Return)
    settings = person.window.layer_settings
    settle(lambda: settings.fidelity.isVisibleTo(settings))
    assert not settings.light.isVisibleTo(settings)
    assert not settings.fit.isVisibleTo(settings)
    settings.prompt.selectAll()
    QTest.keyClick(settings.prompt, Qt.Key.Key_Backspace)
    assert person.document.composition.layers[0].prompt == "a boat"
    QTest.keyClick(settings.prompt, Qt.Key.Key_Return)
    assert settings.prompt.text() == "a boat"
    assert not person.window.action("to-scene").isEnabled()


def test_it_is_picked_anywhere_and_stands_in_the_token_view(person: Person, words, settle) -> None:  # type: ignore[no-untyped-def]
    person.drags((32, 48), (160, 208))
    QTest.keyClicks(words.words, "a boat")
    QTest.keyClick(words.words, Qt.Key.Key_Return)
    person.settle()
    layer = person.document.composition.layers[0]
    assert layer.rect.w > 100
    person.document.select(())
    person.clicks(40, 60)
    assert person.document.selection == (layer.id,)
    assert person.window.canvas.pictures.seen(layer) == Rect(
        layer.rect.x, layer.rect.y, layer.rect.w, layer.rect.h
    )


@pytest.fixture
def boat(person: Person, assembly, settle):  # type: ignore[no-untyped-def]
    """The brush on a turned rectangle of words of 128 x 64 px."""
    boat = Layer(Rect(64, 96, 128, 64), prompt="a boat", id="boat", rotation=90.0)
    person.document.apply("Words", edits.added(person.document.composition, [boat]))
    person.selects("boat")
    person.chooses("tool-cutout")
    settle(lambda: assembly.cutout_brush.ready)
    assembly.cutout_brush.set_radius(8)
    assembly.cutout_brush.set_softness(0)
    return assembly.cutout_brush


def region(person: Person, settle) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Return where the words count, as the document holds it."""
    settle(lambda: person.document.layer("boat").mask is not None)
    png = person.document.document.read(person.document.layer("boat").mask)
    return np.asarray(Image.open(io.BytesIO(png)).resize((128, 64))) > 127


def test_the_brush_paints_where_words_count(person: Person, boat, settle) -> None:  # type: ignore[no-untyped-def]
    person.drags((128, 80), (128, 120))  # down the canvas: along the rectangle, as it is turned
    painted = region(person, settle)
    assert painted[32, 20:54].all()
    assert not painted[32, 80:].any()
    assert not painted[:16].any()
    assert 0.05 < painted.mean() < 0.2  # it fills the rectangle no longer
    bar = boat.canvas.window().findChild(BrushBar)
    assert bar.title.text() == "Words"
    person.chooses("undo")
    assert person.document.layer("boat").mask is None
    settle(lambda: boat.ready)
    person.drags((128, 80), (128, 120), ALT)
    settle(lambda: person.document.layer("boat").mask is not None)
    left = region(person, settle)
    assert not left[32, 20:54].any()
    assert left.mean() > 0.8  # what it takes away, it takes of the whole


def test_a_painted_region_owns_its_cells_and_is_seen(person: Person, boat, settle) -> None:  # type: ignore[no-untyped-def]
    person.drags((128, 72), (128, 120))
    region(person, settle)
    person.types(Qt.Key.Key_Escape)
    person.document.select(())
    layer = person.document.layer("boat")
    settle(lambda: person.canvas.pictures.look(layer.mask, layer.mask))
    person.document.look(token_view=True)
    settle(lambda: person.window.tokens.tokens is not None)
    owned, _, _ = person.window.tokens.tokens.counts("boat")
    assert 2 <= owned <= 8  # of the 32 of its rectangle
    person.document.look(token_view=False)
    settle(lambda: saturation(person, 128, 84) > saturation(person, 128, 180) + 40)


def saturation(person: Person, x: float, y: float) -> int:
    """Return how colourful the canvas is at a position, 0..255."""
    return person.canvas.grab().toImage().pixelColor(person.spot(x, y)).saturation()


def test_what_cuts_out_says_that_a_rectangle_of_words_has_no_picture(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle
) -> None:
    words = Layer(Rect(20, 20, 60, 40), prompt="a fox", id="words")
    person.document.apply("Words", edits.added(person.document.composition, [words]))
    person.selects("words")
    person.chooses("tool-clicks")
    settle()
    assert any("rectangle of words" in one.text for one in assembly.notices)
    person.drags((30, 30), (50, 40))
    assert person.document.layer("words").mask is None
