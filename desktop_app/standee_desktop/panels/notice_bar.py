"""Notice bar over the canvas: news and errors, each with its fix button."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleEvent, QColor
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QGridLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ..model.notices import Notice, Notices
from ..widgets import theme
from ..widgets.error_words import describe_error
from ..widgets.fields import tool_button
from ..widgets.icons import icon

NARROW = 400
"""Where there are fewer px than that, a notice has its buttons below its words."""
MARGINS, APART = (10, 7, 6, 7), 10
"""What lies around a notice's words and buttons: left, top, right, bottom; and between them, px."""


def fix_label(fix: str) -> str:
    """Return what stands on the button of a fix."""

    translate = QCoreApplication.translate

    words = {
        "install": translate("NoticeBar", "Install the engine"),
        "retry-connection": translate("NoticeBar", "Start the daemon"),
        "restart": translate("NoticeBar", "Restart the daemon"),
        "renew-keys": translate("NoticeBar", "Restart the daemon"),
        "bundled-model": translate("NoticeBar", "Use the bundled model"),
        "retry": translate("NoticeBar", "Try again"),
        "save-as": translate("NoticeBar", "Save elsewhere…"),
        "open-folder": translate("NoticeBar", "Open the folder"),
        "open-log": translate("NoticeBar", "Open the log"),
        "recover": translate("NoticeBar", "Recover"),
        "discard": translate("NoticeBar", "Discard"),
        "download": translate("NoticeBar", "Download"),
        "open-page": translate("NoticeBar", "Open the page"),
        "scale-canvas": translate("NoticeBar", "Scale the canvas"),
        "fit-canvas": translate("NoticeBar", "Fit the canvas"),
        "cancel": translate("NoticeBar", "Cancel"),
    }
    return words.get(fix, fix)


def rgb(colour: QColor) -> tuple[int, int, int]:
    """Return the parts of a colour."""
    return colour.red(), colour.green(), colour.blue()


class NoticeBar(QWidget):
    """Shows the newest notices, the latest at the bottom; those before come back as these go."""

    MOST = 3

    def __init__(self, notices: Notices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._notices = notices
        self._rows: dict[int, tuple[Notice, NoticeRow]] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        self.setObjectName("notices")
        self.setAccessibleName(self.tr("Notices"))
        notices.changed.connect(lambda _: self._refresh())
        self._refresh()

    def rows(self) -> list[NoticeRow]:
        """Return the rows that are shown."""
        return [row for _, row in self._rows.values()]

    def heightForWidth(self, width: int) -> int:
        """Return how high it is at a width, at which its notices are laid out from then on."""
        for row in self.rows():
            row.fold(width)
        self._layout.invalidate()
        return super().heightForWidth(width)

    def _refresh(self) -> None:
        standing = {id(notice): notice for notice in list(self._notices)[-self.MOST :]}
        for key in [key for key in self._rows if key not in standing]:
            _, row = self._rows.pop(key)
            row.hide()
            row.deleteLater()
        for key, notice in standing.items():
            if key not in self._rows:
                row = NoticeRow(notice, self._notices)
                self._rows[key] = (notice, row)
                self._layout.addWidget(row)
                QAccessible.updateAccessibility(QAccessibleEvent(row, QAccessible.Event.Alert))
        self.setVisible(bool(self._rows))


class NoticeRow(QFrame):
    """One notice."""

    def __init__(self, notice: Notice, notices: Notices) -> None:
        super().__init__()
        self.notice = notice
        self.setObjectName("notice")
        self.setAccessibleName(notice.text)
        colour = {"error": "danger", "warning": "warning", "info": "accent"}[notice.level]
        self._colour = colour
        self._picture = QLabel()
        self._tint()
        said, below = describe_error(notice.code, notice.text, notice.hint)
        text, hint = QLabel(said), QLabel(below)
        for label in (text, hint):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        hint.setProperty("role", "muted")
        hint.setVisible(bool(below))
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(text)
        words.addWidget(hint)
        self._row = QGridLayout(self)
        self._row.setContentsMargins(*MARGINS)
        self._row.setSpacing(APART)
        self._row.setColumnStretch(1, 1)
        self._row.addWidget(self._picture, 0, 0, Qt.AlignmentFlag.AlignTop)
        self._row.addLayout(words, 0, 1)
        self._buttons = QWidget(self)
        buttons = self._beside = QBoxLayout(QBoxLayout.Direction.LeftToRight, self._buttons)
        buttons.setContentsMargins(0, 0, 0, 0)
        self.fix: QPushButton | None = None
        for fix, act, first in (
            (notice.other, notice.other_act, False),
            (notice.fix, notice.act, True),
        ):
            if fix and act is not None:
                button = QPushButton(fix_label(fix))
                button.setProperty("role", "primary" if first else "quiet")
                button.setObjectName(f"fix-{fix}")
                button.clicked.connect(lambda _=False, act=act: notices.take(notice, act))
                buttons.addWidget(button)
                if first:
                    self.fix = button
        close = tool_button("cancel", self.tr("Dismiss"))
        close.clicked.connect(lambda: notices.dismiss(notice))
        self._row.addWidget(close, 0, 3, Qt.AlignmentFlag.AlignTop)
        self._below: bool | None = None
        self.fold(NARROW)
        if notice.seconds is not None:
            QTimer.singleShot(int(notice.seconds * 1000), self, lambda: notices.drop(notice))

    def fold(self, width: int) -> None:
        """Put the buttons beside the words, or at a small width below them, there below each other if need be."""
        buttons = self._buttons.findChildren(QPushButton)
        self._buttons.setVisible(bool(buttons))
        if not buttons:
            return
        narrow = width < NARROW
        together = sum(one.sizeHint().width() + APART for one in buttons) - APART
        stacked = narrow and together > width - MARGINS[0] - MARGINS[2]
        directions = QBoxLayout.Direction
        self._beside.setDirection(directions.TopToBottom if stacked else directions.LeftToRight)
        if narrow != self._below:
            self._below = narrow
            self._row.removeWidget(self._buttons)
            row, column, columns = (1, 0, 4) if narrow else (0, 2, 1)
            self._row.addWidget(self._buttons, row, column, 1, columns)

    def _tint(self) -> None:
        """Take the theme's colours, not to be seen through: it floats over pictures."""
        colours = theme.current()
        ground, found = rgb(colours.colour("raised")), rgb(colours.colour(self._colour))
        mixed = [round(0.88 * a + 0.12 * b) for a, b in zip(ground, found, strict=True)]
        tint, line = (f"rgb({r}, {g}, {b})" for r, g, b in (mixed, found))
        self._dark = colours.dark
        name = "warning" if self.notice.level != "info" else "info"
        self._picture.setPixmap(icon(name, self._colour).pixmap(18, 18))
        self.setStyleSheet(
            f"#notice {{ background: {tint}; border: 1px solid {line}; border-radius: 8px; }}"
        )

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        if event.type() == QEvent.Type.PaletteChange and self._dark != theme.current().dark:
            self._tint()
        super().changeEvent(event)
