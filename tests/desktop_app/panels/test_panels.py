"""Panel layout of the window: room for each, a name for every control."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QLineEdit

from standee.composition import Control, Lora
from standee_desktop.model import edits
from standee_desktop.panels.layer_settings import NARROWEST
from standee_desktop.shell.application import translate
from support.desktop.person import Person
from support.desktop.squeezed import squeezed


def test_taking_up_a_brush_leaves_the_panels_their_width(person: Person, assembly, settle) -> None:  # type: ignore[no-untyped-def]
    person.window.resize(1320, 840)
    person.has(("cat", 60, 60, 128, 128))
    person.selects("cat")
    settle(lambda: person.window.panel("layers").width() >= NARROWEST)
    before = person.window.panel("layers").width()
    for brush in ("tool-cutout", "tool-kept"):
        person.chooses(brush)
        assert assembly.brush_bar.isVisible()
        assert person.window.panel("layers").width() == before
    assert person.window.width() == 1320


def test_the_menu_of_a_subject_has_what_belongs_to_its_cut_out(person: Person, assembly) -> None:  # type: ignore[no-untyped-def]
    from standee_desktop.shell.menus import context_menu

    actions = person.window.actions_
    menu = context_menu(person.window, actions, any_selected=True)
    for name in ("tool-cutout", "cut-out", "cut-out-words", "keep-subject"):
        assert actions[name] in menu.actions()


def test_every_control_has_a_name_for_screen_readers(person: Person, assembly) -> None:  # type: ignore[no-untyped-def]
    from PySide6.QtGui import QAccessible
    from PySide6.QtWidgets import QAbstractButton, QScrollBar, QWidget

    def is_control(widget: QWidget) -> bool:
        takes_keys = widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        part_of_another = widget.objectName().startswith("qt_") or widget.parent() is None
        inner = isinstance(widget, QScrollBar) or isinstance(widget.parent(), QLineEdit)
        popup = widget.window() is not person.window
        return (takes_keys or isinstance(widget, QAbstractButton)) and not (
            part_of_another or inner or popup
        )

    def name(widget: QWidget) -> str:
        return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)

    controls = [one for one in person.window.findChildren(QWidget) if is_control(one)]
    assert len(controls) > 60
    assert [(type(one).__name__, one.objectName()) for one in controls if not name(one)] == []


def test_the_window_fits_a_small_laptop(person: Person, assembly, settle) -> None:  # type: ignore[no-untyped-def]
    person.has(("cat", 60, 60, 128, 128))
    person.selects("cat")
    person.window.resize(1180, 680)
    settle()
    assert assembly.compose_panel.button.visibleRegion().boundingRect().height() > 20
    person.window.setFont(QFont(person.window.font().family(), 12))  # as large as Chinese ones
    for name in ("compose", "scene", "library"):
        person.window.panel(name).raise_()
        person.window.resize(1024, 640)
        settle()
        assert (person.window.width(), person.window.height()) == (1024, 640)
    person.window.panel("scene").raise_()
    settle()
    panel = assembly.scene_panel  # what does not find room is scrolled to, and nothing is cut off
    assert panel.inpaint.visibleRegion().boundingRect().width() == panel.inpaint.width()
    person.window.panel("scene").widget().ensureWidgetVisible(panel.controls)
    settle()
    assert not panel.controls.visibleRegion().isEmpty()


@pytest.fixture(params=["en", "zh_CN"])
def spoken(app, request):  # type: ignore[no-untyped-def]
    """The language of the window."""
    translate(app, request.param)
    yield request.param
    translate(app, "en")


def test_in_a_small_window_nothing_of_any_panel_is_squeezed(  # type: ignore[no-untyped-def]
    spoken, person: Person, assembly, settle, picture
) -> None:
    person.window.resize(1024, 640)
    person.has(("cat", 60, 60, 128, 128))
    person.selects("cat")
    settle()
    names = ("compose", "scene", "library", "layers", "layer-settings", "results")
    squeezed_when_empty = [(n, squeezed(person.window.panel(n).widget())) for n in names]
    assert squeezed_when_empty == [(n, []) for n in names]

    document = person.document.document
    digest, loras = document.add_picture(picture()), (Lora("a/style-with-a-long-name"),)
    controls = [Control("depth", digest), Control("normal", digest)]
    filled = edits.with_sampling(person.document.composition, loras=loras)
    person.document.apply("Filled", edits.with_controls(filled, controls))
    for n in range(4):
        document.add_result(picture(), {"composition": {"sampling": {"seed": 2**53 - n}}}, str(n))
    person.document.note_results()
    found = []
    for name in names:
        person.window.panel(name).raise_()
        settle(lambda: person.window.width() == 1024)
        found += squeezed(person.window.panel(name).widget())
    person.chooses("variations")
    settle(assembly.variations.isVisible)
    found += squeezed(assembly.variations)
    assert found == []
    for shown in (assembly.results_panel.list, assembly.variations.list):
        rects = [shown.visualItemRect(shown.item(row)) for row in range(shown.count())]
        assert sum(shown.viewport().rect().contains(one) for one in rects) >= 2
    assert person.window.width() == 1024
