"""Documents made by other programs, by newer versions, or by somebody who means harm."""

import hashlib
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from standee.composition import Composition, Layer, Rect, to_json
from standee.document import archive
from standee.document.document import Document
from standee.errors import BadDocument, MissingBlob

PNG = b"\x89PNG\r\n\x1a\n"
CAT, MUG, OUT = PNG + b"a cat", PNG + b"a mug", PNG + b"a result"
CAT_DIGEST = hashlib.sha256(CAT).hexdigest()
RECT = Rect(0, 0, 64, 64)


def write_zip(path: Path, entries: dict[str, bytes], **options: Any) -> Path:
    with zipfile.ZipFile(path, "w", **options) as zipped:
        for name, data in entries.items():
            zipped.writestr(name, data)
    return path


def refusal(path: Path) -> BadDocument:
    with pytest.raises(BadDocument) as caught:
        Document.open(path)
    assert caught.value.fix
    return caught.value


def test_a_document_that_lacks_a_picture_opens_and_says_which(tmp_path: Path) -> None:
    composition = Composition(layers=(Layer(picture=CAT_DIGEST, rect=RECT),))
    path = write_zip(tmp_path / "a.standee", {"composition.json": to_json(composition)})
    with Document.open(path) as opened:
        assert opened.missing() == {CAT_DIGEST}
        with pytest.raises(MissingBlob):
            opened.read(CAT_DIGEST)


def test_entries_that_this_version_does_not_know_are_ignored(saved: Path) -> None:
    with zipfile.ZipFile(saved, "a") as zipped:
        zipped.writestr("thumbnail.png", CAT)
        zipped.writestr("blobs/", b"")
        zipped.writestr("__MACOSX/._composition.json", b"x")
    with Document.open(saved) as opened:
        assert opened.composition.prompt == "a cat"


