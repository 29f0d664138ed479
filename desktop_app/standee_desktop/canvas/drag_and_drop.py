"""Pictures, documents and library subjects dropped on the canvas, or pasted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QGuiApplication

from ..services.importer import Importer, document_path, picture_paths
from ..storage.subject_library import Library, Subject
from .view import CanvasView

SUBJECT = "application/x-standee-subject"


class Drops(QObject):
    """Takes what is dropped on the canvas."""

    def __init__(
        self,
        canvas: CanvasView,
        importer: Importer,
        library: Library,
        subject: Callable[[str], Subject | None],
        open_document: Callable[[Path], object],
    ) -> None:
        super().__init__(canvas)
        self._canvas, self._importer, self._library = canvas, importer, library
        self._subject, self._open = subject, open_document
        canvas.setAcceptDrops(True)
        canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take drags of what can be used."""
        if isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            self._drop(event)
            return True
        if isinstance(event, QDragEnterEvent | QDragMoveEvent):
            data = event.mimeData()
            usable = (
                data.hasFormat(SUBJECT)
                or data.hasImage()
                or document_path(data) is not None
                or bool(picture_paths(data))
            )
            event.setDropAction(Qt.DropAction.CopyAction)
            event.setAccepted(usable)
            return True
        return False

    def paste(self) -> bool:
        """Add the pictures on the clipboard; return whether there were any."""
        return self._importer.add_mime(QGuiApplication.clipboard().mimeData())

    def take(self, data: QMimeData, at: QPointF) -> bool:
        """Take what was dropped at a position of the canvas; return whether it was of use."""
        if data.hasFormat(SUBJECT):
            digests = bytes(data.data(SUBJECT).data()).decode().split()
            subjects = [one for one in map(self._subject, digests) if one is not None]
            self._importer.add_subjects(self._library, subjects, at)
            return bool(subjects)
        if (path := document_path(data)) is not None:
            self._open(path)
            return True
        return self._importer.add_mime(data, at)

    def _drop(self, event: QDropEvent) -> None:
        event.setDropAction(Qt.DropAction.CopyAction)
        if not self.take(event.mimeData(), self._canvas.to_canvas(event.position())):
            event.ignore()
            return
        event.accept()
        self._canvas.setFocus(Qt.FocusReason.OtherFocusReason)
