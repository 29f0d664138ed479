"""Input widgets' shared habits: the wheel scrolls past them, undo is the document's."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QSlider,
    QWidget,
)

from standee_desktop.model import edits
from standee_desktop.shell.canvas_size_dialog import CanvasSizeDialog
from support.desktop.person import CTRL, Person

NUMBERS = (QAbstractSpinBox, QSlider, QComboBox)


def found(window: QWidget, kinds: tuple[type[QWidget], ...]) -> list[QWidget]:
    """Return all inputs of some kinds, those inside of others left out."""
    every = [one for kind in kinds for one in window.findChildren(kind)]
    return [one for one in every if not isinstance(one.parent(), QAbstractSpinBox | QComboBox)]


def value(widget: QWidget) -> object:
    """Return what an input says."""
    return widget.currentIndex() if isinstance(widget, QComboBox) else widget.value()  # type: ignore[attr-defined]


def wheel(widget: QWidget) -> bool:
    """Turn the wheel by one notch over a widget; return whether it took that for itself."""
    at = QPointF(widget.rect().center())
    keys, phase = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(
        at, QPointF(widget.mapToGlobal(at)), QPoint(), QPoint(0, -120),
        Qt.MouseButton.NoButton, keys, phase, False,
    )  # fmt: skip
    widget.wheelEvent(event)
    return event.isAccepted()


def test_the_wheel_changes_no_input_that_has_not_the_focus(person: Person, assembly) -> None:  # type: ignore[no-untyped-def]
    person.has(("cat", 0, 0, 40, 40))
    person.selects("cat")
    person.chooses("canvas-size")
    person.canvas.setFocus()
    inputs = [one for one in found(person.window, NUMBERS) if not one.hasFocus()]
    assert len(inputs) > 20
    before = [value(one) for one in inputs]
    taken = [type(one).__name__ for one in inputs if wheel(one)]
    assert taken == []
    assert [value(one) for one in inputs] == before
    assert not any(
        one.focusPolicy() & Qt.FocusPolicy.WheelFocus == Qt.FocusPolicy.WheelFocus for one in inputs
    )
    person.window.findChild(CanvasSizeDialog).close()


def test_the_wheel_changes_the_number_that_has_the_focus(person: Person, assembly, settle) -> None:  # type: ignore[no-untyped-def]
    person.window.activateWindow()
    settle(person.window.isActiveWindow)
    count = assembly.compose_panel.count
    count.setFocus()
    assert wheel(count)


def test_undo_in_every_field_is_the_documents(person: Person, assembly) -> None:  # type: ignore[no-untyped-def]
    person.has(("cat", 0, 0, 40, 40))
    person.selects("cat")
    fields = found(person.window, (QAbstractSpinBox, QLineEdit, QPlainTextEdit))
    assert len(fields) > 14
    keeps = []
    for field in fields:
        event = QKeyEvent(QEvent.Type.ShortcutOverride, Qt.Key.Key_Z, CTRL)
        event.ignore()
        QApplication.sendEvent(field, event)
        if event.isAccepted():
            keeps.append(field.accessibleName())
    assert keeps == []


def test_a_number_is_undone_from_the_field_after_it(person: Person, settle) -> None:
    person.has(("cat", 10, 20, 40, 40))
    person.selects("cat")
    person.window.activateWindow()
    settle(person.window.isActiveWindow)
    x, y = (person.window.layer_settings._numbers[name] for name in "xy")
    x.setFocus()
    x.selectAll()
    QTest.keyClicks(x, "99")
    QTest.keyClick(x, Qt.Key.Key_Tab)
    settle(lambda: person.rect("cat")[0] == 99)
    QTest.keyClick(y, Qt.Key.Key_Z, CTRL)
    settle(lambda: person.rect("cat")[0] == 10)


def test_what_is_typed_and_not_set_yet_is_given_up_first(person: Person, settle) -> None:
    person.has(("cat", 10, 20, 40, 40))
    person.selects("cat")
    moved = edits.moved(person.document.composition, {"cat"}, 5, 0)
    person.document.apply("Move", moved)
    person.window.activateWindow()
    settle(person.window.isActiveWindow)
    x = person.window.layer_settings._numbers["x"]
    x.setFocus()
    x.selectAll()
    QTest.keyClicks(x, "99")
    QTest.keyClick(x, Qt.Key.Key_Z, CTRL)
    assert x.text() == "15"
    assert person.rect("cat")[0] == 15
    QTest.keyClick(x, Qt.Key.Key_Z, CTRL)
    settle(lambda: person.rect("cat")[0] == 10)
