"""Row of a known model: what it is good for, what it takes here, and the button that brings it."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from standee.errors import StandeeError
from standee.formatting import size, time_left
from standee.wire.known_models import KnownModel
from standee.wire.messages import Download
from standee.wire.notes import preset_text

from ...widgets.error_words import describe_error
from ...widgets.model_words import model_words

STEPS = 1000
"""Steps of the progress bar: its whole numbers would not hold the bytes."""


class ModelRow(QFrame):
    """One model. It asks for nothing itself: its signals say what the person wants."""

    offer_wanted, download_wanted, stop_wanted, use_wanted = Signal(), Signal(), Signal(), Signal()

    def __init__(self, model: KnownModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("model-row")
        self.model, self._asking = model, False
        self._offer: Download | None = None
        self._error: StandeeError | None = None
        self.name = QLabel(model.name)
        self.name.setProperty("role", "heading")
        self.about, self.takes, self.said = QLabel(), QLabel(), QLabel()
        for label in (self.about, self.takes, self.said):
            label.setProperty("role", "muted")
            label.setWordWrap(True)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.said.setOpenExternalLinks(True)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.state = QLabel()
        self.state.setProperty("role", "muted")
        self.go = QPushButton()
        self.no = QPushButton(self.tr("Not now"))
        self.no.setProperty("role", "quiet")
        self.go.clicked.connect(self._pressed)
        self.no.clicked.connect(lambda: self.show_offer(None))
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.state)
        buttons.addWidget(self.no)
        buttons.addWidget(self.go)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(self.name)
        head.addWidget(self.about, 1)
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addLayout(head)
        words.addWidget(self.takes)
        words.addWidget(self.said)
        words.addWidget(self.bar)
        grid = QGridLayout(self)
        grid.setContentsMargins(14, 10, 12, 10)
        grid.setHorizontalSpacing(18)
        grid.addLayout(words, 0, 0)
        grid.addLayout(buttons, 0, 1, Qt.AlignmentFlag.AlignVCenter)
        grid.setColumnStretch(0, 1)
        self._show()

    def show_model(self, model: KnownModel) -> None:
        """Show how the model is now."""
        if model.state != "absent":
            self._offer = self._error = None
        self.model = model
        self._show()

    def show_offer(self, offer: Download | StandeeError | None) -> None:
        """Show what a download is and ask for a yes, or why there is none; without either, as before."""
        self._asking = False
        self._error = offer if isinstance(offer, StandeeError) else None
        self._offer = offer if isinstance(offer, Download) else None
        self._show()

    def _pressed(self) -> None:
        state = self.model.state
        if state in ("here", "bundled"):
            self.use_wanted.emit()
        elif state == "downloading":
            self.stop_wanted.emit()
        elif self._offer is not None:
            self._offer = None
            self.go.setEnabled(False)
            self.download_wanted.emit()
        else:
            self._asking, self._error = True, None
            self._show()
            self.offer_wanted.emit()

    def _show(self) -> None:
        model, offer = self.model, self._offer
        self.about.setText(model_words(model.description, model.name))
        self.takes.setText(" · ".join(filter(None, (model.licence, *self._memory()))))
        self.takes.setToolTip(model.reason or self._loaded())
        downloading = model.state == "downloading"
        self.said.setText(self._said())
        self.said.setVisible(bool(self.said.text()))
        self.bar.setVisible(downloading)
        self.bar.setRange(0, STEPS if model.size else 0)
        self.bar.setValue(round(STEPS * model.done / model.size) if model.size else 0)
        words = {
            "bundled": self.tr("Comes along"),
            "here": self.tr("On this machine"),
            "downloading": f"{size(model.done)} / {size(model.size)}" if model.size else "",
        }.get(model.state, "")
        if model.state == "absent" and model.fits is False:
            words = self.tr("Too large for this machine")
        self.state.setText(words)
        self.state.setVisible(bool(words))
        go = {"downloading": self.tr("Stop")}.get(model.state, self.tr("Use it"))
        if model.state == "absent":
            go = self.tr("Download") if offer else self.tr("Download…")
            go = self.tr("Asking the hub…") if self._asking else go
        self.go.setText(go)
        self.go.setAccessibleName(f"{go} {model.name}")
        self.go.setVisible(model.state != "absent" or model.fits is not False)
        self.go.setEnabled(not self._asking)
        self.no.setVisible(offer is not None and model.state == "absent")
        role = "primary" if offer is not None else ""
        if self.go.property("role") != role:
            self.go.setProperty("role", role)
            self.go.style().unpolish(self.go)
            self.go.style().polish(self.go)

    def _memory(self) -> list[str]:
        """What it takes of this machine, and of one's time."""
        model, parts = self.model, []
        if model.weights:
            parts.append(self.tr("%1 of weights").replace("%1", size(model.weights)))
        if model.need and model.room:
            takes = self.tr("takes about %1 of %2")
            takes = takes.replace("%1", size(model.need)).replace("%2", size(model.room))
            parts.append(takes)
        if model.seconds:
            takes = self.tr("about %1 a picture, measured here")
            parts.append(takes.replace("%1", time_left(max(1.0, model.seconds))))
        if model.preset.get("offload") == "group":
            parts.append(self.tr("slow: its weights come block by block"))
        return parts

    def _loaded(self) -> str:
        """Say how it would be loaded here."""
        if not self.model.preset:
            return ""
        return preset_text(
            self.model.preset, lambda text: QCoreApplication.translate("Notes", text)
        )

    def _said(self) -> str:
        """What there is to say besides: the offer, or what went wrong."""
        offer, error = self._offer, self._error
        if offer is not None:
            words = self.tr("%1 to download, under the licence %2.")
            licence = escape(offer.licence or self.model.licence or self.tr("not named"))
            if offer.licence_url.startswith("https://"):
                licence = f'<a href="{escape(offer.licence_url)}">{licence}</a>'
            words = escape(words).replace("%1", size(offer.size)).replace("%2", licence)
            if offer.gated:
                more = self.tr("It has to be accepted on its page first.")
                page = f"https://huggingface.co/{escape(offer.repository)}"
                words += f' <a href="{page}">{escape(more)}</a>'
            return words
        problem = error or (
            self.model.error.exception()
            if self.model.error and self.model.state == "absent"
            else None
        )
        if problem is None:
            return ""
        return escape(" ".join(describe_error(problem.code, problem.message, problem.fix)))
