"""The bar above the canvas: what went wrong or is worth knowing, with a button that mends it."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from ..model.notices import Notice, Notices
from ..widgets import theme
from ..widgets.fields import tool_button
from ..widgets.icons import icon


def fix_words(fix: str) -> str:
    """Return what stands on the button of a fix."""

    translate = QCoreApplication.translate

    words = {
        "install": translate("NoticeBar", "Install the engine"),
        "retry-connection": translate("NoticeBar", "Start the daemon"),
        "restart": translate("NoticeBar", "Restart the daemon"),
        "renew-keys": translate("NoticeBar", "Restart the daemon"),
        "less-memory": translate("NoticeBar", "Use less memory"),
        "bundled-model": translate("NoticeBar", "Use the bundled model"),
        "retry": translate("NoticeBar", "Try again"),
        "save-as": translate("NoticeBar", "Save elsewhere…"),
        "open-folder": translate("NoticeBar", "Open the folder"),
        "open-log": translate("NoticeBar", "Open the log"),
        "recover": translate("NoticeBar", "Recover"),
        "discard": translate("NoticeBar", "Discard"),
        "open-page": translate("NoticeBar", "Open the page"),
        "scale-canvas": translate("NoticeBar", "Scale the canvas"),
        "fit-canvas": translate("NoticeBar", "Fit the canvas"),
    }
    return words.get(fix, fix)


class NoticeBar(QWidget):
    """Shows the notices, the newest at the bottom; takes no room when there is none."""

    def __init__(self, notices: Notices, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._notices = notices
        self._rows: dict[int, tuple[Notice, NoticeRow]] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(8, 6, 8, 0)
        self._layout.setSpacing(6)
        self.setObjectName("notices")
        self.setAccessibleName(self.tr("Notices"))
        notices.changed.connect(lambda _: self._refresh())
        self._refresh()

    def rows(self) -> list[NoticeRow]:
        """Return the rows that are shown."""
        return [row for _, row in self._rows.values()]

    def _refresh(self) -> None:
        standing = {id(notice): notice for notice in self._notices}
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
        found = theme.current().colour(colour)
        tint = f"rgba({found.red()}, {found.green()}, {found.blue()}, 0.12)"
        line = f"rgba({found.red()}, {found.green()}, {found.blue()}, 0.45)"
        self.setStyleSheet(
            f"#notice {{ background: {tint}; border: 1px solid {line}; border-radius: 8px; }}"
        )
        picture = QLabel()
        name = "warning" if notice.level != "info" else "info"
        picture.setPixmap(icon(name, colour).pixmap(18, 18))
        text, hint = QLabel(notice.text), QLabel(notice.hint)
        for label in (text, hint):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        hint.setProperty("role", "muted")
        hint.setVisible(bool(notice.hint))
        words = QVBoxLayout()
        words.setSpacing(1)
        words.addWidget(text)
        words.addWidget(hint)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 7, 6, 7)
        layout.setSpacing(10)
        layout.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        self.fix: QPushButton | None = None
        for fix, act, first in (
            (notice.other, notice.other_act, False),
            (notice.fix, notice.act, True),
        ):
            if fix and act is not None:
                button = QPushButton(fix_words(fix))
                button.setProperty("role", "primary" if first else "quiet")
                button.setObjectName(f"fix-{fix}")
                button.clicked.connect(lambda _=False, act=act: notices.take(notice, act))
                layout.addWidget(button)
                if first:
                    self.fix = button
        close = tool_button("cancel", self.tr("Dismiss"))
        close.clicked.connect(lambda: notices.dismiss(notice))
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        if notice.seconds is not None:
            QTimer.singleShot(int(notice.seconds * 1000), self, lambda: notices.drop(notice))
