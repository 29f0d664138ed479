"""The editor for end-to-end tests: a real window with everything in it, and someone in front of it."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from standee.composition import Canvas, Composition
from standee.document.document import Document
from standee_desktop.model import EditorDocument
from support.desktop.person import Person

ROOT = Path(__file__).resolve().parents[3]
SUBJECTS = ROOT / "examples" / "subjects"


class Artist(Person):
    """A person with all of the editor: files are dropped, documents saved, pictures composed."""

    def __init__(self, window, assembly, settle: Callable[..., None]) -> None:
        super().__init__(window, settle, lambda: b"")
        self.assembly = assembly

    def drops(self, paths: list[Path], x: float, y: float) -> None:
        """Drop files on the canvas, and wait until they stand there."""
        layers = len(self.document.composition.layers)
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
        self.drop_data(data, x, y)
        self.settle(lambda: len(self.document.composition.layers) == layers + len(paths), 30)

    def drop_data(self, data: QMimeData, x: float, y: float) -> None:
        """Drop anything on the canvas."""
        copy, no = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
        left = Qt.MouseButton.LeftButton
        at = self.spot(x, y)
        QApplication.sendEvent(self.canvas, QDragEnterEvent(at, copy, data, left, no))
        QApplication.sendEvent(self.canvas, QDropEvent(QPointF(at), copy, data, left, no))

    def presses(self, widget) -> None:
        """Press a button."""
        assert widget.isEnabled(), f"{widget.text()} is disabled"
        QTest.mouseClick(widget, Qt.MouseButton.LeftButton, pos=QPoint(8, 8))
        self.settle()

    def says(self, prompt: str) -> None:
        """Type the prompt."""
        field = self.assembly.compose_panel.prompt
        field.setFocus()
        field.selectAll()
        QTest.keyClicks(field, prompt)
        self.settle()
        self.canvas.setFocus()

    def composes(self, seconds: float = 240) -> str:
        """Press Compose, wait for the result, and return its name."""
        before = set(self.document.document.results)
        self.presses(self.assembly.compose_panel.button)
        self.settle(lambda: self.results - before or self.errors, seconds)
        assert not self.errors
        self.settle(lambda: not self.assembly.composer.jobs.unfinished, seconds)
        [name] = self.results - before
        return name

    @property
    def results(self) -> set[str]:
        """The names of the results in the document."""
        return set(self.document.document.results)

    @property
    def errors(self) -> list[str]:
        """What the bar says went wrong."""
        return [notice.text for notice in self.assembly.notices if notice.level == "error"]

    def is_told(self, text: str, seconds: float = 20) -> object:
        """Wait for a notice with these words in it, and return it."""
        self.settle(lambda: any(text in n.text for n in self.assembly.notices), seconds)
        found = [notice for notice in self.assembly.notices if text in notice.text]
        assert len(found) == 1, f"{len(found)} notices say {text!r}"
        return found[0]

    def saves(self, path: Path) -> None:
        """Save to a file, and wait until it is there."""
        self.assembly.files.save_to(path)
        self.settle(lambda: not self.document.modified, 20)


def small_document() -> EditorDocument:
    """Return a document whose canvas is small, which is quickly composed."""
    return EditorDocument(Document(Composition(canvas=Canvas(256, 256))))


def open_editor(
    settle, home: Path, file: Path | None = None, *, start_daemon: bool = False
) -> Artist:
    """Open a window whose daemon, library and recovery folder are those of `home`."""
    from standee_desktop.services.daemon_link import DaemonLink
    from standee_desktop.shell.assembly import Assembly
    from standee_desktop.shell.window import MainWindow

    os.environ["STANDEE_HOME"] = str(home)
    window = MainWindow(small_document())
    assembly = Assembly(window, DaemonLink(start=start_daemon))
    window.show()
    assembly.begin(file)
    window.activateWindow()
    if file is None:
        window.show_welcome(False)
    settle()
    return Artist(window, assembly, settle)


def close_editor(artist: Artist) -> None:
    """Close the window without a question."""
    artist.window.may_close = lambda: True
    artist.window.close()
    artist.assembly.close()
    artist.window.deleteLater()
    artist.settle()


def settler(app, headed: bool) -> Callable[..., None]:
    """Return what lets the application run until something is true."""

    def settle(until: Callable[[], object] | None = None, seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        least = time.monotonic() + (0.3 if headed else 0.02)
        while (until is not None and not until()) or time.monotonic() < least:
            app.processEvents()
            time.sleep(0.002)
            assert time.monotonic() < end, "it did not happen in time"
        app.processEvents()

    return settle
