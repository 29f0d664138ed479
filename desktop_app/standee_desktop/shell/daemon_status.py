"""Daemon status in the status bar: a dot and a word, always visible."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from ..services.daemon_link import ConnectionState, DaemonLink
from ..widgets import theme

COLOURS = {"connected": "success", "looking": "muted", "away": "warning", "failed": "danger"}


class DaemonStatus(QToolButton):
    """The state of the link; its menu starts the daemon again."""

    def __init__(self, link: DaemonLink, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("connection")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setAutoRaise(True)
        menu = QMenu(self)
        menu.addAction(self.tr("Connect again"), link.retry)
        menu.addAction(self.tr("Restart the daemon"), link.restart)
        self.setMenu(menu)
        link.contact_changed.connect(self._show)
        self._show(link.contact)

    def _show(self, contact: ConnectionState) -> None:
        words = {
            "connected": self.tr("Ready"),
            "looking": self.tr("Looking for the daemon…"),
            "away": self.tr("The daemon is away; trying again…"),
            "failed": self.tr("No daemon"),
        }[contact.state]
        self.setText(words)
        tip = str(contact.error) if contact.error is not None else contact.server
        self.setToolTip(tip or words)
        self.setAccessibleName(self.tr("Daemon: %1").replace("%1", words))
        self.setIcon(_dot(theme.current().colour(COLOURS[contact.state])))


def _dot(colour: QColor) -> QIcon:
    pixmap = QPixmap(32, 32)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawEllipse(8, 8, 16, 16)
    painter.end()
    return QIcon(pixmap)
