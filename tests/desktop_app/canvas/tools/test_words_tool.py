"""Drawing a rectangle of words: the layer it makes, its settings, and ways out."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from standee.composition import Layer, Rect
from standee_desktop.model import edits
from support.desktop.person import Person


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


@pytest.mark.parametrize("tool", ["tool-cutout", "tool-clicks"])
def test_what_cuts_out_says_that_a_rectangle_of_words_has_no_picture(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, tool: str
) -> None:
    words = Layer(Rect(20, 20, 60, 40), prompt="a fox", id="words")
    person.document.apply("Words", edits.added(person.document.composition, [words]))
    person.selects("words")
    person.chooses(tool)
    settle()
    assert any("rectangle of words" in one.text for one in assembly.notices)
    person.drags((30, 30), (50, 40))
    assert person.document.layer("words").mask is None
