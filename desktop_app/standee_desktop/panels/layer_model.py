"""Rows of the layer list: the layers of a document, foremost first, to be renamed and dragged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace
from PySide6.QtCore import (
    QAbstractListModel,
    QByteArray,
    QMimeData,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
)

from standee.composition import Layer

from ..model import EditorDocument, edits
from ..model.layer_clipboard import ROWS
from ..services.clipboard import CutOutData
from ..services.image_cache import ImageCache

Index = QModelIndex | QPersistentModelIndex


class LayerModel(QAbstractListModel):
    """The layers of a document, front to back."""

    def __init__(self, document: EditorDocument, pictures: ImageCache) -> None:
        super().__init__()
        self.document, self.pictures = document, pictures
        self.layers: tuple[Layer, ...] = document.composition.layers[::-1]
        self._dragging: tuple[str, ...] = ()
        self._carried: QMimeData | None = None
        document.changed.connect(lambda change: self._take_over(change.after.layers))
        pictures.ready.connect(self._repaint)
        pictures.failed.connect(lambda digest, _: self._repaint(digest))

    def _take_over(self, layers: tuple[Layer, ...]) -> None:
        new = layers[::-1]
        if new == self.layers:
            return
        if [one.id for one in new] == [one.id for one in self.layers]:
            old = self.layers
            changed = [
                n for n, one in enumerate(new) if one is not old[n] and _differs(one, old[n])
            ]
            self.layers = new
            for row in changed:
                self.dataChanged.emit(self.index(row), self.index(row))
        else:
            self.beginResetModel()
            self.layers = new
            self.endResetModel()

    def _repaint(self, digest: str) -> None:
        for row, layer in enumerate(self.layers):
            if digest in (layer.picture, layer.mask):
                self.dataChanged.emit(self.index(row), self.index(row))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """One row for each layer."""
        return 0 if parent.isValid() else len(self.layers)

    def layer(self, index: Index) -> Layer:
        """Return the layer of a row."""
        return self.layers[index.row()]

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The name, also for editing, and all of it in words for screen readers."""
        layer = self.layer(index)
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.EditRole):
            return layer.name or (self.tr("Unnamed") if role == Qt.ItemDataRole.DisplayRole else "")
        if role == Qt.ItemDataRole.AccessibleTextRole:
            words = [layer.name or self.tr("Unnamed")]
            words += [self.tr("hidden")] * (not layer.shown) + [self.tr("locked")] * layer.locked
            words += [self.tr("in a group")] * (layer.group is not None)
            return ", ".join(words)
        if role == Qt.ItemDataRole.ToolTipRole:
            rect, turned = layer.rect, f"  ·  {layer.rotation:g}°" if layer.rotation else ""
            place = f"{round(rect.w)} × {round(rect.h)}  ·  {round(rect.x)}, {round(rect.y)}"
            return place + turned
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Rename a layer."""
        layer, name = self.layer(index), str(value).strip()[:200]
        composition = edits.with_fields(self.document.composition, {layer.id}, name=name)
        self.document.apply(self.tr("Rename"), composition)
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Rows can be selected, renamed and dragged; a drop goes between them."""
        flag = Qt.ItemFlag
        if not index.isValid():
            return flag.ItemIsDropEnabled
        usable = flag.ItemIsEnabled | flag.ItemIsSelectable | flag.ItemIsEditable
        return usable | flag.ItemIsDragEnabled | flag.ItemNeverHasChildren

    def supportedDropActions(self) -> Qt.DropAction:
        """Rows move."""
        return Qt.DropAction.MoveAction

    def supportedDragActions(self) -> Qt.DropAction:
        """Rows move; other programs copy."""
        return Qt.DropAction.MoveAction | Qt.DropAction.CopyAction

    def mimeTypes(self) -> list[str]:
        """Rows of this list."""
        return [ROWS]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """Remember what is dragged; what leaves this list is the foremost cut-out."""
        layers = [self.layer(index) for index in sorted(indexes, key=lambda one: one.row())]
        self._dragging = tuple(layer.id for layer in layers)
        shown = next((one for one in layers if one.picture is not None), None)
        data = QMimeData() if shown is None else CutOutData(shown, self.document.document.read)
        data.setData(ROWS, QByteArray(str(len(layers)).encode()))
        self._carried = data  # Qt asks it as long as the drag goes on
        return data

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:
        """Move the dragged layers to between two rows."""
        if not (data.hasFormat(ROWS) and self._dragging):
            return False
        row = len(self.layers) if row < 0 else row
        composition = self.document.composition
        moved = edits.reordered(composition, self._dragging, len(self.layers) - row)
        self.document.apply(self.tr("Reorder"), moved)
        self._dragging = ()
        return False  # the model has moved them itself: the view shall remove nothing


def _differs(one: Layer, other: Layer) -> bool:
    """Whether a row looks different: where a layer stands does not show."""
    return replace(one, rect=other.rect, rotation=other.rotation) != other
