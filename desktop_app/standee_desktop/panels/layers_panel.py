"""Layers panel: the list, a hint when it is empty, and the buttons under it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedLayout, QToolButton, QVBoxLayout, QWidget

from ..model import EditorDocument
from ..services.image_cache import ImageCache
from ..widgets.actions import Actions
from .layer_list import LayerList
from .layer_model import LayerModel


class LayersPanel(QWidget):
    """Shows the layers of a document."""

    def __init__(
        self,
        document: EditorDocument,
        pictures: ImageCache,
        actions: Actions,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("layers")
        self.setWindowTitle(self.tr("Layers"))
        self.list = LayerList(LayerModel(document, pictures), self)
        empty = QLabel(self.tr("Drop pictures on the canvas,\nor add a subject below."), self)
        empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        empty.setProperty("role", "muted")
        self._stack = QStackedLayout()
        self._stack.addWidget(empty)
        self._stack.addWidget(self.list)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 0, 4, 6)
        column.setSpacing(4)
        column.addLayout(self._stack, 1)
        row = QHBoxLayout()
        row.setContentsMargins(6, 2, 6, 0)
        row.setSpacing(2)
        for name in ("add-subject", "duplicate", "flip", "raise", "lower", "delete"):
            if name in ("raise", "delete"):
                row.addStretch(1)
            button = QToolButton(self)
            button.setDefaultAction(actions[name])
            button.setAccessibleName(actions[name].toolTip())
            row.addWidget(button)
        column.addLayout(row)
        actions["rename"].triggered.connect(lambda: self._rename(document))
        document.changed.connect(lambda change: self._show(bool(change.after.layers)))
        self._show(bool(document.composition.layers))

    def _show(self, any_layers: bool) -> None:
        self._stack.setCurrentIndex(int(any_layers))

    def _rename(self, document: EditorDocument) -> None:
        if document.selection:
            self.list.rename(document.selection[-1])
