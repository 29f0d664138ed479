"""Control list: pictures of depth, normals, lines or poses that the canvas or a layer follows.

It only shows the document's; a change is a step of its history like every other setting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from standee.composition import MAX_CONTROLS, Control, Layer

from .fields import make_plain, tool_button
from .icons import icon
from .inputs import ComboBox, DoubleSpinBox

SPACE = 4
THUMBNAIL = 40

Thumbnail = Callable[[str], QPixmap | None]
"""Returns the small picture of a digest, once it is known."""


class ControlList(QWidget):
    """Shows control pictures; `changed` hands out what a person made of them, and what they did."""

    changed = Signal(object, str)

    def __init__(
        self, choose: Callable[[], object], thumbnail: Thumbnail, parent: QWidget | None = None
    ) -> None:
        """`choose` asks for another picture."""
        super().__init__(parent)
        self.setObjectName("controls")
        self.setAccessibleName(self.tr("Control pictures"))
        self._thumbnail = thumbnail
        self._controls: tuple[Control, ...] = ()
        self._named: list[tuple[str, str]] = []
        self.rows: list[ControlRow] = []
        self.add = QPushButton(icon("image"), self.tr("Add a control picture…"))
        self.add.setToolTip(
            self.tr("A picture of depth, normals, lines or a pose that the result follows")
        )
        self.add.clicked.connect(lambda: choose())
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(2 * SPACE)
        self._layout.addWidget(self.add)

    def show_controls(self, controls: tuple[Control, ...], layers: Sequence[Layer]) -> None:
        """Show the document's control pictures, which may be bound to its layers."""
        named = [(one.id, one.name or one.prompt) for one in reversed(layers)] if controls else []
        if len(controls) != len(self.rows):
            for row in self.rows:
                self._layout.removeWidget(row)
                row.hide()
                row.deleteLater()  # it may be what tells of this change
            self.rows = [self._row(index) for index in range(len(controls))]
            self._named = []
        for row, control in zip(self.rows, controls, strict=True):
            if named != self._named:
                row.show_layers(named)
            row.show_control(control)
            row.show_picture(self._thumbnail(control.picture))
        self._controls, self._named = controls, named
        self.add.setEnabled(len(controls) < MAX_CONTROLS)

    def _row(self, index: int) -> ControlRow:
        row = ControlRow()
        row.set.connect(lambda fields, text: self._set(index, fields, text))
        row.remove.clicked.connect(lambda: self._remove(index))
        self._layout.insertWidget(index, row)
        return row

    def _set(self, index: int, fields: dict[str, Any], text: str) -> None:
        listed = list(self._controls)
        listed[index] = replace(listed[index], **fields)
        self.changed.emit(tuple(listed), text)

    def _remove(self, index: int) -> None:
        listed = self._controls[:index] + self._controls[index + 1 :]
        self.changed.emit(listed, self.tr("Remove a control picture"))


class ControlRow(QWidget):
    """One control picture: its kind, what it is bound to, how strongly and when it counts."""

    set = Signal(dict, str)

    def __init__(self) -> None:
        super().__init__()
        self.picture = QLabel()
        self.picture.setFixedSize(THUMBNAIL, THUMBNAIL)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.picture.setAccessibleName(self.tr("Control picture"))
        self.kind, self.where = ComboBox(), ComboBox()
        for kind, name, tip in (
            ("depth", self.tr("Depth"), self.tr("White is near, black is far")),
            ("normal", self.tr("Normals"), self.tr("Red to the right, green up, blue towards you")),
            ("lines", self.tr("Lines"), self.tr("White lines on black")),
            ("pose", self.tr("Pose"), self.tr("A drawn skeleton on black")),
        ):
            self.kind.addItem(name, kind)
            self.kind.setItemData(self.kind.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.kind.setAccessibleName(self.tr("Kind of control"))
        self.where.setAccessibleName(self.tr("Follows it"))
        self.where.setToolTip(self.tr("What follows it: the whole canvas, or one layer"))
        self.where.setMinimumContentsLength(6)
        self.where.addItem(self.tr("Canvas"), None)
        self.strength, self.start, self.end = DoubleSpinBox(), DoubleSpinBox(), DoubleSpinBox()
        self.remove = tool_button("remove", self.tr("Remove the control picture"))
        self._lay_out()
        self.kind.activated.connect(lambda _: self._tell(kind=self.kind.currentData()))
        self.where.activated.connect(lambda _: self._tell(layer=self.where.currentData()))
        self.strength.valueChanged.connect(lambda part: self._tell(strength=round(part / 100, 4)))
        self.start.valueChanged.connect(lambda part: self._tell(start=round(part / 100, 4)))
        self.end.valueChanged.connect(lambda part: self._tell(end=round(part / 100, 4)))

    def show_layers(self, named: Sequence[tuple[str, str]]) -> None:
        """Offer these layers, (id, name), beside the canvas."""
        while self.where.count() > 1:
            self.where.removeItem(1)
        for layer, name in named:
            self.where.addItem(name[:40] or self.tr("Layer"), layer)

    def show_control(self, control: Control) -> None:
        """Show the document's settings; the start stays before the end."""
        self.kind.setCurrentIndex(self.kind.findData(control.kind))
        self.where.setCurrentIndex(max(0, self.where.findData(control.layer)))
        shown = (
            (self.strength, control.strength),
            (self.start, control.start),
            (self.end, control.end),
        )
        for field, part in shown:
            with QSignalBlocker(field):
                if field is self.start:
                    field.setRange(0, max(0.0, 100 * control.end - 1))
                elif field is self.end:
                    field.setRange(min(100.0, 100 * control.start + 1), 100)
                field.setValue(100 * part)

    def show_picture(self, pixmap: QPixmap | None) -> None:
        """Show the picture, small; nothing before it is read."""
        if pixmap is not None:
            aspect, mode = (
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            self.picture.setPixmap(pixmap.scaled(THUMBNAIL, THUMBNAIL, aspect, mode))

    def _tell(self, **fields: Any) -> None:
        self.set.emit(fields, self.tr("Control picture"))

    def _lay_out(self) -> None:
        for field, most, name, tip in (
            (
                self.strength,
                200,
                self.tr("Strength"),
                self.tr("How strongly the result follows it"),
            ),
            (self.start, 100, self.tr("From"), self.tr("The share of the steps before it counts")),
            (self.end, 100, self.tr("To"), self.tr("The share of the steps until which it counts")),
        ):
            field.setRange(0, most)
            field.setDecimals(0)
            field.setSuffix(" %")
            field.setAccessibleName(name)
            field.setToolTip(tip)
            make_plain(field)
        above, strength, steps = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        above.addWidget(self.kind, 1)
        above.addWidget(self.where, 1)
        for line, label, field in (
            (strength, self.tr("Strength"), self.strength),
            (steps, self.tr("from"), self.start),
            (steps, self.tr("to"), self.end),
        ):
            line.addWidget(QLabel(label))
            line.addWidget(field, 1)
        below, beside = QVBoxLayout(), QVBoxLayout()
        below.addWidget(self.picture)
        below.addWidget(self.remove, alignment=Qt.AlignmentFlag.AlignHCenter)
        below.addStretch(1)
        for line in (above, strength, steps):
            beside.addLayout(line)
        row = QHBoxLayout(self)
        row.addLayout(below)
        row.addLayout(beside, 1)
        for layout in (above, strength, steps, below, beside, row):
            layout.setContentsMargins(0, 0, 0, 0)
            layout.setSpacing(SPACE)
