"""Subjects and scenes come in: from files, drops, the clipboard and the library; cut out if need be.

All reading happens in worker threads. A picture stands on the canvas as soon as it is read; its
cut-out, where the daemon has to make one, follows as a step of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QMimeData, QObject, QPointF
from PySide6.QtGui import QImage

from standee.composition import MAX_LAYERS, Canvas, Layer, Rect, Scene
from standee.document.document import Document
from standee.errors import StandeeError
from standee.wire.events import Event, Failed, Result, ends
from standee.wire.messages import Cutout

from ..model import EditorDocument, edits
from ..model.notices import Notices
from ..storage.image_import import Imported, encode, read_picture
from ..storage.subject_library import Library, Subject
from .daemon_link import Link
from .image_cache import Look, Pictures, make_look
from .thread_pool import Workers

SHARE = 0.5
"""How much of the canvas' shorter side a new subject takes."""
CASCADE = 16
"""Canvas px between subjects that come in together."""
CAMERA_NAME = re.compile(r"(?i)^(img|dsc|dscn|p|pxl|image|screenshot|scan|untitled)?[\W_\d]*$")


@dataclass(frozen=True)
class Stood:
    """A picture that the document holds now."""

    picture: Imported
    digest: str
    look: Look
    mask: str | None = None


class Importer(QObject):
    """Brings pictures into the document of one editor."""

    def __init__(
        self,
        editor: EditorDocument,
        pictures: Pictures,
        link: Link,
        workers: Workers,
        notices: Notices,
        fidelity: Callable[[], float],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._editor, self._pictures, self._link = editor, pictures, link
        self._workers, self._notices, self._fidelity = workers, notices, fidelity
        self._cutting: dict[str, str] = {}

    # -- where from ------------------------------------------------------------------------------

    def add_files(self, paths: Sequence[Path], at: QPointF | None = None) -> None:
        """Add picture files as subjects in their order, the first at a position in canvas px."""
        row = _Row()
        for index, path in enumerate(paths):
            stand = partial(row.stand, index, self._stander(at, index))
            self._bring(partial(read_picture, path), stand, failed=partial(row.skip, index))

    def add_bytes(self, data: bytes, name: str, at: QPointF | None = None) -> None:
        """Add an encoded picture as a subject."""
        self._bring(lambda: read_picture(data, name), self._stander(at, 0))

    def add_image(self, image: QImage, at: QPointF | None = None) -> None:
        """Add an image that another program copied as a subject."""
        name = self.tr("Pasted")
        self._bring(lambda: read_picture(encode(to_pillow(image)), name), self._stander(at, 0))

    def add_subjects(
        self, library: Library, subjects: Sequence[Subject], at: QPointF | None = None
    ) -> None:
        """Add subjects of the library in their order, the first at a position in canvas px."""
        row = _Row()
        for index, subject in enumerate(subjects):
            stand = partial(row.stand, index, self._stander(at, index, subject.prompt))
            picture = partial(library.read, subject.picture)
            read = partial(_read_kept, picture, subject.name)
            mask = partial(library.read, subject.mask) if subject.mask is not None else None
            self._bring(read, stand, mask, partial(row.skip, index))

    def add_mime(self, data: QMimeData, at: QPointF | None = None) -> bool:
        """Add what was dropped or pasted; return whether there were pictures in it."""
        paths = picture_paths(data)
        if paths:
            self.add_files(paths, at)
            return True
        for kind in ("image/png", "image/jpeg", "image/webp", "image/tiff"):
            if data.hasFormat(kind):
                self.add_bytes(bytes(data.data(kind).data()), self.tr("Pasted"), at)
                return True
        if data.hasImage():
            image = data.imageData()
            if isinstance(image, QImage) and not image.isNull():
                self.add_image(image, at)
                return True
        return False

    def set_scene(self, path: Path) -> None:
        """Make a picture file the scene."""

        def stand(stood: Stood) -> None:
            scene = self._editor.composition.scene or Scene(stood.digest)
            scene = Scene(
                stood.digest,
                fidelity=scene.fidelity,
                blend=scene.blend,
                feather=scene.feather,
            )
            changed = edits.with_scene(self._editor.composition, scene)
            self._editor.apply(self.tr("Scene"), changed)

        self._bring(lambda: read_picture(path), stand)

    # -- in --------------------------------------------------------------------------------------

    def _bring(
        self,
        read: Callable[[], Imported],
        stand: Callable[[Stood], None],
        mask: Callable[[], bytes] | None = None,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        """Read a picture, put it into the document and stand it on the canvas."""
        document = self._editor.document

        def work() -> Stood:
            picture = read()
            cut = mask() if mask is not None else None
            digest = document.add_picture(picture.data)
            mask_digest = document.add_picture(cut) if cut is not None else None
            return Stood(picture, digest, make_look(picture.data, cut), mask_digest)

        def done(stood: Stood) -> None:
            if document is not self._editor.document:
                return
            self._pictures.put(stood.digest, stood.look, stood.mask)
            if stood.picture.note:
                self._notices.tell(stood.picture.note, seconds=12)
            stand(stood)

        def not_done(error: StandeeError) -> None:
            self._notices.fail(error, topic=error.message, fix="")
            failed()

        self._workers.run(work, done, not_done)

    def _stander(self, at: QPointF | None, index: int, prompt: str = "") -> Callable[[Stood], None]:
        def stand(stood: Stood) -> None:
            composition = self._editor.composition
            if len(composition.layers) >= MAX_LAYERS:
                text = self.tr("A composition has at most %1 layers.")
                self._notices.tell(text.replace("%1", str(MAX_LAYERS)), topic="layers")
                return
            size = stood.picture.width, stood.picture.height
            name = stood.picture.name[:200]
            layer = Layer(
                stood.digest,
                place(composition.canvas, size, at, index),
                name=name,
                mask=stood.mask,
                prompt=prompt or words_of(name),
                fidelity=self._fidelity(),
            )
            text = self.tr("Add %1").replace("%1", name or self.tr("subject"))
            self._editor.apply(text, edits.added(composition, [layer]), select=[layer.id])
            if stood.mask is None and not stood.picture.has_alpha:
                self.cut_out(layer.id)

        return stand

    # -- cut-outs --------------------------------------------------------------------------------

    def cut_out(self, layer_id: str, by_words: bool = False) -> None:
        """Have the daemon cut a subject out of its picture, where its words say if that is wished."""
        layer, document = self._editor.layer(layer_id), self._editor.document
        if layer is None:
            return
        topic = f"cutout-{layer_id}"
        self._notices.clear(topic)
        words = layer.prompt.strip() if by_words else ""
        if by_words and not words:
            hint = self.tr("Words in the layer's settings tell which part of its picture it is.")
            self._notices.tell(self.tr("Say in words what the subject is."), hint, topic)
            return
        self._tell_cutting(layer_id, layer.name or self.tr("the subject"))

        def happened(event: Event) -> None:
            if isinstance(event, Result):
                self._take_mask(document, layer, event.data, topic)
            elif isinstance(event, Failed):
                error = event.error.exception()
                self._notices.fail(error, topic, "retry", lambda: self.cut_out(layer_id, by_words))
            if ends(event):
                self._tell_cutting(layer_id, None)
                self._link.release(event.job)

        spec = Cutout(picture=layer.picture, words=words)
        self._link.submit(spec, document.blobs, happened, priority=20)

    def _tell_cutting(self, layer_id: str, name: str | None) -> None:
        """Say in one line what is being cut out; `None` for what is not any more."""
        self._cutting.pop(layer_id, None)
        if name is not None:
            self._cutting[layer_id] = name
        names = list(self._cutting.values())
        text = self.tr("Cutting out %1…").replace("%1", names[0]) if names else ""
        if len(names) > 1:
            text = self.tr("Cutting out %1 subjects…").replace("%1", str(len(names)))
        if text:
            waits = self.tr("It waits for the daemon.") if not self._link.connected else ""
            self._notices.tell(text, waits, "cutting", None)
        else:
            self._notices.clear("cutting")

    def _take_mask(self, document: Document, layer: Layer, mask: bytes, topic: str) -> None:
        def work() -> tuple[str, Look]:
            return document.add_picture(mask), make_look(document.read(layer.picture), mask)

        def done(made: tuple[str, Look]) -> None:
            now = self._editor.layer(layer.id)
            if document is not self._editor.document or now is None:
                return
            digest, look = made
            self._pictures.put(layer.picture, look, digest)
            if now.picture == layer.picture and now.mask == layer.mask:
                composition = edits.with_fields(self._editor.composition, {layer.id}, mask=digest)
                self._editor.apply(self.tr("Cut out"), composition)

        self._workers.run(work, done, lambda error: self._notices.fail(error, topic, ""))


def _read_kept(picture: Callable[[], bytes], name: str) -> Imported:
    return read_picture(picture(), name)


class _Row:
    """Pictures that are read in any order and stand on the canvas in theirs."""

    def __init__(self) -> None:
        self._next = 0
        self._waiting: dict[int, Callable[[], None]] = {}

    def stand(self, index: int, stand: Callable[[Stood], None], stood: Stood) -> None:
        """Number `index` is read: stand it when its turn has come."""
        self._settle(index, partial(stand, stood))

    def skip(self, index: int) -> None:
        """Number `index` cannot be read."""
        self._settle(index, lambda: None)

    def _settle(self, index: int, act: Callable[[], None]) -> None:
        self._waiting[index] = act
        while self._next in self._waiting:
            self._waiting.pop(self._next)()
            self._next += 1


def picture_paths(data: QMimeData) -> list[Path]:
    """Return the files in what is dropped or pasted but documents: of what is no picture, its reading tells."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return [path for path in paths if path.suffix.lower() != ".standee"]


def document_path(data: QMimeData) -> Path | None:
    """Return the document among the dropped files."""
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
    return next((path for path in paths if path.suffix.lower() == ".standee"), None)


def place(canvas: Canvas, size: tuple[int, int], at: QPointF | None, index: int) -> Rect:
    """Return where a new subject stands, canvas px: of a handy size, wholly on the canvas."""
    width, height = size
    scale = SHARE * min(canvas.width, canvas.height) / max(width, height)
    w, h = max(1.0, width * scale), max(1.0, height * scale)
    x, y = (at.x(), at.y()) if at is not None else (canvas.width / 2, canvas.height / 2)
    x, y = x - w / 2 + index * CASCADE, y - h / 2 + index * CASCADE
    x = min(max(x, 0.0), max(0.0, canvas.width - w))
    y = min(max(y, 0.0), max(0.0, canvas.height - h))
    return Rect(round(x), round(y), w, h)


def words_of(name: str) -> str:
    """Return words for the prompt from a file's name; none from a camera's."""
    if CAMERA_NAME.match(name):
        return ""
    return " ".join(re.sub(r"[\W_\d]+", " ", name).split()).lower()[:200]


def to_pillow(image: QImage) -> Image.Image:
    """Return a copied image for Pillow. For worker threads."""
    plain = image.convertToFormat(QImage.Format.Format_RGBA8888)
    data = bytes(plain.constBits())[: plain.sizeInBytes()]
    return Image.frombuffer(
        "RGBA", (plain.width(), plain.height()), data, "raw", "RGBA", plain.bytesPerLine(), 1
    )
