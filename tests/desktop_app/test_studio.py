"""The parts around the canvas, without a daemon: what is pasted, asked, kept and undone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QMessageBox, QPushButton

from standee.document import Document
from standee.errors import DownloadFailed, OutOfMemory, StandeeError, UnknownModel
from standee.messages import Cutout, Failed, Problem
from standee_desktop.importing import place, words_of
from standee_desktop.model import edits

from .person import Person


@pytest.fixture
def studio(window, own_places, monkeypatch, settle):  # type: ignore[no-untyped-def]
    """Everything around the window, with a daemon's home in which there is none."""
    monkeypatch.setenv("STANDEE_HOME", str(own_places / "home"))
    from standee_desktop.link import Link
    from standee_desktop.studio import Studio

    studio = Studio(window, Link(start=False))
    studio.begin()
    window.show_welcome(False)
    settle()
    yield studio
    studio.close()


def asked(window) -> QMessageBox | None:  # type: ignore[no-untyped-def]
    """Return the question on the screen."""
    return next((box for box in window.findChildren(QMessageBox) if box.isVisible()), None)


def test_a_copied_picture_is_pasted_as_a_subject(person: Person, studio, settle) -> None:  # type: ignore[no-untyped-def]
    image = QImage(60, 40, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    image.setPixelColor(30, 20, Qt.GlobalColor.red)
    QGuiApplication.clipboard().setImage(image)
    settle()
    person.chooses("paste")
    settle(lambda: person.document.composition.layers)
    [layer] = person.document.composition.layers
    assert layer.rect.w / layer.rect.h == pytest.approx(1.5)
    assert person.document.selection == (layer.id,)


def test_what_is_typed_is_one_step_that_undo_takes_back_whole(  # type: ignore[no-untyped-def]
    person: Person, studio, settle
) -> None:
    prompt = studio.compose_panel.prompt
    prompt.setFocus()
    QTest.keyClicks(prompt, "a cat on a mat")
    assert person.document.composition.prompt == "a cat on a mat"
    assert person.window.undo_stack.count() == 1
    person.chooses("undo")
    assert prompt.toPlainText() == ""
    person.chooses("redo")
    assert prompt.toPlainText() == "a cat on a mat"


def test_every_setting_is_undone_too(person: Person, studio, settle) -> None:  # type: ignore[no-untyped-def]
    panel, before = studio.compose_panel, person.document.composition
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
    person: Person, studio, settle
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
    person: Person, studio, settle, tmp_path: Path
) -> None:
    person.has(("cat", 10, 10, 50, 50))
    studio.files.save_to(tmp_path / "cat")
    settle(lambda: not person.document.modified)
    assert (tmp_path / "cat.standee").is_file()
    assert studio.files.recent()[0] == tmp_path / "cat.standee"
    person.chooses("new")
    settle(lambda: not person.document.composition.layers)
    assert asked(person.window) is None


def test_a_document_that_is_dropped_is_opened(  # type: ignore[no-untyped-def]
    person: Person, studio, settle, tmp_path: Path
) -> None:
    from PySide6.QtCore import QUrl

    with Document(edits.with_prompt(person.document.composition, "dropped")) as document:
        document.save(tmp_path / "one.standee")
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "one.standee"))])
    assert studio.drops.take(data, QPointF(10, 10))
    settle(lambda: person.document.composition.prompt == "dropped")


def test_the_library_keeps_a_subject_for_the_next_scene(  # type: ignore[no-untyped-def]
    person: Person, studio, settle
) -> None:
    person.has(("cat", 10, 10, 50, 50))
    person.selects("cat")
    studio.library_panel.keep.click()
    settle(lambda: studio.library_panel.list.count() == 1)
    studio.editor.open(Document())
    item = studio.library_panel.list.item(0)
    studio.library_panel.list.itemActivated.emit(item)
    settle(lambda: person.document.composition.layers)
    [layer] = person.document.composition.layers
    assert layer.name == "cat"
    assert not person.document.document.missing()


