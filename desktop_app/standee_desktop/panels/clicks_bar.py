"""Bar above the canvas while a subject is cut out by clicks: adding, taking away, words, end."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QButtonGroup, QPushButton, QWidget

from ..canvas.tools.cutout_clicks import CutoutClicks
from ..canvas.view import CanvasView
from ..widgets.fields import tool_button
from ..widgets.fitting import WrappingBar
from ..widgets.inputs import LineEdit


class ClicksBar(WrappingBar):
    """Shows what clicks do, and hides when they are not in charge."""

    def __init__(
        self, canvas: CanvasView, tool: CutoutClicks, parent: QWidget | None = None
    ) -> None:
        super().__init__(60, parent)
        self._canvas, self._tool = canvas, tool
        self.setObjectName("clicks-bar")
        self.title.setText(self.tr("Cut-out"))
        self.add = tool_button("add", self.tr("Click on what belongs to the subject  (X)"))
        self.take = tool_button(
            "erase", self.tr("Click on what does not; Shift or Alt with a click does so too  (X)")
        )
        self.words = LineEdit()
        self.words.setPlaceholderText(self.tr("What it is, in words"))
        self.words.setAccessibleName(self.tr("What the subject is, in words"))
        self.words.setToolTip(self.tr("Finds what the words say, in the box if one is drawn"))
        self.words.setMinimumWidth(60)
        self.words.setMaximumWidth(220)
        self.back = QPushButton(self.tr("One back"))
        self.back.setToolTip(self.tr("Forget the last click, box or words  (Backspace)"))
        self.anew = QPushButton(self.tr("Anew"))
        self.anew.setToolTip(self.tr("Forget the cut-out, and find the subject by itself"))
        self.leave = QPushButton(self.tr("Discard"))
        self.leave.setToolTip(self.tr("Leave the cut-out as it was  (Escape)"))
        self.done = QPushButton(self.tr("Done"))
        self.done.setToolTip(self.tr("Take the preview as the cut-out  (Return)"))
        self.done.setProperty("role", "primary")
        group = QButtonGroup(self)
        for way in (self.add, self.take):
            way.setCheckable(True)
            group.addButton(way)
        for widgets in (
            (self.add, self.take, self.words),
            (self.back, self.anew),
            (self.leave, self.done),
        ):
            part = self.add_part()
            for widget in widgets:
                part.addWidget(widget)
        self.add.clicked.connect(lambda: tool.set_taking(False))
        self.take.clicked.connect(lambda: tool.set_taking(True))
        self.words.returnPressed.connect(lambda: tool.say(self.words.text()))
        self.back.clicked.connect(tool.step_back)
        self.anew.clicked.connect(tool.begin_anew)
        self.leave.clicked.connect(self._discard)
        self.done.clicked.connect(lambda: canvas.set_tool(None))
        tool.changed.connect(lambda _: self._show())
        canvas.tool_changed.connect(self._on_tool)
        self._show()
        self.hide()

    def _discard(self) -> None:
        self._tool.discard()
        self._canvas.set_tool(None)

    def _on_tool(self, tool: object) -> None:
        self.setVisible(tool is self._tool)
        self.words.clear()

    def _show(self) -> None:
        tool = self._tool
        (self.take if tool.taking else self.add).setChecked(True)
        self.back.setEnabled(len(tool.asked) > 1)
        self.done.setEnabled(tool.previewing or tool.layer is None)
        with QSignalBlocker(self.words):
            if not self.words.hasFocus():
                self.words.setText(tool.asked[-1].words)
