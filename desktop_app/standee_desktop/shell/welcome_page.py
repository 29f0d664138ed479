"""Welcome page: what Standee does, the sample scene, recent documents, models to have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QEnterEvent,
    QImage,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ..canvas.document_preview import preview
from ..canvas.painting import checkerboard
from ..services.thread_pool import ThreadPool
from ..widgets import theme
from ..widgets.actions import Actions
from ..widgets.icons import emblem, icon
from .first_run.model_list import ModelList

MOST_RECENT = 5
PAGE = 900
SIDES, GAP = 32, 48
SAMPLE, CARD = 300, 140
"""The sides of the pictures of the sample and of recent documents, px."""
WORDS = 26
"""The height of the name below a picture, px."""


def sample_file() -> Path | None:
    """Return the sample scene that comes with Standee, if this installation has it."""
    path = Path(str(resources.files("standee"))) / "samples" / "three_friends.standee"
    return path if path.is_file() else None


class DocumentCard(QAbstractButton):
    """A document as a picture with its name below."""

    def __init__(self, name: str, side: int, file: Path | None) -> None:
        super().__init__()
        self.setText(name)
        self.setAccessibleName(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._side, self._image, self._file = side, QImage(), file
        self._named = bool(name)
        self.setFixedSize(self.sizeHint())
        if file is not None:
            self.setToolTip(str(file))

    def load(self, workers: ThreadPool, wanted: Callable[[], bool]) -> None:
        """Read the picture, once, as long as it is `wanted`."""
        file, pixels = self._file, round(self._side * self.devicePixelRatioF())
        if file is not None and self._image.isNull():
            workers.run(lambda: preview(file, pixels, wanted), self._show, lambda _: None)

    def sizeHint(self) -> QSize:
        """The picture, and room for the name."""
        return QSize(self._side, self._side + (WORDS if self._named else 0))

    def _show(self, image: QImage) -> None:
        self._image = image
        self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show that it can be pressed."""
        self.update()
        super().enterEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the picture on the ground of the canvas, framed, and the name."""
        colours, painter = theme.current(), QPainter(self)
        painter.setRenderHints(
            QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform
        )
        box = QRectF(0, 0, self._side, self._side).adjusted(1, 1, -1, -1)
        shape = QPainterPath()
        shape.addRoundedRect(box, 10, 10)
        painter.fillPath(shape, checkerboard(colours.checker_a, colours.checker_b))
        if not self._image.isNull():
            fitted = Qt.AspectRatioMode.KeepAspectRatio
            size = self._image.size().scaled(box.size().toSize(), fitted)
            at = box.center() - QPointF(size.width() / 2, size.height() / 2)
            painter.setClipPath(shape)
            painter.drawImage(QRectF(at, size.toSizeF()), self._image)
            painter.setClipping(False)
        live = self.underMouse() or self.hasFocus()
        painter.setPen(QPen(colours.colour("accent" if live else "border"), 2 if live else 1))
        painter.drawPath(shape)
        if self._named:
            words = QRectF(0, self._side, self._side, WORDS)
            mode = Qt.TextElideMode.ElideMiddle
            text = self.fontMetrics().elidedText(self.text(), mode, self._side - 4)
            painter.setPen(colours.colour("text"))
            painter.drawText(words, Qt.AlignmentFlag.AlignCenter, text)


class WelcomePage(QWidget):
    """Shown until there is something to edit."""

    sample_wanted = Signal()
    file_wanted = Signal(Path)

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # One thread of its own: these pictures are a nicety, and the canvas shall not wait for them.
        self.workers = ThreadPool(self, in_order=True)
        self.can_leave = self._shown = False
        self.setObjectName("welcome")
        self.setAccessibleName(self.tr("Welcome"))
        ignored = QSizePolicy.Policy.Ignored  # while it is hidden it asks for no room
        self.setSizePolicy(ignored, ignored)
        sample = sample_file()
        self.sample = QPushButton(icon("image", "on_accent"), self.tr("Open the sample scene"))
        self.sample.setObjectName("open-sample")
        self.sample.setProperty("role", "primary")
        self.sample.setEnabled(sample is not None)
        if sample is None:
            self.sample.setToolTip(self.tr("This installation comes without the sample scene."))
        self.sample.clicked.connect(self.sample_wanted)
        self.back = QPushButton(self.tr("Back to the document"))
        self.back.setObjectName("back")
        self.back.hide()
        picture = self._picture = DocumentCard("", SAMPLE, sample)
        picture.setAccessibleName(self.tr("Open the sample scene"))
        picture.setToolTip(self.tr("Open the sample scene"))
        picture.clicked.connect(self.sample_wanted)
        picture.setVisible(sample is not None)
        self._has_sample = sample is not None
        self._recent_title = QLabel(self.tr("Recent"))
        self._recent_title.setProperty("role", "heading")
        self._recent = QHBoxLayout()
        self._recent.setSpacing(14)
        top = QHBoxLayout()
        top.setSpacing(GAP)
        self._words_part = self._words(actions)
        top.addLayout(self._words_part, 1)
        top.addWidget(picture, 0, Qt.AlignmentFlag.AlignVCenter)
        page = self._page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(top)
        column.addSpacing(28)
        column.addWidget(self._recent_title)
        column.addLayout(self._recent)
        self.models = ModelList()
        column.addWidget(self.models)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(page, 100)
        row.addStretch(1)
        inside = QWidget()
        inside.setObjectName("welcome-inside")
        whole = QVBoxLayout(inside)
        whole.setContentsMargins(SIDES, 32, SIDES, 32)
        whole.addWidget(self.back, 0, Qt.AlignmentFlag.AlignLeft)
        whole.addStretch(2)
        whole.addLayout(row)
        whole.addStretch(3)
        self._scroll = QScrollArea()
        self._scroll.setObjectName("welcome-scroll")
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setWidget(inside)
        filling = QVBoxLayout(self)
        filling.setContentsMargins(0, 0, 0, 0)
        filling.addWidget(self._scroll)
        self.show_recent(())

    def _words(self, actions: Actions) -> QVBoxLayout:
        sign = QLabel()
        sign.setPixmap(emblem().pixmap(QSize(64, 64), self.devicePixelRatioF()))
        title = QLabel(self.tr("Stand your subjects in a scene"))
        title.setProperty("role", "title")
        title.setWordWrap(True)
        words = QLabel(
            self.tr(
                "Place pictures of a cat, a mug, a robot as layers. Standee composes one coherent "
                "picture on your own machine, in which each keeps its identity and its place."
            )
        )
        words.setProperty("role", "muted")
        words.setWordWrap(True)
        blank = QPushButton(icon("new"), self.tr("Empty canvas"))
        blank.setObjectName("empty-canvas")
        blank.clicked.connect(actions["new"].trigger)
        opens = QPushButton(icon("open"), self.tr("Open a document…"))
        opens.clicked.connect(actions["open"].trigger)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.sample, blank, opens):
            button.setMinimumHeight(36)
            buttons.addWidget(button)
        buttons.addStretch(1)
        hint = QLabel(self.tr("Or drop pictures anywhere in this window."))
        hint.setProperty("role", "muted")
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addStretch(1)
        column.addWidget(sign)
        column.addSpacing(6)
        column.addWidget(title)
        column.addWidget(words)
        column.addSpacing(12)
        column.addLayout(buttons)
        column.addSpacing(4)
        column.addWidget(hint)
        column.addStretch(1)
        return column

    def show_recent(self, files: Sequence[Path]) -> None:
        """Offer the documents that were open lately."""
        while (item := self._recent.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._recent_title.setVisible(bool(files))
        for file in files[:MOST_RECENT]:
            card = DocumentCard(file.stem, CARD, file)
            card.clicked.connect(lambda _=False, path=file: self.file_wanted.emit(path))
            self._recent.addWidget(card)
            if self._shown:
                card.load(self.workers, lambda: self._shown)
        self._recent.addStretch(1)

    def begin(self, can_leave: bool) -> None:
        """It is shown from now on; with a document behind it there is a way back to that."""
        self._shown, self.can_leave = True, can_leave
        self.back.setVisible(can_leave)
        self.models.want(True)
        for card in self.findChildren(DocumentCard):
            card.load(self.workers, lambda: self._shown)

    def end(self) -> None:
        """It is hidden: what it would still read has no use."""
        self._shown = False
        self.models.want(False)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the words what their font needs; the picture of the sample goes where that is too much."""
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Now the style and the font are known."""
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        bar = self._scroll.verticalScrollBar().sizeHint().width()
        room = self.width() - 2 * SIDES - bar
        words = self._words_part.minimumSize().width()
        self._picture.setVisible(self._has_sample and room >= words + GAP + SAMPLE)
        beside = GAP + SAMPLE if not self._picture.isHidden() else 0
        self._page.setMaximumWidth(max(PAGE, words + beside))
