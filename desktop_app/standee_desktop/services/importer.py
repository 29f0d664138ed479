"""Importer of subjects and scenes: files, drops, the clipboard and the library.

All reading happens in worker threads. A picture stands on the canvas as soon as it is read; its
cut-out, where the daemon has to make one, follows as a step of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, QPointF
from PySide6.QtGui import QImage

from standee.composition import MAX_LAYERS, Canvas, Control, ControlKind, Layer, Rect, Scene
from standee.errors import StandeeError
from standee.layered.exchange import SUFFIXES, read_layered, stand
from standee.layered.raster_layers import LayeredPicture

from ..model import EditorDocument, edits
from ..model.notices import Notices
from ..storage.image_import import Imported, encode, read_picture
from ..storage.subject_library import Library, Subject
from ..widgets.layered_words import lost_in_layers
from .cutouts import Cutouts
from .image_cache import CachedImage, ImageCache, make_look, to_pillow
from .thread_pool import ThreadPool

SHARE = 0.5
"""How much of the canvas' shorter side a new subject takes."""
CASCADE = 0.22
"""How far subjects that come in together stand apart, in parts of the canvas' shorter side."""
TECHNICAL = re.compile(
    "alpha|big|bmp|bw|cmyk|copy|crop(ped)?|cut|cutout|edit(ed)?|export|final|full|gif|gr[ae]y|hd|high"
    "|image|img|jpe?g|large|layer|low|mask|medium|new|old|original|output|pal|pasted|photo|pic|picture"
    "|png|raw|result|rgba?|sample|scan|screenshot|small|square|srgb|tall|test|thumb|tiff?|tmp"
    "|transparent|untitled|version|web|webp|wide"
)
"""Words in the names of files that tell of the file, and not of what it shows."""
CAMERA_NAME = re.compile(r"(?i)^(img|dsc|dscn|p|pxl|image|screenshot|scan|untitled)?[\W_\d]*$")


CONTROL_NAMES: tuple[tuple[ControlKind, str], ...] = (
    ("normal", "normal"),
    ("lines", "canny|edge|line|sketch|scribble"),
    ("pose", "pose|skeleton"),
)
"""What the names of control pictures' files tell of their kind."""


@dataclass(frozen=True)
class AddedPicture:
    """A picture that the document holds now."""

    picture: Imported
    digest: str
    look: CachedImage
    mask: str | None = None


