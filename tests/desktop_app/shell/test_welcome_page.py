"""Welcome page: documents as pictures, opened by one click."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from standee import Canvas, Composition, Layer, Rect
from standee.document.document import Document
from standee.errors import BadDocument, MissingBlob
from standee_desktop.canvas.document_preview import preview
from standee_desktop.shell.welcome_page import DocumentCard, sample_file
from support.desktop.person import Person


@pytest.fixture
def document(tmp_path: Path, picture) -> Path:  # type: ignore[no-untyped-def]
    """A wide document with a red disc at its left."""
    with Document() as made:
        layer = Layer(Rect(0, 0, 128, 128), made.add_picture(picture(colour="red")))
        made.composition = Composition(canvas=Canvas(256, 128), layers=(layer,))
        made.save(tmp_path / "disc.standee")
    return tmp_path / "disc.standee"


def test_a_document_is_shown_as_it_is_arranged(app, document: Path) -> None:  # type: ignore[no-untyped-def]
    image = preview(document, 100)
    assert (image.width(), image.height()) == (100, 50)
    assert image.pixelColor(25, 25).name() == "#ff0000"
    assert image.pixelColor(75, 25).alpha() == 0


def test_its_newest_result_is_shown_rather(app, document: Path, picture) -> None:  # type: ignore[no-untyped-def]
    with Document.open(document) as made:
        made.add_result(picture((64, 64), "yellow"), {})
        made.add_result(picture((64, 64), "blue"), {})
        made.save(document)
    assert preview(document, 32).pixelColor(16, 16).name() == "#0000ff"


def test_what_cannot_be_shown_says_why(app, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(BadDocument):
        preview(tmp_path / "gone.standee", 32)
    with Document(Composition(layers=(Layer(Rect(0, 0, 9, 9), "0" * 64),))) as made:
        made.save(tmp_path / "hole.standee")
    with pytest.raises(MissingBlob):
        preview(tmp_path / "hole.standee", 32)


def test_a_recent_document_is_a_picture_that_opens_it(window, settle, document: Path) -> None:  # type: ignore[no-untyped-def]
    wanted: list[Path] = []
    window.welcome.file_wanted.connect(wanted.append)
    window.show_welcome(True)
    window.welcome.show_recent([document, document.with_name("gone.standee")])
    shown, gone = (
        card
        for card in window.welcome.findChildren(DocumentCard)
        if card.text() in ("disc", "gone")
    )
    settle(lambda: not shown._image.isNull())
    assert gone._image == QImage()
    QTest.mouseClick(shown, Qt.MouseButton.LeftButton)
    assert wanted == [document]


def test_the_sample_scene_comes_along_and_has_a_picture(app) -> None:  # type: ignore[no-untyped-def]
    path = sample_file()
    assert path is not None
    assert preview(path, 64).size().width() == 64


def test_no_document_is_read_while_the_page_is_hidden(window, settle, document: Path) -> None:  # type: ignore[no-untyped-def]
    window.show_welcome(False)
    window.welcome.show_recent([document])
    [card] = [one for one in window.welcome.findChildren(DocumentCard) if one.text() == "disc"]
    settle(lambda: not window.welcome.workers.busy)
    assert card._image.isNull()
    window.show_welcome(True)
    settle(lambda: not card._image.isNull())


def test_what_is_not_wanted_any_more_is_not_read(app, document: Path) -> None:  # type: ignore[no-untyped-def]
    assert preview(document, 100, lambda: False).isNull()


def test_a_preview_decodes_no_more_than_it_shows(app, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    import io

    from PIL import Image

    from standee_desktop.services import image_cache

    out = io.BytesIO()
    Image.new("RGB", (2000, 1500), "red").save(out, "JPEG")
    with Document() as made:
        layer = Layer(Rect(0, 0, 256, 192), made.add_picture(out.getvalue()))
        made.composition = Composition(canvas=Canvas(256, 192), layers=(layer,))
        made.save(tmp_path / "photo.standee")
    sizes: list[tuple[int, int]] = []
    plain = image_cache.to_qimage

    def watch(image):  # type: ignore[no-untyped-def]
        sizes.append(image.size)
        return plain(image)

    monkeypatch.setattr(image_cache, "to_qimage", watch)
    assert not preview(tmp_path / "photo.standee", 100).isNull()
    assert sizes == [(100, 75)]


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Return])
def test_there_is_a_way_back_to_the_document(person: Person, settle, key: Qt.Key) -> None:  # type: ignore[no-untyped-def]
    window = person.window
    window.show_welcome(True)
    assert window.welcome.back.isHidden()  # there is nothing to go back to
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert window.welcoming
    window.show_welcome(False)
    person.has(("cat", 0, 0, 40, 40))
    window.activateWindow()
    settle(window.isActiveWindow)
    person.chooses("welcome")
    assert window.welcome.back.isVisible()
    window.welcome.back.setFocus()
    QTest.keyClick(window.welcome.back, key)
    assert not window.welcoming


def test_return_presses_the_button_that_has_the_focus(person: Person, assembly, settle) -> None:  # type: ignore[no-untyped-def]
    window = person.window
    window.show_welcome(True)
    window.activateWindow()
    settle(window.isActiveWindow)
    wanted: list[bool] = []
    window.welcome.sample_wanted.disconnect()
    window.welcome.sample_wanted.connect(lambda: wanted.append(True))
    window.welcome.sample.setFocus()
    QTest.keyClick(window.welcome.sample, Qt.Key.Key_Return)
    assert wanted == [True]


@pytest.mark.parametrize("width", [760, 1024, 1600])
def test_no_button_is_cut_off(window, settle, width: int) -> None:  # type: ignore[no-untyped-def]
    window.resize(width, 700)
    window.show_welcome(True)
    settle()
    for button in window.welcome.findChildren(QPushButton):
        if button.isVisible():
            assert button.width() >= button.sizeHint().width(), button.text()
            right = button.mapTo(window, button.rect().topRight()).x()
            assert right < window.width()
