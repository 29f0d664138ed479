"""Captured tokens on disk: what comes back, what makes room, and what becomes of a file or disk that is not well."""

from __future__ import annotations

import os
import stat
import threading
import time
from pathlib import Path

import pytest
import torch

from standee_backend.engine.injection import Tokens
from standee_backend.engine.token_cache import disk, entries
from standee_backend.engine.token_cache.cache import TokenCache
from standee_backend.engine.token_cache.disk import TokenFiles, file_size
from standee_backend.engine.token_cache.entries import CacheEntry, TensorLayout

CPU = torch.device("cpu")
SITES = 3


def tokens(seed: int = 0) -> Tokens:
    """Return the tokens of 4 cells of 64 dims at each site."""
    random = torch.Generator().manual_seed(seed)
    sites = [torch.randn(4, 64, generator=random).to(torch.bfloat16) for _ in range(SITES)]
    return Tokens(sites)


def entry(seed: int = 0) -> CacheEntry:
    """Return the same, as the cache keeps it."""
    tensors = tokens(seed).at_site
    filled = TensorLayout.of(tensors, torch.bfloat16).reserve(CPU)
    for tensor, host in zip(tensors, filled.tensors(filled.pieces), strict=True):
        host.copy_(tensor)
    return filled


FILE = file_size(entry().layout)
"""Bytes of the file of one entry."""


def equal(one: Tokens | None, other: Tokens) -> bool:
    assert one is not None
    return all(map(torch.equal, one.at_site, other.at_site))


def found(files: TokenFiles, key: str) -> bool:
    return files.read(key, CPU).result() is not None


def written(folder: Path, *keys: str) -> list[Path]:
    """Write an entry for each key, each a while after the one before; return their files."""
    made: list[Path] = []
    for key in keys:
        files = TokenFiles(folder, 2**20)
        files.keep(key, entry())
        files.flush()
        [new] = set(folder.iterdir()) - set(made)
        made.append(new)
    for age, file in enumerate(reversed(made), start=1):
        then = time.time() - 1000 * age
        os.utime(file, (then, then))
    return made


@pytest.mark.parametrize("piece", [64, 700, 2**20])
@pytest.mark.parametrize("precision", ["model", "fp8"])
def test_the_next_process_finds_what_this_one_put_in(
    monkeypatch, tmp_path, piece, precision
) -> None:
    monkeypatch.setattr(entries, "PIECE", piece)
    files = TokenFiles(tmp_path / "tokens", 2**20)
    put = TokenCache(2**20, precision, files).put("key", tokens())
    files.flush()
    later = TokenCache(2**20, precision, TokenFiles(tmp_path / "tokens", 2**20))
    for _ in range(2):
        got = later.get("key", CPU)
        assert equal(got, put)
        assert [t.dtype for t in got.at_site] == [torch.bfloat16] * SITES
    assert (later.hits, later.misses, later.read) == (2, 0, 1)
    assert str(later) == "Tokens: 2 of 2 found, 1 of them on the disk, 0 of 1 MiB."