def test_the_scene_can_be_set_painted_kept_and_removed(  # type: ignore[no-untyped-def]
    person: Person, studio, settle, tmp_path: Path
) -> None:
    Image.new("RGB", (64, 64), "teal").save(tmp_path / "sea.png")
    studio.importer.set_scene(tmp_path / "sea.png")
    settle(lambda: person.document.composition.scene is not None)
    studio.scene_panel.blend.setValue(8)
    assert person.document.composition.scene.blend == 8
    studio.scene_panel.inpaint.click()
    settle(lambda: studio.kept_brush.ready)
    person.drags((40, 40), (90, 60))
    settle(lambda: person.document.composition.scene.kept is not None)
    first = person.document.composition.scene.kept
    studio.brush_bar.grow.click()
    settle(lambda: person.document.composition.scene.kept != first)
    scene = person.document.composition.scene
    look = studio.window.pictures.cutout
    assert look(scene.picture, scene.kept).mean() < look(scene.picture, first).mean()
    person.chooses("undo")
    assert person.document.composition.scene.kept == first
    person.types(Qt.Key.Key_Escape)
    studio.scene_panel.keep_all.click()
    assert person.document.composition.scene.kept is None
    studio.scene_panel.remove.click()
    assert person.document.composition.scene is None


def test_two_strokes_are_two_steps_and_undo_shows_the_old_mask(  # type: ignore[no-untyped-def]
    person: Person, studio, settle
) -> None:
    person.has(("cat", 60, 60, 128, 128))
    person.selects("cat")
    person.chooses("tool-cutout")
    settle(lambda: studio.cutout_brush.ready)
    studio.brush_bar.take.click()
    person.drags((90, 90), (150, 90))
    settle(lambda: person.document.layer("cat").mask is not None)
    first = person.document.layer("cat").mask
    person.drags((90, 150), (150, 150))
    settle(lambda: person.document.layer("cat").mask != first)
    assert person.window.undo_stack.count() == 2
    person.chooses("undo")
    assert person.document.layer("cat").mask == first
    settle(lambda: studio.cutout_brush._known == first)
    person.chooses("undo")
    assert person.document.layer("cat").mask is None


