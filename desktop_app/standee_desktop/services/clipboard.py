"""Clipboard and drags of layers: between documents and windows, as PNG for other programs.

The clipboard holds the layers' data; their pictures wait in a `.standee` file in the cache folder,
written by a worker thread, for a document that does not hold them yet. Other programs find the foremost
cut-out as a PNG.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from PySide6.QtCore import QByteArray, QMimeData, QStandardPaths, QUrl
from PySide6.QtGui import QGuiApplication, QImage

from standee.composition import Composition, Layer
from standee.document.document import Document
from standee.errors import StandeeError, StorageFull
from standee.layered.rasterize import cut_out

from ..model import EditorDocument, edits
from ..model.layer_clipboard import MIME, SHIFT, pack, unpack
from ..storage.image_import import encode
from ..storage.paths import write_whole
from .thread_pool import ThreadPool

IMAGE = "application/x-qt-image"
"""As an image of Qt, which it turns into what the system's programs take."""
FILES = "text/uri-list"
DRAWN = ("image/png", IMAGE, FILES)
Report = Callable[[StandeeError], None]


def copy_layers(document: EditorDocument, workers: ThreadPool, failed: Report) -> bool:
    """Put the selected layers on the clipboard; False when none is selected."""
    layers = document.selected
    if not layers:
        return False
    data, packed = QMimeData(), pack(layers)
    data.setData(MIME, packed)
    QGuiApplication.clipboard().setMimeData(data)
    source = document.document

    def work() -> bytes | None:
        named = Composition(layers=layers).digests()
        with Document(Composition(layers=layers)) as carried:
            for digest in named & set(source.blobs):
                carried.add_picture(source.read(digest))
            path = _file()
            path.parent.mkdir(parents=True, exist_ok=True)
            carried.save(path)
        shown = next((one for one in reversed(layers) if one.picture is not None), None)
        if shown is None or not Composition(layers=(shown,)).digests() <= set(source.blobs):
            return None
        return cut_out_png(shown, source.read)

    def done(png: bytes | None) -> None:
        held = QGuiApplication.clipboard().mimeData()
        if png is not None and bytes(held.data(MIME).data()) == packed:  # nothing was copied since
            both = png_data(png)
            both.setData(MIME, packed)
            QGuiApplication.clipboard().setMimeData(both)

    workers.run(work, done, failed)
    return True


def png_data(png: bytes, file: str = "") -> QMimeData:
    """Return a picture as other programs take it: as a PNG, as an image, and as a `file` where one is named."""
    data = QMimeData()
    data.setData("image/png", png)
    data.setImageData(QImage.fromData(png))
    if file:
        path = _file().with_name("dragged") / file
        with suppress(StorageFull):  # the picture itself goes along all the same
            write_whole(path, png)
            data.setUrls([QUrl.fromLocalFile(str(path))])
    return data


class CutOutData(QMimeData):
    """A cut-out as other programs take it, drawn when one of them asks: most drags end in the same window."""

    def __init__(self, layer: Layer, read: Callable[[str], bytes]) -> None:
        super().__init__()
        self._layer, self._read = layer, read
        self._drawn: QMimeData | None = None
        self._own: dict[str, QByteArray] = {}

    def setData(self, mimetype: str, data: QByteArray | bytes | bytearray | memoryview) -> None:
        """Add what this program itself reads."""
        self._own[mimetype] = QByteArray(data)

    def formats(self) -> list[str]:
        """Name what there is."""
        return [*self._own, *DRAWN]

    def hasFormat(self, mimetype: str) -> bool:
        """Return whether there is such data."""
        return mimetype in self.formats()

    def retrieveData(self, mimetype: str, kind: object) -> object:
        """Return data; nothing where the picture cannot be read."""
        if mimetype in self._own:
            return self._own[mimetype]
        if self._drawn is None:
            name = re.sub(r"[^\w -]", "_", self._layer.name).strip() or "cut-out"
            self._drawn = QMimeData()
            with suppress(StandeeError):
                self._drawn = png_data(cut_out_png(self._layer, self._read), f"{name[:80]}.png")
        if mimetype == IMAGE:
            return self._drawn.imageData()
        return self._drawn.urls() if mimetype == FILES else self._drawn.data(mimetype)


def copy_cut_out(
    layer: Layer, read: Callable[[str], bytes], workers: ThreadPool, failed: Report
) -> None:
    """Put a cut-out on the clipboard, for other programs."""

    def done(png: bytes) -> None:
        QGuiApplication.clipboard().setMimeData(png_data(png))

    workers.run(lambda: cut_out_png(layer, read), done, failed)


def cut_out_png(layer: Layer, read: Callable[[str], bytes]) -> bytes:
    """Return a layer's cut-out as a PNG at the size of its picture. Raises `BadPicture`, `TooLarge`, `MissingBlob`."""
    return encode(cut_out(layer, read, layer.name or "The picture"))


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
