"""Drag and drop from other programs: copied, never moved, since a mover deletes its file."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from support.desktop.person import Person

MOVE, COPY = Qt.DropAction.MoveAction, Qt.DropAction.CopyAction
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def files(*paths: Path) -> QMimeData:
    """Return what a file manager offers: addresses, and the same as text."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    data.setText("\n".join(path.as_uri() for path in paths))
    return data


def drop(widget: QWidget, data: QMimeData) -> tuple[bool, Qt.DropAction]:
    """Drop something that its program would like to move; return what came of it.

    Like the system's own, the events go to the widget and, where that does not want them, on to
    what it lies in.
    """
    at: QWidget | None = widget
    while at is not None:
        if at.acceptDrops():
            spot = at.rect().center()
            enter = QDragEnterEvent(spot, MOVE | COPY, data, LEFT, NONE)
            enter.setDropAction(MOVE)
            QApplication.sendEvent(at, enter)
            if enter.isAccepted():
                event = QDropEvent(QPointF(spot), MOVE | COPY, data, LEFT, NONE, QEvent.Type.Drop)
                event.setDropAction(MOVE)
                QApplication.sendEvent(at, event)
                return event.isAccepted(), event.dropAction()
        at = at.parentWidget()
    return False, MOVE


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture file."""
    Image.new("RGBA", (32, 32), "teal").save(tmp_path / "white_cat.png")
    return tmp_path / "white_cat.png"


PLACES = ["canvas", "layers", "staging", "scene", "prompt", "words", "seed"]


def place(assembly, name: str) -> QWidget:  # type: ignore[no-untyped-def]
    """Return a part of the window by its name."""
    window = assembly.window
    found = {
        "canvas": window.canvas,
        "layers": window.layers.list.viewport(),
        "staging": assembly.results_panel,
        "scene": assembly.scene_panel,
        "prompt": assembly.compose_panel.prompt.viewport(),
        "words": window.layer_settings.prompt,
        "seed": assembly.compose_panel.seed,
    }
    return found[name]  # type: ignore[no-any-return]


@pytest.mark.parametrize("name", PLACES)
def test_a_picture_is_copied_wherever_it_is_dropped(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, photo: Path, name: str
) -> None:
    accepted, action = drop(place(assembly, name), files(photo))
    assert accepted
    assert action == COPY
    composition = lambda: person.document.composition  # noqa: E731
    settle(lambda: composition().scene if name == "scene" else composition().layers)
    assert composition().prompt == ""


@pytest.mark.parametrize("name", ["prompt", "words", "seed"])
def test_a_picture_pasted_into_a_field_is_a_subject_and_its_address_no_words(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, photo: Path, name: str
) -> None:
    person.has(("disc", 0, 0, 64, 64))
    person.selects("disc")
    field = assembly.compose_panel.prompt if name == "prompt" else place(assembly, name)
    person.window.activateWindow()
    settle(person.window.isActiveWindow)
    field.setFocus()
    before = person.document.composition
    QGuiApplication.clipboard().setMimeData(files(photo))
    QTest.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    settle(lambda: len(person.document.composition.layers) == 2)
    now = person.document.composition
    assert (now.prompt, now.layers[0].prompt) == (before.prompt, before.layers[0].prompt)
    assert now.sampling.seed == before.sampling.seed
    data = QMimeData()
    data.setText("7")
    QGuiApplication.clipboard().setMimeData(data)
    QTest.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    text = field.toPlainText() if name == "prompt" else field.text()
    assert "7" in text  # words are pasted as ever


@pytest.mark.parametrize("name", PLACES)
def test_what_is_of_no_use_is_refused_or_something_is_said(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, tmp_path: Path, name: str
) -> None:
    (tmp_path / "notes.txt").write_text("a")
    accepted, action = drop(place(assembly, name), files(tmp_path / "notes.txt"))
    if accepted:
        assert action == COPY
        settle(lambda: len(assembly.notices))
    address = QMimeData()
    address.setUrls([QUrl("https://example.org/cat.html")])
    accepted, _ = drop(place(assembly, name), address)
    assert not accepted
    assert person.document.composition.prompt == ""


def test_words_may_still_be_dropped_on_the_prompt(person: Person, assembly) -> None:  # type: ignore[no-untyped-def]
    data = QMimeData()
    data.setText("a cat")
    assert assembly.compose_panel.prompt.canInsertFromMimeData(data)


def test_a_dropped_file_with_layers_brings_each_as_one_step_and_says_what_is_lost(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, photo: Path, tmp_path: Path
) -> None:
    path = tmp_path / "scene.ora"
    canvas = person.document.composition.canvas
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "image/openraster")
        archive.write(photo, "data/cat.png")
        archive.writestr(
            "stack.xml",
            f"""<image w="{canvas.width}" h="{canvas.height}"><stack><layer name="words" src="a.svg"/>
            <layer name="hat" src="data/cat.png" x="20" y="5" opacity="0.5"/>
            <layer name="cat" src="data/cat.png" x="8" y="9" visibility="hidden"/></stack></image>""",
        )
    assert drop(assembly.window.canvas, files(path, photo))[0]
    settle(lambda: len(person.document.composition.layers) == 3)
    layers = {one.name: one for one in person.document.composition.layers}
    assert (layers["cat"].rect.x, layers["cat"].rect.y, layers["cat"].visible) == (8, 9, False)
    assert (layers["hat"].rect.w, layers["hat"].opacity) == (32, 0.5)
    settle(lambda: any("left out: words" in one.text for one in assembly.notices))
