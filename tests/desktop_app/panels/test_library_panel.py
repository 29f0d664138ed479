"""Library of subjects: kept, found, renamed, dragged, dropped."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest

from standee.document.document import Document
from support.desktop.person import Person


def test_the_library_keeps_a_subject_for_the_next_scene(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle
) -> None:
    person.has(("cat", 10, 10, 50, 50))
    person.selects("cat")
    assembly.library_panel.keep.click()
    settle(lambda: assembly.library_panel.list.count() == 1)
    assembly.editor.open(Document())
    item = assembly.library_panel.list.item(0)
    assembly.library_panel.list.itemActivated.emit(item)
    settle(lambda: person.document.composition.layers)
    [layer] = person.document.composition.layers
    assert layer.name == "cat"
    assert not person.document.document.missing()


def test_several_subjects_of_the_library_are_dragged_at_once(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, picture
) -> None:
    for name, colour in (("cat", "black"), ("dog", "brown")):
        assembly.library.add(picture(colour=colour), None, name)
    assembly.library_panel.refresh()
    listed = assembly.library_panel.list
    settle(lambda: listed.count() == 2)
    data = listed.mimeData([listed.item(row) for row in range(2)])
    assert assembly.drop_target.take(data, QPointF(100, 100))
    settle(lambda: len(person.document.composition.layers) == 2)
    assert list(person.order) == [listed.item(row).text() for row in range(2)]


def test_the_library_is_searched_renamed_and_cleared_by_keys(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, picture
) -> None:
    person.has(("layer", 10, 10, 50, 50))
    person.selects("layer")
    for n in range(8):
        assembly.library.add(picture((16 + n, 16)), None, f"subject {n}")
    panel = assembly.library_panel
    panel.refresh()
    settle(lambda: panel.list.count() == 8)
    person.window.panel("library").raise_()
    panel.search.setText("CT 3")
    shown = [n for n in range(8) if not panel.list.item(n).isHidden()]
    assert [panel.list.item(n).text() for n in shown] == ["subject 3"]
    panel.list.item(shown[0]).setText("the cat")
    settle(lambda: "the cat" in [one.name for one in assembly.library.subjects()])
    panel.search.setText("the cat")
    settle(lambda: panel.list.count() == 8 and panel.list.item(shown[0]).text() == "the cat")
    panel.list.setCurrentRow(shown[0])
    panel.list.setFocus()
    QTest.keyClick(panel.list, Qt.Key.Key_Delete)
    settle(lambda: len(assembly.library.subjects()) == 7)
    assert list(person.order) == ["layer"]


def test_a_subject_of_the_library_is_dragged_and_copied_out_as_its_cut_out(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, picture
) -> None:
    assembly.library.add(picture(colour="brown"), None, "dog")
    assembly.library_panel.refresh()
    listed = assembly.library_panel.list
    settle(lambda: listed.count() == 1)
    dragged = QImage.fromData(listed.mimeData([listed.item(0)]).data("image/png"))
    assert dragged.pixelColor(32, 32).name() == "#a52a2a"
    assert dragged.pixelColor(0, 0).alpha() == 0
    QGuiApplication.clipboard().clear()
    person.window.panel("library").raise_()
    listed.setCurrentRow(0)
    listed.setFocus()
    QTest.keyClick(listed, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    settle(lambda: not QGuiApplication.clipboard().image().isNull())
    assert QGuiApplication.clipboard().image().size() == dragged.size()
