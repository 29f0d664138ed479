"""Document files: new, open, save, recover and export, off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QDateTime, QLocale, QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from standee.document.document import Document
from standee.document.load import load_document
from standee.errors import BadDocument, BadPicture, StandeeError
from standee.images import HEAD
from standee.layered.exchange import SUFFIXES, WRITTEN, document_of, is_layered, read_layered
from standee.layered.raster_layers import LayeredPicture

from ..model import EditorDocument
from ..model.notices import Notice, Notices
from ..storage.file_guard import Hindrance, Stamp, hindrance, stamp_of
from ..storage.image_export import export, export_layers
from ..storage.recovery_journal import UnsavedWork, rebuild_document
from ..storage.settings import marks_pictures, settings
from ..widgets.file_dialogs import Answer, FileDialogs, Way
from ..widgets.layered_words import lost_in_layers, missing_in_layers
from .autosave import Autosave, held_by
from .composer import Composer, composition_of
from .thread_pool import ThreadPool

RECENT = "files/recent"
MOST_RECENT = 10
SUFFIX = ".standee"
OPENED = (SUFFIX, ".png", ".jpg", ".jpeg", ".webp", ".json")


class DocumentFiles(QObject):
    """The file commands of one window."""

    recent_changed = Signal()
    opened = Signal(object)
    """The path of a document that is open now."""
    busy_changed = Signal(str)
    """What the disk is at work on, in words, or nothing."""
    may_close = Signal()
    """The window was to be closed, and nothing holds it any more."""

    def __init__(
        self,
        editor: EditorDocument,
        composer: Composer,
        workers: ThreadPool,
        notices: Notices,
        autosave: Autosave,
        dialogs: FileDialogs,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._editor, self._composer, self._workers = editor, composer, workers
        self._notices, self._autosave, self.dialogs = notices, autosave, dialogs
        self._stamp: Stamp | None = None
        autosave.found.connect(self._offer)
        editor.opened.connect(lambda _: self._take_stamp(None))

    @property
    def name(self) -> str:
        """What the document is called."""
        path = self._editor.document.path
        return path.stem if path is not None else self.tr("Untitled")

    # -- new and open ----------------------------------------------------------------------------

    def new(self) -> None:
        """Begin an empty document, after asking for unsaved work."""
        self._when_settled(lambda: self._editor.open(Document()))

    def open(self, path: Path | None = None) -> None:
        """Open a document, or ask which."""
        if path is None:
            filters = [
                self.tr("Standee documents and pictures (%1)").replace(
                    "%1", " ".join(f"*{one}" for one in (*OPENED, *SUFFIXES))
                ),
                self.tr("All files (*)"),
            ]
            title = self.tr("Open")
            self.dialogs.open_files(title, filters, lambda paths: self.open(paths[0]))
        else:
            self._when_settled(lambda: self._open(path))

    def open_copy(self, path: Path) -> None:
        """Open a document that is not the artist's own, the sample for one: it has no file yet."""

        def read() -> Document:
            document = Document.open(path)
            document.path = None
            return document

        self._when_settled(
            lambda: self._workers.run(
                read, self._editor.open, lambda error: self._notices.fail(error, "open", "")
            )
        )

    def _open(self, path: Path) -> None:
        def read() -> tuple[Document, str, Stamp | None]:
            stamp = stamp_of(path)  # first: what changes while it is read counts as changed
            return *read_document(path), stamp

        def done(opened: tuple[Document, str, Stamp | None]) -> None:
            document, lost, stamp = opened
            self._busy("")
            self._editor.open(document)
            self._take_stamp(stamp)
            self._notices.clear("open")
            if lost:
                self._notices.tell(lost, seconds=12)
            if document.path is not None:
                self._remember(document.path)
            missing = document.missing()
            if missing:
                self._fetch(document, missing)
            self.opened.emit(path)

        def failed(error: StandeeError) -> None:
            self._busy("")
            self._forget(path)
            text = error.message.replace(str(path), path.name)
            act = partial(show_folder, path)
            self._notices.show(Notice(text, error.fix, "error", "open", "open-folder", act))

        self._busy(self.tr("Opening…"))
        self._workers.run(read, done, failed)

    def _fetch(self, document: Document, missing: frozenset[str]) -> None:
        """Ask the daemon for pictures that a receipt only names: it may have them still."""

        def done(found: int) -> None:
            if document is not self._editor.document:
                return
            self._editor.opened.emit(document)
            left = len(missing) - found
            if left:
                self._notices.show(
                    Notice(
                        self.tr("%1 pictures are missing in this document.").replace(
                            "%1", str(left)
                        ),
                        self.tr("Add them to their layers again."),
                        "warning",
                        "open",
                    )
                )

        self._composer.fetch(document, missing, done)

    # -- saving ----------------------------------------------------------------------------------

    def save(self, then: Callable[[], object] | None = None) -> None:
        """Save to the document's file, or ask for one."""
        path = self._editor.document.path
        if path is None:
            self.save_as(then)
        else:
            self.save_to(path, then)

    def save_as(self, then: Callable[[], object] | None = None) -> None:
        """Ask where to save, and save there."""
        self.dialogs.save_file(
            self.tr("Save as"),
            [self.tr("Standee documents (*.standee)")],
            f"{self.name}{SUFFIX}",
            lambda path: self.save_to(path, then),
        )

    def save_to(self, path: Path, then: Callable[[], object] | None = None) -> None:
        """Save to a file, after asking where that is write-protected or was changed elsewhere."""
        if path.suffix.lower() != SUFFIX:
            path = path.with_name(path.name + SUFFIX)
        own = self._editor.document.path
        known = self._stamp if own is not None and own.absolute() == path.absolute() else None

        def answered(way: Way) -> None:
            if way == "copy":
                self.save_as(then)
            elif way == "replace":
                self._write(path, then)

        def looked(found: Hindrance) -> None:
            if found:
                self.dialogs.ask_replace(path.name, found, answered)
            else:
                self._write(path, then)

        # A brush stroke that is on its way to the document shall be in the file.
        self._editor.pending_steps.after(
            lambda: self._workers.run(lambda: hindrance(path, known), looked)
        )

    def _write(self, path: Path, then: Callable[[], object] | None) -> None:
        """Write the document's file; the old one stays until the new one is complete."""
        self._editor.end_gesture()
        document, composition = self._editor.document, self._editor.composition

        def work() -> tuple[tuple[frozenset[str], frozenset[str]], Stamp | None]:
            document.save(path)
            return held_by(document), stamp_of(path)

        def done(written: tuple[tuple[frozenset[str], frozenset[str]], Stamp | None]) -> None:
            held, stamp = written
            self._busy("")
            if document is self._editor.document:
                self._take_stamp(stamp)
                self._autosave.holds(*held)
                self._editor.mark_saved(composition, path)
            self._notices.clear("save")
            self._remember(path)
            if then is not None:
                then()

        def failed(error: StandeeError) -> None:
            self._busy("")
            self._notices.fail(error, "save", "save-as", lambda: self.save_as(then))

        self._busy(self.tr("Saving…"))
        self._workers.run(work, done, failed)

    def _take_stamp(self, stamp: Stamp | None) -> None:
        self._stamp = stamp

    def export(self, name: str | None = None) -> None:
        """Ask where to write a result, the newest without a name, and write it."""
        results = self._editor.document.results
        name = name or next(reversed(list(results)), None)
        if name is None or name not in results:
            self._notices.tell(self.tr("There is no result yet: compose first."), topic="export")
            return
        filters = ["PNG (*.png)", "JPEG (*.jpg *.jpeg)", "WebP (*.webp)"]
        filters += ["OpenRaster (*.ora)", "Photoshop (*.psd)"]
        proposed = f"{self.name}.png"
        self.dialogs.save_file(
            self.tr("Export picture"), filters, proposed, lambda path: self.export_to(path, name)
        )

    def export_to(self, path: Path, name: str) -> None:
        """Write a result as PNG, JPEG or WebP with its receipt in it, or with its layers by the name's ending."""
        document, arranged = self._editor.document, self._editor.composition
        result, layered = document.results[name], path.suffix.lower() in WRITTEN

        def done(layers: LayeredPicture | None) -> None:
            text = self.tr("Exported %1. It carries the receipt that makes it again.")
            if layers is not None:
                text = self.tr("Exported %1: the result, and below it each subject as a layer.")
            self._notices.show(
                Notice(
                    text.replace("%1", path.name),
                    missing_in_layers(layers) if layers is not None else "",
                    level="info",
                    topic="export",
                    fix="open-folder",
                    act=lambda: show_folder(path),
                    seconds=8,
                )
            )

        def failed(error: StandeeError) -> None:
            self._notices.fail(error, "export", "save-as", lambda: self.export(name))

        def work() -> LayeredPicture | None:
            given, marked = (result.data, result.receipt), marks_pictures()
            if layered:
                made_of = composition_of(result.receipt) or arranged
                return export_layers(path, made_of, document.read, *given, marked=marked)
            export(path, *given, marked=marked)
            return None

        self._workers.run(work, done, failed)

    # -- closing ---------------------------------------------------------------------------------

    def close(self) -> bool:
        """Return whether the window may close now; otherwise ask, and `may_close` comes later."""
        if not self._editor.modified and not self._workers.busy:
            return True
        self._when_saved(self.may_close.emit)  # jobs go on, and wait for the next start
        return False

    def _when_settled(self, then: Callable[[], object]) -> None:
        """Leave this document when nothing of it is lost, or the artist does not want it."""
        jobs = [job for job in self._composer.jobs.unfinished if not job.live]
        if jobs:
            self.dialogs.ask_jobs(len(jobs), lambda: self._when_saved(then))
        else:
            self._when_saved(then)

    def _when_saved(self, then: Callable[[], object]) -> None:
        """Go on when there is nothing unsaved any more, or the artist does not want it."""

        def answered(answer: Answer) -> None:
            if answer == "save":
                self.save(then)
            elif answer == "discard":
                then()

        def settled(_: None) -> None:
            if self._editor.modified:  # what the disk was at work on was a result, or a stroke
                self.dialogs.ask_unsaved(self.name, answered)
            else:
                then()

        if self._editor.modified:
            self.dialogs.ask_unsaved(self.name, answered)
        else:
            # What the disk is at work on ends first: the pool keeps its order.
            self._workers.run(lambda: None, settled)

    # -- what was left behind --------------------------------------------------------------------

    def _offer(self, left: UnsavedWork) -> None:
        when = QDateTime.fromSecsSinceEpoch(int(left.when))
        time = QLocale().toString(when, QLocale.FormatType.ShortFormat)
        name = left.name or self.tr("Untitled")
        text = self.tr("Standee ended before “%1” was saved (%2).")
        if left.jobs:
            text = self.tr("“%1” was still being composed when Standee ended (%2).")
        self._notices.show(
            Notice(
                text.replace("%1", name).replace("%2", time),
                self.tr("Everything up to that moment can be brought back."),
                "warning",
                f"recovery-{left.folder.name}",
                "recover",
                lambda: self.recover(left),
                "discard",
                lambda: self._autosave.drop(left),
            )
        )

    def recover(self, left: UnsavedWork) -> None:
        """Open what an editor left behind, and go on with its jobs."""

        def done(document: Document) -> None:
            self._editor.open(document, modified=True)
            self._autosave.adopt(left)
            self._composer.resume(left.jobs)

        self._when_settled(
            lambda: self._workers.run(
                lambda: rebuild_document(left),
                done,
                lambda error: self._notices.fail(error, "open"),
            )
        )

    # -- recent files ----------------------------------------------------------------------------

    def recent(self) -> list[Path]:
        """Return the documents that were open last, the latest first."""
        stored = settings().value(RECENT, [])
        names = [stored] if isinstance(stored, str) else stored
        return [Path(str(name)) for name in names] if isinstance(names, list) else []

    def _remember(self, path: Path) -> None:
        path = path.absolute()
        kept = [path, *(one for one in self.recent() if one != path)][:MOST_RECENT]
        settings().setValue(RECENT, [str(one) for one in kept])
        self.recent_changed.emit()

    def _forget(self, path: Path) -> None:
        settings().setValue(RECENT, [str(one) for one in self.recent() if one != path.absolute()])
        self.recent_changed.emit()

    def _busy(self, words: str) -> None:
        self.busy_changed.emit(words)


def read_document(path: Path) -> tuple[Document, str]:
    """Read a document, a composition in JSON, a picture's receipt or layers, and say what of those is lost.

    For worker threads. Raises `BadDocument`, `BadPicture`, `InvalidField`, `TooLarge`, `MissingDependency`.
    """
    if path.is_file():
        with path.open("rb") as stream:
            layered = is_layered(stream.read(HEAD))
        if layered:
            picture = read_layered(path)
            return document_of(picture), lost_in_layers(picture)
    try:
        return load_document(path), ""
    except BadPicture as error:
        raise BadDocument(
            f"{path.name}: {error.message}",
            fix="Drop it on the canvas to add it as a subject.",
        ) from error


def show_folder(path: Path) -> None:
    """Show a file's folder in the system's file browser."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))