def test_keys_in_the_prompt_belong_to_the_document(person: Person, studio, settle) -> None:  # type: ignore[no-untyped-def]
    prompt = studio.compose_panel.prompt
    person.window.activateWindow()
    settle(person.window.isActiveWindow)
    prompt.setFocus()
    QTest.keyClicks(prompt, "a cat")
    QTest.keyClick(prompt, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    settle(lambda: person.document.composition.prompt == "")
    QTest.keyClick(prompt, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    settle(lambda: len(studio.composer.jobs) == 1)
    assert prompt.toPlainText() == ""


def failed_job(studio, error: StandeeError) -> QPushButton:  # type: ignore[no-untyped-def]
    """Let a job fail and return the button that the bar offers."""
    studio.composer.compose()
    [job] = studio.composer.jobs
    studio.composer._happened(Failed(job=job.id, seq=9, error=Problem.of(error)))
    [row] = studio.notice_bar.rows()
    assert row.notice.text == error.message
    return row.fix  # type: ignore[no-any-return]


def test_out_of_memory_offers_a_preset_that_takes_less(  # type: ignore[no-untyped-def]
    studio, settle, monkeypatch
) -> None:
    monkeypatch.setenv("STANDEE_OFFLOAD", "none")
    restarts: list[bool] = []
    monkeypatch.setattr(studio.link, "restart", lambda: restarts.append(True))
    button = failed_job(studio, OutOfMemory("Too little memory.", fix="Use less."))
    assert button.text() == "Use less memory"
    button.click()
    assert os.environ["STANDEE_OFFLOAD"] == "model"
    assert restarts == [True]
    assert len(studio.composer.jobs) == 2


def test_a_model_that_is_not_there_gives_way_to_the_bundled_one(  # type: ignore[no-untyped-def]
    person: Person, studio, settle
) -> None:
    gone = edits.with_sampling(person.document.composition, model="gone")
    person.document.apply("Model", gone)
    button = failed_job(studio, UnknownModel("There is no model gone."))
    button.click()
    assert person.document.composition.sampling.model == "mini"
    assert [job.composition.sampling.model for job in studio.composer.jobs] == ["mini", "mini"]


def test_a_download_that_broke_off_is_tried_again_with_the_same_model(  # type: ignore[no-untyped-def]
    person: Person, studio, settle
) -> None:
    hub = edits.with_sampling(person.document.composition, model="someone/some-flux")
    person.document.apply("Model", hub)
    button = failed_job(
        studio, DownloadFailed("It broke off.", path="$.sampling.model", fix="Try again.")
    )
    assert button.text() == "Try again"
    button.click()
    assert person.document.composition.sampling.model == "someone/some-flux"
    assert len(studio.composer.jobs) == 2


def test_a_licence_to_accept_is_a_button_away(  # type: ignore[no-untyped-def]
    person: Person, studio, monkeypatch
) -> None:
    from PySide6.QtGui import QDesktopServices

    opened: list[str] = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: opened.append(url.toString()))
    fix = "Accept it on https://huggingface.co/someone/some-flux, and log in."
    button = failed_job(studio, UnknownModel("Its licence has to be accepted.", fix=fix))
    assert button.text() == "Open the page"
    assert studio.notice_bar.findChild(QPushButton, "fix-bundled-model") is not None
    button.click()
    assert opened == ["https://huggingface.co/someone/some-flux"]


def test_a_subject_is_cut_out_where_its_words_say(  # type: ignore[no-untyped-def]
    person: Person, studio, settle, monkeypatch
) -> None:
    asked: list[object] = []
    submit = studio.link.submit

    def watch(spec, *how, **more):  # type: ignore[no-untyped-def]
        asked.append(spec)
        return submit(spec, *how, **more)

    monkeypatch.setattr(studio.link, "submit", watch)
    person.has(("a", 0, 0, 64, 64), ("b", 64, 0, 64, 64))
    named = edits.with_fields(person.document.composition, {"b"}, prompt=" a red mug ")
    person.document.apply("Words", named)
    person.selects("a")
    person.chooses("cut-out-words")
    assert asked == []
    assert [notice.text for notice in studio.notices] == ["Say in words what the subject is."]
    person.selects("b")
    person.chooses("cut-out-words")
    [spec] = asked
    assert isinstance(spec, Cutout)
    assert (spec.words, spec.picture) == ("a red mug", person.document.layer("b").picture)


def test_many_cut_outs_are_told_in_one_line(person: Person, studio, settle, tmp_path) -> None:  # type: ignore[no-untyped-def]
    for name in "abc":
        Image.new("RGB", (32, 32), "teal").save(tmp_path / f"{name}.png")
    studio.importer.add_files([tmp_path / f"{name}.png" for name in "abc"])
    settle(lambda: len(person.document.composition.layers) == 3)
    assert list(person.order) == ["a", "b", "c"]
    [notice] = studio.notices
    assert notice.text == "Cutting out 3 subjects…"
    assert notice.hint == "It waits for the daemon."


def test_new_subjects_are_handy_and_wholly_on_the_canvas(person: Person) -> None:
    canvas = person.document.composition.canvas
    rect = place(canvas, (4000, 1000), QPointF(250, 250), 0)
    assert (rect.w, rect.h) == (128, 32)
    assert rect.x + rect.w <= canvas.width
    assert rect.y + rect.h <= canvas.height


@pytest.mark.parametrize(
    ("name", "words"),
    [("teddy_bear", "teddy bear"), ("IMG_2041", ""), ("DSC00013", ""), ("my Cat (2)", "my cat")],
)
def test_words_come_from_names_that_mean_something(name: str, words: str) -> None:
    assert words_of(name) == words


def test_taking_up_a_brush_leaves_the_panels_their_width(person: Person, studio, settle) -> None:  # type: ignore[no-untyped-def]
    person.window.resize(1320, 840)
    person.has(("cat", 60, 60, 128, 128))
    person.selects("cat")
    settle(lambda: person.window.panel("layers").width() > 280)
    before = person.window.panel("layers").width()
    for brush in ("tool-cutout", "tool-kept"):
        person.chooses(brush)
        assert studio.brush_bar.isVisible()
        assert person.window.panel("layers").width() == before
    assert person.window.width() == 1320


def test_the_menu_of_a_subject_has_what_belongs_to_its_cut_out(person: Person, studio) -> None:  # type: ignore[no-untyped-def]
    from standee_desktop.menus import context_menu

    actions = person.window.actions_
    menu = context_menu(person.window, actions, any_selected=True)
    for name in ("tool-cutout", "cut-out", "cut-out-words", "keep-subject"):
        assert actions[name] in menu.actions()


def test_several_subjects_of_the_library_are_dragged_at_once(  # type: ignore[no-untyped-def]
    person: Person, studio, settle, picture
) -> None:
    for name, colour in (("cat", "black"), ("dog", "brown")):
        studio.library.add(picture(colour=colour), None, name)
    studio.library_panel.refresh()
    listed = studio.library_panel.list
    settle(lambda: listed.count() == 2)
    data = listed.mimeData([listed.item(row) for row in range(2)])
    assert studio.drops.take(data, QPointF(100, 100))
    settle(lambda: len(person.document.composition.layers) == 2)
    assert list(person.order) == [listed.item(row).text() for row in range(2)]


def test_a_job_that_is_done_leaves_the_list_and_a_failed_one_stays(  # type: ignore[no-untyped-def]
    studio, settle, monkeypatch
) -> None:
    from standee_desktop import queue_list
    from standee_desktop.jobs import Job

    monkeypatch.setattr(queue_list, "LINGER", 30)
    composition = studio.editor.composition
    studio.composer.jobs.put(Job("done", composition, state="done"))
    studio.composer.jobs.put(Job("failed", composition, state="failed"))
    queue = studio.compose_panel.queue
    assert queue.row("done") is not None
    settle(lambda: queue.row("done") is None)
    assert queue.row("failed") is not None
    assert queue.list.count() == 1


def test_every_control_has_a_name_for_screen_readers(person: Person, studio) -> None:  # type: ignore[no-untyped-def]
    from PySide6.QtGui import QAccessible
    from PySide6.QtWidgets import QAbstractButton, QScrollBar, QWidget

    def is_control(widget: QWidget) -> bool:
        takes_keys = widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        part_of_another = widget.objectName().startswith("qt_") or widget.parent() is None
        inner = isinstance(widget, QScrollBar) or isinstance(widget.parent(), QLineEdit)
        popup = widget.window() is not person.window
        return (takes_keys or isinstance(widget, QAbstractButton)) and not (
            part_of_another or inner or popup
        )

    def name(widget: QWidget) -> str:
        return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)

    controls = [one for one in person.window.findChildren(QWidget) if is_control(one)]
    assert len(controls) > 60
    assert [(type(one).__name__, one.objectName()) for one in controls if not name(one)] == []


