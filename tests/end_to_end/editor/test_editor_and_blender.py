"""One document in both faces: made in the editor, changed in Blender, and opened in the editor again."""

import os
import subprocess
from pathlib import Path

import pytest
from msgspec.structs import replace

pytest.importorskip("PySide6")

from support.desktop.editors import SUBJECTS, close_editor, open_editor

pytest_plugins = "support.desktop.editor_fixtures"

ROOT = Path(__file__).resolve().parents[3]
BLENDER = ROOT / ".venv-bpy"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_document_of_the_editor_comes_back_from_blender_whole(alone, settle, tmp_path) -> None:
    if not (BLENDER / "standee-ready.txt").is_file():
        pytest.skip("needs Blender as a module: `make blender` brings it (400 MB)")
    alone.drops([SUBJECTS / "fox.png", SUBJECTS / "mug.png"], 128, 128)
    alone.assembly.importer.set_scene(next((SUBJECTS.parent / "scenes").glob("*.png")))
    settle(lambda: alone.document.composition.scene is not None)
    alone.says("a fox and a mug on the beach")
    ours, theirs = tmp_path / "ours.standee", tmp_path / "theirs.standee"
    alone.saves(ours)
    made = alone.document.composition

    subprocess.run(
        [
            str(BLENDER / "bin/python"), "-m", "tests.blender_addon.in_blender.pass_through",
            str(ours), str(theirs), "12.5",
        ],
        cwd=ROOT,
        env=os.environ | {"BLENDER_USER_RESOURCES": str(tmp_path / "blender")},
        check=True,
        capture_output=True,
    )  # fmt: skip

    again = open_editor(settle, tmp_path / "home", theirs)
    try:
        settle(lambda: again.document.composition.layers)
        fox, mug = made.layers
        moved = replace(mug, rect=replace(mug.rect, x=12.5))
        assert again.document.composition == replace(made, layers=(fox, moved))
        for digest in made.digests():
            settle(lambda digest=digest: again.canvas.pictures.cutout(digest) is not None)
    finally:
        close_editor(again)
