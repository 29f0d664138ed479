"""The welcome page shows documents as pictures, and one click opens them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest

from standee import Canvas, Composition, Layer, Rect
from standee.document.document import Document
from standee.errors import BadDocument, MissingBlob
from standee_desktop.canvas.document_preview import preview
from standee_desktop.shell.welcome_page import Card, sample_file


@pytest.fixture
def document(tmp_path: Path, picture) -> Path:  # type: ignore[no-untyped-def]
    """A wide document with a red disc at its left."""
    with Document() as made:
        layer = Layer(made.add_picture(picture(colour="red")), Rect(0, 0, 128, 128))
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
    with Document(Composition(layers=(Layer("0" * 64, Rect(0, 0, 9, 9)),))) as made:
        made.save(tmp_path / "hole.standee")
    with pytest.raises(MissingBlob):
        preview(tmp_path / "hole.standee", 32)


def test_a_recent_document_is_a_picture_that_opens_it(window, settle, document: Path) -> None:  # type: ignore[no-untyped-def]
    wanted: list[Path] = []
    window.welcome.file_wanted.connect(wanted.append)
    window.show_welcome(True)
    window.welcome.show_recent([document, document.with_name("gone.standee")])
    shown, gone = (
        card for card in window.welcome.findChildren(Card) if card.text() in ("disc", "gone")
    )
    settle(lambda: not shown._image.isNull())
    assert gone._image == QImage()
    QTest.mouseClick(shown, Qt.MouseButton.LeftButton)
    assert wanted == [document]


def test_the_sample_scene_comes_along_and_has_a_picture(app) -> None:  # type: ignore[no-untyped-def]
    path = sample_file()
    assert path is not None
    assert preview(path, 64).size().width() == 64
