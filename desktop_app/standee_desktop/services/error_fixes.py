"""Fix actions of error notices: install the engine, restart the daemon, use the bundled model."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QCoreApplication, QObject, QProcess, QUrl
from PySide6.QtGui import QDesktopServices

from standee.client.packages import missing_packages
from standee.composition import Composition
from standee.connection import connection_file
from standee.errors import MissingDependency, StandeeError
from standee.formatting import size
from standee.wire.messages import Cutout, Download

from ..model import EditorDocument, edits
from ..model.jobs import Job
from ..model.notices import FIXES, Notice, Notices
from .composer import Composer
from .crash_log import log, open_log
from .daemon_link import ConnectionState, DaemonLink

INSTALL = ("-m", "standee_cli.main", "doctor", "--fix", "backend")
"""What brings the engine: by uv or pip, and with the PyTorch that suits the graphics card."""
PAGE = re.compile(r"https://[\w./-]+\w")


class ErrorFixes(QObject):
    """Shows the errors of the link and of jobs, each with the button that mends it."""

    def __init__(
        self,
        editor: EditorDocument,
        link: DaemonLink,
        composer: Composer,
        notices: Notices,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._editor, self._link, self._composer = editor, link, composer
        self._notices = notices
        self._installer: QProcess | None = None
        self._said = ""
        link.contact_changed.connect(self._on_contact)
        composer.job_failed.connect(self._on_failed_job)

    # -- the daemon ------------------------------------------------------------------------------

    def _on_contact(self, contact: ConnectionState) -> None:
        if contact.error is None:
            if contact.state == "connected":
                self._notices.clear("daemon")
            return
        acts: dict[str, Callable[[], object]] = {
            "install": self.install,
            "retry-connection": self._link.retry,
            "restart": self._link.restart,
            "renew-keys": self.renew_keys,
        }
        error = contact.error
        unreached = error.code in ("not-connected", "missing-dependency")
        if unreached and missing_packages("backend"):
            error = MissingDependency(
                self.tr("The engine that makes the pictures is not installed here."),
                fix=self.tr("Or run the daemon where it is: standee serve."),
            )
        fix = FIXES.get(error.code, "retry-connection")
        fix = fix if fix in acts else "retry-connection"
        self._notices.fail(error, "daemon", fix, acts[fix])

    def renew_keys(self) -> None:
        """Have the daemon write a new connection file."""
        with suppress(OSError):
            connection_file().unlink(missing_ok=True)
        self._link.restart()

    def install(self) -> None:
        """Install the engine beside the editor, and start it."""
        if self._installer is not None:
            return
        text = self.tr("Installing the engine. This takes some minutes; go on arranging.")
        self._notices.show(Notice(text, "", "info", "daemon"))
        process = QProcess(self)
        process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        process.readyRead.connect(self._heard)
        process.finished.connect(self._installed)
        self._installer = process
        process.start(sys.executable, INSTALL)

    def _heard(self) -> None:
        if self._installer is None:
            return
        said = bytes(self._installer.readAll().data()).decode(errors="replace")
        log.warning("install: %s", said)
        self._said = next(
            (line for line in reversed(said.splitlines()) if line.strip()), self._said
        )

    def _installed(self, code: int) -> None:
        self._heard()
        self._installer = None
        if code == 0:
            self._notices.clear("daemon")
            self._link.retry()
            return
        text = self.tr("The engine could not be installed.")
        hint = self._said.removeprefix("Error: ") or self.tr("The log tells why.")
        self._notices.show(Notice(text, hint, "error", "daemon", "open-log", open_log))

    # -- jobs ------------------------------------------------------------------------------------

    def _on_failed_job(self, job: Job, error: StandeeError) -> None:
        def again() -> None:
            self._composer.again(job.id)

        fix = FIXES.get(error.code, "")
        if fix == "bundled-model" and error.path in ("", "$.sampling.model"):
            self._tell_of_model(error, job)
        elif error.code == "download-needed":
            offer_download(
                self._link,
                self._notices,
                job.composition,
                "job",
                lambda: self._composer.again(job.id, download=True),
            )
        elif error.retryable or fix == "retry":
            self._notices.fail(error, "job", "retry", again)
        elif fix == "install":
            self._notices.fail(error, "job", fix, self.install)
        else:
            self._notices.fail(error, "job", "")

    def _tell_of_model(self, error: StandeeError, job: Job) -> None:
        """Offer the bundled model, and for a licence the page on which it is accepted."""
        bundled: Callable[[], object] = partial(self._use_bundled_model, job)
        notice = Notice(error.message, error.fix, "error", "job", "bundled-model", bundled)
        if (page := PAGE.search(error.fix)) is not None:
            opens: Callable[[], object] = partial(QDesktopServices.openUrl, QUrl(page.group()))
            notice = replace(
                notice, fix="open-page", act=opens, other="bundled-model", other_act=bundled
            )
        self._notices.show(notice)

    def _use_bundled_model(self, job: Job) -> None:
        composition = edits.with_sampling(self._editor.composition, model="mini")
        self._editor.apply(self.tr("Model"), composition)
        known = self._composer.jobs.get(job.id) or job
        composition = edits.with_sampling(known.composition, model="mini")
        self._composer.jobs.put(replace(known, composition=composition))
        self._composer.again(known.id)


def offer_download(
    link: DaemonLink,
    notices: Notices,
    spec: Composition | Cutout,
    topic: str,
    download: Callable[[], object],
) -> None:
    """Ask what a job would have to download, tell how large it is and under which licence; a button says yes."""
    translate = QCoreApplication.translate

    def answered(value: tuple[Download, ...] | StandeeError) -> None:
        if isinstance(value, StandeeError):
            notices.fail(value, topic, "")
            return
        if not value:  # it has come in the meantime
            download()
            return
        unnamed = translate("Downloads", "not named")
        text = translate("Downloads", "Not on this machine: %1.").replace(
            "%1", ", ".join(f"{one.repository} ({size(one.size)})" for one in value)
        )
        licences = dict.fromkeys(one.licence or unnamed for one in value)
        hint = translate("Downloads", "Its licence: %1.").replace("%1", ", ".join(licences))
        if any(one.gated for one in value):
            more = translate("Downloads", "It has to be accepted on its page first.")
            hint = f"{hint} {more}"
        notice = Notice(text, hint, "info", topic, "download", download)
        if (page := PAGE.match(value[0].licence_url)) is not None:
            opens: Callable[[], object] = partial(QDesktopServices.openUrl, QUrl(page.group()))
            notice = replace(notice, other="open-page", other_act=opens)
        notices.show(notice)

    link.ask(lambda client: client.begin_downloads(spec), answered)