def test_a_document_packed_again_by_another_program_opens(saved: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(saved) as zipped:
        entries = {name: zipped.read(name) for name in zipped.namelist()}
    path = write_zip(tmp_path / "b.standee", entries, compression=zipfile.ZIP_DEFLATED)
    with Document.open(path) as opened:
        assert opened.read(CAT_DIGEST) == CAT


@pytest.mark.parametrize(
    "name",
    ["../evil", "blobs/../../evil", "/etc/passwd", "\\\\host\\share", "C:\\evil", "a\\..\\..\\b"],
)
def test_an_entry_that_reaches_outside_is_refused(saved: Path, name: str) -> None:
    with zipfile.ZipFile(saved, "a") as zipped:
        zipped.writestr(name, b"x")
    assert "reaches outside" in refusal(saved).message


def test_two_entries_of_one_name_are_refused(saved: Path) -> None:
    with zipfile.ZipFile(saved, "a") as zipped, pytest.warns(UserWarning, match="Duplicate"):
        zipped.writestr("composition.json", b"{}")
    assert "two entries" in refusal(saved).message


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    zeros = {"composition.json": b"{}", "blobs/" + "0" * 64: bytes(100 << 20)}
    path = write_zip(tmp_path / "bomb.standee", zeros, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 1 << 20
    assert "would unpack to 104,857,600 bytes" in refusal(path).message


def test_a_composition_over_its_limit_is_refused(tmp_path: Path) -> None:
    text = b'{"prompt": "' + os.urandom(archive.MAX_TEXT).hex().encode() + b'"}'
    path = write_zip(tmp_path / "a.standee", {"composition.json": text})
    assert "composition.json has" in refusal(path).message


def test_receipts_that_are_too_much_together_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_TEXTS", 10_000)
    receipts = {f"results/{number}.json": os.urandom(2000).hex().encode() for number in range(3)}
    composition = {"composition.json": to_json(Composition())}
    path = write_zip(tmp_path / "a.standee", composition | receipts)
    assert "10,000" in refusal(path).message


GROWTH = """
import resource, sys
from pathlib import Path
from standee.document.document import Document
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with Document.open(Path(sys.argv[1])) as opened:
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print((after - before) // 1024, len(opened.results))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts KiB there")
def test_a_small_document_takes_little_memory_to_open(tmp_path: Path) -> None:
    swollen = b'{"a":{}},'
    items = swollen * ((archive.MAX_TEXT - 100_000) // len(swollen))
    noise = os.urandom(24_000).hex().encode()  # so that its ratio is not what gives it away
    text = b'{"layers": [], "more": ["' + noise + b'",' + items + b"0]}"
    entries = {"composition.json": text}
    for number in range(4):
        entries |= {f"results/{number}.png": OUT, f"results/{number}.json": text}
    path = write_zip(tmp_path / "a.standee", entries, compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 2_000_000
    command = [sys.executable, "-c", GROWTH, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    grown, results = map(int, done.stdout.split())
    assert results == 4
    assert grown < 256


def test_too_many_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_ENTRIES", 3)
    path = write_zip(tmp_path / "a.standee", {f"{n}.txt": b"" for n in range(4)})
    assert "at most 3" in refusal(path).message


def test_declared_sizes_over_the_total_are_refused(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_TOTAL", len(CAT))
    assert "would unpack to" in refusal(saved).message


def test_an_entry_that_lies_about_its_size_is_found_when_it_is_read(saved: Path) -> None:
    data = bytearray(saved.read_bytes())
    at = data.rindex(b"PK\x01\x02", 0, data.rindex(f"blobs/{CAT_DIGEST}".encode()))
    struct.pack_into("<II", data, at + 20, len(CAT) * 3, len(CAT) * 3)
    saved.write_bytes(data)
    with Document.open(saved) as opened, pytest.raises(BadDocument):
        opened.read(CAT_DIGEST)


def test_an_encrypted_document_is_told_as_such(saved: Path) -> None:
    data = bytearray(saved.read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 8] |= 1
    saved.write_bytes(data)
    assert "encrypted" in refusal(saved).message


def test_an_unusual_packing_is_told_as_such(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.standee", {"composition.json": b"{}"}, compression=12)
    assert "deflate" in refusal(path).fix


def test_a_picture_whose_bytes_were_changed_is_refused_when_it_is_read(tmp_path: Path) -> None:
    composition = Composition(layers=(Layer(picture=CAT_DIGEST, rect=RECT),))
    entries = {"composition.json": to_json(composition), f"blobs/{CAT_DIGEST}": MUG}
    with Document.open(write_zip(tmp_path / "a.standee", entries)) as opened:
        with pytest.raises(BadDocument, match="another digest"):
            opened.read(CAT_DIGEST)
        with pytest.raises(BadDocument, match="another digest"):
            opened.save(tmp_path / "b.standee")
        assert not (tmp_path / "b.standee").exists()


def test_a_damaged_picture_that_nothing_needs_does_not_stop_a_save(tmp_path: Path) -> None:
    composition = Composition(layers=(Layer(picture=CAT_DIGEST, rect=RECT),))
    entries = {"composition.json": to_json(composition), f"blobs/{CAT_DIGEST}": MUG}
    with Document.open(write_zip(tmp_path / "a.standee", entries)) as opened:
        opened.composition = Composition()
        opened.save()
        assert not opened.blobs


def test_a_damaged_receipt_leaves_its_picture(saved: Path, tmp_path: Path) -> None:
    entries = {"composition.json": b"{}", "results/1.png": OUT, "results/1.json": b"{"}
    with Document.open(write_zip(tmp_path / "a.standee", entries)) as opened:
        assert opened.results["1"].data == OUT
        assert opened.results["1"].receipt == {}


def test_a_document_from_the_future_asks_for_an_update(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.standee", {"composition.json": b'{"version": 3, "layers": 1}'})
    error = refusal(path)
    assert (error.path, error.fix) == ("$.version", "Update Standee.")


def test_a_wrong_composition_names_its_field(tmp_path: Path) -> None:
    text = b'{"canvas": {"width": 1000000000}}'
    error = refusal(write_zip(tmp_path / "a.standee", {"composition.json": text}))
    assert (error.path, error.fix) == ("$.canvas.width", "Give at most 8192.")


def test_a_zip_without_a_composition_is_no_document(tmp_path: Path) -> None:
    assert "holds no composition.json" in refusal(write_zip(tmp_path / "a.zip", {"a": b""})).message


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1],
        lambda _: b"",
        lambda _: b"Not a zip at all.",
        lambda data: data[100:],
    ],
)
def test_a_truncated_document_is_told_as_damaged(
    saved: Path, spoil: Callable[[bytes], bytes]
) -> None:
    saved.write_bytes(spoil(saved.read_bytes()))
    assert "damaged" in refusal(saved).message


def test_a_document_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "no.standee" in refusal(tmp_path / "no.standee").message
    assert str(tmp_path) in refusal(tmp_path).message


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.data())
def test_any_damage_is_told_or_harmless(
    saved: Path, changes: st.DataObject, tmp_path: Path
) -> None:
    whole = bytearray(saved.read_bytes())
    for _ in range(changes.draw(st.integers(1, 4))):
        whole[changes.draw(st.integers(0, len(whole) - 1))] = changes.draw(st.integers(0, 255))
    broken = tmp_path / "broken.standee"
    broken.write_bytes(whole)
    try:
        with Document.open(broken) as opened:
            for digest in opened.blobs:
                assert hashlib.sha256(opened.read(digest)).hexdigest() == digest
            for result in opened.results.values():
                assert result.data == OUT
    except BadDocument:
        pass
