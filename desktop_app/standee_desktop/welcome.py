"""The first page: what Standee does, the sample scene one click away, recent documents."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from . import theme
from .actions import Actions
from .icons import icon

MOST_RECENT = 5
PAGE = 620


def sample_file() -> Path | None:
    """Return the sample scene that comes with Standee, if this installation has it."""
    path = Path(str(resources.files("standee"))) / "samples" / "three_friends.standee"
    return path if path.is_file() else None


class Emblem(QWidget):
    """Three standees before a sun: what this is about, without words."""

    def sizeHint(self) -> QSize:
        """Wide and low."""
        return QSize(180, 96)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint it in the theme's colours."""
        colours, painter = theme.current(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = self.height() - 14.0
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colours.colour("accent", 0.16))
        painter.drawEllipse(QPointF(92, ground - 34), 44, 44)
        for n, (x, size) in enumerate(((18.0, 46.0), (120.0, 40.0), (62.0, 60.0))):
            figure = QPainterPath()
            figure.setFillRule(Qt.FillRule.WindingFill)
            body = QRectF(x, ground - size * 0.62, size * 0.8, size * 0.62)
            figure.addRoundedRect(body, size * 0.22, size * 0.22)
            head = QPointF(body.center().x(), ground - size * 0.76)
            figure.addEllipse(head, size * 0.25, size * 0.25)
            outline = QPen(colours.colour("panel"), 5)
            painter.strokePath(figure.simplified(), outline)
            painter.fillPath(figure.simplified(), theme.subject_colour((0, 2, 1)[n]))
        painter.setPen(QPen(colours.colour("border"), 2))
        painter.drawLine(QPointF(4, ground), QPointF(176, ground))


class WelcomePage(QWidget):
    """Shown until there is something to edit."""

    sample_wanted = Signal()
    file_wanted = Signal(Path)

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("welcome")
        self.setAccessibleName(self.tr("Welcome"))
        page = QWidget(self)
        page.setMaximumWidth(PAGE)
        column = QVBoxLayout(page)
        column.setSpacing(8)
        title = QLabel(self.tr("Stand your subjects in a scene"), page)
        title.setProperty("role", "title")
        words = QLabel(
            self.tr(
                "Place pictures of a cat, a mug, a robot as layers. Standee composes one coherent "
                "picture on your own machine, in which each keeps its identity and its place."
            ),
            page,
        )
        words.setProperty("role", "muted")
        words.setWordWrap(True)
        self.sample = QPushButton(
            icon("image", "on_accent"), self.tr("Open the sample scene"), page
        )
        self.sample.setObjectName("open-sample")
        self.sample.setProperty("role", "primary")
        self.sample.setEnabled(sample_file() is not None)
        if sample_file() is None:
            self.sample.setToolTip(self.tr("This installation comes without the sample scene."))
        self.sample.clicked.connect(self.sample_wanted)
        blank = QPushButton(icon("new"), self.tr("Empty canvas"), page)
        blank.setObjectName("empty-canvas")
        blank.clicked.connect(actions["new"].trigger)
        opens = QPushButton(icon("open"), self.tr("Open a document…"), page)
        opens.clicked.connect(actions["open"].trigger)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.sample, blank, opens):
            button.setMinimumHeight(36)
            buttons.addWidget(button)
        buttons.addStretch(1)
        self._recent_title = QLabel(self.tr("Recent"), page)
        self._recent_title.setProperty("role", "heading")
        self._recent = QVBoxLayout()
        self._recent.setSpacing(0)
        hint = QLabel(self.tr("Or drop pictures anywhere in this window."), page)
        hint.setProperty("role", "muted")
        column.addWidget(Emblem(page), 0, Qt.AlignmentFlag.AlignLeft)
        column.addSpacing(6)
        column.addWidget(title)
        column.addWidget(words)
        column.addSpacing(12)
        column.addLayout(buttons)
        column.addSpacing(4)
        column.addWidget(hint)
        column.addSpacing(16)
        column.addWidget(self._recent_title)
        column.addLayout(self._recent)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(page, 10)
        row.addStretch(1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(32, 32, 32, 32)
        whole.addStretch(2)
        whole.addLayout(row)
        whole.addStretch(3)
        self.show_recent(())

    def show_recent(self, files: Sequence[Path]) -> None:
        """Offer the documents that were open lately."""
        while (item := self._recent.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()
        self._recent_title.setVisible(bool(files))
        for file in files[:MOST_RECENT]:
            button = QPushButton(icon("folder", "muted"), file.stem, self)
            button.setProperty("role", "quiet")
            button.setStyleSheet("text-align: left; padding-left: 6px;")
            button.setToolTip(str(file))
            button.clicked.connect(lambda _=False, path=file: self.file_wanted.emit(path))
            self._recent.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
