"""The `.standee` file: what is saved comes back, and nothing is lost when saving fails."""

import errno
import hashlib
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest

from standee.composition import Composition, Layer, Rect
from standee.document.document import Document
from standee.errors import BadPicture, InvalidField, StorageFull, TooLarge

# Documents keep pictures as they are and never decode them: the first bytes are enough.
PNG = b"\x89PNG\r\n\x1a\n"
CAT, MUG, DOG, OUT = PNG + b"a cat", PNG + b"a mug", PNG + b"a dog", PNG + b"a result"
CAT_DIGEST = hashlib.sha256(CAT).hexdigest()
RECT = Rect(0, 0, 64, 64)
RECEIPT = {"seed": 7, "composition": {"prompt": "a cat"}}


# ---------------------------------------------------------------------------- what is saved comes back


def test_a_saved_document_opens_as_it_was(document: Document, saved: Path) -> None:
    with Document.open(saved) as opened:
        assert opened.composition == document.composition
        assert opened.blobs == document.blobs
        assert {name: (r.data, r.receipt) for name, r in opened.results.items()} == {
            "001": (OUT, RECEIPT)
        }
        assert not opened.missing()


def test_any_zip_program_can_read_a_document_and_pictures_lie_in_it_as_they_are(
    saved: Path,
) -> None:
    with zipfile.ZipFile(saved) as zipped:
        assert zipped.read(f"blobs/{CAT_DIGEST}") == CAT
        assert zipped.getinfo(f"blobs/{CAT_DIGEST}").compress_type == zipfile.ZIP_STORED
        assert b'"prompt": "a cat"' in zipped.read("composition.json")
        assert zipped.testzip() is None


def test_saving_the_same_document_twice_writes_the_same_bytes(
    document: Document, saved: Path, tmp_path: Path
) -> None:
    document.save(tmp_path / "again.standee")
    assert (tmp_path / "again.standee").read_bytes() == saved.read_bytes()


def test_a_picture_is_added_from_a_file_under_the_digest_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(CAT)
    with Document() as document:
        assert document.add_picture(tmp_path / "cat.png") == CAT_DIGEST
        assert document.add_picture(CAT) == CAT_DIGEST
        assert dict(document.blobs) == {CAT_DIGEST: CAT}


def test_an_opened_document_can_be_changed_and_saved_over_itself(saved: Path) -> None:
    with Document.open(saved) as opened:
        kept = opened.results["001"]
        other = opened.add_picture(DOG)
        opened.composition = Composition(layers=(Layer(picture=other, rect=RECT),))
        opened.save()
        assert opened.blobs[other] == DOG
        assert opened.blobs[CAT_DIGEST] == CAT, "a removed layer can still be undone"
        assert kept.data == OUT
    with Document.open(saved) as again:
        assert set(again.blobs) == {other}, "a picture that nothing names is gone after opening"


def test_saving_under_another_name_leaves_the_first_file_and_goes_on_with_the_second(
    saved: Path, tmp_path: Path
) -> None:
    before = saved.read_bytes()
    with Document.open(saved) as opened:
        opened.composition = Composition(prompt="other")
        opened.save(tmp_path / "other.standee")
        assert opened.path == tmp_path / "other.standee"
        assert opened.blobs[CAT_DIGEST] == CAT
    assert saved.read_bytes() == before


def test_pictures_that_only_a_receipt_names_are_kept(tmp_path: Path) -> None:
    with Document() as document:
        document.add_result(OUT, {"pictures": [document.add_picture(CAT)]})
        document.save(tmp_path / "a.standee")
    with Document.open(tmp_path / "a.standee") as opened:
        assert opened.blobs[CAT_DIGEST] == CAT


def test_results_of_one_name_do_not_replace_each_other() -> None:
    with Document() as document:
        assert [document.add_result(OUT, {}, "final") for _ in range(3)] == [
            "final",
            "final-2",
            "final-3",
        ]
        document.remove_result("final-2")
        assert list(document.results) == ["final", "final-3"]


def test_the_name_of_a_result_cannot_be_a_path() -> None:
    with Document() as document, pytest.raises(InvalidField):
        document.add_result(OUT, {}, "../../etc/passwd")


def test_opening_reads_no_picture(
    document: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document.save(tmp_path / "a.standee")
    read: list[str] = []
    true_open = zipfile.ZipFile.open

    def spy(zipped: zipfile.ZipFile, entry: Any, *rest: Any, **more: Any) -> Any:
        read.append(getattr(entry, "filename", entry))
        return true_open(zipped, entry, *rest, **more)

    monkeypatch.setattr(zipfile.ZipFile, "open", spy)
    with Document.open(tmp_path / "a.standee") as opened:
        assert set(read) == {"composition.json", "results/001.json"}
        assert opened.blobs.size(CAT_DIGEST) == len(CAT)
        assert opened.read(CAT_DIGEST) == CAT


# ---------------------------------------------------------------------------- pictures


@pytest.mark.parametrize("data", [b"", b"hello, I am text", b"RIFF\0\0\0\0WAVE"])
def test_what_is_not_a_picture_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "cat.png").write_bytes(data)
    with Document() as document, pytest.raises(BadPicture, match=r"cat\.png") as caught:
        document.add_picture(tmp_path / "cat.png")
    assert caught.value.fix.startswith("Give a PNG, JPEG")


def test_a_picture_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with Document() as document, pytest.raises(BadPicture, match=r"dog\.png"):
        document.add_picture(tmp_path / "dog.png")


def test_a_picture_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("standee.document.blobs.MAX_PICTURE", len(MUG) - 1)
    with Document() as document:
        with pytest.raises(TooLarge):
            document.add_picture(MUG + b"\0")
        assert not document.blobs


def test_blobs_given_under_a_wrong_digest_are_refused() -> None:
    with pytest.raises(BadPicture):
        Document(blobs={"0" * 64: CAT})


# ---------------------------------------------------------------------------- saving that fails


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_save_keeps_the_old_file_and_the_document(
    saved: Path, monkeypatch: pytest.MonkeyPatch, number: int, call: str
) -> None:
    before = saved.read_bytes()

    def fail(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    with Document.open(saved) as opened:
        opened.add_picture(DOG)
        with monkeypatch.context() as patch:
            patch.setattr(*((os, "fsync") if call == "fsync" else (Path, "replace")), fail)
            with pytest.raises(StorageFull) as caught:
                opened.save()
        assert caught.value.fix
        assert saved.read_bytes() == before
        assert [path.name for path in saved.parent.iterdir()] == [saved.name]
        assert opened.blobs[CAT_DIGEST] == CAT
        opened.save()
        assert opened.blobs[CAT_DIGEST] == CAT


def test_a_full_disk_is_told_as_such(
    document: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StorageFull, match="the disk is full"):
        document.save(tmp_path / "a.standee")


def test_saving_into_a_folder_that_is_not_there_says_so(document: Document, tmp_path: Path) -> None:
    with pytest.raises(StorageFull, match="does not exist"):
        document.save(tmp_path / "no" / "where.standee")


def test_saving_where_nobody_said_asks_where(document: Document) -> None:
    with pytest.raises(InvalidField, match="no file yet"):
        document.save()


def test_a_composition_that_could_not_be_opened_again_is_not_saved(
    document: Document, saved: Path
) -> None:
    before = saved.read_bytes()
    document.composition = Composition(layers=(Layer(Rect(0, 0, float("nan"), 1), "x" * 64),))
    with pytest.raises(InvalidField):
        document.save(saved)
    assert saved.read_bytes() == before
