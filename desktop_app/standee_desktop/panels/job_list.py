"""Job list: running and queued jobs with progress, time left and a stop button.

One that brought its pictures or was cancelled leaves the list by itself; one that failed stays until
it is read.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QSize, Qt, QTimer
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QVBoxLayout,
    QWidget,
)

from standee.formatting import how_far

from ..model.jobs import Job
from ..services.composer import Composer
from ..widgets.fields import ElidedLabel, tool_button
from ..widgets.note_words import note_words

LINGER = 4000
"""How long a job that is done stays in the list, ms."""


class JobList(QWidget):
    """The jobs of this editor, the newest at the bottom."""

    def __init__(self, composer: Composer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._composer = composer
        self._rows: dict[str, tuple[QListWidgetItem, JobRow]] = {}
        self.list = QListWidget()
        self.list.setObjectName("queue")
        self.list.setAccessibleName(self.tr("Jobs"))
        self.list.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list)
        self.setMinimumHeight(48)
        composer.jobs.changed.connect(self._show)
        composer.jobs.removed.connect(self._remove)

    def row(self, job_id: str) -> JobRow | None:
        """Return the row of a job."""
        found = self._rows.get(job_id)
        return found[1] if found else None

    def _show(self, job: Job) -> None:
        if job.id not in self._rows:
            item, row = QListWidgetItem(self.list), JobRow(self._composer, job)
            item.setSizeHint(QSize(0, row.sizeHint().height()))
            self.list.setItemWidget(item, row)
            self._rows[job.id] = (item, row)
            self.list.scrollToBottom()
        self._rows[job.id][1].show_job(job)
        if job.state in ("done", "cancelled"):
            QTimer.singleShot(LINGER, self, lambda: self._remove(job))

    def _remove(self, job: Job) -> None:
        if job.id in self._rows:
            item, _ = self._rows.pop(job.id)
            self.list.takeItem(self.list.row(item))


class JobRow(QWidget):
    """One job: what it is, how far it is, and a button that stops it or takes it off the list."""

    def __init__(self, composer: Composer, job: Job) -> None:
        super().__init__()
        self._composer, self._id = composer, job.id
        self.title, self.state = ElidedLabel(), QLabel()
        self.state.setProperty("role", "muted")
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.stop = tool_button("cancel", self.tr("Cancel"))
        self.stop.clicked.connect(self._stop)
        words = QHBoxLayout()
        words.addWidget(self.title, 1)
        words.addWidget(self.state)
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addLayout(words)
        column.addWidget(self.bar)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(2, 4, 2, 4)
        layout.addLayout(column, 1)
        layout.addWidget(self.stop)
        self._finished = False

    def show_job(self, job: Job) -> None:
        """Show how the job stands."""
        prompt = " ".join(job.composition.prompt.split()) or self.tr("Without words")
        title = self.tr("Live: %1").replace("%1", prompt) if job.live else prompt
        self.title.setText(title)
        self.title.setToolTip(prompt)
        self.state.setText(status_text(job))
        self.setToolTip("\n".join(note_words(note) for note in job.notes))
        self._finished = job.finished
        busy = job.state == "running" and not job.part
        self.bar.setRange(0, 0 if busy else 1000)
        self.bar.setValue(1000 if job.state == "done" else round(job.part * 1000))
        self.bar.setVisible(not job.finished)
        tip = self.tr("Remove from the list") if job.finished else self.tr("Cancel")
        if job.cancelling and not job.finished:
            tip = self.tr("Stop at once")
        self.stop.setToolTip(tip)
        self.stop.setAccessibleName(tip)

    def _stop(self) -> None:
        if self._finished:
            self._composer.jobs.remove(self._id)
        else:
            self._composer.cancel(self._id)


def status_text(job: Job) -> str:
    """Return the state of a job in words: a step and the time left, or why it ended."""

    translate = QCoreApplication.translate

    if job.cancelling and not job.finished:
        if job.stage == "loading":  # it stays loaded for the next picture
            return translate("JobRow", "Stopping once the model is loaded…")
        return translate("JobRow", "Stopping…")
    if job.state == "sending":
        return translate("JobRow", "Sending…")
    if job.state == "queued":
        if job.position:
            return translate("JobRow", "%1 before it").replace("%1", str(job.position))
        return translate("JobRow", "Waiting")
    if job.state == "running":
        stages = {
            "": translate("JobRow", "Starting…"),
            "fitting": translate("JobRow", "Seeing what fits into the memory…"),
            "loading": translate("JobRow", "Loading the model…"),
            "checking": translate("JobRow", "Checking the download…"),
            "words": translate("JobRow", "Reading the words…"),
            "finishing": translate("JobRow", "Finishing the picture…"),
        }
        if job.stage in stages or not job.of:
            return stages.get(job.stage, stages[""])
        counted = {
            "reading": translate("JobRow", "Reading subject %1 of %2"),
            "denoising": translate("JobRow", "Step %1 of %2"),
        }
        if job.stage == "downloading":
            count = how_far(job.stage, job.step, job.of)
            step = translate("JobRow", "Downloading %1").replace("%1", count)
        else:
            step = counted.get(job.stage, counted["denoising"])
            step = step.replace("%1", str(job.step)).replace("%2", str(job.of))
        return f"{step} · {duration(job.eta)}" if job.eta else step
    if job.state == "failed":
        return translate("JobRow", "Failed")
    return (
        translate("JobRow", "Cancelled")
        if job.state == "cancelled"
        else translate("JobRow", "Done")
    )


def duration(seconds: float) -> str:
    """Return a time as an artist reads it: `8 s`, `2 min 5 s`."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
