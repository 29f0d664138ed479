"""Shortcuts dialog: complete and searchable."""

from __future__ import annotations

from standee_desktop.shell.shortcuts_dialog import ShortcutsDialog, shortcut_text


def test_every_shortcut_of_a_menu_is_on_the_page(window) -> None:  # type: ignore[no-untyped-def]
    page = ShortcutsDialog(window.menuBar(), window)
    text = "\n".join(page.shown)
    for name in ("save", "undo", "duplicate", "align-left", "token-view", "compose"):
        assert shortcut_text(window.action(name)) in text
    assert "Shift+drag" in text


def test_what_is_typed_leaves_the_rows_that_have_it(window) -> None:  # type: ignore[no-untyped-def]
    page = ShortcutsDialog(window.menuBar(), window)
    page.search.setText("dupl")
    assert len(page.shown) == 1
    page.search.setText("ctrl+d")
    assert any("Duplicate" in row for row in page.shown)
    page.search.setText("")
    assert len(page.shown) > 40


def test_nothing_reaches_beyond_the_sides(window, settle) -> None:  # type: ignore[no-untyped-def]
    from PySide6.QtWidgets import QScrollArea

    dialog = ShortcutsDialog(window.menuBar(), window)
    dialog.show()
    settle()
    scroll = dialog.findChild(QScrollArea)
    assert scroll.widget().minimumSizeHint().width() <= scroll.viewport().width()
    dialog.close()
