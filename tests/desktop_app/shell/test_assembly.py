"""Assembled parts without a daemon: pasting, asking, keeping, undoing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMessageBox

from standee.document.document import Document
from standee.wire import notes
from standee.wire.messages import Cutout
from standee.wire.notes import MEMORY_PLAN, note
from standee_backend.hardware.load_presets import CARDS, PROCESSOR
from standee_desktop.model import edits
from standee_desktop.services.importer import default_rect, prompt_words
from support.desktop.person import Person


def asked(window) -> QMessageBox | None:  # type: ignore[no-untyped-def]
    """Return the question on the screen."""
    return next((box for box in window.findChildren(QMessageBox) if box.isVisible()), None)


def test_a_copied_picture_is_pasted_as_a_subject(person: Person, assembly, settle) -> None:  # type: ignore[no-untyped-def]
    image = QImage(60, 40, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    image.setPixelColor(30, 20, Qt.GlobalColor.red)
    QGuiApplication.clipboard().setImage(image)
    settle()
    person.chooses("paste")
    settle(lambda: person.document.composition.layers)
    [layer] = person.document.composition.layers
    assert layer.rect.w / layer.rect.h == pytest.approx(1.5)
    assert layer.prompt == ""  # that it was pasted says nothing of what it shows
    assert person.document.selection == (layer.id,)


def test_undo_takes_back_what_is_typed_by_words(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle
) -> None:
    prompt = assembly.compose_panel.prompt
    prompt.setFocus()
    QTest.keyClicks(prompt, "a cat on a mat")
    assert person.document.composition.prompt == "a cat on a mat"
    seen = []
    while person.window.undo_stack.canUndo():
        person.chooses("undo")
        seen.append(prompt.toPlainText())
    assert seen == ["a cat on a ", "a cat on ", "a cat ", "a ", ""]
    for _ in seen:
        person.chooses("redo")
    assert prompt.toPlainText() == "a cat on a mat"


def test_a_correction_and_a_paste_are_steps_of_their_own(person: Person, assembly, settle) -> None:  # type: ignore[no-untyped-def]
    prompt = assembly.compose_panel.prompt
    prompt.setFocus()
    QTest.keyClicks(prompt, "cta")
    for _ in range(2):
        QTest.keyClick(prompt, Qt.Key.Key_Backspace)
    QTest.keyClicks(prompt, "at")
    prompt.insertPlainText(" on a mat")
    seen = []
    while person.window.undo_stack.canUndo():
        person.chooses("undo")
        seen.append(prompt.toPlainText())
    assert seen == ["cat", "c", "cta", ""]


def test_every_setting_is_undone_too(person: Person, assembly, settle) -> None:  # type: ignore[no-untyped-def]
    panel, before = assembly.compose_panel, person.document.composition
    panel.steps.setValue(12)
    panel.guidance.setValue(3.5)
    panel.count.setValue(4)
    person.chooses("roll-seed")
    sampling = person.document.composition.sampling
    assert (sampling.steps, sampling.guidance, sampling.count) == (12, 3.5, 4)
    assert sampling.seed != before.sampling.seed
    for _ in range(4):
        person.chooses("undo")
    assert person.document.composition == before
    assert panel.steps.number is None
    assert panel.count.value() == 1


def test_closing_asks_for_what_is_not_saved_and_cancel_stays(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle
) -> None:
    person.has(("cat", 10, 10, 50, 50))
    assert not person.window.close()
    settle(lambda: asked(person.window))
    box = asked(person.window)
    assert "Untitled" in box.text()
    box.button(QMessageBox.StandardButton.Cancel).click()
    settle(lambda: asked(person.window) is None)
    assert person.window.isVisible()
    person.window.close()
    settle(lambda: asked(person.window))
    asked(person.window).button(QMessageBox.StandardButton.Discard).click()
    settle(lambda: not person.window.isVisible())


def test_a_new_document_after_saving_asks_nothing(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, tmp_path: Path
) -> None:
    person.has(("cat", 10, 10, 50, 50))
    assembly.files.save_to(tmp_path / "cat")
    settle(lambda: not person.document.modified)
    assert (tmp_path / "cat.standee").is_file()
    assert assembly.files.recent()[0] == tmp_path / "cat.standee"
    person.chooses("new")
    settle(lambda: not person.document.composition.layers)
    assert asked(person.window) is None


def test_a_document_that_is_dropped_is_opened(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, tmp_path: Path
) -> None:
    from PySide6.QtCore import QUrl

    with Document(edits.with_prompt(person.document.composition, "dropped")) as document:
        document.save(tmp_path / "one.standee")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "one.standee"))])
    assert assembly.drop_target.take(data, QPointF(10, 10))
    settle(lambda: person.document.composition.prompt == "dropped")


def test_the_scene_can_be_set_painted_kept_and_removed(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, tmp_path: Path
) -> None:
    Image.new("RGB", (64, 64), "teal").save(tmp_path / "sea.png")
    assembly.importer.set_scene(tmp_path / "sea.png")
    settle(lambda: person.document.composition.scene is not None)
    assembly.scene_panel.blend.setValue(8)
    assert person.document.composition.scene.blend == 0.08
    assembly.scene_panel.inpaint.click()
    settle(lambda: assembly.kept_brush.ready)
    person.drags((40, 40), (90, 60))
    settle(lambda: person.document.composition.scene.kept is not None)
    first = person.document.composition.scene.kept
    assembly.brush_bar.grow.click()
    settle(lambda: person.document.composition.scene.kept != first)
    scene = person.document.composition.scene
    look = assembly.window.pictures.cutout
    assert look(scene.picture, scene.kept).mean() < look(scene.picture, first).mean()
    person.chooses("undo")
    assert person.document.composition.scene.kept == first
    person.types(Qt.Key.Key_Escape)
    assembly.scene_panel.keep_all.click()
    assert person.document.composition.scene.kept is None
    assembly.scene_panel.remove.click()
    assert person.document.composition.scene is None


def test_two_strokes_are_two_steps_and_undo_shows_the_old_mask(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle
) -> None:
    person.has(("cat", 60, 60, 128, 128))
    person.selects("cat")
    person.chooses("tool-cutout")
    settle(lambda: assembly.cutout_brush.ready)
    assembly.brush_bar.take.click()
    person.drags((90, 90), (150, 90))
    settle(lambda: person.document.layer("cat").mask is not None)
    first = person.document.layer("cat").mask
    person.drags((90, 150), (150, 150))
    settle(lambda: person.document.layer("cat").mask != first)
    assert person.window.undo_stack.count() == 2
    person.chooses("undo")
    assert person.document.layer("cat").mask == first
    settle(lambda: assembly.cutout_brush._known == first)
    person.chooses("undo")
    assert person.document.layer("cat").mask is None


def test_keys_in_the_prompt_belong_to_the_document(person: Person, assembly, settle) -> None:  # type: ignore[no-untyped-def]
    prompt = assembly.compose_panel.prompt
    person.window.activateWindow()
    settle(person.window.isActiveWindow)
    prompt.setFocus()
    QTest.keyClicks(prompt, "a cat")
    QTest.keyClick(prompt, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settle(lambda: person.document.composition.prompt == "a ")
    QTest.keyClick(prompt, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    settle(lambda: len(assembly.composer.jobs) == 1)
    assert prompt.toPlainText() == "a "


def test_a_subject_is_cut_out_where_its_words_say(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, monkeypatch
) -> None:
    asked: list[object] = []
    submit = assembly.link.submit

    def watch(spec, *how, **more):  # type: ignore[no-untyped-def]
        asked.append(spec)
        return submit(spec, *how, **more)

    monkeypatch.setattr(assembly.link, "submit", watch)
    person.has(("a", 0, 0, 64, 64), ("b", 64, 0, 64, 64))
    named = edits.with_fields(person.document.composition, {"b"}, prompt=" a red mug ")
    person.document.apply("Words", named)
    person.selects("a")
    person.chooses("cut-out-words")
    assert asked == []
    assert [notice.text for notice in assembly.notices] == ["Say in words what the subject is."]
    person.selects("b")
    person.chooses("cut-out-words")
    [spec] = asked
    assert isinstance(spec, Cutout)
    assert (spec.words, spec.picture) == ("a red mug", person.document.layer("b").picture)


def test_many_cut_outs_are_told_in_one_line(person: Person, assembly, settle, tmp_path) -> None:  # type: ignore[no-untyped-def]
    for name in "abc":
        Image.new("RGB", (32, 32), "teal").save(tmp_path / f"{name}.png")
    assembly.importer.add_files([tmp_path / f"{name}.png" for name in "abc"])
    settle(lambda: len(person.document.composition.layers) == 3)
    assert list(person.order) == ["a", "b", "c"]
    [notice] = assembly.notices
    assert notice.text == "Cutting out 3 subjects…"
    assert notice.hint == "It waits for the daemon."


def test_new_subjects_are_handy_and_wholly_on_the_canvas(person: Person) -> None:
    canvas = person.document.composition.canvas
    rect = default_rect(canvas, (4000, 1000), QPointF(250, 250), 0)
    assert (rect.w, rect.h) == (128, 32)
    assert rect.x + rect.w <= canvas.width
    assert rect.y + rect.h <= canvas.height


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("teddy_bear", "teddy bear"),
        ("IMG_2041", ""),
        ("DSC00013", ""),
        ("my Cat (2)", "my cat"),
        ("wide", ""),
        ("pal", ""),
        ("cmyk_final-2", ""),
        ("red_mug_copy", "red mug"),
    ],
)
def test_words_come_from_names_that_mean_something(name: str, words: str) -> None:
    assert prompt_words(name) == words


def test_a_job_that_is_done_leaves_the_list_and_a_failed_one_stays(  # type: ignore[no-untyped-def]
    assembly, settle, monkeypatch
) -> None:
    from standee_desktop.model.jobs import Job
    from standee_desktop.panels import job_list

    monkeypatch.setattr(job_list, "LINGER", 30)
    composition = assembly.editor.composition
    assembly.composer.jobs.put(Job("done", composition, state="done"))
    assembly.composer.jobs.put(Job("failed", composition, state="failed"))
    queue = assembly.compose_panel.queue
    assert queue.row("done") is not None
    settle(lambda: queue.row("done") is None)
    assert queue.row("failed") is not None
    assert queue.list.count() == 1


def test_a_job_says_how_it_was_fitted_into_the_memory(assembly) -> None:  # type: ignore[no-untyped-def]
    from standee_desktop.model.jobs import Job

    about = note(MEMORY_PLAN, need=2**30, room=2**31, **CARDS[2].note_values())
    job = Job("short", assembly.editor.composition, state="running", notes=(about,))
    assembly.composer.jobs.put(job)
    assert assembly.compose_panel.queue.row("short").toolTip() == about.words


@pytest.mark.parametrize("preset", [*CARDS, *PROCESSOR], ids=lambda preset: preset.name)
def test_what_a_job_notes_is_told_in_the_language_of_the_window(app, preset) -> None:  # type: ignore[no-untyped-def]
    from standee_desktop.shell.application import translate
    from standee_desktop.widgets import note_words

    assert set(note_words.PHRASES) == set(notes.PHRASES)
    about = note(MEMORY_PLAN, need=3 * 2**30, room=15 * 2**30, **preset.note_values())
    try:
        translate(app, "zh_CN")
        said = note_words.note_words(about)
    finally:
        translate(app, "en")
    assert not set(re.findall("[A-Za-z]+", said)) - {"GB", "GiB", "fp", "int"}
    assert said.index("3.0 GiB") < said.index("15.0 GiB")
    assert note_words.note_words(about) == about.words


def test_a_layers_picture_becomes_the_scene(person: Person, assembly) -> None:  # type: ignore[no-untyped-def]
    person.has(("photo", 10, 10, 50, 50), ("cat", 60, 60, 50, 50))
    picture = person.document.layer("photo").picture
    person.selects("photo")
    person.chooses("to-scene")
    assert person.document.composition.scene.picture == picture
    assert list(person.order) == ["cat"]
    person.chooses("undo")
    assert person.document.composition.scene is None
    assert list(person.order) == ["photo", "cat"]
    person.selects("photo", "cat")
    assert not person.window.action("to-scene").isEnabled()


def test_by_default_every_picture_has_a_seed_of_its_own(person: Person, assembly) -> None:  # type: ignore[no-untyped-def]
    before = person.document.composition
    for _ in range(3):
        person.chooses("compose")
    seeds = {job.composition.sampling.seed for job in assembly.composer.jobs}
    assert len(seeds) == 3
    assert person.document.composition == before  # and nothing to undo
    assert assembly.compose_panel.seed.text() == ""
    assert assembly.compose_panel.seed.placeholderText() == "Random"


def test_an_edited_collage_is_composed_beside_and_named_so(  # type: ignore[no-untyped-def]
    person: Person, assembly, picture
) -> None:
    import msgspec

    before = person.document.composition
    person.chooses("compose-collage")
    [job] = assembly.composer.jobs
    assert job.composition.method.mode == "edit"
    assert person.document.composition == before
    receipt = {"composition": msgspec.to_builtins(edits.with_sampling(job.composition, seed=7))}
    person.document.add_result(picture(), receipt, "one")
    assert assembly.results_panel.list.item(0).text() == "Seed 7, collage"


def test_a_seed_that_is_chosen_stays(person: Person, assembly, settle) -> None:  # type: ignore[no-untyped-def]
    panel = assembly.compose_panel
    panel.seed.setFocus()
    QTest.keyClicks(panel.seed, "42")
    QTest.keyClick(panel.seed, Qt.Key.Key_Return)
    assert not panel.new_seed.isChecked()
    for _ in range(2):
        person.chooses("compose")
    assert [job.composition.sampling.seed for job in assembly.composer.jobs] == [42, 42]


def test_a_result_s_settings_bring_its_seed_back_for_good(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, picture
) -> None:
    import msgspec

    then = edits.with_sampling(person.document.composition, seed=7)
    receipt = {"composition": msgspec.to_builtins(then)}
    person.document.add_result(picture(), receipt, "one")
    assembly.composer.recall("one")
    assert not assembly.compose_panel.new_seed.isChecked()
    assert assembly.compose_panel.seed.text() == "7"


def test_a_cancelled_job_leaves_the_list_by_itself(assembly, settle, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    from standee_desktop.model.jobs import Job
    from standee_desktop.panels import job_list

    monkeypatch.setattr(job_list, "LINGER", 30)
    job = Job("one", assembly.editor.composition, state="cancelled")
    assembly.composer.jobs.put(job)
    settle(lambda: assembly.compose_panel.queue.row("one") is None)


def test_a_brush_without_anything_to_paint_on_says_so(person: Person, assembly) -> None:  # type: ignore[no-untyped-def]
    person.chooses("tool-cutout")
    person.chooses("tool-kept")
    [notice] = assembly.notices
    assert notice.text == "Choose a picture as the scene to paint on first."


def test_icons_of_pictures_of_any_aspect_are_level(app) -> None:  # type: ignore[no-untyped-def]
    from standee_desktop.widgets.keyed_list import thumbnail_icon

    for size in ((200, 100), (100, 200)):
        image = QImage(*size, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.red)
        made = thumbnail_icon(image).pixmap(100, 100).toImage()
        assert (made.width(), made.height()) == (100, 100)
        assert made.pixelColor(50, 50).red() == 255
        assert made.pixelColor(2, 2).alpha() == 0


def test_dropped_pictures_do_not_lie_on_top_of_each_other(person: Person) -> None:
    canvas = person.document.composition.canvas
    first, second = (default_rect(canvas, (100, 100), QPointF(100, 100), n) for n in range(2))
    assert second.x - first.x > first.w / 3
