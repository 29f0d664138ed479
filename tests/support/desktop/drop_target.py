"""A window of another program that takes drops: `python drop_target.py X Y FOLDER`.

It writes what it is offered to `offered.json` in the folder, and the PNG and the file that it is given beside that.
"""

import json
import shutil
import sys
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QWidget


class Target(QWidget):
    def __init__(self, folder):
        super().__init__(None, Qt.WindowType.FramelessWindowHint)
        self.folder = folder
        self.setAcceptDrops(True)

    def dragEnterEvent(self, event):
        event.acceptProposedAction()

    def dropEvent(self, event):
        mime = event.mimeData()
        event.acceptProposedAction()
        if mime.hasFormat("image/png"):
            (self.folder / "given.png").write_bytes(bytes(mime.data("image/png")))
        files = [url.toLocalFile() for url in mime.urls()]
        if files:
            shutil.copy(files[0], self.folder / ("file" + Path(files[0]).suffix))
        moves = bool(event.possibleActions() & Qt.DropAction.MoveAction)
        told = {"formats": mime.formats(), "files": files, "may move": moves}
        (self.folder / "offered.json.part").write_text(json.dumps(told))
        (self.folder / "offered.json.part").rename(self.folder / "offered.json")


if __name__ == "__main__":
    app = QApplication([])
    x, y, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    target = Target(folder)
    target.setGeometry(x, y, 240, 240)
    target.show()
    app.processEvents()
    (folder / "shown").touch()
    app.exec()
