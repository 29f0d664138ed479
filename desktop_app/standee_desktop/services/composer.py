"""Composer: submits arrangements to the daemon, follows the jobs, and keeps the results.

The canvas is never locked: a job works on the arrangement as it was when it was handed in.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import msgspec
from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QImage

from standee.client.client import Client, new_job_id
from standee.composition import Composition, Scene, validate
from standee.document.document import Document
from standee.errors import StandeeError
from standee.wire.events import Event, Failed, Preview, Result, ends

from ..model import EditorDocument, edits
from ..model.jobs import Job, Jobs, of_json
from ..model.live_mode import LiveMode
from ..model.notices import Notices
from ..model.rects import fit_on
from ..storage.image_import import open_picture
from .daemon_link import DaemonLink
from .image_cache import to_qimage
from .thread_pool import ThreadPool

LIVE = "live-"
"""How the names of results from live mode begin: the next one takes the place of the last."""
LARGEST_SEED = 2**31 - 1
LIVE_PRIORITY = 10


class Composer(QObject):
    """Composes the document of one editor."""

    preview_changed = Signal(object)
    """The `QImage` that the current job predicts, or None."""
    result_added = Signal(str)
    """The name of a result that has come."""
    job_failed = Signal(object, object)
    """A `Job` that ended without a picture, and its `StandeeError`."""
    live_changed = Signal(bool)
    recalled = Signal()
    """The settings of a result are those of the document now, its seed too."""

    def __init__(
        self,
        editor: EditorDocument,
        link: DaemonLink,
        decoding: ThreadPool,
        files: ThreadPool,
        notices: Notices,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.jobs = Jobs()
        self.preview: QImage | None = None
        self._editor, self._link, self._notices = editor, link, notices
        self._decoding, self._files = decoding, files
        self._live = LiveMode()
        self._live_job: str | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._compose_live)
        editor.changed.connect(lambda change: self._on_changed())
        editor.opened.connect(lambda document: self._on_opened())

    # -- jobs ------------------------------------------------------------------------------------

    def compose(self, new_seed: bool = False, *, collage: bool = False) -> str:
        """Hand in the arrangement as it is, behind what waits already, and return the job's id.

        With `new_seed` by a seed of its own; the result's receipt tells it. As a `collage` that the model goes over, it
        is there to compare with.
        """
        composition = self._editor.composition
        if collage:
            composition = edits.with_method(composition, mode="edit")
        if new_seed:
            composition = edits.with_sampling(composition, seed=_any_seed())
        return self._submit(composition, live=False)

    def again(self, job_id: str, download: bool = False) -> str | None:
        """Hand in once more what a job was to compose; with `download`, what it lacks may be brought."""
        job = self.jobs.get(job_id)
        if job is None:
            return None
        return self._submit(job.composition, live=False, download=download or job.download)

    def cancel(self, job_id: str | None = None) -> None:
        """Stop a job within a step, the current one without an id; a second time kills its worker."""
        job = self.jobs.get(job_id) if job_id else self.jobs.current
        if job is not None and not job.finished:
            self._link.cancel(job.id, hard=job.cancelling)
            current = self.jobs.get(job.id)
            if current is not None and not current.finished:
                self.jobs.put(replace(current, cancelling=True))

    def cancel_all(self) -> None:
        """Stop everything, live mode too."""
        self.set_live(False)
        for job in self.jobs.unfinished:
            self.cancel(job.id)

    def resume(self, jobs: tuple[dict[str, Any], ...]) -> None:
        """Go on with jobs of an editor that ended: handing one in again is the same job."""
        for data in jobs:
            try:
                job = of_json(data)
            except (StandeeError, KeyError, TypeError):
                continue
            self.jobs.put(job)
            blobs = self._editor.document.blobs
            self._link.submit(
                job.composition, blobs, self._happened, job_id=job.id, download=job.download
            )

    def unsaved_jobs(self) -> tuple[dict[str, Any], ...]:
        """Return what a later editor needs to go on with the unfinished jobs."""
        return tuple(job.to_json() for job in self.jobs.unfinished if not job.live)

    def dice(self) -> None:
        """Roll another seed, as one step of the history."""
        composition = edits.with_sampling(self._editor.composition, seed=_any_seed())
        self._editor.apply(self.tr("Seed"), composition)

    # -- live mode -------------------------------------------------------------------------------

    @property
    def live(self) -> bool:
        """Whether the picture follows the arrangement."""
        return self._live.on

    def set_live(self, on: bool) -> None:
        """Compose whenever the arrangement changes, from now on."""
        if on == self._live.on:
            return
        self._live.switch(on, time.monotonic())
        if not on and self._live_job is not None:
            self._drop_live_job()
        self._schedule()
        self.live_changed.emit(on)

    def _on_changed(self) -> None:
        if self._live.on:
            self._live.changed(time.monotonic())
            self._schedule()

    def _schedule(self) -> None:
        due = self._live.due_in(time.monotonic())
        if due is None:
            self._timer.stop()
        else:
            self._timer.start(int(due * 1000) + 1)

    def _compose_live(self) -> None:
        composition = edits.with_sampling(self._editor.composition, count=1)
        if self._live.take(composition, time.monotonic()):
            self._drop_live_job()
            self._live.hand_in()
            self._live_job = self._submit(composition, live=True)
        self._schedule()

    def _drop_live_job(self) -> None:
        job_id, self._live_job = self._live_job, None
        job = self.jobs.get(job_id) if job_id else None
        if job is not None and not job.finished:
            self._link.forget(job.id)
            self._link.cancel(job.id)
            self.jobs.remove(job.id)

    # -- what becomes of a job -------------------------------------------------------------------

    def _submit(self, composition: Composition, live: bool, download: bool = False) -> str:
        job = Job(new_job_id(), composition, live, download)
        self.jobs.put(job)
        self._notices.clear("job")
        self._link.submit(
            composition,
            self._editor.document.blobs,
            self._happened,
            job_id=job.id,
            priority=LIVE_PRIORITY if live else 0,
            download=download,
        )
        return job.id

    def _happened(self, event: Event) -> None:
        if event.job == self._live_job and (isinstance(event, Preview) or ends(event)):
            self._live.shown()  # now the next may take its place
            self._schedule()
        job = self.jobs.get(event.job)
        if job is None:
            return
        job = job.after(event)
        if isinstance(event, Result):
            self._keep(job, event)
            if not job.finished or not event.data:
                self.jobs.put(job)
            return  # the last result ends the job when it is kept
        self.jobs.put(job)
        if isinstance(event, Preview):
            self._show_preview(event)
        elif isinstance(event, Failed):
            error = event.error.exception()
            if job.live:
                self.set_live(False)
            self.job_failed.emit(job, error)
        if job.finished:
            self._set_preview(None)
            self._link.release(job.id)

    def _show_preview(self, event: Preview) -> None:
        def done(image: QImage) -> None:
            job = self.jobs.get(event.job)
            if job is not None and not job.finished:
                self._set_preview(image)

        self._decoding.run(lambda: to_qimage(open_picture(event.data)), done)

    def _set_preview(self, image: QImage | None) -> None:
        if image is not self.preview:
            self.preview = image
            self.preview_changed.emit(image)

    def _keep(self, job: Job, event: Result) -> None:
        """Put a result into the document, beside the GUI thread."""
        document = self._editor.document
        name = f"{LIVE if job.live else ''}{event.job[:12]}-{event.index + 1}"

        def work() -> str:
            if job.live:
                for old in [one for one in document.results if one.startswith(LIVE)]:
                    document.remove_result(old)
            if name not in document.results:
                document.add_result(event.data, event.receipt, name)
            return name

        def done(name: str) -> None:
            self._finish(job, name)
            if document is self._editor.document:
                self._editor.note_results()
                self.result_added.emit(name)

        def failed(error: StandeeError) -> None:
            self._finish(job, None)
            self._notices.fail(error, topic="results")

        self._files.run(work, done, failed)

    def _finish(self, job: Job, name: str | None) -> None:
        """Take note that a result is kept; with the last one the job is over."""
        known = self.jobs.get(job.id)
        if known is not None:
            names = (*known.results, name) if name else known.results
            self.jobs.put(
                replace(job, results=names) if job.finished else replace(known, results=names)
            )
        if job.finished:
            self._set_preview(None)
            self._link.release(job.id)

    def _on_opened(self) -> None:
        """Another document is open: jobs of the last one have nowhere to bring their results."""
        self.set_live(False)
        dropped = self.jobs.unfinished
        for job in self.jobs:
            if not job.finished:
                self._link.forget(job.id)
                self._link.cancel(job.id)
            self.jobs.remove(job.id)
        self._set_preview(None)
        if dropped:
            text = self.tr("Jobs of the last document were cancelled: %1.")
            self._notices.tell(text.replace("%1", str(len(dropped))), topic="dropped")

    def fetch(
        self, document: Document, digests: frozenset[str], done: Callable[[int], object]
    ) -> None:
        """Ask the daemon for pictures that the document lacks; `done` gets how many it had."""
        waiting, found = set(digests), 0

        def settled(digest: str, came: bool) -> None:
            nonlocal found
            waiting.discard(digest)
            found += came
            if not waiting:
                done(found)

        def arrived(digest: str, answer: object) -> None:
            if isinstance(answer, bytes):
                self._files.run(
                    lambda: document.add_picture(answer),
                    lambda _: settled(digest, True),
                    lambda _: settled(digest, False),
                )
            else:
                settled(digest, False)

        for digest in sorted(digests):
            self._link.ask(partial(Client.begin_get_blob, digest=digest), partial(arrived, digest))

    # -- results ---------------------------------------------------------------------------------

    def recall(self, name: str) -> None:
        """Bring back everything that a result was made with, as one step of the history."""
        result = self._editor.document.results.get(name)
        composition = composition_of(result.receipt) if result is not None else None
        if composition is None:
            self._notices.tell(self.tr("This result does not say how it was made."), topic="recall")
            return
        self._editor.apply(self.tr("Use the settings of a result"), composition)
        self.recalled.emit()

    def apply(self, name: str) -> None:
        """Make a result the scene, and hide the subjects that it shows; one step of the history."""
        document = self._editor.document
        result = document.results.get(name)
        if result is None:
            return

        def work() -> tuple[str, tuple[int, int]]:
            return document.add_picture(result.data), open_picture(result.data).size

        def done(added: tuple[str, tuple[int, int]]) -> None:
            if document is not self._editor.document:
                return
            digest, size = added
            composition = self._editor.composition
            then = composition_of(result.receipt) or composition
            ids = {layer.id for layer in then.layers if layer.visible}
            composition = edits.with_fields(composition, ids, visible=False)
            fits = fit_on(composition.canvas, *size)
            scene = Scene(digest, fit="contain" if fits == "contain" else "cover")
            composition = edits.with_scene(composition, scene)
            self._editor.apply(self.tr("Apply a result"), composition, select=())

        self._files.run(work, done, self._fail)

    def discard(self, *names: str) -> None:
        """Drop results, as one step of the history: undo brings them back to their places."""
        document = self._editor.document

        def change(work: Callable[[], object]) -> None:
            self._files.run(work, lambda _: self._note(document), self._fail)

        def drop() -> None:
            for name in names:
                document.remove_result(name)

        def taken() -> list[tuple[bytes, dict[str, Any], str, int]]:
            there = enumerate(document.results.items())
            return [(one.data, one.receipt, key, n) for n, (key, one) in there if key in names]

        def done(kept: list[tuple[bytes, dict[str, Any], str, int]]) -> None:
            def bring_back() -> None:
                for data, receipt, name, at in kept:
                    document.add_result(data, receipt, name, at)

            if document is self._editor.document:
                text = self.tr("Discard %n result(s)", "", len(kept))
                self._editor.record(text, partial(change, drop), partial(change, bring_back))

        # One that cannot be read any more could not be brought back: it just goes.
        self._files.run(taken, done, lambda _: change(drop))

    def _note(self, document: Document) -> None:
        if document is self._editor.document:
            self._editor.note_results()

    def _fail(self, error: StandeeError) -> None:
        self._notices.fail(error, topic="results")


def _any_seed() -> int:
    return random.SystemRandom().randrange(LARGEST_SEED)


def composition_of(receipt: dict[str, Any]) -> Composition | None:
    """Return the composition that a receipt tells of, or None."""
    try:
        composition: Composition = validate(receipt["composition"])
    except (StandeeError, KeyError, TypeError, msgspec.MsgspecError):
        return None
    return composition
