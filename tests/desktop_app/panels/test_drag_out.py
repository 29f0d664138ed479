"""Pictures dragged out of the editor by a real mouse, into the window of another program.

Needs an X display and xdotool: `xvfb-run -s "-screen 0 1500x900x24" pytest tests/desktop_app --headed -m headed`.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QListView

from support.desktop import drop_target
from support.desktop.person import Person

pytestmark = pytest.mark.headed
AT = 1200, 300


@pytest.fixture
def other(app, settle, tmp_path: Path):  # type: ignore[no-untyped-def]
    """The folder of another program, whose window is at the right."""
    if QGuiApplication.platformName() != "xcb" or shutil.which("xdotool") is None:
        pytest.skip("a real drag needs --headed on an X display, and xdotool")
    folder = tmp_path / "other program"
    folder.mkdir()
    command = [sys.executable, drop_target.__file__, *map(str, AT), str(folder)]
    process = subprocess.Popen(command)
    settle(lambda: (folder / "shown").exists(), 20)
    yield folder
    process.kill()
    process.wait()


def drags(view: QListView, row: int) -> None:
    """Drag a row of a list into the other window, with a hand that takes its time."""
    model, root = view.model(), view.rootIndex()
    middle = view.visualRect(model.index(row, 0, root)).center()
    start = view.viewport().mapToGlobal(middle)
    end = QPoint(*AT) + QPoint(120, 120)
    way = [start + (end - start) * n / 10 for n in range(11)]
    words = ["mousemove", str(start.x()), str(start.y()), "sleep", "0.1", "mousedown", "1"]
    for at in way[1:]:
        words += ["sleep", "0.05", "mousemove", str(at.x()), str(at.y())]
    words += ["sleep", "0.2", "mouseup", "1"]
    subprocess.Popen(["xdotool", *words])


def test_a_result_is_given_to_another_program_as_a_png_to_copy(
    other: Path, person: Person, assembly, settle, picture
) -> None:
    person.window.setGeometry(0, 0, 1100, 800)
    png = picture((64, 48), "navy")
    person.document.document.add_result(png, {}, "blue")
    person.document.note_results()
    results = assembly.results_panel.list
    settle(lambda: results.count() == 1)
    results.setCurrentRow(0)
    settle(lambda: results.item(0).icon().availableSizes())
    drags(results, 0)
    settle(lambda: (other / "offered.json").exists(), 10)
    offered = json.loads((other / "offered.json").read_text())
    assert not offered["may move"], "who moves a picture deletes its file"
    given = Image.open(io.BytesIO((other / "given.png").read_bytes()))
    assert given.size == (64, 48)
    assert given.convert("RGBA").tobytes() == Image.open(io.BytesIO(png)).convert("RGBA").tobytes()


def test_a_layer_is_given_to_another_program_as_its_cut_out(
    other: Path, person: Person, assembly, settle
) -> None:
    person.window.setGeometry(0, 0, 1100, 800)
    person.has(("cat", 0, 0, 64, 64), ("dog", 64, 0, 64, 64))
    person.selects("dog")
    settle()
    drags(person.window.layers.list, 0)
    settle(lambda: (other / "offered.json").exists(), 10)
    given = Image.open(io.BytesIO((other / "given.png").read_bytes())).convert("RGBA")
    assert given.size == (64, 64)
    assert given.getpixel((0, 0))[3] == 0, "around the disc there is nothing"
    assert given.getpixel((32, 32))[3] == 255
    assert len(person.document.composition.layers) == 2, "and the layer stays"
