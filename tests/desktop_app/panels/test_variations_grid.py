"""Variations grid: one key keeps, one discards, undo brings back."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from support.desktop.person import Person


@pytest.fixture
def grid(person: Person, assembly, settle, picture):  # type: ignore[no-untyped-def]
    """The grid with four results, opened by its key."""
    for name in "abcd":
        person.document.document.add_result(picture((32, 32)), {}, name)
    person.document.note_results()
    person.window.activateWindow()
    settle(person.window.isActiveWindow)
    person.types(Qt.Key.Key_G)
    settle(assembly.variations.isVisible)
    return assembly.variations


def test_keys_decide_and_the_next_is_in_hand(person: Person, assembly, grid, settle) -> None:  # type: ignore[no-untyped-def]
    results = lambda: list(person.document.document.results)  # noqa: E731
    assert grid.names == ["a", "b", "c", "d"]
    grid.list.setCurrentRow(0)
    QTest.keyClick(grid.list, Qt.Key.Key_K)
    assert grid.names == ["b", "c", "d"]
    QTest.keyClick(grid.list, Qt.Key.Key_D)
    settle(lambda: results() == ["a", "c", "d"])
    settle(lambda: grid.names == ["c", "d"])
    person.chooses("undo")
    settle(lambda: results() == ["a", "b", "c", "d"])
    assert grid.names == ["b", "c", "d"]


def test_the_canvas_comes_back_when_all_is_decided(person: Person, grid, settle) -> None:  # type: ignore[no-untyped-def]
    for _ in range(4):
        QTest.keyClick(grid.list, Qt.Key.Key_K)
    settle(person.canvas.isVisible)
    assert list(person.document.document.results) == ["a", "b", "c", "d"]


def test_escape_leaves_and_enter_shows_one_on_the_canvas(  # type: ignore[no-untyped-def]
    person: Person, assembly, grid, settle
) -> None:
    QTest.keyClick(grid.list, Qt.Key.Key_Escape)
    settle(person.canvas.isVisible)
    assembly.results_panel.grid.click()
    grid.list.setCurrentRow(1)
    grid.list.itemActivated.emit(grid.list.currentItem())
    settle(person.canvas.isVisible)
    assert assembly.results_panel.current == "b"
