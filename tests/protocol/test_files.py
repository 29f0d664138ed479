"""Files are written whole or not at all: through links, with their modes, and refused before the work."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from standee.errors import StorageFull
from standee.files import check_writable, replacing, text_of, write_atomically

posix = pytest.mark.skipif(os.name == "nt", reason="links and modes of POSIX")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@posix
def test_a_file_is_written_through_a_link_and_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    target, link = tmp_path / "far" / "out.png", tmp_path / "link.png"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(Path("far") / "out.png")
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert mode_of(target) == 0o640


@posix
def test_a_link_that_leads_nowhere_yet_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link.png").symlink_to("out.png")
    write_atomically(tmp_path / "link.png", b"new")
    assert (tmp_path / "out.png").read_bytes() == b"new"


@posix
def test_a_new_file_has_the_mode_of_any_other(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"")
    write_atomically(tmp_path / "new", b"")
    assert mode_of(tmp_path / "new") == mode_of(tmp_path / "other")
    write_atomically(tmp_path / "new", b"", mode=0o600)
    assert mode_of(tmp_path / "new") == 0o600


@posix
@pytest.mark.parametrize("act", [check_writable, lambda path: write_atomically(path, b"x")])
def test_what_is_no_ordinary_file_is_not_replaced(act, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(StorageFull, match="no ordinary file"):
        act(pipe)
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    with pytest.raises(StorageFull, match="is a folder"):
        act(tmp_path)
    assert names(tmp_path) == ["pipe"]


@pytest.mark.parametrize("act", [check_writable, lambda path: write_atomically(path, b"x")])
def test_a_name_may_be_as_long_as_the_system_takes_and_no_longer(act, tmp_path: Path) -> None:
    act(tmp_path / ("n" * 251 + ".png"))
    with pytest.raises(StorageFull, match="name is too long"):
        act(tmp_path / ("n" * 252 + ".png"))


def test_trying_a_place_leaves_it_as_it_was(tmp_path: Path) -> None:
    old = tmp_path / "old.png"
    old.write_bytes(b"old")
    check_writable(old)
    check_writable(tmp_path / "new.png")
    assert names(tmp_path) == ["old.png"]
    assert old.read_bytes() == b"old"


def test_too_little_room_is_said_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(StorageFull, match="MiB"):
        check_writable(tmp_path / "new.png", 1 << 60)


def test_whatever_fails_the_old_file_stays_and_nothing_lies_about(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), replacing(path) as stream:  # noqa: PT012
        stream.write(b"half")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["out.png"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_read_as_editors_of_any_system_save_it(encoding: str) -> None:
    assert text_of('{"prompt": "a café, 猫"}'.encode(encoding)) == '{"prompt": "a café, 猫"}'
