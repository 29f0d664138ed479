"""Cut-out jobs: asks the daemon for a subject's mask, and cancels what is no longer wanted.

A cut-out ends when its layer goes, when another document is opened, when it is cancelled, and when
the daemon works on it for too long without a word.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from PySide6.QtCore import QObject, QTimer

from standee.composition import Layer
from standee.errors import StandeeError
from standee.wire.events import Event, Failed, Result, ends
from standee.wire.messages import Cutout

from ..model import EditorDocument, edits
from ..model.notices import Notice, Notices
from .daemon_link import DaemonLink
from .error_fixes import offer_download
from .image_cache import CachedImage, ImageCache, make_look
from .thread_pool import ThreadPool

PRIORITY = 20
LONGEST = 120.0
"""Seconds that the daemon may work on a cut-out without a word."""
GENTLE = 3000
"""Milliseconds from asking a cut-out to stop until its worker is ended."""


@dataclass(frozen=True)
class _Cutting:
    layer_id: str
    name: str


class Cutouts(QObject):
    """The cut-outs under way in one editor."""

    def __init__(
        self,
        editor: EditorDocument,
        pictures: ImageCache,
        link: DaemonLink,
        workers: ThreadPool,
        notices: Notices,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._editor, self._pictures, self._link = editor, pictures, link
        self._workers, self._notices = workers, notices
        self._jobs: dict[str, _Cutting] = {}
        editor.changed.connect(lambda _: self._stop_for_gone())
        editor.opened.connect(lambda _: self.cancel())

    @property
    def running(self) -> tuple[str, ...]:
        """The ids of the layers that are being cut out."""
        return tuple(one.layer_id for one in self._jobs.values())

    def cut_out(self, layer_id: str, by_words: bool = False, download: bool = False) -> None:
        """Have the daemon cut a subject out of its picture, where its words say if that is wished.

        `download` says yes to the model that finds words, where it is not on the machine yet.
        """
        layer = self._editor.layer(layer_id)
        if layer is None or layer.picture is None:
            return
        topic = f"cutout-{layer_id}"
        self._notices.clear(topic)
        words = layer.prompt.strip() if by_words else ""
        if by_words and not words:
            hint = self.tr("Words in the layer's settings tell which part of its picture it is.")
            self._notices.tell(self.tr("Say in words what the subject is."), hint, topic)
            return
        self._ask(
            layer,
            Cutout(picture=layer.picture, words=words),
            lambda mask: self.keep(layer, mask),
            lambda yes: self.cut_out(layer_id, by_words, yes),
            download,
        )

    def preview(
        self, layer: Layer, spec: Cutout, take: Callable[[bytes], None], download: bool = False
    ) -> None:
        """Have the daemon cut a layer out by `spec`, and `take` the encoded mask; the layer stays as it is."""
        self._ask(layer, spec, take, lambda yes: self.preview(layer, spec, take, yes), download)

    def _ask(
        self,
        layer: Layer,
        spec: Cutout,
        take: Callable[[bytes], None],
        again: Callable[[bool], None],
        download: bool,
    ) -> None:
        """Hand in a cut-out. `again` tries once more, with a yes to a download or without."""
        topic = f"cutout-{layer.id}"
        self._notices.clear(topic)
        self.cancel(layer.id)  # a second wish takes the place of the first

        def happened(event: Event) -> None:
            if ends(event):
                self._link.release(event.job)
            if event.job not in self._jobs:
                return
            if isinstance(event, Result):
                take(event.data)
            elif isinstance(event, Failed) and event.error.code == "download-needed":
                offer_download(self._link, self._notices, spec, topic, partial(again, True))
            elif isinstance(event, Failed):
                self._tell_failed(layer, event.error.exception(), partial(again, False))
            if ends(event):
                self._over(event.job)

        job = self._link.submit(
            spec,
            self._editor.document.blobs,
            happened,
            priority=PRIORITY,
            download=download,
            patience=LONGEST,
        )
        self._jobs[job] = _Cutting(layer.id, layer.name or self.tr("the subject"))
        self._tell()

    def cancel(self, layer_id: str | None = None) -> None:
        """Stop the cut-out of a layer, or all of them."""
        for job, one in list(self._jobs.items()):
            if layer_id in (None, one.layer_id):
                self._over(job)
                self._link.cancel(job)
                # A worker deep in one picture may not hear: then it is ended.
                QTimer.singleShot(GENTLE, self, partial(self._link.end, job))

    def _stop_for_gone(self) -> None:
        for layer_id in self.running:
            if self._editor.layer(layer_id) is None:
                self.cancel(layer_id)

    def _over(self, job: str) -> None:
        if self._jobs.pop(job, None) is not None:
            self._tell()

    def _tell(self) -> None:
        """Say in one line what is being cut out, with a way to stop it."""
        names = [one.name for one in self._jobs.values()]
        if not names:
            self._notices.clear("cutting")
            return
        text = self.tr("Cutting out %1…").replace("%1", names[0])
        if len(names) > 1:
            text = self.tr("Cutting out %1 subjects…").replace("%1", str(len(names)))
        waits = self.tr("It waits for the daemon.") if not self._link.connected else ""
        self._notices.show(Notice(text, waits, "info", "cutting", "cancel", self.cancel))

    def _tell_failed(self, layer: Layer, error: StandeeError, again: Callable[[], None]) -> None:
        """Say what went wrong, and what helps here: the editor has clicks, a brush, and words."""
        hint = self.tr(
            "Click on it, paint it with the cut-out brush, or say in the layer's words what it is "
            "and cut it out by its words."
        )
        topic = f"cutout-{layer.id}"
        self._notices.show(
            Notice(
                error.message,
                error.fix if error.retryable or error.code == "missing-dependency" else hint,
                "error",
                topic,
                "retry",
                again,
                code=error.code,
            )
        )

    def keep(self, layer: Layer, mask: bytes) -> None:
        """Give a layer an encoded mask as its cut-out, unless it has another picture or mask by now."""
        document, picture = self._editor.document, layer.picture
        if picture is None:
            return

        def work() -> tuple[str, CachedImage]:
            return document.add_picture(mask), make_look(document.read(picture), mask)

        def done(made: tuple[str, CachedImage]) -> None:
            now = self._editor.layer(layer.id)
            if document is not self._editor.document or now is None:
                return
            digest, look = made
            self._pictures.put(picture, look, digest)
            if now.picture == picture and now.mask == layer.mask:
                composition = edits.with_fields(self._editor.composition, {layer.id}, mask=digest)
                self._editor.apply(self.tr("Cut out"), composition)

        topic = f"cutout-{layer.id}"
        self._workers.run(work, done, lambda error: self._notices.fail(error, topic, ""))
