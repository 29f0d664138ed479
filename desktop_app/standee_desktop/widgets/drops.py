"""Drop acceptance: what is dragged from other programs is always copied, never moved.

A program that offers a file to be moved deletes it once the move is accepted.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QDropEvent


def accept_copy(event: QDropEvent, usable: bool) -> bool:
    """Accept a drag or a drop as a copy if it can be used here; return whether it was accepted."""
    copies = bool(event.possibleActions() & Qt.DropAction.CopyAction)
    event.setDropAction(Qt.DropAction.CopyAction)
    event.setAccepted(usable and copies)
    return event.isAccepted()