def test_the_library_is_searched_renamed_and_cleared_by_keys(  # type: ignore[no-untyped-def]
    person: Person, studio, settle, picture
) -> None:
    person.has(("layer", 10, 10, 50, 50))
    person.selects("layer")
    for n in range(8):
        studio.library.add(picture((16 + n, 16)), None, f"subject {n}")
    panel = studio.library_panel
    panel.refresh()
    settle(lambda: panel.list.count() == 8)
    person.window.panel("library").raise_()
    panel.search.setText("CT 3")
    shown = [n for n in range(8) if not panel.list.item(n).isHidden()]
    assert [panel.list.item(n).text() for n in shown] == ["subject 3"]
    panel.list.item(shown[0]).setText("the cat")
    settle(lambda: "the cat" in [one.name for one in studio.library.subjects()])
    panel.search.setText("the cat")
    settle(lambda: panel.list.count() == 8 and panel.list.item(shown[0]).text() == "the cat")
    panel.list.setCurrentRow(shown[0])
    panel.list.setFocus()
    QTest.keyClick(panel.list, Qt.Key.Key_Delete)
    settle(lambda: len(studio.library.subjects()) == 7)
    assert list(person.order) == ["layer"]


def test_a_layers_picture_becomes_the_scene(person: Person, studio) -> None:  # type: ignore[no-untyped-def]
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


def test_the_window_fits_a_small_laptop(person: Person, studio, settle) -> None:  # type: ignore[no-untyped-def]
    person.has(("cat", 60, 60, 128, 128))
    person.selects("cat")
    person.window.resize(1180, 660)
    settle()
    assert (person.window.width(), person.window.height()) == (1180, 660)
    assert studio.compose_panel.button.visibleRegion().boundingRect().height() > 20
