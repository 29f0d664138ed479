"""Broken inputs give one clear message each, and nothing is lost. No daemon is needed."""

import errno
import io
import json
import os
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QUrl

pytest.importorskip("PySide6", reason="needs standee[desktop]")

from support.desktop.editors import SUBJECTS

pytest_plugins = "support.desktop.editor_fixtures"


def dropped(artist, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    artist.drop_data(data, 100, 100)


def one_error(artist, settle, *words: str) -> None:
    settle(lambda: artist.errors, 30)
    [error] = artist.errors
    for word in words:
        assert word in error


def test_a_corrupt_picture(alone, settle, tmp_path) -> None:
    alone.drops([SUBJECTS / "fox.png"], 100, 100)
    whole = (SUBJECTS / "mug.png").read_bytes()
    (tmp_path / "torn.png").write_bytes(whole[: len(whole) // 2])
    dropped(alone, tmp_path / "torn.png")
    one_error(alone, settle, "torn.png", "damaged")
    assert list(alone.order) == ["fox"]


def vast_png(side: int) -> bytes:
    """Return a square PNG of one bit a px, made without ever holding its pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    packer, row = zlib.compressobj(1), bytes(1 + side // 8)
    body = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", body), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_a_picture_of_30000_px(alone, settle, tmp_path) -> None:
    (tmp_path / "vast.png").write_bytes(vast_png(30_000))
    dropped(alone, tmp_path / "vast.png")
    one_error(alone, settle, "vast.png", "30000 x 30000")
    assert not list(alone.order)


def test_a_long_photograph_is_scaled_with_a_word(alone, settle, tmp_path) -> None:
    Image.new("RGB", (30_000, 400), "teal").save(tmp_path / "long.jpg")
    alone.drops([tmp_path / "long.jpg"], 100, 100)
    alone.is_told("long.jpg had 30000 × 400 px and was scaled to 4096")


def document(path: Path, composition: dict) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("composition.json", json.dumps(composition))
    return path


def test_a_document_from_the_future(alone, settle, tmp_path) -> None:
    alone.drops([SUBJECTS / "fox.png"], 100, 100)
    kept = alone.document.composition
    alone.saves(tmp_path / "mine.standee")
    alone.assembly.files.open(document(tmp_path / "new.standee", {"version": 99}))
    one_error(alone, settle, "new.standee", "version 99")
    assert alone.document.composition == kept


def test_a_document_that_is_none(alone, settle, tmp_path) -> None:
    (tmp_path / "x.standee").write_bytes(b"PK\x03\x04 and then nothing")
    alone.assembly.files.open(tmp_path / "x.standee")
    one_error(alone, settle, "x.standee", "not a Standee document")
    assert str(tmp_path) not in alone.errors[0]  # the name will do


def test_a_document_whose_picture_is_damaged(alone, settle, tmp_path) -> None:
    alone.drops([SUBJECTS / "fox.png"], 100, 100)
    file = tmp_path / "fox.standee"
    alone.saves(file)
    alone.assembly.files.open(_with_other_bytes(file, tmp_path / "bad.standee"))
    one_error(alone, settle, "damaged")
    assert list(alone.order) == ["fox"]


def _with_other_bytes(file: Path, target: Path) -> Path:
    other = io.BytesIO()
    Image.new("RGB", (9, 9)).save(other, "PNG")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, other.getvalue() if name.startswith("blobs/") else old.read(name))
    return target


def read_only_folder(tmp_path: Path) -> Path:
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # nothing else is read-only to root
        if not Path("/sys/kernel").is_dir():
            pytest.skip("needs a folder that root cannot write to")
        return Path("/sys/kernel")
    folder = tmp_path / "read-only"
    folder.mkdir(mode=0o500)
    return folder


def test_a_folder_that_cannot_be_written(alone, settle, tmp_path) -> None:
    alone.drops([SUBJECTS / "fox.png"], 100, 100)
    alone.assembly.files.save_to(read_only_folder(tmp_path) / "fox.standee")
    one_error(alone, settle, "fox.standee was not saved", "cannot be written there")
    assert alone.document.modified
    [row] = alone.assembly.notice_bar.rows()
    assert row.fix.text() == "Save elsewhere…"
    alone.saves(tmp_path / "fox.standee")
    assert not alone.errors


def test_a_full_disk(alone, settle, tmp_path, monkeypatch) -> None:
    alone.drops([SUBJECTS / "fox.png"], 100, 100)
    file = tmp_path / "fox.standee"
    alone.saves(file)
    saved = file.read_bytes()
    alone.says("much more than fits")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        alone.assembly.files.save()
        settle(lambda: any("fox.standee was not saved" in text for text in alone.errors))
        settle(lambda: len(alone.errors) == 2)  # the automatic copy says so too, once
        assert all("the disk is full" in text for text in alone.errors)
        assert any("not kept safe" in text for text in alone.errors)
        assert file.read_bytes() == saved
        assert alone.document.modified
    alone.says("and now it fits")
    alone.saves(file)
    settle(lambda: not alone.errors)
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


def test_an_unexpected_error_is_told_in_a_line_and_logged(alone, settle) -> None:
    from PySide6.QtCore import QTimer

    from standee_desktop.storage.paths import log_file

    def burst() -> None:
        raise ZeroDivisionError("something nobody expected")

    QTimer.singleShot(0, burst)
    one_error(alone, settle, "Something went wrong in the editor")
    assert "something nobody expected" in log_file().read_text()
    assert "Traceback" in log_file().read_text()


def test_without_an_engine_the_bar_offers_to_install_it(alone, settle) -> None:
    from standee.errors import MissingDependency
    from standee_desktop.services.daemon_link import ConnectionState

    error = MissingDependency("The backend is not installed here.", fix="Install it.")
    alone.assembly.link.contact_changed.emit(ConnectionState("failed", error=error))
    one_error(alone, settle, "not installed")
    [row] = alone.assembly.notice_bar.rows()
    assert row.fix.text() == "Install the engine"


def test_a_file_of_no_kind_that_is_read_is_told(alone, settle, tmp_path) -> None:
    (tmp_path / "scan.jp2").write_bytes(b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(60))
    dropped(alone, tmp_path / "scan.jp2")
    one_error(alone, settle, "scan.jp2", "JPEG 2000")
    assert not list(alone.order)
