"""Model combo box: the daemon's models, a folder, or a name on the hub."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QInputDialog, QLineEdit, QWidget

from standee.wire.messages import ModelInfo

from .inputs import ComboBox

FOLDER, HUB = object(), object()
"""What the last two rows of the list stand for: asking for a folder, or for a name."""


class ModelCombo(ComboBox):
    """Shows the document's model. Whatever is chosen, `chosen` has the name that a composition takes."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown = ""
        self.setMinimumContentsLength(8)
        self.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.activated.connect(lambda _: self._take(self.currentData()))

    def show_models(self, models: Iterable[ModelInfo], shown: str) -> None:
        """List the models, and `shown` even where the daemon does not have it."""
        self._shown = shown
        with QSignalBlocker(self):
            self.clear()
            for model in models:
                self._add(model.name, model.description)
            if self.findData(shown) < 0:
                self._add(shown, self.tr("Not on this machine yet"))
            self.insertSeparator(self.count())
            self.addItem(self.tr("A folder…"), FOLDER)
            self.addItem(self.tr("A name on the hub…"), HUB)
            self.setCurrentIndex(self.findData(shown))
        self.setToolTip(shown)

    def _add(self, name: str, tip: str) -> None:
        """A folder is called by its last part; the tip has all of it."""
        folder = Path(name)
        self.addItem(folder.name if folder.is_absolute() else name, name)
        words = "\n".join(filter(None, (tip, name if folder.is_absolute() else "")))
        self.setItemData(self.count() - 1, words, Qt.ItemDataRole.ToolTipRole)

    def _take(self, data: object) -> None:
        if data is FOLDER or data is HUB:
            self.setCurrentIndex(self.findData(self._shown))
            self._ask_folder() if data is FOLDER else self._ask_name()
        else:
            self.chosen.emit(str(data))

    def _ask_folder(self) -> None:
        dialog = QFileDialog(self.window(), self.tr("A model in diffusers layout"))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.fileSelected.connect(self.chosen)
        dialog.open()

    def _ask_name(self) -> None:
        dialog = QInputDialog(self.window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowTitle(self.tr("A model on the hub"))
        dialog.setLabelText(
            self.tr("Its name on huggingface.co. It is downloaded when it is used first.")
        )
        if (line := dialog.findChild(QLineEdit)) is not None:
            line.setPlaceholderText("black-forest-labs/FLUX.1-schnell")
        dialog.textValueSelected.connect(self._take_name)
        dialog.open()

    def _take_name(self, name: str) -> None:
        name = name.strip().removeprefix("https://huggingface.co/").strip("/")
        if name:
            self.chosen.emit(name)
