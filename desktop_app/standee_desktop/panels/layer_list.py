"""Layer list, foremost on top: thumbnail, name, eye, lock; drag to reorder, F2 renames."""

from __future__ import annotations

from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QFont, QKeyEvent, QMouseEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from standee.composition import Layer

from ..canvas.painting import checkerboard
from ..model import edits
from ..services.image_cache import ImageCache
from ..widgets import theme
from ..widgets.icons import paint_icon
from .layer_model import Index, LayerModel

ROW = 52
THUMBNAIL = 40
BUTTON = 24
GROUP = 3
"""The width of the bar beside the layers of a group."""


class LayerDelegate(QStyledItemDelegate):
    """Paints a row and answers clicks on its eye and its lock."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """Rows have one height."""
        return QSize(160, ROW)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Paint ground, thumbnail, name and marks."""
        model, colours = index.model(), theme.current()
        assert isinstance(model, LayerModel)
        layer, rect = model.layer(index), option.rect.adjusted(4, 1, -4, -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        hovered = bool(option.state & QStyle.StateFlag.State_MouseOver)
        if selected or hovered:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colours.colour("selected" if selected else "hover"))
            painter.drawRoundedRect(rect, 6, 6)
        if selected and bool(option.state & QStyle.StateFlag.State_HasFocus):
            painter.setPen(colours.colour("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        self._paint_group(painter, layer, model, rect)
        painter.setOpacity(1.0 if layer.shown else 0.45)
        self._paint_thumbnail(painter, layer, model.pictures, rect)
        self._paint_words(painter, option, layer, model, rect)
        painter.setOpacity(1.0)
        for name, place in self._buttons(rect).items():
            state = layer.visible if name == "eye" else not layer.locked
            if name == "lock" and state and not (hovered or selected):
                continue  # an open lock is worth no ink
            shape = {"eye": ("eye-off", "eye"), "lock": ("lock", "unlock")}[name][state]
            colour = colours.muted if state else colours.accent
            paint_icon(painter, shape, QRectF(place).adjusted(4, 4, -4, -4), colour)
        painter.restore()

    @staticmethod
    def _paint_group(painter: QPainter, layer: Layer, model: LayerModel, rect: QRect) -> None:
        """Paint a bar beside the layers of a group, in one colour from row to row."""
        if layer.group is not None:
            groups = list(dict.fromkeys(one.group for one in model.layers if one.group))
            bar = QRectF(rect.x() + 1, rect.y() - 1, GROUP, rect.height() + 2)
            painter.fillRect(bar, theme.subject_colour(groups.index(layer.group)))

    def _paint_thumbnail(
        self, painter: QPainter, layer: Layer, pictures: ImageCache, rect: QRect
    ) -> None:
        colours = theme.current()
        box = QRectF(rect.x() + 6, rect.center().y() - THUMBNAIL / 2 + 1, THUMBNAIL, THUMBNAIL)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(checkerboard(colours.checker_a, colours.checker_b))
        painter.drawRoundedRect(box, 4, 4)
        digest, inner = layer.picture, box.adjusted(9, 9, -9, -9)
        if digest is None:
            paint_icon(painter, "words", inner, colours.muted)
        elif (pixmap := pictures.thumbnail(digest, layer.mask)) is not None:
            scale = min(box.width() / pixmap.width(), box.height() / pixmap.height())
            w, h = pixmap.width() * scale, pixmap.height() * scale
            target = QRectF(box.center().x() - w / 2, box.center().y() - h / 2, w, h)
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.save()
            if layer.flip:
                painter.translate(2 * target.center().x(), 0)
                painter.scale(-1, 1)
            painter.drawPixmap(target, pixmap, QRectF(pixmap.rect()))
            painter.restore()
        elif pictures.error(digest, layer.mask) is not None:
            paint_icon(painter, "warning", inner, colours.danger)
        painter.setPen(colours.colour("border"))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)

    def _paint_words(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        layer: Layer,
        model: LayerModel,
        rect: QRect,
    ) -> None:
        colours = theme.current()
        left = rect.x() + THUMBNAIL + 16
        width = rect.right() - 2 * BUTTON - 8 - left
        name, words = layer.name or model.tr("Unnamed"), layer.prompt
        font = QFont(option.font)
        font.setWeight(QFont.Weight.Medium)
        painter.setFont(font)
        metrics = painter.fontMetrics()
        painter.setPen(colours.colour("text"))
        middle = rect.center().y()
        base = middle - 1 if words else middle + metrics.ascent() // 2
        elided = metrics.elidedText(name, Qt.TextElideMode.ElideRight, width)
        painter.drawText(QPoint(left, base), elided)
        if words:
            font.setWeight(QFont.Weight.Normal)
            font.setPointSizeF(font.pointSizeF() * 0.9)
            painter.setFont(font)
            painter.setPen(colours.colour("muted"))
            elided = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, width)
            painter.drawText(QPoint(left, base + painter.fontMetrics().height() + 1), elided)

    @staticmethod
    def _buttons(rect: QRect) -> dict[str, QRect]:
        top = rect.center().y() - BUTTON // 2
        right = rect.right() - 6
        return {
            "eye": QRect(right - BUTTON, top, BUTTON, BUTTON),
            "lock": QRect(right - 2 * BUTTON, top, BUTTON, BUTTON),
        }

    def button_at(self, row: QRect, at: QPoint) -> str:
        """Return "eye" or "lock" where one is at a position, else ""."""
        places = self._buttons(row.adjusted(4, 1, -4, -1))
        return next((name for name, place in places.items() if place.contains(at)), "")

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        """A line to rename in."""
        editor = QLineEdit(parent)
        editor.setAccessibleName(self.tr("Layer name"))
        editor.setMaxLength(200)
        return editor

    def updateEditorGeometry(
        self, editor: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> None:
        """Beside the thumbnail."""
        rect = option.rect.adjusted(4 + THUMBNAIL + 10, 0, -2 * BUTTON - 12, 0)
        height = editor.sizeHint().height()
        editor.setGeometry(rect.x(), rect.center().y() - height // 2, rect.width(), height)


class LayerList(QListView):
    """The list itself."""

    menu_wanted = Signal(QPoint)

    def __init__(self, model: LayerModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model, self._document = model, model.document
        self._syncing = False
        self._pressed_button: tuple[int, str] | None = None
        self.setModel(model)
        self.setItemDelegate(LayerDelegate(self))
        self.setAccessibleName(self.tr("Layers, the foremost first"))
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setEditTriggers(QAbstractItemView.EditTrigger.DoubleClicked)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setMinimumHeight(3 * ROW)
        self.setSpacing(0)
        self.viewport().setBackgroundRole(QPalette.ColorRole.AlternateBase)
        self.selectionModel().selectionChanged.connect(self._tell_document)
        self._document.selection_changed.connect(lambda _: self._show_selection())
        model.modelReset.connect(self._show_selection)

    def rename(self, layer_id: str) -> None:
        """Open the line to rename a layer in."""
        for row, layer in enumerate(self._model.layers):
            if layer.id == layer_id:
                self.setFocus()
                self.setCurrentIndex(self._model.index(row))
                self.edit(self._model.index(row))

    def _tell_document(self, *_: object) -> None:
        if not self._syncing:
            rows = self.selectionModel().selectedRows()
            chosen = {self._model.layer(index).id for index in rows}
            new = chosen - set(self._document.selection)  # a layer brings its group along
            company = edits.with_company(self._document.composition, new)
            self._document.select(chosen | company)
            self._show_selection()

    def _show_selection(self) -> None:
        self._syncing = True
        chosen = QItemSelection()
        last = None
        for row, layer in enumerate(self._model.layers):
            if layer.id in self._document.selection:
                last = self._model.index(row)
                chosen.select(last, last)
        flag = QItemSelectionModel.SelectionFlag
        self.selectionModel().select(chosen, flag.ClearAndSelect)
        if last is not None:
            self.selectionModel().setCurrentIndex(last, flag.NoUpdate)
            self.scrollTo(last)
        self._syncing = False

    # -- events ----------------------------------------------------------------------------------

    def _button_under(self, event: QMouseEvent) -> tuple[int, str] | None:
        index = self.indexAt(event.position().toPoint())
        if not index.isValid():
            return None
        delegate = self.itemDelegate()
        assert isinstance(delegate, LayerDelegate)
        name = delegate.button_at(self.visualRect(index), event.position().toPoint())
        return (index.row(), name) if name else None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Eye and lock work without selecting the row."""
        self._pressed_button = self._button_under(event)
        if self._pressed_button is None or event.button() != Qt.MouseButton.LeftButton:
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Click the eye or the lock."""
        pressed, self._pressed_button = self._pressed_button, None
        if pressed is not None and pressed == self._button_under(event):
            self._toggle(self._model.layers[pressed[0]], pressed[1])
        elif pressed is None:
            super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Two fast clicks on the eye are two clicks."""
        if self._button_under(event) is not None:
            self.mousePressEvent(event)
        else:
            super().mouseDoubleClickEvent(event)

    def _toggle(self, layer: Layer, button: str) -> None:
        ids = self._document.selection if layer.id in self._document.selection else (layer.id,)
        if button == "eye":
            text = self.tr("Hide") if layer.visible else self.tr("Show")
            fields = {"visible": not layer.visible}
        else:
            text = self.tr("Unlock") if layer.locked else self.tr("Lock")
            fields = {"locked": not layer.locked}
        changed = edits.with_fields(self._document.composition, ids, **fields)
        self._document.apply(text, changed)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Alt and arrows reorder; H hides, L locks."""
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        document = self._document
        steps = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()))
        current = self.currentIndex()
        if alt and steps is not None and document.selection:
            raised = edits.raised(document.composition, document.selection, steps)
            document.apply(self.tr("Reorder"), raised)
        elif event.key() == Qt.Key.Key_Space and current.isValid():
            self._toggle(self._model.layer(current), "eye")
        else:
            super().keyPressEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        """Ask for the context menu."""
        if event.type() == QEvent.Type.ContextMenu:
            self.menu_wanted.emit(event.globalPos())  # type: ignore[attr-defined]
            return True
        return super().viewportEvent(event)
