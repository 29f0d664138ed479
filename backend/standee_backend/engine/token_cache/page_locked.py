"""Page-locked memory of the host, made ready before it is needed.

A GPU reads and writes it by itself. Locking pages takes a system a second or so for a few GB. A thread of its own does
so while the first of a picture's tokens are captured, so that the thread that gives the GPU its work need not.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import torch
from torch import Tensor


def page_locked(size: int) -> Tensor:
    """Return so many bytes (size,). Raises `RuntimeError` where the host's memory is full."""
    return torch.empty(size, dtype=torch.uint8, pin_memory=True)


class PageLockedMemory:
    """Gives pieces of page-locked memory: those that were made ready, or others."""

    def __init__(self) -> None:
        self._ready: defaultdict[int, deque[Tensor]] = defaultdict(deque)
        self._thread = ThreadPoolExecutor(1, "page-locked")
        self._round = 0

    def prepare(self, sizes: Iterable[int]) -> None:
        """Have pieces of these sizes made, one after another."""
        for size in sizes:
            self._thread.submit(self._make, size, self._round)

    def take(self, size: int) -> Tensor:
        """Return a piece; see `page_locked`."""
        try:
            return self._ready[size].popleft()
        except IndexError:
            return page_locked(size)

    def clear(self) -> None:
        """Let go of what was made ready and not taken, and make no more of it."""
        self._round += 1
        self._ready.clear()

    def _make(self, size: int, wanted_in: int) -> None:
        if wanted_in == self._round:
            with suppress(RuntimeError):  # whoever takes it will meet the same
                self._ready[size].append(page_locked(size))
