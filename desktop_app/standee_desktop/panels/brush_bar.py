"""Brush bar above the canvas while a mask is painted: size, softness, adding or erasing."""

from __future__ import annotations

import math

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QButtonGroup, QLabel, QMenu, QPushButton, QToolButton, QWidget

from ..canvas.tools.mask_brush import MaskBrush
from ..canvas.view import CanvasView
from ..widgets.fields import PercentSlider, make_plain, tool_button
from ..widgets.fitting import WrappingBar
from ..widgets.inputs import Slider, SpinBox

STEPS = 100


class BrushBar(WrappingBar):
    """Shows the settings of the brush in charge, and hides when there is none."""

    def __init__(
        self, canvas: CanvasView, tools: tuple[MaskBrush, ...], parent: QWidget | None = None
    ) -> None:
        super().__init__(120, parent)  # so that sliders have a handy length
        self._canvas, self._tool = canvas, tools[0]
        self.setObjectName("brush-bar")
        self.add = tool_button("brush", "")
        self.take = tool_button("erase", "")
        self.thickness = Slider(Qt.Orientation.Horizontal)
        self.softness = PercentSlider()
        self.amount = SpinBox()
        self.grow = tool_button("grow", self.tr("Grow"))
        self.shrink = tool_button("shrink", self.tr("Shrink"))
        self.soften = tool_button("feather", self.tr("Feather"))
        self.more = tool_button("more", self.tr("More for the mask"))
        self.done = QPushButton(self.tr("Done"))
        self._lay_out()
        self.thickness.valueChanged.connect(lambda value: self._tool.set_radius(1.06**value))
        self.softness.moved.connect(lambda part: self._tool.set_softness(part))
        self.add.clicked.connect(lambda: self._tool.set_taking(False))
        self.take.clicked.connect(lambda: self._tool.set_taking(True))
        self.grow.clicked.connect(lambda: self._tool.grow(self.amount.value()))
        self.shrink.clicked.connect(lambda: self._tool.grow(-self.amount.value()))
        self.soften.clicked.connect(lambda: self._tool.soften(self.amount.value()))
        menu = QMenu(self.more)
        menu.addAction(self.tr("Invert"), lambda: self._tool.invert())
        menu.addAction(self.tr("Reset"), lambda: self._tool.clear())
        self.more.setMenu(menu)
        self.more.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.done.clicked.connect(lambda: canvas.set_tool(None))
        for tool in tools:
            tool.changed.connect(lambda _: self._show())
        canvas.tool_changed.connect(self._on_tool)
        self._show()
        self.hide()

    def _lay_out(self) -> None:
        self.thickness.setRange(0, STEPS)
        self.amount.setRange(1, 128)
        self.amount.setValue(4)
        self.amount.setSuffix(" px")
        make_plain(self.amount)
        self.amount.setFixedWidth(self.amount.fontMetrics().horizontalAdvance("128 px") + 26)
        names: list[tuple[QWidget, str]] = [
            (self.thickness, self.tr("Size of the brush")),
            (self.softness, self.tr("Softness of the brush")),
            (self.amount, self.tr("Grow, shrink or feather by")),
        ]
        for widget, words in names:
            widget.setAccessibleName(words)
            widget.setToolTip(words)
        group = QButtonGroup(self)
        for button in (self.add, self.take):
            button.setCheckable(True)
            group.addButton(button)
        self.done.setProperty("role", "primary")
        ways = self.add_part()
        for button in (self.add, self.take):
            ways.addWidget(button)
        for text, slider in ((self.tr("Size"), self.thickness), (self.tr("Soft"), self.softness)):
            slider.setMinimumWidth(32)
            slider.setMaximumWidth(140)
            stroke = self.add_part()
            stroke.addWidget(QLabel(text))
            stroke.addWidget(slider)
        edge = self.add_part()
        edge.addWidget(QLabel(self.tr("Edge")))
        edge.addWidget(self.amount)
        changes = self.add_part()
        for button in (self.grow, self.shrink, self.soften, self.more):
            changes.addWidget(button)
        self.add_part().addWidget(self.done)

    def _on_tool(self, tool: object) -> None:
        if isinstance(tool, MaskBrush):
            self._tool = tool
            self._show()
        self.setVisible(isinstance(tool, MaskBrush))

    def _show(self) -> None:
        tool = self._tool
        title = self.tr("What changes")
        words = self.tr("Mark to change"), self.tr("Mark to keep")
        if tool.of_words:
            title = self.tr("Words")
            words = self.tr("Let the words count here"), self.tr("Let them not count here")
        elif tool.kind == "cutout":
            title = self.tr("Cut-out")
            words = self.tr("Add to the subject"), self.tr("Take away from the subject")
        self.title.setText(title)
        for button, text in zip((self.add, self.take), words, strict=True):
            button.setToolTip(f"{text}  (X)")
            button.setAccessibleName(text)
        (self.take if tool.taking else self.add).setChecked(True)
        with QSignalBlocker(self.thickness):
            self.thickness.setValue(_step_of(tool.radius))
        self.softness.show_part(tool.softness)


def _step_of(radius: float) -> int:
    return round(math.log(max(radius, 1.0), 1.06))
