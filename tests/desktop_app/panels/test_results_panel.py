"""The strip of results: they hang over the canvas, are compared, and go."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest

from support.person import Person


@pytest.fixture
def strip(person: Person, studio, settle, picture):  # type: ignore[no-untyped-def]
    """The strip with a red and a blue result; the arrangement is empty."""
    for name in ("red", "blue"):
        document = person.document.document
        document.add_result(picture((256, 256), name), {}, name)
    person.document.note_results()
    settle(lambda: studio.staging.list.count() == 2)
    return studio.staging


def colour(person: Person, x: float, y: float) -> str:
    """Return the colour that the canvas shows at a position."""
    seen: QColor = person.canvas.grab().toImage().pixelColor(person.spot(x, y))
    return seen.name()


def ctrl_click(strip, name: str) -> None:  # type: ignore[no-untyped-def]
    """Add a result to the selection."""
    [item] = strip.list.findItems(name, Qt.MatchFlag.MatchExactly)
    item.setSelected(True)


def test_a_result_is_compared_with_the_arrangement_along_a_line(  # type: ignore[no-untyped-def]
    person: Person, strip, settle
) -> None:
    strip.select("red")
    settle(lambda: colour(person, 64, 100) == "#ff0000")
    strip.compare.click()
    assert colour(person, 64, 100) != "#ff0000"
    assert colour(person, 192, 100) == "#ff0000"
    person.drags((128, 200), (32, 200))
    assert colour(person, 64, 100) == "#ff0000"
    person.types(Qt.Key.Key_Escape)
    assert not strip.compare.isChecked()
    assert strip.current == "red"


def test_two_selected_results_are_compared_with_each_other(  # type: ignore[no-untyped-def]
    person: Person, strip, settle
) -> None:
    strip.select("red")
    ctrl_click(strip, "blue")
    strip.compare.click()
    settle(lambda: colour(person, 64, 100) == "#0000ff")
    assert colour(person, 192, 100) == "#ff0000"
    strip.select("red")
    settle(lambda: colour(person, 64, 100) != "#0000ff")


def test_all_selected_results_are_discarded(person: Person, strip, settle) -> None:  # type: ignore[no-untyped-def]
    strip.select("red")
    ctrl_click(strip, "blue")
    strip.discard.click()
    settle(lambda: not person.document.document.results)
    assert not strip.apply.isEnabled()


def test_an_edit_brings_the_arrangement_back(person: Person, strip, settle) -> None:  # type: ignore[no-untyped-def]
    strip.select("red")
    settle(lambda: colour(person, 64, 100) == "#ff0000")
    person.has(("disc", 0, 0, 32, 32))
    settle(lambda: colour(person, 64, 100) != "#ff0000")
    assert strip.current is None


def test_delete_in_the_strip_drops_a_result_and_no_layer(person: Person, strip, settle) -> None:  # type: ignore[no-untyped-def]
    person.has(("disc", 0, 0, 32, 32))
    person.selects("disc")
    person.window.activateWindow()
    strip.select("red")
    strip.list.setFocus()
    QTest.keyClick(strip.list, Qt.Key.Key_Delete)
    settle(lambda: "red" not in person.document.document.results)
    assert list(person.order) == ["disc"]
