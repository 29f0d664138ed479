"""Editor as a process: start and exit."""

from __future__ import annotations

import subprocess
import sys

COPY_AND_LEAVE = """
from PySide6.QtCore import QMimeData
from standee_desktop.shell.application import make_application

app = make_application("en")
data = QMimeData()
data.setText("a layer")
app.clipboard().setMimeData(data)
assert app.clipboard().text() == "a layer"
"""


def test_it_leaves_in_peace_with_something_on_the_clipboard(app) -> None:
    done = subprocess.run(
        [sys.executable, "-c", COPY_AND_LEAVE], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
