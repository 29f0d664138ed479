"""Layers panel and layer settings, used as a person uses them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QModelIndex, QPoint, Qt, QTimer
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from standee_desktop.canvas.drag_and_drop import usable
from standee_desktop.model import edits
from support.desktop.person import CTRL, NONE, Person

LEFT = Qt.MouseButton.LeftButton


def row(person: Person, name: str) -> QModelIndex:
    model = person.window.layers.list.model()
    return next(model.index(n) for n, layer in enumerate(model.layers) if layer.name == name)


def clicks_row(person: Person, name: str, keys: Qt.KeyboardModifier = NONE) -> None:
    view = person.window.layers.list
    place = view.visualRect(row(person, name))
    QTest.mouseClick(view.viewport(), LEFT, keys, place.topLeft() + QPoint(80, 20))
    person.settle()


def clicks_mark(person: Person, name: str, mark: str) -> None:
    view = person.window.layers.list
    rect = view.visualRect(row(person, name)).adjusted(4, 1, -4, -1)
    place = view.itemDelegate()._buttons(rect)[mark]
    QTest.mouseClick(view.viewport(), LEFT, NONE, place.center())
    person.settle()


def test_the_foremost_layer_is_the_first_row(person: Person) -> None:
    person.has(("back", 0, 0, 40, 40), ("front", 20, 20, 40, 40))
    assert row(person, "front").row() == 0
    assert row(person, "back").row() == 1


def test_selection_goes_both_ways(person: Person) -> None:
    person.has(("a", 0, 0, 40, 40), ("b", 80, 80, 40, 40))
    clicks_row(person, "a")
    assert person.document.selection == ("a",)
    clicks_row(person, "b", CTRL)
    assert person.document.selection == ("a", "b")
    person.clicks(100, 100)
    person.clicks(20, 20)
    rows = person.window.layers.list.selectionModel().selectedRows()
    assert [index.row() for index in rows] == [1]


def test_the_eye_hides_and_the_lock_locks_without_selecting(person: Person) -> None:
    person.has(("a", 0, 0, 40, 40), ("b", 80, 80, 40, 40))
    person.selects("b")
    clicks_mark(person, "a", "eye")
    clicks_mark(person, "a", "lock")
    layer = person.document.layer("a")
    assert (layer.visible, layer.locked) == (False, True)
    assert person.document.selection == ("b",)
    person.chooses("undo")
    person.chooses("undo")
    assert person.document.layer("a").visible


def test_a_row_dropped_lower_goes_behind(person: Person) -> None:
    person.has(("a", 0, 0, 40, 40), ("b", 0, 0, 40, 40), ("c", 0, 0, 40, 40))
    model = person.window.layers.list.model()
    data: QMimeData = model.mimeData([row(person, "c")])
    model.dropMimeData(data, Qt.DropAction.MoveAction, 2, 0, QModelIndex())
    assert person.order == ["a", "c", "b"]
    person.chooses("undo")
    assert person.order == ["a", "b", "c"]


def test_f2_renames_in_place(person: Person) -> None:
    person.has(("cat", 0, 0, 40, 40))
    clicks_row(person, "cat")
    person.chooses("rename")
    editor = person.window.layers.list.findChild(QLineEdit)
    editor.selectAll()
    QTest.keyClicks(editor, "white cat")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    person.settle()
    assert person.order == ["white cat"]


def test_settings_change_all_selected_layers_and_a_slider_is_one_step(person: Person) -> None:
    person.has(("a", 0, 0, 40, 40), ("b", 80, 80, 40, 40))
    person.chooses("select-all")
    slider = person.window.layer_settings.fidelity.slider
    slider.setFocus()
    for _ in range(5):
        QTest.keyClick(slider, Qt.Key.Key_Right)
    person.settle()
    assert [layer.fidelity for layer in person.document.composition.layers] == [0.55, 0.55]
    assert person.window.undo_stack.count() == 1
    person.chooses("undo")
    assert slider.value() == 50


def test_each_typed_word_is_one_step(person: Person) -> None:
    person.has(("cat", 0, 0, 40, 40))
    person.selects("cat")
    QTest.keyClicks(person.window.layer_settings.prompt, "a white cat")
    person.settle()
    assert person.document.layer("cat").prompt == "a white cat"
    assert person.window.undo_stack.count() == 3


def test_undo_in_the_line_of_words_is_the_documents(person: Person) -> None:
    person.has(("cat", 0, 0, 40, 40))
    person.selects("cat")
    prompt = person.window.layer_settings.prompt
    prompt.setFocus()
    QTest.keyClicks(prompt, "a white cat")
    QTest.keyClick(prompt, Qt.Key.Key_Z, CTRL)
    person.settle()
    assert person.document.layer("cat").prompt == "a white "
    assert prompt.text() == "a white "
    assert person.window.undo_stack.canRedo()


def test_a_number_typed_for_the_rectangle_counts_when_it_is_complete(person: Person) -> None:
    person.has(("cat", 0, 0, 40, 40))
    person.selects("cat")
    number = person.window.layer_settings._numbers["x"]
    number.selectAll()
    QTest.keyClicks(number, "120")
    assert person.rect("cat")[0] == 0
    QTest.keyClick(number, Qt.Key.Key_Return)
    assert person.rect("cat")[0] == 120


def test_everything_to_be_clicked_has_a_name_for_screen_readers(person: Person) -> None:
    from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox

    person.has(("cat", 0, 0, 40, 40))
    person.selects("cat")
    nameless = []
    for kind in (QAbstractButton, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit):
        for widget in person.window.findChildren(kind):
            inner = (
                widget.objectName().startswith("qt_")
                or widget.inherits("QScrollBar")
                or widget.parent().inherits("QAbstractSpinBox")
            )
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            named = text or widget.accessibleName() or widget.toolTip()
            if widget.isVisible() and not inner and not named:
                nameless.append(widget)
    assert nameless == []


@pytest.mark.headed
def test_dragging_a_row_down_with_the_mouse_puts_the_layer_behind(person: Person) -> None:
    if QGuiApplication.platformName() == "offscreen":
        pytest.skip("dragging out of a widget needs a display: --headed")
    person.has(("a", 0, 0, 40, 40), ("b", 0, 0, 40, 40), ("c", 0, 0, 40, 40))
    view, handle = person.window.layers.list, person.window.windowHandle()

    def spot(name: str, down: int) -> QPoint:
        place = view.visualRect(row(person, name)).topLeft() + QPoint(90, down)
        return view.viewport().mapTo(person.window, place)

    start, end = spot("c", 20), spot("a", 3)  # to between b and a
    for n in range(1, 9):  # the drag has an event loop of its own, so the moves come from timers
        at = start + (end - start) * n / 8
        QTimer.singleShot(60 * n, lambda there=at: QTest.mouseMove(handle, there))
    QTimer.singleShot(700, lambda: QTest.mouseRelease(handle, LEFT, NONE, end))
    QTest.mousePress(handle, LEFT, NONE, start)
    person.settle(lambda: person.order == ["a", "c", "b"], 5)
    assert person.window.undo_stack.count() == 1


def test_where_layers_differ_the_number_says_so_and_sets_them_all(person: Person, settle) -> None:
    person.has(("a", 0, 0, 40, 40), ("b", 60, 0, 40, 40))
    different = edits.with_fields(person.document.composition, {"b"}, fidelity=0.9, flip=True)
    person.document.apply("Settings", different)
    person.selects("a", "b")
    settings = person.window.layer_settings
    assert settings.fidelity.number.text() == "—"
    assert settings.flip.checkState() == Qt.CheckState.PartiallyChecked
    person.window.activateWindow()
    settle(person.window.isActiveWindow)
    number = settings.fidelity.number
    number.setFocus()
    number.selectAll()
    QTest.keyClick(number, Qt.Key.Key_Return)  # nothing was typed: nothing is set
    assert [one.fidelity for one in person.document.composition.layers] == [0.5, 0.9]
    number.selectAll()
    QTest.keyClicks(number, "0.5")  # what the first has already
    QTest.keyClick(number, Qt.Key.Key_Return)
    assert [one.fidelity for one in person.document.composition.layers] == [0.5, 0.5]
    assert number.text() == "0.50"


def test_the_numbers_of_several_layers_are_of_all_together(person: Person) -> None:
    person.has(("a", 10, 20, 40, 40), ("b", 70, 30, 40, 40))
    person.selects("a", "b")
    numbers = person.window.layer_settings._numbers
    assert [numbers[name].value() for name in "xywh"] == [10, 20, 100, 50]
    numbers["x"].setValue(30)
    assert person.rect("a")[0] == 30
    assert person.rect("b")[0] == 90  # and not on top of the other
    numbers["w"].setValue(200)
    assert person.rect("a")[2] == 80
    assert person.rect("b")[0] == 150


def test_a_row_of_a_group_brings_the_others_and_a_second_click_takes_it_alone(
    person: Person,
) -> None:
    person.has(("a", 0, 0, 40, 40), ("b", 50, 0, 40, 40), ("c", 100, 0, 40, 40))
    person.selects("a", "c")
    person.chooses("group")
    person.selects("b")
    clicks_row(person, "a")
    assert person.document.selection == ("a", "c")
    clicks_row(person, "a")
    assert person.document.selection == ("a",)
    assert "in a group" in row(person, "a").data(Qt.ItemDataRole.AccessibleTextRole)


def test_a_row_dragged_to_another_program_is_its_cut_out(person: Person, assembly) -> None:  # type: ignore[no-untyped-def]
    person.has(("a cat/dog", 10, 20, 40, 40))
    model = person.window.layers.list.model()
    data = model.mimeData([row(person, "a cat/dog")])
    assert {"image/png", "text/uri-list"} <= set(data.formats())
    image = QImage.fromData(data.data("image/png"))
    assert image.pixelColor(32, 32).name() == "#ff6347"
    assert image.pixelColor(0, 0).alpha() == 0
    [url] = data.urls()
    assert url.toLocalFile().endswith("a cat_dog.png")
    assert QImage(url.toLocalFile()) == image
    assert bytes(data.data("text/uri-list").data()).startswith(b"file://")
    assert data.hasImage()
    assert data.imageData() == image
    assert not usable(data), "on the canvas it is already"
    assert model.supportedDragActions() & Qt.DropAction.CopyAction
