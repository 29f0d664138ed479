"""Control pictures in the scene's panel: added, dropped, set and removed, each an undo step."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent
from PySide6.QtTest import QTest

from standee.composition import Control, Layer, Rect, validate
from standee_desktop.model import edits


def controls(person) -> tuple[Control, ...]:  # type: ignore[no-untyped-def]
    return person.document.composition.control


def picture(folder: Path, name: str, shade: int = 90) -> Path:
    Image.new("RGB", (32, 32), (shade,) * 3).save(folder / name)
    return folder / name


def test_a_picture_is_added_by_its_name_and_set(person, assembly, settle, tmp_path) -> None:  # type: ignore[no-untyped-def]
    listed = assembly.scene_panel.controls
    assembly.importer.add_control(picture(tmp_path, "room.png"))
    settle(lambda: len(controls(person)) == 1)
    assembly.importer.add_control(picture(tmp_path, "room-normals.png", 7))
    settle(lambda: len(controls(person)) == 2)
    assert [one.kind for one in controls(person)] == ["depth", "normal"]
    first = listed.rows[0]
    settle(lambda: not first.picture.pixmap().isNull())
    first.strength.setValue(60)
    first.end.setValue(70)
    first.start.setValue(20)
    assert controls(person)[0] == Control("depth", controls(person)[0].picture, 0.6, 0.2, 0.7)
    first.start.setValue(95)
    assert controls(person)[0].start < controls(person)[0].end, "what is set can be saved"
    validate(person.document.composition)
    first.kind.setCurrentIndex(first.kind.findData("pose"))
    first.kind.activated.emit(first.kind.currentIndex())
    assert controls(person)[0].kind == "pose"
    person.chooses("undo")
    assert controls(person)[0].kind == "depth"
    assert listed.rows[0].kind.currentData() == "depth"
    QTest.mouseClick(listed.rows[0].remove, Qt.MouseButton.LeftButton)
    assert [one.kind for one in controls(person)] == ["normal"]
    assert len(listed.rows) == 1


def test_one_is_bound_to_a_layer_and_goes_with_it(person, assembly, settle, tmp_path) -> None:  # type: ignore[no-untyped-def]
    document = person.document
    digest = document.document.add_picture(picture(tmp_path, "cat.png"))
    layer = Layer(Rect(0, 0, 64, 64), digest, id="cat", name="Katze")
    document.apply("Add", edits.added(document.composition, [layer]))
    document.apply("Control", edits.with_controls(document.composition, [Control("depth", digest)]))
    where = assembly.scene_panel.controls.rows[0].where
    assert [where.itemText(n) for n in range(where.count())] == ["Canvas", "Katze"]
    where.setCurrentIndex(1)
    where.activated.emit(1)
    assert controls(person)[0].layer == "cat"
    document.apply("Name", edits.with_fields(document.composition, {"cat"}, name="Hund"))
    assert where.currentText() == "Hund"
    document.apply("Remove", edits.removed(document.composition, {"cat"}))
    assert controls(person) == ()
    assert assembly.scene_panel.controls.rows == []


def test_what_is_dropped_on_the_list_is_another_and_beside_it_the_scene(  # type: ignore[no-untyped-def]
    person, assembly, settle, tmp_path
) -> None:
    panel = assembly.scene_panel
    person.window.panel("scene").raise_()
    settle()

    def drop(at: QPointF, name: str) -> None:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(picture(tmp_path, name)))])
        buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        panel.dropEvent(QDropEvent(at, Qt.DropAction.CopyAction, data, buttons, keys))

    drop(QPointF(panel.controls.geometry().center()), "my-pose.png")
    settle(lambda: len(controls(person)) == 1)
    assert controls(person)[0].kind == "pose"
    assert person.document.composition.scene is None
    drop(QPointF(panel.picture.geometry().center()), "place.png")
    settle(lambda: person.document.composition.scene is not None)
    assert len(controls(person)) == 1
