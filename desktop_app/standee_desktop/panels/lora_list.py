"""LoRA list of the document: one row each with its weight, and a button that adds another.

The list only shows the document's; a change is a step of its history like every other setting.
"""

from __future__ import annotations

from pathlib import Path, PurePath

from msgspec.structs import replace
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from standee.composition import MAX_LORAS, Lora

from ..widgets.fields import ElidedLabel, make_plain, tool_button
from ..widgets.inputs import DoubleSpinBox, LineEdit

MOST = 4.0
"""The bound of a weight in the format, to both sides."""


SPACE = 4
SEEN = 4
"""How many rows are seen at once; more are scrolled to."""


class LoraList(QWidget):
    """Shows LoRAs; `changed` hands out what a person made of them."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("loras")
        self.setAccessibleName(self.tr("LoRAs"))
        self._loras: tuple[Lora, ...] = ()
        self.rows: list[LoraRow] = []
        self.path = LineEdit()
        self.path.setObjectName("add-lora")
        self.path.setAccessibleName(self.tr("Add a LoRA"))
        self.path.setPlaceholderText(self.tr("File, folder or hub id"))
        self.path.setToolTip(
            self.tr("A LoRA lays a style or a thing over the model. Press Enter to add it")
        )
        self.path.setMaxLength(1000)
        self.browse = tool_button("folder", self.tr("Choose a LoRA…"))
        self.path.returnPressed.connect(lambda: self.add(self.path.text()))
        self.browse.clicked.connect(self._choose)
        adding = QHBoxLayout()
        adding.setSpacing(SPACE)
        adding.addWidget(self.path, 1)
        adding.addWidget(self.browse)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        inside = QWidget()
        self._listed = QVBoxLayout(inside)
        self._scroll.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.addWidget(self._scroll)
        layout.addLayout(adding)
        for column in (self._listed, layout):
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(SPACE)
        self._scroll.hide()

    def show_loras(self, loras: tuple[Lora, ...]) -> None:
        """Show the document's LoRAs."""
        if [lora.path for lora in loras] != [lora.path for lora in self._loras]:
            for row in self.rows:
                self._listed.removeWidget(row)
                row.hide()
                row.deleteLater()  # it may be what tells of this change
            self.rows = [self._row(lora) for lora in loras]
            seen = self.rows[:SEEN]
            heights = [row.sizeHint().height() for row in seen]
            self._scroll.setFixedHeight(sum(heights) + SPACE * max(0, len(seen) - 1))
            self._scroll.setVisible(bool(seen))
        for row, lora in zip(self.rows, loras, strict=True):
            row.show_weight(lora.weight)
        self._loras = loras
        for widget in (self.path, self.browse):
            widget.setEnabled(len(loras) < MAX_LORAS)

    def add(self, path: str) -> None:
        """Add a LoRA at full weight; one that is in the list already is not added again."""
        path = path.strip()
        if path and path not in [lora.path for lora in self._loras]:
            self.changed.emit((*self._loras, Lora(path)))
        self.path.clear()

    def _row(self, lora: Lora) -> LoraRow:
        row = LoraRow(lora.path)
        row.weighed.connect(lambda weight: self._weigh(row, weight))
        row.remove.clicked.connect(lambda: self._remove(row))
        self._listed.addWidget(row)
        return row

    def _weigh(self, row: LoraRow, weight: float) -> None:
        at = self.rows.index(row)
        changed = replace(self._loras[at], weight=weight)
        self.changed.emit((*self._loras[:at], changed, *self._loras[at + 1 :]))

    def _remove(self, row: LoraRow) -> None:
        at = self.rows.index(row)
        self.changed.emit((*self._loras[:at], *self._loras[at + 1 :]))

    def _choose(self) -> None:
        kinds = self.tr("LoRAs (*.safetensors)")
        path, _ = QFileDialog.getOpenFileName(self, self.tr("Choose a LoRA"), "", kinds)
        if path:
            self.add(str(Path(path)))


class LoraRow(QWidget):
    """One LoRA: the end of its path, its weight, and a button that takes it away."""

    weighed = Signal(float)

    def __init__(self, path: str) -> None:
        super().__init__()
        self.name = ElidedLabel(name_of(path))
        self.name.setToolTip(path)
        self.weight = DoubleSpinBox()
        self.weight.setRange(-MOST, MOST)
        self.weight.setSingleStep(0.05)
        self.weight.setFixedWidth(64)
        make_plain(self.weight)
        said = self.tr("Weight of %1").replace("%1", self.name.text())
        self.weight.setAccessibleName(said)
        self.weight.setToolTip(self.tr("How much the LoRA counts: 1 as it was trained"))
        self.remove = tool_button("remove", self.tr("Remove the LoRA"))
        self.weight.valueChanged.connect(lambda weight: self.weighed.emit(round(weight, 2)))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE)
        row.addWidget(self.name, 1)
        row.addWidget(self.weight)
        row.addWidget(self.remove)

    def show_weight(self, weight: float) -> None:
        """Show the document's weight."""
        if round(weight, 2) != round(self.weight.value(), 2):
            with QSignalBlocker(self.weight):
                self.weight.setValue(weight)


def name_of(path: str) -> str:
    """Return what a LoRA is called in the list: the last part of its path, without its ending."""
    return PurePath(path.replace("\\", "/")).name.removesuffix(".safetensors") or path
