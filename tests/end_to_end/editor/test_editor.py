"""The editor as an artist uses it: a real window, mouse and keys, the real daemon, the mini model."""

import io
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt

pytest.importorskip("PySide6", reason="needs standee[desktop]")

from standee.document.document import Document
from standee_desktop.model import edits
from support.desktop.editors import SUBJECTS, close_editor, open_editor

pytest_plugins = "support.desktop.editor_fixtures"


def pixels(png: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


def test_a_picture_from_the_first_drop_to_the_receipt(artist, settle, studio, tmp_path) -> None:
    document = artist.document
    empty = document.composition

    # Two subjects are dropped, dragged and reordered.
    artist.drops([SUBJECTS / "fox.png", SUBJECTS / "mug.png"], 128, 128)
    assert list(artist.order) == ["fox", "mug"]
    fox, mug = document.composition.layers
    artist.drags((mug.rect.x + 60, mug.rect.y + 60), (mug.rect.x + 100, mug.rect.y + 90))
    moved = document.layer(mug.id).rect
    assert (moved.x, moved.y) == pytest.approx((mug.rect.x + 40, mug.rect.y + 30), abs=1)
    artist.selects(fox.id)
    artist.chooses("raise")
    assert list(artist.order) == ["mug", "fox"]

    # A mask is brushed: a part of the fox goes away.
    artist.chooses("tool-cutout")
    brush = artist.assembly.cutout_brush
    settle(lambda: brush.ready)
    artist.presses(artist.assembly.brush_bar.take)
    before = artist.canvas.pictures.cutout(fox.picture).sum()
    rect = document.layer(fox.id).rect
    artist.drags((rect.x + 10, rect.y + 20), (rect.x + 110, rect.y + 20))
    settle(lambda: document.layer(fox.id).mask is not None)
    mask = document.layer(fox.id).mask
    assert artist.canvas.pictures.cutout(fox.picture, mask).sum() < 0.95 * before
    artist.types(Qt.Key.Key_Escape)

    # It is composed, with progress and a preview over the canvas that stays usable.
    artist.says("a fox on the beach")
    artist.assembly.compose_panel.steps.setValue(4)
    artist.assembly.compose_panel.seed.setText("7")
    artist.assembly.compose_panel.seed.editingFinished.emit()
    steps, previews = [], []
    artist.assembly.composer.jobs.changed.connect(lambda job: steps.append((job.step, job.eta)))
    artist.assembly.composer.preview_changed.connect(previews.append)
    name = artist.composes()
    assert {step for step, _ in steps} >= {1, 2, 3, 4}
    assert any(eta for _, eta in steps)  # since a step that read nothing
    assert any(image is not None and image.width() > 0 for image in previews)
    made = document.document.results[name]
    made_pixels = pixels(made.data)
    assert made.receipt["composition"]["prompt"] == "a fox on the beach"

    # Applied, then everything is undone and redone.
    artist.assembly.results_panel.select(name)
    artist.presses(artist.assembly.results_panel.apply)
    settle(lambda: document.composition.scene is not None)
    assert not any(layer.visible for layer in document.composition.layers)
    done = document.composition
    stack = artist.window.undo_stack
    while stack.canUndo():
        artist.chooses("undo")
    assert document.composition == empty
    while stack.canRedo():
        artist.chooses("redo")
    assert document.composition == done

    # Saved and opened again.
    file = tmp_path / "beach.standee"
    artist.saves(file)
    with Document.open(file) as saved:
        assert saved.composition == done
        assert not saved.missing()
    artist.assembly.files.open(file)
    settle(lambda: document.document.path == file and artist.results == {name})
    assert document.composition == done

    # Exported, and the receipt makes the same pixels again, whatever the format.
    for suffix in (".png", ".jpg", ".webp"):
        picture, again = tmp_path / f"beach{suffix}", tmp_path / f"again{suffix}.png"
        artist.assembly.files.export_to(picture, name)
        artist.is_told(f"Exported {picture.name}")
        command = [
            sys.executable,
            "-m",
            "standee_cli.main",
            "compose",
            str(picture),
            "-o",
            str(again),
        ]
        run = subprocess.run(
            [*command, "--pictures", str(file), "--json", "-q"],
            capture_output=True,
            text=True,
            timeout=240,
            env=os.environ | {"STANDEE_HOME": str(studio.home)},
        )
        assert run.returncode == 0, run.stderr
        assert json.loads(run.stdout)
        assert (pixels(again.read_bytes()) == made_pixels).all()


def test_a_result_brings_all_its_settings_back(artist, settle) -> None:
    artist.drops([SUBJECTS / "robot.png"], 100, 100)
    artist.assembly.compose_panel.steps.setValue(1)
    artist.says("a robot in the snow")
    wanted = artist.document.composition
    name = artist.composes()
    artist.chooses("select-all")
    artist.chooses("delete")
    artist.says("nothing")
    artist.assembly.results_panel.select(name)
    artist.presses(artist.assembly.results_panel.recall)
    brought = artist.document.composition
    seed = artist.document.document.results[name].receipt["composition"]["sampling"]["seed"]
    assert brought == edits.with_sampling(wanted, seed=seed)  # it had one of its own
    artist.presses(artist.assembly.results_panel.discard)
    settle(lambda: not artist.results)


def test_a_job_is_cancelled_within_a_step_and_the_next_one_goes_on(artist, settle) -> None:
    artist.assembly.compose_panel.steps.setValue(100)
    artist.presses(artist.assembly.compose_panel.button)
    jobs = artist.assembly.composer.jobs
    [long] = jobs.unfinished
    artist.assembly.compose_panel.steps.setValue(1)
    artist.presses(artist.assembly.compose_panel.button)
    settle(lambda: jobs.get(long.id).step >= 1, 120)
    artist.presses(artist.assembly.compose_panel.queue.row(long.id).stop)
    settle(lambda: jobs.get(long.id).state == "cancelled", 60)
    assert jobs.get(long.id).step < 20
    settle(lambda: len(artist.results) == 1, 120)


def test_live_mode_composes_again_when_something_moves(artist, settle) -> None:
    artist.assembly.compose_panel.steps.setValue(1)
    artist.drops([SUBJECTS / "mug.png"], 128, 128)
    artist.presses(artist.assembly.compose_panel.live)
    settle(lambda: artist.results, 120)
    first = artist.results
    artist.drags((128, 128), (160, 128))
    settle(lambda: artist.results and artist.results != first, 120)
    assert len(artist.results) == 1
    artist.presses(artist.assembly.compose_panel.live)


def test_a_photograph_without_alpha_is_cut_out_by_the_daemon(artist, settle, tmp_path) -> None:
    photo = Image.new("RGB", (96, 96), (30, 90, 200))
    photo.paste(Image.open(SUBJECTS / "fox.png").convert("RGB").resize((60, 60)), (18, 18))
    photo.save(tmp_path / "fox on blue.jpg", quality=95)
    artist.drops([tmp_path / "fox on blue.jpg"], 128, 128)
    [layer] = artist.document.composition.layers
    settle(lambda: artist.document.layer(layer.id).mask is not None, 60)
    cutout = artist.canvas.pictures.cutout(layer.picture, artist.document.layer(layer.id).mask)
    assert 0.05 < cutout.mean() < 0.95
    artist.chooses("undo")
    assert artist.document.layer(layer.id).mask is None


def test_the_kept_region_is_painted_and_kept_to_the_pixel(artist, settle, tmp_path) -> None:
    scene = tmp_path / "meadow.png"
    Image.open(SUBJECTS.parent / "scenes/meadow.png").resize((256, 256)).save(scene)
    artist.assembly.importer.set_scene(scene)
    settle(lambda: artist.document.composition.scene is not None)
    artist.presses(artist.assembly.scene_panel.inpaint)
    settle(lambda: artist.assembly.kept_brush.ready)
    artist.drags((100, 100), (150, 120))
    settle(lambda: artist.document.composition.scene.kept is not None)
    artist.types(Qt.Key.Key_Escape)
    artist.assembly.compose_panel.steps.setValue(1)
    name = artist.composes()
    before, after = (
        pixels(data) for data in (scene.read_bytes(), artist.document.document.results[name].data)
    )
    changed = np.argwhere((before != after).any(axis=2))
    assert len(changed)
    assert changed.min() > 60
    assert changed.max() < 200


def test_an_exported_picture_opens_as_the_arrangement_that_made_it(
    artist, settle, tmp_path
) -> None:
    """The receipt names the pictures; the daemon has them still."""
    artist.drops([SUBJECTS / "mug.png"], 100, 100)
    artist.says("a mug in the desert")
    artist.assembly.compose_panel.steps.setValue(1)
    wanted = artist.document.composition
    name = artist.composes()
    for suffix in (".png", ".jpg", ".webp"):
        picture = tmp_path / f"mug{suffix}"
        artist.assembly.files.export_to(picture, name)
        artist.is_told(f"Exported {picture.name}")
    artist.saves(tmp_path / "mug.standee")
    for suffix in (".png", ".jpg", ".webp"):
        artist.assembly.files.new()
        settle(lambda: artist.document.composition != wanted)
        artist.assembly.files.open(tmp_path / f"mug{suffix}")
        settle(lambda: artist.document.composition == wanted)
        settle(lambda: not artist.document.document.missing())
    assert not artist.errors


def test_closing_in_the_middle_of_a_job_leaves_it_to_the_next_editor(
    artist, settle, studio
) -> None:
    artist.says("a picture for later")
    artist.assembly.compose_panel.steps.setValue(3)
    artist.presses(artist.assembly.compose_panel.button)
    settle(lambda: artist.assembly.composer.jobs.current.state == "running", 60)
    artist.assembly.close()
    again = open_editor(settle, studio.home)
    try:
        again.is_told("“Untitled” was still being composed")
        [row] = again.assembly.notice_bar.rows()
        again.presses(row.fix)
        settle(lambda: again.results, 120)
        assert again.document.composition.prompt == "a picture for later"
    finally:
        close_editor(again)
