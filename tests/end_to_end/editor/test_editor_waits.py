"""Nothing on the GUI thread decodes, hashes, saves or talks to a socket, whatever an artist does."""

import builtins
import hashlib
import os
import threading
import zipfile
from pathlib import Path

import pytest
from PySide6.QtCore import Qt

pytest.importorskip("PySide6", reason="needs standee[desktop]")

import zmq
from PIL import Image

from support.desktop.editors import SUBJECTS

pytest_plugins = "support.desktop.editor_fixtures"

GUARDED = [
    (Image, "open"),
    (Image.Image, "load"),
    (Image.Image, "save"),
    (hashlib, "sha256"),
    (hashlib, "file_digest"),
    (os, "fsync"),
    (Path, "open"),
    (Path, "read_bytes"),
    (Path, "write_bytes"),
    (builtins, "open"),
    (zipfile, "ZipFile"),
    (zmq, "Context"),
    (zmq.Socket, "send_multipart"),
    (zmq.Socket, "recv_multipart"),
    (zmq.Socket, "poll"),
]


@pytest.fixture
def offences(monkeypatch) -> list[str]:
    """What was done on the GUI thread that belongs elsewhere."""
    gui, found = threading.get_ident(), []

    def guarded(owner, name: str):
        whole = getattr(owner, name)

        def guard(*arguments, **options):
            if threading.get_ident() == gui:
                import traceback

                calls = [
                    frame
                    for frame in traceback.extract_stack()
                    if "standee_desktop" in frame.filename or "protocol/standee" in frame.filename
                ]
                if calls:
                    where = f"{Path(calls[-1].filename).name}:{calls[-1].lineno}"
                    found.append(f"{name} at {where} in {calls[-1].name}")
            return whole(*arguments, **options)

        return guard

    for owner, name in GUARDED:
        monkeypatch.setattr(owner, name, guarded(owner, name))
    return found


def test_the_gui_thread_never_does_slow_work(artist, settle, offences, tmp_path) -> None:
    document, assembly = artist.document, artist.assembly
    artist.drops([SUBJECTS / "fox.png", SUBJECTS / "mug.png"], 128, 128)
    artist.drags((128, 128), (150, 140))
    artist.chooses("tool-cutout")
    settle(lambda: assembly.cutout_brush.ready)
    assembly.cutout_brush.set_taking(True)
    artist.drags((180, 195), (210, 200))
    settle(lambda: any(layer.mask for layer in document.composition.layers))
    assembly.cutout_brush.grow(-3)
    artist.types(Qt.Key.Key_Escape)
    artist.chooses("token-view")
    assembly.importer.set_scene(next((SUBJECTS.parent / "scenes").glob("*.png")))
    settle(lambda: document.composition.scene is not None)
    assembly.library_panel.keep_selected()
    settle(lambda: assembly.library_panel.list.count() > 0)
    assembly.importer.add_subjects(
        assembly.library, list(assembly.library_panel._subjects.values())
    )
    artist.says("a fox on the beach")
    assembly.compose_panel.steps.setValue(1)
    name = artist.composes()
    assembly.results_panel.select(name)
    settle(lambda: assembly.result_overlay.image is not None)
    artist.presses(assembly.results_panel.apply)
    settle(lambda: not any(layer.visible for layer in document.composition.layers))
    artist.chooses("select-all")
    artist.chooses("copy")
    artist.chooses("undo")
    artist.saves(tmp_path / "fox.standee")
    assembly.files.export_to(tmp_path / "fox.jpg", name)
    artist.is_told("Exported fox.jpg")
    assembly.files.open(tmp_path / "fox.standee")
    settle(lambda: document.document.path == tmp_path / "fox.standee")
    settle(lambda: not artist.window.workers.busy)
    artist.chooses("new")
    settle(lambda: not document.composition.layers)
    artist.chooses("welcome")
    settle(lambda: not artist.window.workers.busy)  # recent documents have their pictures
    artist.chooses("keys")
    assert not offences


def test_the_guard_itself_would_notice(artist, settle, offences) -> None:
    digest = artist.document.document.add_picture((SUBJECTS / "fox.png").read_bytes())
    assert artist.document.document.read(digest)
    assert any("sha256" in offence for offence in offences)
