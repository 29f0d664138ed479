"""Mask brush in the window: straight lines, pens, and no black where a picture is empty."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QInputDevice, QPointingDevice, QTabletEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from standee_desktop.model import edits
from standee_desktop.model.mask_strokes import grown
from support.desktop.person import SHIFT, Person


@pytest.fixture
def brush(person: Person, assembly, settle):  # type: ignore[no-untyped-def]
    """The cut-out brush over a disc of 128 px in the middle of the canvas."""
    person.has(("disc", 64, 64, 128, 128))
    person.selects("disc")
    person.chooses("tool-cutout")
    settle(lambda: assembly.cutout_brush.ready)
    return assembly.cutout_brush


def mask_of(person: Person, settle) -> np.ndarray:  # type: ignore[no-untyped-def]
    """Return the cut-out of the layer, once it has one."""
    settle(lambda: person.document.layer("disc").mask is not None)
    layer = person.document.layer("disc")
    return person.canvas.pictures.cutout(layer.picture, layer.mask)  # type: ignore[no-any-return]


def test_shift_and_click_draw_a_straight_line_from_the_last_stroke(  # type: ignore[no-untyped-def]
    person: Person, brush, settle
) -> None:
    brush.set_taking(True)
    brush.set_radius(4)
    person.clicks(84, 128)
    first = mask_of(person, settle)
    before = person.document.layer("disc").mask
    person.clicks(172, 128, SHIFT)
    settle(lambda: person.document.layer("disc").mask != before)
    line = mask_of(person, settle)
    assert first[32, 32] > 0.9
    assert (line[32, 12:52] < 0.2).all()
    assert line[20, 32] > 0.9


def test_a_line_never_begins_at_a_stroke_of_another_time(  # type: ignore[no-untyped-def]
    person: Person, brush, settle
) -> None:
    brush.set_taking(True)
    brush.set_radius(4)
    person.clicks(84, 128)
    mask_of(person, settle)
    before = person.document.layer("disc").mask
    person.types(Qt.Key.Key_Escape)
    person.chooses("tool-cutout")
    person.clicks(172, 128, SHIFT)
    settle(lambda: person.document.layer("disc").mask != before)
    assert mask_of(person, settle)[32, 32] > 0.9


def test_what_is_added_is_only_what_the_picture_has(person: Person, brush, settle) -> None:  # type: ignore[no-untyped-def]
    own = person.canvas.pictures.cutout(person.document.layer("disc").picture)
    brush.set_taking(True)
    person.drags((70, 70), (128, 128))
    mask_of(person, settle)
    before = person.document.layer("disc").mask
    brush.set_taking(False)
    brush.set_radius(60)
    person.drags((70, 70), (128, 128))
    settle(lambda: person.document.layer("disc").mask != before)
    assert np.abs(mask_of(person, settle) - own).max() < 0.02
    before = person.document.layer("disc").mask
    brush.invert()
    settle(lambda: person.document.layer("disc").mask != before)
    assert mask_of(person, settle).max() < 0.6  # of the edge's half-covered px half is left


def tablet(canvas, kind, at: QPointF, pressure: float, end) -> None:  # type: ignore[no-untyped-def]
    """Let a pen do something."""
    pens = QInputDevice.DeviceType.Stylus
    can = QInputDevice.Capability.Pressure | QInputDevice.Capability.Position
    device = QPointingDevice("pen", 1, pens, end, can, 1, 3)
    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    button = none if kind == QEvent.Type.TabletMove else left
    held = none if kind == QEvent.Type.TabletRelease else left
    keys = Qt.KeyboardModifier.NoModifier
    where = QPointF(canvas.mapToGlobal(at))
    event = QTabletEvent(kind, device, at, where, pressure, 0, 0, 0, 0, 0, keys, button, held)
    QApplication.sendEvent(canvas, event)


@pytest.mark.parametrize("pressure", [0.1, 1.0])
def test_the_eraser_of_a_pen_takes_away_as_strongly_as_it_presses(  # type: ignore[no-untyped-def]
    person: Person, brush, settle, pressure: float
) -> None:
    eraser, kind = QPointingDevice.PointerType.Eraser, QEvent.Type
    brush.set_radius(20)
    at = QPointF(person.spot(128, 128))
    for step in (kind.TabletPress, kind.TabletMove, kind.TabletRelease):
        tablet(person.canvas, step, at, pressure, eraser)
    taken = (mask_of(person, settle)[16:48, 16:48] < 0.5).sum()
    assert taken == pytest.approx(np.pi * 10**2 if pressure == 1.0 else np.pi * 2.35**2, rel=0.25)
    assert person.window.undo_stack.count() == 1


def test_a_pen_arranges_as_a_mouse_does(person: Person, brush, settle) -> None:  # type: ignore[no-untyped-def]
    person.types(Qt.Key.Key_Escape)
    pen, press = QPointingDevice.PointerType.Pen, QEvent.Type.TabletPress
    tablet(person.canvas, press, QPointF(person.spot(128, 128)), 0.5, pen)
    assert person.document.layer("disc").mask is None


def test_undo_right_after_a_stroke_takes_back_that_stroke(person: Person, brush, settle) -> None:  # type: ignore[no-untyped-def]
    brush.set_taking(True)
    person.drags((80, 100), (176, 100))
    settle(lambda: person.document.layer("disc").mask is not None)
    first = person.document.layer("disc").mask
    before = mask_of(person, settle)
    begin, end = person.spot(80, 150), person.spot(176, 150)
    for press, at in ((QTest.mousePress, begin), (QTest.mouseRelease, end)):
        press(person.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    person.window.action("undo").trigger()  # its mask is still being encoded
    settle(lambda: person.window.undo_stack.canRedo())
    assert person.document.layer("disc").mask == first
    assert (brush._mask == np.round(before * 255)).all()
    person.drags((80, 60), (176, 60))
    settle(lambda: person.document.layer("disc").mask != first)
    assert mask_of(person, settle)[22, 32] < 0.2  # the first stroke is still in it
    assert person.window.undo_stack.count() == 2


def test_undo_in_the_middle_of_a_stroke_waits_for_it(person: Person, brush, settle) -> None:  # type: ignore[no-untyped-def]
    brush.set_taking(True)
    person.drags((80, 100), (176, 100), let_go=False)
    person.window.action("undo").trigger()
    at = person.spot(176, 100)
    QTest.mouseRelease(person.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    settle(lambda: person.window.undo_stack.canRedo())
    assert person.document.layer("disc").mask is None
    assert brush._mask.max() == 255


def test_a_stroke_is_kept_when_another_layer_is_selected_at_once(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle
) -> None:
    person.has(("a", 0, 0, 100, 100), ("b", 120, 120, 100, 100))
    person.selects("a")
    person.chooses("tool-cutout")
    settle(lambda: assembly.cutout_brush.ready)
    assembly.cutout_brush.set_taking(True)
    begin = person.spot(50, 50)
    QTest.mousePress(
        person.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, begin
    )
    QTest.mouseRelease(
        person.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, begin
    )
    person.document.select(["b"])
    settle(lambda: person.document.layer("a").mask is not None)
    assert person.document.layer("b").mask is None


def test_growing_twice_at_once_grows_twice(person: Person, brush, settle) -> None:  # type: ignore[no-untyped-def]
    once = grown(brush._mask, -4)  # 8 canvas px are 4 of the mask
    brush.grow(-8)
    brush.grow(-8)
    settle(lambda: person.window.undo_stack.count() == 2)
    assert np.abs(mask_of(person, settle) * 255 - grown(once, -4)).max() < 2


def test_a_stroke_is_in_the_file_that_is_saved_at_once(  # type: ignore[no-untyped-def]
    person: Person, assembly, brush, settle, tmp_path
) -> None:
    from standee.document.document import Document

    brush.set_taking(True)
    at = person.spot(128, 128)
    QTest.mousePress(person.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    QTest.mouseRelease(person.canvas, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at)
    assembly.files.save_to(tmp_path / "disc.standee")
    settle(lambda: not person.document.modified)
    with Document.open(tmp_path / "disc.standee") as saved:
        assert saved.composition.layers[0].mask is not None


def test_the_brush_paints_a_turned_layer_where_it_shows(  # type: ignore[no-untyped-def]
    person: Person, brush, settle
) -> None:
    composition = edits.with_fields(person.document.composition, {"disc"}, rotation=90.0)
    person.document.apply("Turn", composition)
    brush.set_taking(True)
    brush.set_radius(8)
    person.clicks(128, 84)  # above the middle: to the left of it in the picture
    mask = mask_of(person, settle)
    assert mask[32, 10] < 0.1
    assert mask[10, 32] > 0.9
