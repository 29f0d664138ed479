"""Document files: nothing is lost by leaving one, or by saving over what others did."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QMessageBox

from standee.composition import Composition
from standee.document.document import Document
from standee.document.receipt import extract
from standee_desktop.model import edits
from standee_desktop.model.jobs import Job
from support.command_line import PNG
from support.desktop.person import Person


def asked(window) -> QMessageBox | None:  # type: ignore[no-untyped-def]
    """Return the question on the screen."""
    return next((box for box in window.findChildren(QMessageBox) if box.isVisible()), None)


def answers(person: Person, words: str) -> str:
    """Press a button of the question on the screen, and return what it asked."""
    person.settle(lambda: asked(person.window))
    box = asked(person.window)
    assert box is not None
    text = box.text()
    [button] = [one for one in box.buttons() if one.text() == words]
    button.click()
    person.settle(lambda: asked(person.window) is not box)
    return text


@pytest.fixture
def saved(person: Person, assembly, settle, tmp_path: Path) -> Path:  # type: ignore[no-untyped-def]
    """The file of the document that is open, saved once, and changed since."""
    path = tmp_path / "cat.standee"
    person.has(("cat", 0, 0, 40, 40))
    assembly.files.save_to(path)
    settle(lambda: person.document.document.path == path and not person.window.document.modified)
    prompt = edits.with_prompt(person.document.composition, "mine")
    person.document.apply("Prompt", prompt)
    return path


def prompt_in(path: Path) -> str:
    """Return the prompt that a file holds."""
    with Document.open(path) as document:
        return document.composition.prompt


def test_a_write_protected_document_is_not_replaced_without_asking(  # type: ignore[no-untyped-def]
    person: Person, assembly, saved: Path
) -> None:
    saved.chmod(0o444)
    person.chooses("save")
    assert "write-protected" in answers(person, "Cancel")
    assert prompt_in(saved) == ""
    assert person.document.modified
    person.chooses("save")
    answers(person, "Replace it")
    person.settle(lambda: not person.document.modified)
    assert prompt_in(saved) == "mine"


def test_what_another_window_saved_is_not_replaced_without_asking(  # type: ignore[no-untyped-def]
    person: Person, assembly, saved: Path
) -> None:
    with Document.open(saved) as other:
        other.composition = Composition(prompt="theirs")
        other.save()
    person.chooses("save")
    assert "changed by someone else" in answers(person, "Save a copy…")
    person.settle(lambda: person.window.findChild(QFileDialog))
    dialog = person.window.findChild(QFileDialog)
    dialog.filesSelected.emit([str(saved.with_name("copy.standee"))])
    dialog.close()
    person.settle(lambda: not person.document.modified)
    assert prompt_in(saved) == "theirs"
    assert prompt_in(saved.with_name("copy.standee")) == "mine"


def test_what_this_window_saved_itself_is_replaced_silently(  # type: ignore[no-untyped-def]
    person: Person, assembly, saved: Path, settle
) -> None:
    for words in ("one", "two"):
        person.document.apply("Prompt", edits.with_prompt(person.document.composition, words))
        person.chooses("save")
        settle(lambda: not person.document.modified)
        assert asked(person.window) is None
        assert prompt_in(saved) == words
    assembly.files.open(saved)
    settle(lambda: not person.window.undo_stack.count())
    person.document.apply("Prompt", edits.with_prompt(person.document.composition, "three"))
    person.chooses("save")
    settle(lambda: not person.document.modified)
    assert asked(person.window) is None


@pytest.mark.parametrize("command", ["new", "open"])
def test_leaving_a_document_with_jobs_under_way_asks_first(  # type: ignore[no-untyped-def]
    person: Person, assembly, tmp_path: Path, command: str
) -> None:
    with Document(Composition(prompt="other")) as other:
        other.save(tmp_path / "other.standee")
    leave = assembly.files.new if command == "new" else lambda: assembly.files.open(other_path)
    other_path = tmp_path / "other.standee"
    assembly.composer.jobs.put(Job("one", person.document.composition, state="running"))
    before = person.document.document
    leave()
    assert "not done yet: 1." in answers(person, "Stay here")
    assert person.document.document is before
    assert [job.state for job in assembly.composer.jobs] == ["running"]
    leave()
    answers(person, "Cancel the jobs")
    person.settle(lambda: person.document.document is not before)
    assert not assembly.composer.jobs.unfinished


def test_an_exported_picture_has_the_format_that_was_chosen(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, picture, tmp_path: Path
) -> None:
    person.document.add_result(picture(), {}, "one")
    assembly.files.export("one")
    settle(lambda: person.window.findChild(QFileDialog))
    dialog = person.window.findChild(QFileDialog)
    jpeg = next(one for one in dialog.nameFilters() if one.startswith("JPEG"))
    dialog.selectNameFilter(jpeg)
    dialog.filterSelected.emit(jpeg)
    assert dialog.defaultSuffix() == "jpg"
    dialog.close()


@pytest.mark.parametrize("suffix", [".ora", ".psd"])
def test_what_is_exported_with_layers_opens_as_the_same_arrangement(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, picture, tmp_path: Path, suffix: str
) -> None:
    if suffix == ".psd":
        pytest.importorskip("psd_tools", reason="needs standee[desktop]")
    person.has(("cat", 10, 20, 40, 40), ("dog", 60, 20, 50, 50), opacity=0.4)
    name = person.document.document.add_result(picture(), {}, "one")
    path = tmp_path / f"two{suffix}"
    assembly.files.export_to(path, name)
    settle(path.exists)
    settle(lambda: any("two" in one.text for one in assembly.notices))
    before = person.document.composition
    assembly.files.new()
    answers(person, "Don't save")
    settle(lambda: not person.document.composition.layers)
    assembly.files.open(path)
    settle(lambda: len(person.document.composition.layers) == 2)
    after = person.document.composition
    assert after.canvas == before.canvas
    for one, was in zip(after.layers, before.layers, strict=True):
        assert (one.name, one.rect, one.visible) == (was.name, was.rect, True)
        assert one.opacity == pytest.approx(0.4, abs=0.002)
    assert person.document.document.path is None


def test_exported_pictures_are_marked_as_made_by_a_model_unless_that_is_switched_off(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle, tmp_path: Path
) -> None:
    name = person.document.document.add_result(PNG, {"prompt": "a cat"}, "one")
    mark = person.window.action("mark")
    assert mark.isChecked()
    for path, marked in ((tmp_path / "on.png", True), (tmp_path / "off.png", False)):
        mark.setChecked(marked)
        assembly.files.export_to(path, name)
        settle(path.exists)
        assert (b"DigitalSourceType" in path.read_bytes()) is marked
        assert extract(path.read_bytes()) == {"prompt": "a cat"}
    mark.setChecked(True)
