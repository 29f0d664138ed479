"""Editor as a process: start and exit."""

from __future__ import annotations

import gc
import subprocess
import sys

from standee_desktop.shell.application import make_window
from standee_desktop.shell.assembly import Assembly

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


def test_collections_of_garbage_hold_up_no_frame_for_what_the_start_has_made(  # type: ignore[no-untyped-def]
    app, settle, own_places, monkeypatch
) -> None:
    monkeypatch.setenv("STANDEE_HOME", str(own_places / "home"))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # which the window takes over
    window = make_window()
    looked_at = {id(one) for one in gc.get_objects()}
    gc.unfreeze()
    assert id(window) not in looked_at
    assert len(looked_at) < 1000
    window.findChild(Assembly).close()
    window.may_close = lambda: True
    window.close()
    settle()