class Importer(QObject):
    """Brings pictures into the document of one editor."""

    def __init__(
        self,
        editor: EditorDocument,
        pictures: ImageCache,
        cutouts: Cutouts,
        workers: ThreadPool,
        notices: Notices,
        fidelity: Callable[[], float],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._editor, self._pictures, self._cutouts = editor, pictures, cutouts
        self._workers, self._notices, self._fidelity = workers, notices, fidelity

    # -- where from ------------------------------------------------------------------------------

    def add_files(self, paths: Sequence[Path], at: QPointF | None = None) -> None:
        """Add picture files as subjects in their order, the first at a position in canvas px.

        Of files with layers each layer is one, where it stands in its file.
        """
        row = _InOrder()
        layered = [path for path in paths if path.suffix.lower() in SUFFIXES]
        for path in layered:
            self._bring_layers(path)
        for index, path in enumerate(path for path in paths if path not in layered):
            stand = partial(row.stand, index, self._stander(at, index))
            self._bring(partial(read_picture, path), stand, failed=partial(row.skip, index))

    def add_bytes(self, data: bytes, name: str, at: QPointF | None = None) -> None:
        """Add an encoded picture as a subject."""
        self._bring(lambda: read_picture(data, name), self._stander(at, 0, named=False))

    def add_image(self, image: QImage, at: QPointF | None = None) -> None:
        """Add an image that another program copied as a subject."""
        name = self.tr("Pasted")
        self._bring(
            lambda: read_picture(encode(to_pillow(image)), name), self._stander(at, 0, named=False)
        )

    def add_subjects(
        self, library: Library, subjects: Sequence[Subject], at: QPointF | None = None
    ) -> None:
        """Add subjects of the library in their order, the first at a position in canvas px."""
        row = _InOrder()
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

        def stand(stood: AddedPicture) -> None:
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

    def add_control(self, path: Path) -> None:
        """Add a picture file as a control picture of the canvas: of depth, unless its name tells."""
        said = path.stem.lower()
        named = (kind for kind, words in CONTROL_NAMES if re.search(words, said))
        kind: ControlKind = next(named, "depth")

        def stand(stood: AddedPicture) -> None:
            composition = self._editor.composition
            control = (*composition.control, Control(kind, stood.digest))
            changed = edits.with_controls(composition, control)
            self._editor.apply(self.tr("Add a control picture"), changed)

        self._bring(lambda: read_picture(path), stand)

    # -- in --------------------------------------------------------------------------------------

    def _bring(
        self,
        read: Callable[[], Imported],
        stand: Callable[[AddedPicture], None],
        mask: Callable[[], bytes] | None = None,
        failed: Callable[[], None] = lambda: None,
    ) -> None:
        """Read a picture, put it into the document and stand it on the canvas."""
        document = self._editor.document

        def work() -> AddedPicture:
            picture = read()
            cut = mask() if mask is not None else None
            digest = document.add_picture(picture.data)
            mask_digest = document.add_picture(cut) if cut is not None else None
            return AddedPicture(picture, digest, make_look(picture.data, cut), mask_digest)

        def done(stood: AddedPicture) -> None:
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

    def _bring_layers(self, path: Path) -> None:
        """Read a file with layers, and stand them on the canvas as one step."""
        document, before = self._editor.document, self._editor.composition

        def work() -> tuple[LayeredPicture, tuple[Layer, ...], Scene | None]:
            picture = read_layered(path)
            return picture, *stand(picture, document, before.canvas, before.scene is None)

        def done(stood: tuple[LayeredPicture, tuple[Layer, ...], Scene | None]) -> None:
            if document is not self._editor.document:
                return
            picture, layers, scene = stood
            composition = self._editor.composition
            fitting = layers[: MAX_LAYERS - len(composition.layers)]
            changed = edits.added(composition, fitting)
            if scene is not None and composition.scene is None:
                changed = edits.with_scene(changed, scene)
            text = self.tr("Add %1").replace("%1", path.stem)
            self._editor.apply(text, changed, select=[one.id for one in fitting])
            if len(fitting) < len(layers):
                self._tell_full()
            if lost := lost_in_layers(picture):
                self._notices.tell(lost, seconds=12)

        def failed(error: StandeeError) -> None:
            self._notices.fail(error, topic=error.message, fix="")

        self._workers.run(work, done, failed)

    def _tell_full(self) -> None:
        text = self.tr("A composition has at most %1 layers.")
        self._notices.tell(text.replace("%1", str(MAX_LAYERS)), topic="layers")

    def _stander(
        self, at: QPointF | None, index: int, prompt: str = "", named: bool = True
    ) -> Callable[[AddedPicture], None]:
        """Return what stands a picture on the canvas; without `named` its name tells nothing of it."""

        def stand(stood: AddedPicture) -> None:
            composition = self._editor.composition
            if len(composition.layers) >= MAX_LAYERS:
                self._tell_full()
                return
            size = stood.picture.width, stood.picture.height
            name = stood.picture.name[:200]
            layer = Layer(
                default_rect(composition.canvas, size, at, index),
                stood.digest,
                name=name,
                mask=stood.mask,
                prompt=prompt or (prompt_words(name) if named else ""),
                fidelity=self._fidelity(),
            )
            text = self.tr("Add %1").replace("%1", name or self.tr("subject"))
            self._editor.apply(text, edits.added(composition, [layer]), select=[layer.id])
            if stood.mask is None and not stood.picture.has_alpha:
                self._cutouts.cut_out(layer.id)

        return stand


def _read_kept(picture: Callable[[], bytes], name: str) -> Imported:
    return read_picture(picture(), name)


class _InOrder:
    """Pictures that are read in any order and stand on the canvas in theirs."""

    def __init__(self) -> None:
        self._next = 0
        self._waiting: dict[int, Callable[[], None]] = {}

    def stand(self, index: int, stand: Callable[[AddedPicture], None], stood: AddedPicture) -> None:
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


def default_rect(canvas: Canvas, size: tuple[int, int], at: QPointF | None, index: int) -> Rect:
    """Return where a new subject stands, canvas px: of a handy size, wholly on the canvas."""
    width, height = size
    scale = SHARE * min(canvas.width, canvas.height) / max(width, height)
    w, h = max(1.0, width * scale), max(1.0, height * scale)
    x, y = (at.x(), at.y()) if at is not None else (canvas.width / 2, canvas.height / 2)
    step = index * CASCADE * min(canvas.width, canvas.height)
    x, y = x - w / 2 + step, y - h / 2 + step
    x = min(max(x, 0.0), max(0.0, canvas.width - w))
    y = min(max(y, 0.0), max(0.0, canvas.height - h))
    return Rect(round(x), round(y), w, h)


def prompt_words(name: str) -> str:
    """Return words for the prompt from a file's name; none from a camera's."""
    if CAMERA_NAME.match(name):
        return ""
    words = re.sub(r"[\W_\d]+", " ", name).lower().split()
    return " ".join(word for word in words if not TECHNICAL.fullmatch(word))[:200]
