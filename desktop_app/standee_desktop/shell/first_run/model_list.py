"""List of the known models: what this machine can carry, the smallest first."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from standee.errors import StandeeError
from standee.wire.known_models import KnownModel
from standee.wire.messages import Download, KnownModels

from .known_models import ModelDownloads
from .model_row import ModelRow

FIRST = 4
"""How many models are shown before somebody asks for all."""


class ModelList(QWidget):
    """Shows the models once the daemon has told of them; until then, and with an older one, it is hidden."""

    use_wanted = Signal(str)
    """The name of a model that the person wants to compose with."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._downloads: ModelDownloads | None = None
        self._rows: dict[str, ModelRow] = {}
        self._known = KnownModels()
        title = QLabel(self.tr("Models"))
        title.setProperty("role", "heading")
        self.words = QLabel()
        self.words.setProperty("role", "muted")
        self.words.setWordWrap(True)
        self._column = QVBoxLayout()
        self._column.setSpacing(8)
        self.all = QPushButton(self.tr("Show fewer"))
        self.all.setProperty("role", "quiet")
        self.all.setCheckable(True)
        self.all.toggled.connect(lambda _: self._arrange())
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 18, 0, 0)
        whole.setSpacing(8)
        whole.addWidget(title)
        whole.addWidget(self.words)
        whole.addLayout(self._column)
        whole.addWidget(self.all)
        self.hide()

    def follow(self, downloads: ModelDownloads) -> None:
        """Show what `downloads` tells, and ask it for what the person wants."""
        self._downloads = downloads
        downloads.changed.connect(self._take)
        downloads.offered.connect(self._take_offer)
        downloads.refused.connect(self._take_offer)

    def want(self, wanted: bool) -> None:
        """The page is shown from now on, or no more."""
        if self._downloads is not None:
            self._downloads.want(wanted)

    def row(self, name: str) -> ModelRow:
        """Return the row of a model."""
        return self._rows[name]

    def _take(self, known: KnownModels) -> None:
        self._known = known
        for model in known.models:
            if model.name in self._rows:
                self._rows[model.name].show_model(model)
            else:
                self._rows[model.name] = self._made(model)
        self._arrange()
        self.show()

    def _take_offer(self, name: str, offer: Download | StandeeError | None) -> None:
        if name in self._rows:
            self._rows[name].show_offer(offer)

    def _made(self, model: KnownModel) -> ModelRow:
        row, downloads = ModelRow(model, self), self._downloads
        assert downloads is not None
        row.offer_wanted.connect(partial(downloads.offer, model.name))
        row.download_wanted.connect(partial(downloads.begin, model.name))
        row.stop_wanted.connect(partial(downloads.stop, model.name))
        row.use_wanted.connect(partial(self.use_wanted.emit, model.name))
        return row

    def _arrange(self) -> None:
        models, everything = sorted(self._known.models, key=_order), self.all.isChecked()
        shown = [one for n, one in enumerate(models) if n < FIRST or one.state == "downloading"]
        for at, model in enumerate(models):
            row = self._rows[model.name]
            if self._column.indexOf(row) != at:
                self._column.insertWidget(at, row)
            row.setVisible(everything or model in shown)
        words = self.tr(
            "The one that comes along composes at once. Larger ones draw better; each is downloaded once."
        )
        if self._known.device == "cpu":
            more = self.tr("Without a GPU they take minutes for each step.")
            words = f"{words} {more}"
        self.words.setText(words)
        self.all.setVisible(len(models) > FIRST)
        self.all.setText(
            self.tr("Show fewer")
            if everything
            else self.tr("Show all %n model(s)", "", len(models))
        )


def _order(model: KnownModel) -> tuple[bool, bool, int]:
    """What is here comes first, then what this machine can carry, the smallest before the larger ones."""
    here = model.state in ("bundled", "here")
    return not here, model.fits is False, model.weights or (0 if here else 2**62)
