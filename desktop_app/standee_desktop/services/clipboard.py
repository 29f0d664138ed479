"""Clipboard for layers: copy and paste within and between documents and windows.

The clipboard holds the layers' data; their pictures wait in a `.standee` file in the cache folder,
written by a worker thread, for a document that does not hold them yet.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QStandardPaths
from PySide6.QtGui import QGuiApplication

from standee.composition import Composition, Layer
from standee.document.document import Document
from standee.errors import StandeeError

from ..model import EditorDocument, edits
from ..model.layer_clipboard import MIME, SHIFT, pack, unpack
from .thread_pool import ThreadPool

Report = Callable[[StandeeError], None]


def copy_layers(document: EditorDocument, workers: ThreadPool, failed: Report) -> bool:
    """Put the selected layers on the clipboard; False when none is selected."""
    layers = document.selected
    if not layers:
        return False
    data = QMimeData()
    data.setData(MIME, pack(layers))
    QGuiApplication.clipboard().setMimeData(data)
    source = document.document

    def work() -> None:
        named = Composition(layers=layers).digests()
        with Document(Composition(layers=layers)) as carried:
            for digest in named & set(source.blobs):
                carried.add_picture(source.read(digest))
            path = _file()
            path.parent.mkdir(parents=True, exist_ok=True)
            carried.save(path)

    workers.run(work, None, failed)
    return True


def has_layers() -> bool:
    """Whether there are layers on the clipboard."""
    return QGuiApplication.clipboard().mimeData().hasFormat(MIME)


def paste_layers(document: EditorDocument, workers: ThreadPool, text: str, failed: Report) -> None:
    """Add the layers on the clipboard on top, a little beside where they were."""
    mime = QGuiApplication.clipboard().mimeData()
    layers = unpack(bytes(mime.data(MIME).data()))
    if not layers:
        return
    target = document.document
    wanted = Composition(layers=layers).digests() - set(target.blobs)

    def work() -> None:
        if wanted:
            with Document.open(_file()) as carried:
                for digest in wanted:
                    target.add_picture(carried.read(digest))

    def done(_: None) -> None:
        if document.document is target:
            _add(document, layers, text)

    workers.run(work, done, failed) if wanted else _add(document, layers, text)


def _add(document: EditorDocument, layers: tuple[Layer, ...], text: str) -> None:
    there = {(one.picture, one.rect) for one in document.composition.layers}
    shift = SHIFT if any((one.picture, one.rect) in there for one in layers) else 0.0
    new = edits.copies(layers, shift, shift)
    added = edits.added(document.composition, new)
    document.apply(text, added, select=[one.id for one in new])


def _file() -> Path:
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericCacheLocation)
    return Path(folder) / "standee" / "clipboard.standee"
