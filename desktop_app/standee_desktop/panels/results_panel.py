"""Results panel: show a result over the canvas, compare, apply, recall, export, discard."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QMimeData, QPoint, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QGuiApplication, QIcon, QImage, QResizeEvent
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QStackedLayout,
    QWidget,
)

from standee.composition import Composition

from ..canvas.result_overlay import ResultOverlay
from ..canvas.tools.compare_tool import CompareTool
from ..canvas.view import CanvasView
from ..model import Change, EditorDocument
from ..services.clipboard import png_data
from ..services.composer import LIVE, Composer, composition_of
from ..services.image_cache import to_qimage
from ..services.thread_pool import ThreadPool
from ..storage.image_import import open_picture
from ..widgets.keyed_list import KeyedList, thumbnail_icon

SIDE = 100
STEP = SIDE + 14
"""From one picture in the row to the next, px."""
ROOM = 3 * STEP
"""The row of pictures has this room, px, before all buttons stand beside it."""
BUTTON = 104
"""How wide a button is at least, px."""
APART = 12
"""What the row and the buttons stand apart, and from the sides, px."""
NAME = Qt.ItemDataRole.UserRole


class ResultsPanel(QWidget):
    """The document's results, oldest left. Selecting one shows it; the canvas stays as it is."""

    export_wanted = Signal(str)
    """The name of a result to export."""
    subject_wanted = Signal(str)
    """The name of a result that shall be a subject."""

    def __init__(
        self,
        editor: EditorDocument,
        composer: Composer,
        canvas: CanvasView,
        result_overlay: ResultOverlay,
        workers: ThreadPool,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._editor, self._composer, self._canvas = editor, composer, canvas
        self._result_overlay, self._workers = result_overlay, workers
        self._compare = CompareTool(canvas, result_overlay)
        self._thumbnails: dict[str, QIcon] = {}
        self._recalling = False
        self.list = ResultList(self._carried)
        self.compare = QPushButton(self.tr("Compare"))
        self.apply = QPushButton(self.tr("Apply"))
        self.recall = QPushButton(self.tr("Use settings"))
        self.export = QPushButton(self.tr("Export…"))
        self.discard = QPushButton(self.tr("Discard"))
        self.grid = QPushButton(self.tr("Grid…"))
        self.more = QPushButton(self.tr("More"))
        self._narrow = False
        self._lay_out()
        self.list.currentItemChanged.connect(lambda *_: self._show())
        self.list.itemSelectionChanged.connect(self._show_other)
        self.list.itemClicked.connect(lambda _: self._show())
        self.list.itemDoubleClicked.connect(lambda _: self._with_current(composer.apply))
        self.list.customContextMenuRequested.connect(self._open_menu)
        self.compare.toggled.connect(self._set_comparing)
        self.apply.clicked.connect(self._apply)
        self.recall.clicked.connect(self._recall)
        self.export.clicked.connect(lambda: self._with_current(self.export_wanted.emit))
        self.discard.clicked.connect(self._discard)
        self.list.keys = {
            Qt.Key.Key_Delete: self._discard,
            Qt.Key.Key_Backspace: self._discard,
            Qt.Key.Key_Escape: self.unselect,
        }
        self.list.copy = self._copy
        canvas.uncover_wanted.connect(self.unselect)
        editor.results_changed.connect(lambda _: self._refresh())
        editor.opened.connect(lambda _: self._thumbnails.clear())
        editor.changed.connect(self._on_change)
        composer.result_added.connect(self.select)
        canvas.tool_changed.connect(lambda tool: self.compare.setChecked(tool is self._compare))
        self._refresh()

    @property
    def current(self) -> str | None:
        """The name of the selected result."""
        item = self.list.currentItem()
        return str(item.data(NAME)) if self.list.currentRow() >= 0 else None

    @property
    def selected(self) -> list[str]:
        """The names of all selected results: several can be discarded at once, two compared."""
        return [str(item.data(NAME)) for item in self.list.selectedItems()]

    def select(self, name: str) -> None:
        """Select a result and show it."""
        for row in range(self.list.count()):
            if self.list.item(row).data(NAME) == name:
                self.list.setCurrentRow(row)
                return

    def unselect(self) -> None:
        """Show the arrangement itself."""
        self.list.clearSelection()
        self.list.setCurrentRow(-1)
        self._show()

    def _lay_out(self) -> None:
        self.setObjectName("staging")
        self.list.setObjectName("results")
        self.list.setAccessibleName(self.tr("Results"))
        self.list.setViewMode(QListWidget.ViewMode.IconMode)
        self.list.setFlow(QListWidget.Flow.LeftToRight)
        self.list.setWrapping(False)
        self.list.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.list.setMovement(QListWidget.Movement.Static)
        self.list.setDragEnabled(True)  # which a row of pictures that stay in place has not
        self.list.setIconSize(QSize(SIDE, SIDE))
        self.list.setGridSize(QSize(STEP, SIDE + 30))
        self.list.setFixedHeight(SIDE + 52)
        self.list.setHorizontalScrollMode(QListWidget.ScrollMode.ScrollPerPixel)
        self.list.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        empty = QLabel(self.tr("Results appear here. They never get in the way of the canvas."))
        empty.setProperty("role", "muted")
        empty.setWordWrap(True)
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedLayout()
        self._stack.addWidget(empty)
        self._stack.addWidget(self.list)
        self.compare.setCheckable(True)
        self.apply.setProperty("role", "primary")
        tips = {
            self.compare: self.tr(
                "Drag a line between the arrangement and the result, or between two selected results"
            ),
            self.apply: self.tr("Make the result the scene, to go on from it"),
            self.recall: self.tr("Bring back the arrangement and the settings that made it"),
            self.export: self.tr("Save the picture, with the receipt that makes it again"),
            self.discard: self.tr("Drop the selected results"),
            self.grid: self.tr("See all results side by side; keep or discard each by one key"),
        }
        self.more.setMenu(QMenu(self.more))
        self.more.menu().aboutToShow.connect(self._fill_more)
        self._buttons = QGridLayout()
        self._buttons.setSpacing(6)
        for n, button in enumerate(
            (self.apply, self.grid, self.compare, self.recall, self.export, self.discard)
        ):
            self._buttons.addWidget(button, 1 + n // 2, n % 2)
        self._buttons.addWidget(self.more, 3, 0)
        self._buttons.setColumnStretch(0, 1)
        for row in (0, 4):
            self._buttons.setRowStretch(row, 1)
        for button, tip in tips.items():
            button.setToolTip(tip)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(APART, 2, APART, 10)
        layout.setSpacing(APART)
        layout.addLayout(self._stack, 1)
        layout.addLayout(self._buttons)
        self._place_buttons()
        self.setFixedHeight(SIDE + 64)

    def _place_buttons(self) -> None:
        """Show all buttons, or where pictures need the room the first of them and a menu."""
        for button in (self.grid, self.recall, self.export, self.discard):
            button.setHidden(self._narrow)
        self.more.setVisible(self._narrow)
        for column in (0, 1):
            second = column == 1
            self._buttons.setColumnMinimumWidth(column, 0 if second and self._narrow else BUTTON)
            self._buttons.setColumnStretch(column, 0 if second and self._narrow else 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the pictures the most of the room."""
        super().resizeEvent(event)
        narrow = self.width() < ROOM + 2 * BUTTON + 4 * APART
        if narrow != self._narrow:
            self._narrow = narrow
            self._place_buttons()

    def minimumSizeHint(self) -> QSize:
        """One picture and one column of buttons."""
        return QSize(STEP + self.more.sizeHint().width() + 4 * APART, self.height())

    # -- what is there ---------------------------------------------------------------------------

    def _refresh(self) -> None:
        results = self._editor.document.results
        selected = self.current
        with QSignalBlocker(self.list):
            self.list.clear()
            for name, result in results.items():
                label = self._label(name, result.receipt)
                item = QListWidgetItem(label, self.list)
                item.setSizeHint(self.list.gridSize())  # level, whether its picture is read or not
                item.setData(NAME, name)
                item.setToolTip("\n".join((label, *self._words(result.receipt))))
                if name in self._thumbnails:
                    item.setIcon(self._thumbnails[name])
                else:
                    self._load_thumbnail(name)
                if name == selected:
                    self.list.setCurrentItem(item)
        self._stack.setCurrentIndex(1 if results else 0)
        self._enable()
        if selected is not None and selected not in results:
            self._show()

    def _label(self, name: str, receipt: dict[str, object]) -> str:
        if name.startswith(LIVE):
            return self.tr("Live")
        composition = receipt.get("composition")
        sampling = composition.get("sampling") if isinstance(composition, dict) else None
        seed = sampling.get("seed") if isinstance(sampling, dict) else None
        if seed is None:
            return name
        method = composition.get("method") if isinstance(composition, dict) else None
        collage = isinstance(method, dict) and method.get("mode") == "edit"
        label = self.tr("Seed %1, collage") if collage else self.tr("Seed %1")
        return label.replace("%1", str(seed))

    def _words(self, receipt: dict[str, object]) -> list[str]:
        composition = receipt.get("composition")
        prompt = composition.get("prompt") if isinstance(composition, dict) else None
        return [str(prompt)] if prompt else []

    def _load_thumbnail(self, name: str) -> None:
        document = self._editor.document
        result = document.results[name]

        def done(image: QImage) -> None:
            if document is not self._editor.document:
                return
            self._thumbnails[name] = thumbnail_icon(image)
            for row in range(self.list.count()):
                if self.list.item(row).data(NAME) == name:
                    self.list.item(row).setIcon(self._thumbnails[name])

        self._workers.run(lambda: to_qimage(open_picture(result.data, 2 * SIDE)), done)

    # -- looking at one --------------------------------------------------------------------------

    def _show(self) -> None:
        self._enable()
        document, name = self._editor.document, self.current
        result = document.results.get(name) if name else None
        if result is None:
            self._result_overlay.show_result(None)
            self.compare.setChecked(False)
            return

        follows = name is not None and name.startswith(LIVE)

        def work() -> tuple[QImage, Composition | None]:
            of = composition_of(result.receipt) if follows else None
            return to_qimage(open_picture(result.data)), of

        def done(shown: tuple[QImage, Composition | None]) -> None:
            if document is self._editor.document and name == self.current:
                self._result_overlay.show_result(*shown)

        self._workers.run(work, done)

    def _show_other(self) -> None:
        """With a second result selected, compare with that one."""
        document, current = self._editor.document, self.current
        others = [name for name in self.selected if name != current]
        result = document.results.get(others[-1]) if current and others else None
        if result is None:
            self._result_overlay.show_other(None)
            return

        def done(image: QImage) -> None:
            if document is self._editor.document and others[-1] in self.selected:
                self._result_overlay.show_other(image)

        self._workers.run(lambda: to_qimage(open_picture(result.data)), done)

    def _enable(self) -> None:
        there = self.current is not None
        for button in (self.compare, self.apply, self.recall, self.export, self.discard):
            button.setEnabled(there)
        self.grid.setEnabled(self.list.count() > 0)

    def _set_comparing(self, on: bool) -> None:
        if on:
            self._canvas.set_tool(self._compare)
        elif self._canvas.tool is self._compare:
            self._canvas.set_tool(None)

    def _on_change(self, change: Change) -> None:
        """The arrangement is another than the one that the result shows: let it be seen."""
        before, after = change.before, change.after
        moved = (before.canvas, before.layers, before.scene) != (
            after.canvas,
            after.layers,
            after.scene,
        )
        if moved and self.current is not None and not self._recalling and not self._composer.live:
            self.unselect()

    def _recall(self) -> None:
        self._recalling = True
        self._with_current(self._composer.recall)
        self._recalling = False

    def _apply(self) -> None:
        self._with_current(self._composer.apply)
        self.unselect()
        self._canvas.setFocus()

    def _copy(self) -> None:
        """Put the picture itself on the clipboard."""
        result = self._editor.document.results.get(self.current or "")
        if result is None:
            return

        def done(read: tuple[bytes, QImage]) -> None:
            data = QMimeData()
            data.setData("image/png", read[0])
            data.setImageData(read[1])
            QGuiApplication.clipboard().setMimeData(data)

        self._workers.run(lambda: (result.data, QImage.fromData(result.data)), done)

    def _carried(self) -> QMimeData | None:
        """Return the picture as it is dragged to another program, or onto the canvas."""
        result = self._editor.document.results.get(self.current or "")
        return png_data(result.data, f"{self.current}.png") if result is not None else None

    def _discard(self) -> None:
        if self.selected:
            self._composer.discard(*self.selected)

    def _with_current(self, act: object) -> None:
        name = self.current
        if name is not None and callable(act):
            act(name)

    def _open_menu(self, at: QPoint) -> None:
        if self.current is None:
            return
        menu = QMenu(self)
        self._fill(menu, (self.apply, self.recall, self.compare, self.export, self.discard))
        menu.popup(self.list.viewport().mapToGlobal(at))

    def _fill_more(self) -> None:
        self.more.menu().clear()
        self._fill(self.more.menu(), (self.recall, self.export, self.discard, self.grid))

    def _fill(self, menu: QMenu, buttons: tuple[QPushButton, ...]) -> None:
        """List what buttons do, and what only the menu offers."""
        for button in buttons:
            menu.addAction(button.text(), button.click).setEnabled(button.isEnabled())
        subject = menu.addAction(
            self.tr("Add as a subject"), lambda: self._with_current(self.subject_wanted.emit)
        )
        subject.setEnabled(self.current is not None)


class ResultList(KeyedList):
    """Results in a row; the current one can be dragged out."""

    def __init__(self, carried: Callable[[], QMimeData | None]) -> None:
        super().__init__()
        self._carried = carried

    def mimeData(self, items: list[QListWidgetItem]) -> QMimeData:  # type: ignore[override]
        """Return the picture of the current result."""
        return self._carried() or QMimeData()

    def supportedDropActions(self) -> Qt.DropAction:
        """Let it be copied only: who moves a picture deletes its file."""
        return Qt.DropAction.CopyAction
