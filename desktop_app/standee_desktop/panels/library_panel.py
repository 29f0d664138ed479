"""Library panel: subjects kept across scenes, added by dragging or a double click."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QMimeData, QSignalBlocker, QSize, Qt
from PySide6.QtGui import QIcon, QImage
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from standee.composition import Layer, Rect
from standee.errors import StandeeError

from ..canvas.drag_and_drop import SUBJECT
from ..model import EditorDocument
from ..model.notices import Notices
from ..services.clipboard import CutOutData, copy_cut_out
from ..services.image_cache import make_look
from ..services.importer import Importer
from ..services.thread_pool import ThreadPool
from ..storage.subject_library import Library, Subject
from ..widgets.fields import muted
from ..widgets.inputs import LineEdit
from ..widgets.keyed_list import KeyedList, thumbnail_icon

SIDE = 72
FEW = 6
"""So many subjects are found without looking for them."""
DIGEST = Qt.ItemDataRole.UserRole


class LibraryPanel(QWidget):
    """The subjects of the library."""

    def __init__(
        self,
        editor: EditorDocument,
        library: Library,
        importer: Importer,
        workers: ThreadPool,
        notices: Notices,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._editor, self._library, self._importer = editor, library, importer
        self._workers, self._notices = workers, notices
        self._subjects: dict[str, Subject] = {}
        self._icons: dict[tuple[str, str | None], QIcon] = {}
        self.search = LineEdit()
        self.list = SubjectList(self._carried)
        self.keep = QPushButton(self.tr("Keep selected"))
        self.remove = QPushButton(self.tr("Remove"))
        self._lay_out()
        self.list.itemActivated.connect(self._add)
        self.list.itemSelectionChanged.connect(self._enable)
        self.list.itemChanged.connect(self._rename)
        self.search.textChanged.connect(lambda _: self._find())
        self.keep.clicked.connect(self.keep_selected)
        self.remove.clicked.connect(self.remove_selected)
        self.list.copy = self._copy
        drop = self.remove_selected
        self.list.keys = {
            Qt.Key.Key_Delete: drop,
            Qt.Key.Key_Backspace: drop,
            Qt.Key.Key_F2: None,
        }
        editor.selection_changed.connect(lambda _: self._enable())
        self._enable()

    def subject(self, digest: str) -> Subject | None:
        """Return a subject by its picture."""
        return self._subjects.get(digest)

    def refresh(self) -> None:
        """Read the library anew."""
        self._workers.run(self._library.subjects, self._show)

    def keep_selected(self) -> None:
        """Keep the selected layers' subjects."""
        document, library = self._editor.document, self._library
        for layer in self._editor.selected:
            if layer.picture is None:  # a rectangle of words has nothing to keep
                continue

            def work(layer=layer) -> Subject:  # type: ignore[no-untyped-def]
                mask = document.read(layer.mask) if layer.mask else None
                return library.add(document.read(layer.picture), mask, layer.name, layer.prompt)

            def failed(error: StandeeError) -> None:
                self._notices.fail(error, "library", "")

            self._workers.run(work, lambda _: self.refresh(), failed)

    def remove_selected(self) -> None:
        """Drop the selected subjects from the library; documents keep theirs."""
        for item in self.list.selectedItems():
            digest = str(item.data(DIGEST))
            self._workers.run(partial(self._library.remove, digest), lambda _: self.refresh())

    def _copy(self) -> None:
        """Put the current subject's cut-out on the clipboard."""
        if (layer := self._as_layer(self.list.currentItem())) is not None:
            failed = partial(self._notices.fail, topic="library", fix="")
            copy_cut_out(layer, self._library.read, self._workers, failed)

    def _carried(self, item: QListWidgetItem) -> QMimeData | None:
        """Return what other programs find of a subject that is dragged."""
        layer = self._as_layer(item)
        return CutOutData(layer, self._library.read) if layer is not None else None

    def _as_layer(self, item: QListWidgetItem | None) -> Layer | None:
        subject = self.subject(str(item.data(DIGEST))) if item is not None else None
        if subject is None:
            return None
        return Layer(Rect(0, 0, 1, 1), subject.picture, name=subject.name, mask=subject.mask)

    def _lay_out(self) -> None:
        self.setObjectName("library")
        self.list.setObjectName("subjects")
        self.list.setAccessibleName(self.tr("Subjects of the library"))
        self.list.setToolTip(self.tr("Drag onto the canvas; F2 renames"))
        self.search.setPlaceholderText(self.tr("Find"))
        self.search.setAccessibleName(self.tr("Find"))
        self.search.setClearButtonEnabled(True)
        hint = muted(self.tr("Select a layer and keep it: it is at hand in every scene then."))
        hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack = QStackedLayout()
        self._stack.addWidget(hint)
        self._stack.addWidget(self.list)
        buttons = QHBoxLayout()
        buttons.addWidget(self.keep, 1)
        buttons.addWidget(self.remove)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(10, 8, 10, 10)
        layout.addWidget(self.search)
        layout.addLayout(self._stack, 1)
        layout.addLayout(buttons)

    def _show(self, subjects: list[Subject]) -> None:
        self._subjects = {subject.picture: subject for subject in subjects}
        with QSignalBlocker(self.list):
            self.list.clear()
            for subject in subjects:
                item = QListWidgetItem(subject.name or self.tr("Unnamed"), self.list)
                item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
                item.setSizeHint(self.list.gridSize())
                item.setData(DIGEST, subject.picture)
                key = (subject.picture, subject.mask)
                if key in self._icons:
                    item.setIcon(self._icons[key])
                else:
                    self._load(subject)
        self._stack.setCurrentIndex(1 if subjects else 0)
        self.search.setVisible(len(subjects) > FEW)
        self._find()
        self._enable()

    def _find(self) -> None:
        """Leave those whose name or words have what is looked for."""
        text = self.search.text().casefold() if not self.search.isHidden() else ""
        for row in range(self.list.count()):
            subject = self._subjects[str(self.list.item(row).data(DIGEST))]
            words = f"{subject.name} {subject.prompt}".casefold()
            self.list.item(row).setHidden(text not in words)

    def _rename(self, item: QListWidgetItem) -> None:
        subject, name = self.subject(str(item.data(DIGEST))), item.text().strip()[:200]
        if subject is None or name == subject.name:
            return
        rename = partial(self._library.rename, subject.picture, name)
        fail = partial(self._notices.fail, topic="library", fix="")
        self._workers.run(rename, lambda _: self.refresh(), fail)

    def _load(self, subject: Subject) -> None:
        library = self._library

        def work() -> QImage:
            mask = library.read(subject.mask) if subject.mask else None
            return make_look(library.read(subject.picture), mask).thumbnail

        def done(image: QImage) -> None:
            icon = thumbnail_icon(image)
            self._icons[subject.picture, subject.mask] = icon
            with QSignalBlocker(self.list):
                for row in range(self.list.count()):
                    if self.list.item(row).data(DIGEST) == subject.picture:
                        self.list.item(row).setIcon(icon)
            self.list.viewport().update()

        self._workers.run(work, done)

    def _add(self, item: QListWidgetItem) -> None:
        subject = self.subject(str(item.data(DIGEST)))
        if subject is not None:
            self._importer.add_subjects(self._library, [subject])

    def _enable(self) -> None:
        self.keep.setEnabled(any(one.picture is not None for one in self._editor.selected))
        self.remove.setEnabled(bool(self.list.selectedItems()))


class SubjectList(KeyedList):
    """Pictures in a grid that can be dragged onto the canvas, and to other programs."""

    def __init__(self, carried: Callable[[QListWidgetItem], QMimeData | None]) -> None:
        super().__init__()
        self._carried = carried
        self._held: QMimeData | None = None
        self.setViewMode(QListWidget.ViewMode.IconMode)
        self.setResizeMode(QListWidget.ResizeMode.Adjust)
        self.setMovement(QListWidget.Movement.Static)
        self.setIconSize(QSize(SIDE, SIDE))
        self.setGridSize(QSize(SIDE + 14, SIDE + 30))
        self.setSelectionMode(QListWidget.SelectionMode.ExtendedSelection)
        self.setDragEnabled(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)

    def mimeData(self, items: list[QListWidgetItem]) -> QMimeData:  # type: ignore[override]
        """Name the subjects that are dragged; other programs take the first as a PNG."""
        data = (self._carried(items[0]) if items else None) or QMimeData()
        self._held = data  # Qt asks it as long as the drag goes on
        if items:
            data.setData(SUBJECT, " ".join(str(item.data(DIGEST)) for item in items).encode())
        return data
