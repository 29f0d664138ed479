"""Recovery journal: survives the editor, copies no document, is offered once."""

import hashlib
import io
from pathlib import Path

import pytest
from PIL import Image

from standee.composition import Composition, Layer, Rect
from standee.document.document import Document
from standee.errors import StorageFull
from standee_desktop.storage.recovery_journal import (
    Journal,
    Snapshot,
    discard,
    left_behind,
    rebuild_document,
)
from standee_desktop.storage.subject_library import Library


def png(color: str = "red") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), color).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def document() -> Document:
    document = Document()
    digest = document.add_picture(png())
    document.composition = Composition(
        prompt="a cat", layers=(Layer(Rect(0, 0, 32, 32), digest, id="cat"),)
    )
    return document


def crash(journal: Journal) -> None:
    """End an editor as `kill -9` does: its lock is free, its folder stays."""
    assert journal._lock is not None
    journal._lock.close()


def test_what_a_dead_editor_left_is_found_and_rebuilt(tmp_path: Path, document: Document) -> None:
    document.add_result(png("blue"), {"seed": 3}, "first")
    journal = Journal(tmp_path)
    job = {"id": "job-0001", "composition": {}}
    journal.write(Snapshot(document.composition, None, (job,), document.results), document.read)
    crash(journal)
    [left] = left_behind(tmp_path)
    again = rebuild_document(left)
    assert again.composition == document.composition
    assert not again.missing()
    assert again.results["first"].data == png("blue")
    assert again.results["first"].receipt == {"seed": 3}
    assert left.jobs == (job,)
    discard(left.folder)
    assert left_behind(tmp_path) == []


def test_a_living_editor_is_left_alone(tmp_path: Path, document: Document) -> None:
    journal = Journal(tmp_path)
    journal.write(Snapshot(document.composition), document.read)
    assert left_behind(tmp_path) == []
    journal.close()
    assert not list(tmp_path.iterdir())


def test_pictures_that_the_file_holds_are_not_copied(tmp_path: Path, document: Document) -> None:
    file = tmp_path / "scene.standee"
    document.save(file)
    held = document.composition.digests()
    changed = Composition(prompt="two cats", layers=document.composition.layers)
    journal = Journal(tmp_path / "recovery")
    journal.write(Snapshot(changed, file), document.read, held)
    assert not list(journal.folder.glob("blobs/*"))
    crash(journal)
    [left] = left_behind(tmp_path / "recovery")
    again = rebuild_document(left)
    assert again.composition.prompt == "two cats"
    assert again.path == file
    assert not again.missing()
    again.close()


def test_a_picture_is_written_once(tmp_path: Path, document: Document) -> None:
    journal = Journal(tmp_path)
    reads: list[str] = []

    def read(digest: str) -> bytes:
        reads.append(digest)
        return document.read(digest)

    for prompt in ("one", "two", "three"):
        layers = document.composition.layers
        journal.write(Snapshot(Composition(prompt=prompt, layers=layers)), read)
    assert len(reads) == 1


def test_a_half_written_journal_is_no_reason_to_fail(tmp_path: Path) -> None:
    broken = tmp_path / "abc"
    broken.mkdir()
    (broken / "lock").touch()
    (broken / "state.json").write_bytes(b'{"composition": {"prompt"')
    assert left_behind(tmp_path) == []


def test_a_saved_document_leaves_nothing_behind(tmp_path: Path, document: Document) -> None:
    journal = Journal(tmp_path)
    journal.write(Snapshot(document.composition), document.read)
    journal.clear()
    crash(journal)
    assert left_behind(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "recovery").write_bytes(b"a file is in the way")
    with pytest.raises(StorageFull, match=r"state.json was not saved"):
        Journal(tmp_path / "recovery").write(Snapshot(Composition()), lambda digest: b"")


def test_the_library_keeps_subjects_with_their_masks(tmp_path: Path) -> None:
    library = Library(tmp_path / "library")
    assert library.subjects() == []
    cat = library.add(png(), png("white"), "cat", "a ginger cat")
    library.add(png("green"), None, "frog")
    assert [subject.name for subject in library.subjects()] == ["frog", "cat"]
    assert library.read(cat.picture) == png()
    assert cat.mask == hashlib.sha256(png("white")).hexdigest()
    library.remove(cat.picture)
    assert [subject.name for subject in library.subjects()] == ["frog"]
    assert len(list(library.folder.iterdir())) == 2


def test_a_damaged_subject_is_not_offered(tmp_path: Path) -> None:
    library = Library(tmp_path)
    cat = library.add(png(), None, "cat")
    (tmp_path / cat.picture).unlink()
    assert library.subjects() == []
