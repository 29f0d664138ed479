"""Canvas size dialog: presets, sides in whole tokens, and the anchor."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from ..model import EditorDocument, edits
from ..widgets.fields import form
from ..widgets.inputs import ComboBox, SpinBox

PRESETS = (
    (256, 256),
    (512, 512),
    (768, 768),
    (1024, 1024),
    (1216, 832),
    (832, 1216),
    (1344, 768),
    (768, 1344),
)


class CanvasSizeDialog(QDialog):
    """Asks for the canvas' size and applies it as one step."""

    def __init__(self, document: EditorDocument, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(self.tr("Canvas size"))
        canvas, patch = document.composition.canvas, document.view.patch
        self.presets = ComboBox(self)
        self.presets.setAccessibleName(self.tr("Preset"))
        self.presets.addItem(self.tr("Custom"), None)
        for width, height in PRESETS:
            self.presets.addItem(f"{width} × {height}", (width, height))
        self.width_, self.height_ = SpinBox(self), SpinBox(self)
        names = (self.tr("Width, px"), self.tr("Height, px"))
        sizes = (canvas.width, canvas.height)
        for box, name, size in zip((self.width_, self.height_), names, sizes, strict=True):
            box.setRange(patch, edits.LONGEST_SIDE)
            box.setSingleStep(patch)
            box.setAccessibleName(name)
            box.lineEdit().setTextMargins(6, 0, 0, 0)
            box.setValue(size)
            box.setKeyboardTracking(True)  # what it comes to is said while it is typed
            box.valueChanged.connect(lambda _: self._show())
        self._anchor = (0.5, 0.5)
        self._note = QLabel(self)
        self._note.setProperty("role", "muted")
        self._note.setWordWrap(True)
        rows = form()
        rows.addRow(self.tr("Preset"), self.presets)
        rows.addRow(self.tr("Width"), self.width_)
        rows.addRow(self.tr("Height"), self.height_)
        rows.addRow(self.tr("Anchor"), self._anchors())
        buttons = QDialogButtonBox(self)
        apply = QPushButton(self.tr("Apply"))
        apply.setProperty("role", "primary")
        buttons.addButton(apply, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self.tr("Cancel"), QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self._apply)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 18, 20, 16)
        column.setSpacing(14)
        column.addLayout(rows)
        column.addWidget(self._note)
        column.addWidget(buttons)
        self.presets.activated.connect(self._choose)
        self._show()

    def _anchors(self) -> QWidget:
        """Nine buttons: where what is there stays on the new canvas."""
        box = QWidget(self)
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(2)
        self._group = QButtonGroup(box)
        names = (self.tr("top"), self.tr("middle"), self.tr("bottom"))
        sides = (self.tr("left"), self.tr("centre"), self.tr("right"))
        for row in range(3):
            for column in range(3):
                button = QToolButton(box)
                button.setText("●" if (row, column) == (1, 1) else "·")
                button.setCheckable(True)
                button.setFixedSize(26, 26)
                button.setAccessibleName(f"{names[row]} {sides[column]}")
                button.setChecked((row, column) == (1, 1))
                self._group.addButton(button, row * 3 + column)
                grid.addWidget(button, row, column, Qt.AlignmentFlag.AlignLeft)
        grid.setColumnStretch(3, 1)
        self._group.idClicked.connect(self._choose_anchor)
        return box

    def _choose_anchor(self, number: int) -> None:
        self._anchor = (number % 3 / 2, number // 3 / 2)
        for button in self._group.buttons():
            button.setText("●" if button.isChecked() else "·")

    def _choose(self, index: int) -> None:
        size = self.presets.itemData(index)
        if size is not None:
            self.width_.setValue(size[0])
            self.height_.setValue(size[1])

    def _show(self) -> None:
        patch = self._document.view.patch
        canvas = edits.canvas_sides(self.width_.value(), self.height_.value(), patch)
        sizes = [self.presets.itemData(n) for n in range(self.presets.count())]
        asked = (self.width_.value(), self.height_.value())
        with QSignalBlocker(self.presets):
            self.presets.setCurrentIndex(sizes.index(asked) if asked in sizes else 0)
        columns, rows = canvas.width // patch, canvas.height // patch
        text = self.tr("%1 × %2 px, that is %3 × %4 tokens.")
        for n, value in enumerate((canvas.width, canvas.height, columns, rows), start=1):
            text = text.replace(f"%{n}", str(value))
        self._note.setText(text)

    def _apply(self) -> None:
        document = self._document
        old, patch = document.composition.canvas, document.view.patch
        new = edits.canvas_sides(self.width_.value(), self.height_.value(), patch)
        left = round((new.width - old.width) * self._anchor[0] / patch) * patch
        top = round((new.height - old.height) * self._anchor[1] / patch) * patch
        changed = edits.with_canvas(
            document.composition, new.width, new.height, patch, left=left, top=top
        )
        document.apply(self.tr("Canvas size"), changed)
        self.accept()
