"""Variations grid: results side by side, each kept or discarded by one key.

It takes the place of the canvas while it is open. A picture that was decided on leaves it; those that
are kept stay in the document like all results, those that are discarded come back by undo.
"""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QIcon, QImage, QResizeEvent
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ..model import EditorDocument
from ..services.composer import Composer
from ..services.image_cache import to_qimage
from ..services.thread_pool import ThreadPool
from ..storage.image_import import open_picture
from ..widgets.fields import muted
from ..widgets.fitting import WrappingBar
from ..widgets.keyed_list import KeyedList, thumbnail_icon

SIDE, SMALLEST = 220, 96
"""How large pictures are shown, px, and how large at least where there is less room."""
AROUND = 20
"""What lies around each, px."""
APART = 10
"""What words stand apart from the sides, px."""
NAME = Qt.ItemDataRole.UserRole


class VariationsGrid(QWidget):
    """The results of the document that are not decided on yet."""

    closed = Signal()
    """The canvas is wanted again: all is decided, or the artist has seen enough."""
    chosen = Signal(str)
    """A result is to be seen on the canvas."""

    def __init__(
        self,
        editor: EditorDocument,
        composer: Composer,
        workers: ThreadPool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._editor, self._composer, self._workers = editor, composer, workers
        self._kept: set[str] = set()
        self._icons: dict[str, QIcon] = {}
        self.setObjectName("variations")
        ignored = QSizePolicy.Policy.Ignored  # the window is as small as the canvas lets it be
        self.setSizePolicy(ignored, ignored)
        self.list = VariationList()
        self.keep = QPushButton(self.tr("Keep  (K)"))
        self.discard = QPushButton(self.tr("Discard  (D)"))
        self.done = QPushButton(self.tr("Done"))
        self._lay_out()
        self.keep.clicked.connect(self._keep)
        self.discard.clicked.connect(self._discard)
        self.done.clicked.connect(self.closed)
        self.list.itemActivated.connect(lambda item: self.chosen.emit(str(item.data(NAME))))
        key = Qt.Key
        self.list.keys = {key.Key_K: self._keep, key.Key_Escape: self.closed.emit}
        self.list.keys |= dict.fromkeys(
            (key.Key_D, key.Key_Delete, key.Key_Backspace), self._discard
        )
        editor.results_changed.connect(lambda _: self._refresh())
        editor.opened.connect(lambda _: self._forget())

    def _lay_out(self) -> None:
        self.list.setObjectName("variations-list")
        self.list.setAccessibleName(self.tr("Variations"))
        self.list.setViewMode(QListWidget.ViewMode.IconMode)
        self.list.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.list.setMovement(QListWidget.Movement.Static)
        self.list.setVerticalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        top = WrappingBar(spare=0)
        top.title.setText(self.tr("Variations"))
        buttons = top.add_part()
        for button in (self.keep, self.discard, self.done):
            buttons.addWidget(button)
        self.done.setProperty("role", "primary")
        words = self.tr("Arrows go from one to the next. Enter shows it on the canvas; undo works.")
        hint = muted(words)
        hint.setContentsMargins(APART, 0, APART, 0)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2, 4, 2, 8)
        layout.setSpacing(4)
        layout.addWidget(top)
        layout.addWidget(hint)
        layout.addWidget(self.list, 1)

    def begin(self) -> None:
        """Show all results, the newest in hand."""
        self._kept.clear()
        self._refresh()
        for name in self.names:
            if name not in self._icons:
                self._load(name)
        self.list.setCurrentRow(self.list.count() - 1)
        self.list.setFocus()

    @property
    def names(self) -> list[str]:
        """The names of the results that are shown."""
        return [str(self.list.item(row).data(NAME)) for row in range(self.list.count())]

    def _forget(self) -> None:
        self._kept.clear()
        self._icons.clear()
        self._refresh()

    def _refresh(self) -> None:
        results = self._editor.document.results
        names = [name for name in results if name not in self._kept]
        if names == self.names:
            return
        row = self.list.currentRow()
        with QSignalBlocker(self.list):
            self.list.clear()
            for name in names:
                item = QListWidgetItem("", self.list)
                item.setSizeHint(self.list.gridSize())  # level, whether its picture is read or not
                item.setData(NAME, name)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, name)
                if name in self._icons:
                    item.setIcon(self._icons[name])
                elif self.isVisible():
                    self._load(name)
        self.list.setCurrentRow(min(max(row, 0), len(names) - 1))

    def _load(self, name: str) -> None:
        document, result = self._editor.document, self._editor.document.results[name]

        def done(image: QImage) -> None:
            if document is self._editor.document:
                self._icons[name] = thumbnail_icon(image)
                for row, shown in enumerate(self.names):
                    if shown == name:
                        self.list.item(row).setIcon(self._icons[name])

        self._workers.run(lambda: to_qimage(open_picture(result.data, 2 * SIDE)), done)

    def _current(self) -> str | None:
        row = self.list.currentRow()
        return self.names[row] if row >= 0 else None

    def _keep(self) -> None:
        if (name := self._current()) is not None:
            self._kept.add(name)
            self._refresh()
            self._end_when_empty()

    def _discard(self) -> None:
        if (name := self._current()) is not None:
            self._composer.discard(name)
            if len(self.names) == 1:
                self.closed.emit()

    def _end_when_empty(self) -> None:
        if not self.names:
            self.closed.emit()


class VariationList(KeyedList):
    """Pictures side by side, as large as there is room for two whole ones."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show them smaller in a small window."""
        width = self.contentsRect().width() - self.verticalScrollBar().sizeHint().width()
        side = min(SIDE, self.viewport().height() - AROUND, (width - 2) // 2 - AROUND)
        side = max(SMALLEST, side)
        self.setIconSize(QSize(side, side))
        self.setGridSize(QSize(side + AROUND, side + AROUND))
        for row in range(self.count()):
            self.item(row).setSizeHint(self.gridSize())
        super().resizeEvent(event)
