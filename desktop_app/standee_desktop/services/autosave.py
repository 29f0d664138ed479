"""Autosave of unsaved work into the recovery folder, within two seconds of a change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from standee.document.document import Document
from standee.errors import StandeeError

from ..model import EditorDocument
from ..model.notices import Notice, Notices
from ..storage.paths import recovery_folder
from ..storage.recovery_journal import Journal, Snapshot, UnsavedWork, discard, left_behind
from .thread_pool import ThreadPool

DELAY = 600
"""Milliseconds from the first change to writing; later changes do not put it off."""


class Autosave(QObject):
    """Writes the journal of one editor. `jobs` gives the unfinished jobs to go on with."""

    found = Signal(object)
    """Work that was left behind, a `UnsavedWork`, at the start."""
    written = Signal()
    """The journal is on the disk as the document is."""

    def __init__(
        self,
        editor: EditorDocument,
        notices: Notices,
        jobs: Callable[[], tuple[dict[str, Any], ...]],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._editor, self._notices, self._jobs = editor, notices, jobs
        self._workers = ThreadPool(self, in_order=True)
        self._journal = Journal(recovery_folder())
        self._held: tuple[frozenset[str], frozenset[str]] = (frozenset(), frozenset())
        self._writing = self._again = False
        self._adopted: list[Path] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY)
        self._timer.timeout.connect(self._write)
        editor.changed.connect(lambda _: self.soon())
        editor.results_changed.connect(lambda _: self.soon())
        editor.saved.connect(lambda _: self.soon())
        editor.opened.connect(self._on_opened)

    def look_for_work(self) -> None:
        """See what an editor left behind that ended without saving."""
        folder = recovery_folder()

        def tell(lefts: list[UnsavedWork]) -> None:
            for left in lefts:
                self.found.emit(left)

        self._workers.run(lambda: left_behind(folder), tell)

    def soon(self) -> None:
        """Something has changed."""
        if not self._timer.isActive():
            self._timer.start()

    def adopt(self, left: UnsavedWork) -> None:
        """What was left behind is open here: drop it there once it is in this editor's journal."""
        self._adopted.append(left.folder)
        self.soon()

    def drop(self, left: UnsavedWork) -> None:
        """The artist does not want it."""
        self._workers.run(lambda: discard(left.folder))

    def holds(self, digests: frozenset[str], results: frozenset[str]) -> None:
        """Say which pictures and results the document's file holds: they need no copy."""
        self._held = (digests, results)

    def close(self) -> None:
        """The editor ends in peace. Jobs that go on are left to the next one, with the document."""
        self._timer.stop()
        jobs = self._jobs()
        if jobs:
            self._write_now(jobs)
            self._workers.run(self._journal.leave)
        else:
            self._workers.run(self._journal.close)
        self._workers.close()

    def _on_opened(self, document: Document) -> None:
        held = document.path is not None and not self._editor.modified
        self.holds(
            frozenset(document.blobs) if held else frozenset(),
            frozenset(document.results) if held else frozenset(),
        )
        journal = self._journal
        self._workers.run(journal.clear)
        self.soon()

    def _write(self) -> None:
        if self._writing:
            self._again = True
            return
        jobs = self._jobs()
        if self._editor.modified or jobs:
            self._write_now(jobs)
        else:
            self._run(self._journal.clear)

    def _write_now(self, jobs: tuple[dict[str, Any], ...]) -> None:
        document, journal = self._editor.document, self._journal
        snapshot = Snapshot(self._editor.composition, document.path, jobs, document.results)
        held, held_results = self._held
        self._run(lambda: journal.write(snapshot, document.read, held, held_results))

    def _run(self, work: Callable[[], None]) -> None:
        adopted, self._adopted = self._adopted, []

        def all_of_it() -> None:
            work()
            for folder in adopted:
                discard(folder)

        def done(_: None) -> None:
            self._notices.clear("autosave")
            self._finished()
            self.written.emit()

        def failed(error: StandeeError) -> None:
            self._adopted += adopted
            reason = error.message.partition(": ")[2] or error.message
            text = self.tr("Your work is not kept safe by itself at the moment: %1")
            self._notices.show(
                Notice(
                    text.replace("%1", reason),
                    error.fix,
                    "error",
                    "autosave",
                    "open-folder",
                    open_recovery_folder,
                )
            )
            self._finished()

        self._writing = True
        self._workers.run(all_of_it, done, failed)

    def _finished(self) -> None:
        self._writing = False
        if self._again:
            self._again = False
            self._write()


def open_recovery_folder() -> None:
    """Show the folder of unsaved work in the system's file browser."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(recovery_folder().parent)))


def held_by(document: Document) -> tuple[frozenset[str], frozenset[str]]:
    """Return the pictures and results that a file just saved from `document` is sure to give back.

    Opening a file leaves pictures out that nothing names. For worker threads.
    """
    results = document.results
    named = set(document.composition.digests())
    for result in results.values():
        named.update(result.digests())
    return frozenset(named & set(document.blobs)), frozenset(results)