def test_only_the_user_can_read_the_files(tmp_path) -> None:
    [file] = written(tmp_path / "tokens", "a")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_file_is_read_ahead_of_its_use(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(disk, "READERS", 1)
    [file] = written(tmp_path, "a")
    files = TokenFiles(tmp_path, 2**20)
    cache = TokenCache(2**20, files=files)
    cache.look_ahead("a", CPU)
    assert not found(files, "b"), "which was read after a"
    file.unlink()
    assert equal(cache.get("a", CPU), tokens())


@pytest.mark.parametrize("room", [0, 1])
def test_what_memory_has_no_room_for_comes_from_the_disk(tmp_path, room) -> None:
    files = TokenFiles(tmp_path, 2**20)
    cache = TokenCache(room * entry().bytes, files=files)
    cache.begin()
    for seed, key in enumerate("abc"):
        assert equal(cache.put(key, tokens(seed)), tokens(seed))
    files.flush()
    for _ in range(2):
        cache.begin()
        for seed, key in enumerate("abc"):
            assert equal(cache.get(key, CPU), tokens(seed))
    assert cache.read == 2 * (3 - room)
    assert cache.bytes == cache.limit


def test_the_longest_unused_file_makes_room(tmp_path) -> None:
    for file in written(tmp_path, "a", "b"):
        assert file.stat().st_size == FILE
    files = TokenFiles(tmp_path, 2 * FILE)
    cache = TokenCache(2**20, files=files)
    assert cache.get("a", CPU) is not None
    files.keep("c", entry())
    files.flush()
    assert [found(files, key) for key in "abc"] == [True, False, True]


def test_what_is_found_in_memory_counts_as_used_on_disk(tmp_path) -> None:
    files = TokenFiles(tmp_path, 2 * FILE)
    cache = TokenCache(2**20, files=files)
    cache.put("a", tokens())
    files.flush()
    [file] = tmp_path.iterdir()
    os.utime(file, (0, 0))
    cache.get("a", CPU)
    files.flush()
    assert file.stat().st_mtime > 0


def test_a_smaller_limit_holds_from_the_start_and_other_files_are_let_be(tmp_path) -> None:
    written(tmp_path / "tokens", "a", "b", "c")
    (tmp_path / "tokens" / "notes.txt").write_text("mine")
    files = TokenFiles(tmp_path / "tokens", 5 * FILE // 2)
    assert [found(files, key) for key in "abc"] == [False, True, True]
    assert (tmp_path / "tokens" / "notes.txt").exists()
    files = TokenFiles(tmp_path / "tokens", FILE - 1)
    files.keep("d", entry())
    files.flush()
    assert [found(files, key) for key in "abcd"] == [False] * 4


def test_files_of_other_processes_count(tmp_path) -> None:
    limit = 16 * FILE
    one, other = (TokenFiles(tmp_path, limit) for _ in range(2))
    for key in range(24):
        for files in (one, other):
            files.keep(f"{key} {files is one}", entry())
            files.flush()
        total = sum(file.stat().st_size for file in tmp_path.iterdir())
        assert total <= limit + limit // disk.SHARE
    assert total > limit / 2


def test_half_written_files_of_ended_processes_go_and_those_of_running_ones_stay(tmp_path) -> None:
    old, new = tmp_path / "a.1.part", tmp_path / "b.2.part"
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    os.utime(old, (0, 0))
    TokenFiles(tmp_path, 2**20)
    assert (old.exists(), new.exists()) == (False, True)


@pytest.mark.parametrize(
    "tear",
    [
        pytest.param(lambda data: b"", id="empty"),
        pytest.param(lambda data: data[:10], id="head"),
        pytest.param(lambda data: data[:100], id="header"),
        pytest.param(lambda data: data[:-1], id="short"),
        pytest.param(lambda data: data + b"x", id="long"),
        pytest.param(lambda data: bytes(len(data)), id="zeros"),
        pytest.param(lambda data: data[: FILE // 2] + bytes(len(data) - FILE // 2), id="half"),
        pytest.param(lambda data: data[:30] + b"!" + data[31:], id="layout"),
        pytest.param(lambda data: data[:-1] + bytes([data[-1] ^ 1]), id="bit"),
    ],
)
def test_a_torn_file_is_a_miss_and_goes(tmp_path, tear) -> None:
    [file] = written(tmp_path, "a")
    file.write_bytes(tear(file.read_bytes()))
    files = TokenFiles(tmp_path, 2**20)
    cache = TokenCache(2**20, files=files)
    assert cache.get("a", CPU) is None
    assert not file.exists()
    cache.put("a", tokens())
    files.flush()
    assert found(files, "a")


def test_a_file_that_is_gone_is_a_miss(tmp_path) -> None:
    first, second = written(tmp_path, "a", "b")
    files = TokenFiles(tmp_path, 2**20)
    cache = TokenCache(2**20, files=files)
    assert cache.get("a", CPU) is not None
    first.unlink()
    second.unlink()
    assert cache.get("a", CPU) is not None, "memory has it"
    assert cache.get("b", CPU) is None
    files.flush()
    assert files.on


class Filling:
    """Stands for the event of a GPU that has not filled an entry yet."""

    def __init__(self) -> None:
        self.awaited, self.done = threading.Event(), threading.Event()

    def synchronize(self) -> None:
        self.awaited.set()
        self.done.wait()


def test_an_entry_is_written_once_it_is_filled(tmp_path) -> None:
    files, filling, late = TokenFiles(tmp_path, 2**20), Filling(), entry()
    late.filled = filling
    late.pieces[0].zero_()
    files.keep("a", late)
    assert filling.awaited.wait(10)
    late.pieces[0].copy_(entry().pieces[0])
    filling.done.set()
    files.flush()
    assert equal(TokenCache(0, files=files).get("a", CPU), tokens())


def test_what_finds_the_queue_full_is_written_at_its_next_use(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(disk, "QUEUE", 2 * entry().bytes)
    files, filling, slow = TokenFiles(tmp_path, 2**20), Filling(), entry()
    slow.filled = filling
    cache = TokenCache(2**20, files=files)
    files.keep("slow", slow)
    for key in "ab":
        cache.put(key, tokens())
    filling.done.set()
    files.flush()
    assert [found(files, key) for key in "ab"] == [True, False]
    assert cache.get("b", CPU) is not None
    files.flush()
    assert found(files, "b")


def trouble(caplog: pytest.LogCaptureFixture) -> int:
    return sum("not kept on disk any more" in record.message for record in caplog.records)


def goes_on(files: TokenFiles, caplog: pytest.LogCaptureFixture) -> bool:
    """Return whether memory serves on after the disk has made trouble, and one warning says so."""
    cache = TokenCache(2**20, files=files)
    for seed, key in enumerate("xyz"):
        assert equal(cache.put(key, tokens(seed)), tokens(seed))
        assert equal(cache.get(key, CPU), tokens(seed))
        files.flush()
    assert cache.get("none", CPU) is None
    return not files.on and trouble(caplog) == 1


def test_a_folder_that_cannot_be_made_ends_the_disk_and_nothing_else(tmp_path, caplog) -> None:
    (tmp_path / "tokens").write_text("a file")
    assert goes_on(TokenFiles(tmp_path / "tokens", 2**20), caplog)


def test_a_folder_that_vanishes_ends_the_disk_and_nothing_else(tmp_path, caplog) -> None:
    files = TokenFiles(tmp_path / "tokens", 2**20)
    (tmp_path / "tokens").rmdir()
    assert goes_on(files, caplog)


def test_a_full_disk_ends_the_disk_and_nothing_else(tmp_path, caplog) -> None:
    resource = pytest.importorskip("resource")
    files = TokenFiles(tmp_path / "tokens", 2**20)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE // 2, before[1]))
    try:
        assert goes_on(files, caplog)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list((tmp_path / "tokens").iterdir()), "nothing half-written stays"


def test_a_host_that_is_out_of_memory_makes_a_file_a_miss(tmp_path, monkeypatch) -> None:
    written(tmp_path, "a")
    cache = TokenCache(2**20, files=TokenFiles(tmp_path, 2**20))

    def full(*size, **given):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "empty", full)
        assert cache.get("a", CPU) is None
    assert equal(cache.get("a", CPU), tokens())
