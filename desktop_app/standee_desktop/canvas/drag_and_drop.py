"""Drag and drop, and paste: pictures, documents and library subjects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, QPointF
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QWidget

from ..model.layer_clipboard import ROWS
from ..services.importer import Importer, document_path, picture_paths
from ..storage.subject_library import Library, Subject
from ..widgets.drops import accept_copy
from .view import CanvasView

SUBJECT = "application/x-standee-subject"


class DropTarget(QObject):
    """Takes what is dropped on the canvas, and in the middle of it what is dropped elsewhere."""

    def __init__(
        self,
        canvas: CanvasView,
        window: QWidget,
        importer: Importer,
        library: Library,
        subject: Callable[[str], Subject | None],
        open_document: Callable[[Path], object],
    ) -> None:
        super().__init__(canvas)
        self._canvas, self._importer, self._library = canvas, importer, library
        self._subject, self._open = subject, open_document
        for place in (canvas, window):
            place.setAcceptDrops(True)
            place.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take drags of what can be used."""
        if isinstance(event, QDropEvent) and event.type() == QEvent.Type.Drop:
            self._drop(watched, event)
            return True
        if isinstance(event, QDragEnterEvent | QDragMoveEvent):
            accept_copy(event, usable(event.mimeData()))
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

    def _drop(self, watched: QObject, event: QDropEvent) -> None:
        rect = self._canvas.canvas_rect()
        at = QPointF(rect.w / 2, rect.h / 2)
        if watched is self._canvas:
            at = self._canvas.to_canvas(event.position())
        if accept_copy(event, usable(event.mimeData())) and self.take(event.mimeData(), at):
            self._canvas.setFocus()
        else:
            event.ignore()


def usable(data: QMimeData) -> bool:
    """Return whether there is anything in what is dragged that the editor can use."""
    if data.hasFormat(ROWS):  # layers of the list, which are on the canvas already
        return False
    return (
        data.hasFormat(SUBJECT)
        or data.hasImage()
        or document_path(data) is not None
        or bool(picture_paths(data))
    )
