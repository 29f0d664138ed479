"""Main window: welcome page, panels, canvas size, and the memory of a large document."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from standee import Canvas, Scene
from standee_desktop.model import edits
from standee_desktop.shell.canvas_size_dialog import CanvasSizeDialog
from support.desktop.person import Person


def test_the_welcome_page_stands_alone_and_the_panels_come_back(person: Person) -> None:
    window = person.window
    window.show_welcome(True)
    person.settle()
    assert not window.panel("layers").isVisible()
    assert not window.tool_bar.isVisible()
    window.show_welcome(False)
    person.settle()
    assert window.panel("layers").isVisible()
    assert window.canvas.isVisible()


def test_a_panel_of_someone_else_joins_and_can_be_closed(person: Person) -> None:
    panel = QLabel("Hello")
    panel.setWindowTitle("Greeting")
    dock = person.window.add_panel("greeting", panel, Qt.DockWidgetArea.LeftDockWidgetArea)
    person.settle()
    assert panel.isVisible()
    toggle = next(a for a in person.window.menu("panels").actions() if a.text() == "Greeting")
    toggle.trigger()
    assert dock.isHidden()


def test_the_canvas_takes_a_size_and_what_stands_on_it_stays_in_the_middle(person: Person) -> None:
    person.has(("cat", 96, 96, 64, 64))
    person.chooses("canvas-size")
    dialog = person.window.findChild(CanvasSizeDialog)
    dialog.width_.setValue(500)
    dialog.height_.setValue(512)
    assert "31 × 32" in dialog._note.text()
    dialog._apply()
    person.settle()
    assert person.document.composition.canvas == Canvas(496, 512)
    assert person.rect("cat") == (224, 224, 64, 64)
    person.chooses("undo")
    assert person.document.composition.canvas == Canvas(256, 256)


def test_the_scene_is_shown_under_the_layers_and_its_lost_part_is_veiled(
    person: Person, picture
) -> None:  # type: ignore[no-untyped-def]
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (64, 64), "white").save(out, "PNG")
    digest = person.document.document.add_picture(out.getvalue())
    scene = edits.with_scene(person.document.composition, Scene(picture=digest))
    wide = edits.with_canvas(scene, 512, 256, 16)
    person.document.apply("Scene", wide)
    person.settle(lambda: person.canvas.pictures.look(digest))

    def colour(x: float, y: float) -> tuple[int, int, int]:
        seen = person.canvas.grab().toImage().pixelColor(person.spot(x, y))
        return seen.red(), seen.green(), seen.blue()

    assert colour(128, 128) == (255, 255, 255)
    veiled = colour(400, 128)
    assert veiled[2] > veiled[1]
    person.chooses("kept-region")
    assert colour(400, 128) != veiled


def test_what_is_on_the_canvas_is_never_let_go_of(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from standee_desktop.services import image_cache

    monkeypatch.setattr(image_cache, "MEMORY", 1)
    for colour in ("red", "green", "blue"):
        digest = person.document.document.add_picture(person._picture((32, 32), colour))
        layer = edits.Layer(picture=digest, rect=edits.Rect(0, 0, 32, 32))
        person.document.apply("Add", edits.added(person.document.composition, [layer]))
        person.settle(lambda d=digest: person.canvas.pictures.look(d))
    shown = person.document.composition.layers
    assert all(person.canvas.pictures._looks.get((one.picture, None)) for one in shown)
    person.document.apply("Delete", edits.removed(person.document.composition, {shown[0].id}))
    digest = person.document.document.add_picture(person._picture((32, 32), "white"))
    person.settle(lambda: person.canvas.pictures.look(digest))
    assert (shown[0].picture, None) not in person.canvas.pictures._looks


def test_the_title_says_what_is_open_and_whether_it_is_saved(person: Person) -> None:
    assert person.window.windowTitle() == "Untitled[*] — Standee"
    person.has(("cat", 0, 0, 40, 40))
    assert person.window.isWindowModified()


def test_ctrl_t_shows_the_tokens(person: Person) -> None:
    person.canvas.setFocus()
    QTest.keyClick(person.canvas, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    assert person.document.view.token_view
