"""The cache of captured tokens: what comes back, what makes room, and what a picture may take of it."""

from __future__ import annotations

import threading
import time

import pytest
import torch

from standee_backend.engine.injection import Tokens
from standee_backend.engine.token_cache import entries, page_locked
from standee_backend.engine.token_cache.cache import TokenCache
from support.pretended_cuda import pretended_cuda

CPU = torch.device("cpu")
ENTRY = 3 * 4 * 64 * 2
"""Bytes of `tokens`: 3 sites of 4 cells of 64 dims in bf16."""


def tokens(seed: int = 0) -> Tokens:
    """Return tokens in which one cell is far larger than the others, and one is zero."""
    random = torch.Generator().manual_seed(seed)
    rows = torch.tensor([1.0, 50.0, 0.1, 0.0])[:, None]
    at_site = [torch.randn(4, 64, generator=random) * rows for _ in range(3)]
    return Tokens([site.to(torch.bfloat16) for site in at_site])


def equal(one: Tokens | None, other: Tokens) -> bool:
    assert one is not None
    return all(map(torch.equal, one.at_site, other.at_site))


@pytest.mark.parametrize("piece", [64, 700, 2**20])
@pytest.mark.parametrize("precision", ["model", "fp8"])
def test_what_comes_back_is_what_putting_it_in_returned(monkeypatch, piece, precision) -> None:
    monkeypatch.setattr(entries, "PIECE", piece)
    cache = TokenCache(2**20, precision)
    put = cache.put("key", tokens())
    got = cache.get("key", CPU)
    assert equal(got, put)
    assert [t.dtype for t in put.at_site] == [torch.bfloat16] * 3
    assert (cache.hits, cache.misses) == (1, 0)


def test_tokens_of_the_models_precision_are_kept_as_they_are() -> None:
    assert equal(TokenCache(2**20).put("key", tokens()), tokens())


def test_eight_bits_err_by_a_sixteenth_of_a_number_at_most_and_take_half_the_memory() -> None:
    whole, small = TokenCache(2**20), TokenCache(2**20, "fp8")
    whole.put("key", tokens())
    for ours, theirs in zip(small.put("key", tokens()).at_site, tokens().at_site, strict=True):
        coarsest = theirs.float().abs().amax(dim=1, keepdim=True) / 448 * 2**-9
        error = (ours.float() - theirs.float()).abs()
        assert (error <= theirs.float().abs() / 15 + coarsest).all()
    assert small.bytes == whole.bytes / 2 + 3 * entries.ALIGNMENT, "the scales of 3 sites"


def test_the_longest_unused_makes_room() -> None:
    cache = TokenCache(2 * ENTRY)
    cache.put("a", tokens(1))
    cache.put("b", tokens(2))
    cache.begin()
    assert cache.get("a", CPU) is not None
    cache.put("c", tokens(3))
    assert cache.get("b", CPU) is None
    assert equal(cache.get("a", CPU), tokens(1))
    assert equal(cache.get("c", CPU), tokens(3))
    assert cache.bytes == 2 * ENTRY


def test_a_picture_too_large_for_the_cache_keeps_its_beginning() -> None:
    cache = TokenCache(2 * ENTRY)
    for _ in range(2):
        cache.begin()
        found = [cache.get(key, CPU) is not None or not cache.put(key, tokens()) for key in "abc"]
    assert found == [True, True, False]
    assert cache.bytes == 2 * ENTRY


def test_what_was_looked_ahead_for_and_dropped_does_not_stay_under_way() -> None:
    cache = TokenCache(ENTRY)
    cache.put("a", tokens(1))
    cache.look_ahead("a", CPU)
    cache.begin()
    cache.put("b", tokens(2))
    assert cache.get("a", CPU) is None
    assert equal(cache.get("b", CPU), tokens(2))


def test_a_cache_of_no_size_keeps_nothing_and_still_answers() -> None:
    cache = TokenCache(0)
    assert equal(cache.put("key", tokens()), tokens())
    assert cache.get("key", CPU) is None
    assert cache.bytes == 0


def test_a_host_that_is_out_of_memory_ends_the_growth_and_not_the_picture(monkeypatch) -> None:
    cache = TokenCache(2**20)
    cache.put("a", tokens(1))

    def full(*size, **given):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with monkeypatch.context() as patch:
        patch.setattr(torch, "empty", full)
        assert equal(cache.put("b", tokens(2)), tokens(2))
    assert equal(cache.get("a", CPU), tokens(1))
    assert cache.get("b", CPU) is None
    assert cache.limit == ENTRY


@pytest.mark.parametrize(("room", "ahead"), [(8, 3), (3, 2)])
def test_memory_for_tokens_to_come_is_page_locked_by_another_thread(
    monkeypatch, room: int, ahead: int
) -> None:
    """As far as the cache goes, whose entries take a power of two there."""
    made: list[bool] = []

    def page_lock(size: int) -> torch.Tensor:
        made.append(threading.current_thread() is threading.main_thread())
        return torch.empty(size, dtype=torch.uint8)

    monkeypatch.setattr(page_locked, "page_locked", page_lock)
    with pretended_cuda():
        cache = TokenCache(room * 2048)
        captured = Tokens([site.to("cuda") for site in tokens().at_site])
        cache.put("0", captured, more=3)
        until = time.monotonic() + 10
        while made.count(False) < ahead and time.monotonic() < until:
            time.sleep(0.001)
        for key in "123":
            cache.put(key, captured)
    assert sorted(made) == [False] * ahead + [True]
    assert cache.bytes == (1 + ahead) * 2048
