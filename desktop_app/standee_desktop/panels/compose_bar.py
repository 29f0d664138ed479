"""Compose button and progress in the tool bar, visible whichever panel is in front."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QSizePolicy, QWidget

from ..services.composer import Composer
from ..widgets.actions import Actions
from ..widgets.fields import ElidedLabel, tool_button
from ..widgets.icons import icon
from .job_list import status_text

ROOM = 240
"""How wide the words of a stage may be, px."""


class ComposeBar(QWidget):
    """Shows the job that is worked on, and composes."""

    def __init__(self, composer: Composer, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._composer = composer
        self.setObjectName("compose-bar")
        self.state = ElidedLabel()
        self.state.setProperty("role", "muted")
        self.state.setMinimumWidth(60)
        self.state.setMaximumWidth(ROOM)
        self.state.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedWidth(90)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.stop = tool_button("cancel", self.tr("Cancel"))
        self.stop.clicked.connect(actions["cancel"].trigger)
        self.button = QPushButton(icon("compose", "on_accent"), self.tr("Compose"))
        self.button.setProperty("role", "primary")
        self.button.setIconSize(QSize(16, 16))
        self.button.setToolTip(actions["compose"].toolTip())
        self.button.clicked.connect(actions["compose"].trigger)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 4, 0)
        row.setSpacing(8)
        for widget in (self.state, self.bar, self.stop, self.button):
            row.addWidget(widget)
        composer.jobs.changed.connect(lambda _: self._show())
        composer.jobs.removed.connect(lambda _: self._show())
        self._show()

    def _show(self) -> None:
        job = self._composer.jobs.current
        for widget in (self.state, self.bar, self.stop):
            widget.setVisible(job is not None)
        if job is None:
            return
        text = status_text(job)
        waiting = len(self._composer.jobs.unfinished) - 1
        if waiting:
            text += " · " + self.tr("%n more", "", waiting)
        self.state.setText(text)
        self.state.setToolTip(text)
        self.bar.setRange(0, 1000 if job.part else 0)
        self.bar.setValue(round(job.part * 1000))
