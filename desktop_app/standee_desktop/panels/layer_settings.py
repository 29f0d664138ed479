"""Layer settings: words, fit, and strengths of the selected layers.

Every change is one step of the history, a drag of a slider too. Where the selected layers differ,
the field says so and sets them all once it is touched; X, Y, W and H are those of all together.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import QSignalBlocker, Qt, QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from standee.composition import Layer
from standee.rotation import normalized

from ..model import EditorDocument, edits
from ..model.rects import frame_of, refitted
from ..model.token_counts import Tokens
from ..widgets.fields import StrengthSlider, WordsEdit, form, make_plain
from ..widgets.inputs import ComboBox, DoubleSpinBox

NARROWEST = 264
"""The width at which nothing is cut off, px."""


class LayerSettings(QScrollArea):
    """Edits the selected layers."""

    def __init__(self, document: EditorDocument, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._tokens: Tokens | None = None
        self.setObjectName("layer-settings")
        self.setWindowTitle(self.tr("Layer settings"))
        self.setAccessibleName(self.tr("Layer settings"))
        self.setWidgetResizable(True)
        self.setMinimumWidth(NARROWEST)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._page = QWidget(self)
        self.setWidget(self._page)
        column = QVBoxLayout(self._page)
        column.setContentsMargins(12, 4, 12, 10)
        column.setSpacing(10)
        self._none = QLabel(self.tr("Select a layer to set it."), self._page)
        self._none.setProperty("role", "muted")
        self._none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._form = QWidget(self._page)
        column.addWidget(self._none)
        column.addWidget(self._form)
        column.addStretch(1)
        self._soon = QTimer(self, interval=33, singleShot=True)
        self._soon.timeout.connect(self.refresh)
        self._build()
        document.changed.connect(lambda change: self._refresh_later(change.gesture))
        document.selection_changed.connect(lambda _: self.refresh())
        self.refresh()

    def _build(self) -> None:
        rows = form()
        self._form.setLayout(rows)
        self.prompt = WordsEdit(self._form)
        self.prompt.setMaxLength(2000)
        self.prompt.setPlaceholderText(self.tr("What it is, e.g. a white cat"))
        self.prompt.setAccessibleName(self.tr("Prompt words"))
        self.prompt.edited.connect(lambda text: self._set(self.tr("Prompt words"), prompt=text))
        self.prompt.finished.connect(self._document.end_gesture)
        self.prompt.editingFinished.connect(self.refresh)  # words that must be there are back
        rows.addRow(self.tr("Words"), self.prompt)

        self.fidelity = self._slider(
            rows,
            "fidelity",
            1.0,
            self.tr("Fidelity"),
            self.tr(
                "From free (0: the model only sees it, its pose may change) to exact (100 %: look,"
                " place and pose are kept)"
            ),
        )
        self.light = self._slider(
            rows,
            "light",
            1.0,
            self.tr("Light"),
            self.tr("From its own (0) to the scene's (100 %): whose light and colour fall on it"),
        )
        self.variation = self._slider(
            rows,
            "variation",
            1.0,
            self.tr("Variation"),
            self.tr("How freely its pose and shape may differ from its picture"),
        )
        self.sharing = self._slider(
            rows,
            "sharing",
            2.0,
            self.tr("Sharing"),
            self.tr("How much late steps look at the subject for its finer details"),
        )
        self.opacity = self._slider(
            rows,
            "opacity",
            1.0,
            self.tr("Opacity"),
            self.tr("From not there (0) to solid (100 %): how much of what is behind it shows"),
        )
        self.fit = ComboBox(self._form)
        self.fit.setAccessibleName(self.tr("Fit"))
        self.fit.addItem(self.tr("Show all of it"), "contain")
        self.fit.addItem(self.tr("Fill the rectangle"), "cover")
        self.fit.addItem(self.tr("Stretch"), "stretch")
        self.fit.activated.connect(
            lambda index: self._set(self.tr("Fit"), fit=self.fit.itemData(index))
        )
        rows.addRow(self.tr("Fit"), self.fit)
        self.flip = QCheckBox(self.tr("Mirrored"), self._form)
        self.flip.clicked.connect(lambda on: self._set(self.tr("Flip"), flip=on))
        rows.addRow("", self.flip)
        rows.addRow(self.tr("Rotation"), self._rotation_field())
        rows.addRow(self._rect_fields())
        self.cells = QLabel(self._form)
        self.cells.setProperty("role", "muted")
        self.cells.setWordWrap(True)
        rows.addRow(self.cells)

    def _slider(
        self, rows: QFormLayout, field: str, most: float, name: str, tip: str
    ) -> StrengthSlider:
        slider = StrengthSlider(most, name, tip, self._form)
        slider.changed = lambda value: self._set(name, **{field: round(value, 4)})
        slider.let_go = self._document.end_gesture
        rows.addRow(name, slider)
        rows.labelForField(slider).setToolTip(tip)
        return slider

    def _rotation_field(self) -> QWidget:
        self.rotation = DoubleSpinBox(self._form)
        self.rotation.setDecimals(1)
        self.rotation.setRange(-180.0, 180.0)
        self.rotation.setWrapping(True)
        make_plain(self.rotation)
        name = self.tr("Rotation, degrees clockwise")
        self.rotation.setAccessibleName(name)
        self.rotation.setToolTip(name)
        self.rotation.valueChanged.connect(
            lambda value: self._set(self.tr("Turn"), rotation=round(value, 4))
        )
        self.rotation.editingFinished.connect(self._document.end_gesture)
        return self.rotation

    def _rect_fields(self) -> QWidget:
        """Numbers for the rectangle of the selected layers."""
        box = QWidget(self._form)
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 2, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(6)
        self._numbers: dict[str, DoubleSpinBox] = {}
        names = {
            "x": (self.tr("X"), self.tr("Left edge, px")),
            "y": (self.tr("Y"), self.tr("Top edge, px")),
            "w": (self.tr("W"), self.tr("Width, px")),
            "h": (self.tr("H"), self.tr("Height, px")),
        }
        for n, (field, (short, long)) in enumerate(names.items()):
            number = DoubleSpinBox(box)
            number.setDecimals(0)
            number.setRange(edits.SMALLEST if field in "wh" else -edits.FAR, edits.FAR)
            make_plain(number)
            number.setAccessibleName(long)
            number.setToolTip(long)
            number.valueChanged.connect(lambda value, f=field: self._set_rect(f, value))
            number.editingFinished.connect(self._document.end_gesture)
            self._numbers[field] = number
            label = QLabel(short, box)
            label.setProperty("role", "muted")
            grid.addWidget(label, n // 2, n % 2 * 2)
            grid.addWidget(number, n // 2, n % 2 * 2 + 1)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(3, 1)
        return box

    # -- from the document -----------------------------------------------------------------------

    def _refresh_later(self, gesture: bool) -> None:
        """Show a drag some thirty times a second; anything else at once."""
        if not gesture:
            self.refresh()
        elif not self._soon.isActive():
            self._soon.start()

    def refresh(self) -> None:
        """Show the selected layers."""
        layers = self._document.selected
        self._none.setVisible(not layers)
        self._form.setVisible(bool(layers))
        if not layers:
            return
        first = layers[0]
        self.prompt.show_text(_common(layers, "prompt") or "")
        self._show_rows(any(one.picture is not None for one in layers))
        for field in ("fidelity", "light", "variation", "sharing", "opacity"):
            mixed = _common(layers, field) is None
            getattr(self, field).show_value(getattr(first, field), mixed)
        fit = _common(layers, "fit")
        self.fit.setCurrentIndex(-1 if fit is None else self.fit.findData(fit))
        flip = _common(layers, "flip")
        self.flip.setTristate(flip is None)
        state = Qt.CheckState.PartiallyChecked
        if flip is not None:
            state = Qt.CheckState.Checked if flip else Qt.CheckState.Unchecked
        self.flip.setCheckState(state)
        with QSignalBlocker(self.rotation):
            self.rotation.setValue(normalized(first.rotation))
            mixed = _common(layers, "rotation") is None
            self.rotation.show_mixed(mixed)
            self.rotation.setSuffix("" if mixed else "°")
        frame = frame_of(layers)
        locked = all(layer.locked for layer in layers)
        for field, number in self._numbers.items():
            with QSignalBlocker(number):
                number.setValue(getattr(frame.rect if frame else first.rect, field))
            number.setEnabled(not locked)
        self._show_cells()

    def _show_rows(self, pictured: bool) -> None:
        """Show what the selected layers know: a rectangle of words has no picture to light, vary or fit."""
        rows = self._form.layout()
        assert isinstance(rows, QFormLayout)
        for field in (self.light, self.variation, self.sharing, self.fit, self.flip):
            rows.setRowVisible(field, pictured)
        placeholder = self.tr("What it is, e.g. a white cat")
        self.prompt.setPlaceholderText(
            placeholder if pictured else self.tr("What shall be here, e.g. a red boat")
        )

    def show_tokens(self, tokens: Tokens | None) -> None:
        """Say how many tokens the selected layer has, while the token view counts them."""
        self._tokens = tokens
        self._show_cells()

    def _show_cells(self) -> None:
        layers, tokens = self._document.selected, self._tokens
        self.cells.setVisible(tokens is not None and len(layers) == 1)
        if tokens is None or len(layers) != 1:
            return
        owned, hidden, clipped = tokens.counts(layers[0].id)
        words = [self.tr("%n token(s) of its own", "", owned)]
        if hidden:
            words.append(self.tr("%n hidden", "", hidden))
        if clipped:
            words.append(self.tr("%n off the canvas", "", clipped))
        self.cells.setText(" · ".join(words))

    # -- to the document -------------------------------------------------------------------------

    def _set(self, text: str, **fields: Any) -> None:
        document = self._document
        changed = edits.with_fields(document.composition, document.selection, **fields)
        document.apply(text, changed, merge_key=("layer", *fields, document.selection))
        if not any(isinstance(value, float | str) for value in fields.values()) or "fit" in fields:
            document.end_gesture()

    def _set_rect(self, field: str, value: float) -> None:
        """Move or resize the selected layers together: the numbers are those of their bounds."""
        document = self._document
        free = edits.unlocked(document.composition, document.selection)
        layers = [one for one in document.selected if one.id in free]
        frame, shown = frame_of(layers), frame_of(document.selected)
        if frame is None or shown is None:
            return
        # The numbers are of all selected layers; locked ones stay, the others go as far.
        by = value - getattr(shown.rect, field)
        now = edits.bounded(replace(frame.rect, **{field: getattr(frame.rect, field) + by}))
        rects = {layers[0].id: now} if len(layers) == 1 else refitted(layers, frame, now)
        changed = edits.with_rects(document.composition, rects)
        text = self.tr("Resize") if field in "wh" else self.tr("Move")
        document.apply(text, changed)


def _common(layers: tuple[Layer, ...], field: str) -> Any:
    """Return what all layers have in a field, or None where they differ."""
    values = {getattr(layer, field) for layer in layers}
    return values.pop() if len(values) == 1 else None
