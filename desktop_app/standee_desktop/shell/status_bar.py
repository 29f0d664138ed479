"""Status bar: mouse position, selection, canvas size, zoom."""

from __future__ import annotations

from PySide6.QtCore import QPointF, Qt, QTimer
from PySide6.QtWidgets import QLabel, QMenu, QStatusBar, QToolButton, QWidget

from ..canvas.view import CanvasView
from ..model import EditorDocument
from ..widgets.actions import Actions


class StatusBar(QStatusBar):
    """Facts about canvas and selection. Others add theirs as permanent widgets."""

    def __init__(
        self,
        document: EditorDocument,
        canvas: CanvasView,
        actions: Actions,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._canvas = document, canvas
        self.setSizeGripEnabled(False)
        self._selection = QLabel(self)
        self._mouse = QLabel(self)
        self._mouse.setMinimumWidth(90)
        self._size = QLabel(self)
        self.addWidget(self._mouse)
        self.addWidget(self._selection, 1)
        self.addPermanentWidget(self._size)
        self.zoom = QToolButton(self)
        self.zoom.setAccessibleName(self.tr("Zoom"))
        self.zoom.setToolTip(self.tr("Zoom"))
        self.zoom.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.zoom.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        menu = QMenu(self.zoom)
        for name in ("zoom-fit", "zoom-selection", "zoom-full", "zoom-in", "zoom-out"):
            menu.addAction(actions[name])
        self.zoom.setMenu(menu)
        self.addPermanentWidget(self.zoom)
        canvas.camera_changed.connect(self._show_zoom)
        canvas.hovered.connect(self._show_mouse)
        document.changed.connect(lambda _: self._soon.start())
        document.selection_changed.connect(lambda _: self._soon.start())
        self._soon = QTimer(self, interval=30, singleShot=True)
        self._soon.timeout.connect(self._show_document)
        self._show_zoom()
        self._show_document()

    def show_facts(self, shown: bool) -> None:
        """Show what is about canvas and selection, or nothing of it on the welcome page."""
        for widget in (self._mouse, self._selection, self._size, self.zoom):
            widget.setVisible(shown)

    def _show_zoom(self) -> None:
        self.zoom.setText(f"{self._canvas.camera.scale * 100:.0f} %")

    def _show_mouse(self, at: QPointF | None) -> None:
        self._mouse.setText("" if at is None else f"{round(at.x())}, {round(at.y())}")

    def _show_document(self) -> None:
        composition, selected = self._document.composition, self._document.selected
        canvas = composition.canvas
        self._size.setText(f"{canvas.width} × {canvas.height} px")
        if len(selected) == 1:
            layer, rect = selected[0], selected[0].rect
            name = layer.name or self.tr("Unnamed")
            self._selection.setText(f"{name}   {round(rect.w)} × {round(rect.h)}")
        elif selected:
            self._selection.setText(self.tr("%n layers selected", "", len(selected)))
        else:
            self._selection.setText(self.tr("%n layer(s)", "", len(composition.layers)))
