"""Captured tokens kept for the next picture: in the host's memory, by what they depend on.

A subject's tokens do not depend on where it stands, what covers it, or what the picture shows: moving, re-ordering and
re-prompting find them again, and then a reference costs no forward. They are large (FLUX.1: 350 kB a cell and step), so
they lie in the host's memory, page-locked where the device is a GPU, and travel on a stream of their own, one step
ahead of their use. Behind the memory there may be a disk (`disk.py`), which is read one step ahead as well. What
fits in neither is captured again.

`engine/capture.py` makes the keys and asks.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager

import torch
from torch import Tensor

from ..injection import Tokens
from .disk import TokenFiles
from .entries import CacheEntry, Precision, TensorLayout, decode, encode
from .page_locked import PageLockedMemory

log = logging.getLogger(__name__)


class TokenCache:
    """Tokens by key, the longest unused making room; at most `limit` bytes in memory, and `files` behind that.

    `model` names the weights that are in use, with their precision and what else decides over the last bit; it is part
    of the keys. `precision` "fp8" keeps 8 bits a number, and a scale for each token at each site. `hits` and `misses`
    count since the beginning, `read` the hits that came from the disk; `bytes` is what is held in memory. An entry that
    the present picture has used stays until the next one: a picture too large for the cache is served as far as the
    cache goes, and does not drive out its own beginning.
    """

    def __init__(
        self, limit: int, precision: Precision = "model", files: TokenFiles | None = None
    ) -> None:
        self.model, self.limit, self.precision = "", limit, precision
        self.hits = self.misses = self.read = self.bytes = 0
        self._files = files
        self._entries: OrderedDict[str, CacheEntry] = OrderedDict()
        self._reading: dict[str, Future[CacheEntry | None]] = {}
        self._ahead: dict[str, list[Tensor]] = {}
        self._picture = 0
        self._stream: torch.cuda.Stream | None = None
        self._page_locked = PageLockedMemory()

    def __str__(self) -> str:
        of = self.hits + self.misses
        read = "" if self._files is None else f", {self.read} of them on the disk"
        held = f"{self.bytes >> 20} of {self.limit >> 20} MiB"
        return f"Tokens: {self.hits} of {of} found{read}, {held}."

    def begin(self) -> None:
        """Begin a picture: whatever earlier ones used may make room from here on."""
        self._picture += 1
        self._ahead.clear()
        self._reading.clear()
        self._page_locked.clear()

    def get(self, key: str, device: torch.device) -> Tokens | None:
        """Return an entry on `device`, or `None` if it is not held."""
        entry = self._used(key) or self._read(key, device)
        if entry is None:
            self.misses += 1
            return None
        self.hits += 1
        pieces = self._ahead.pop(key, None) or self._sent(entry, device)
        if self._stream is not None:
            current = torch.cuda.current_stream(device)
            current.wait_stream(self._stream)
            for piece in pieces:
                piece.record_stream(current)
        if self._files is not None:
            self._files.keep(key, entry)
        return decode(entry.tensors(pieces), self.precision, entry.layout.dtype)

    def look_ahead(self, key: str, device: torch.device) -> None:
        """Set an entry on its way, where it is not yet: from memory to `device`, or from the disk to memory."""
        entry = self._used(key)
        if entry is not None and key not in self._ahead:
            self._ahead[key] = self._sent(entry, device)
        elif entry is None and self._files is not None and key not in self._reading:
            self._reading[key] = self._files.read(key, device)

    def put(self, key: str, captured: Tokens, more: int = 0) -> Tokens:
        """Keep captured tokens, where there is room, and return them as the cache would give them back.

        So a picture does not depend on whether its tokens were kept. `more` entries of their size are to come: memory
        is made ready for these.
        """
        dtype = captured.at_site[0].dtype
        tensors = encode(captured.at_site, self.precision)
        if key not in self._entries:
            entry = self._to_host(tensors, dtype, more)
            if entry is not None:
                self._hold(key, entry)
                if self._files is not None:
                    self._files.keep(key, entry)
        return decode(tensors, self.precision, dtype)

    def _used(self, key: str) -> CacheEntry | None:
        """Return an entry that memory holds, used by the present picture from here on."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
            entry.picture = self._picture
        return entry

    def _read(self, key: str, device: torch.device) -> CacheEntry | None:
        """Return an entry from the disk, and hold it in memory from here on, where there is room."""
        if self._files is None:
            return None
        reading = self._reading.pop(key, None) or self._files.read(key, device)
        try:
            entry = reading.result()
        except RuntimeError as error:
            self._end_growth(error)
            return None
        if entry is not None:
            self.read += 1
            self._hold(key, entry)
        return entry

    def _hold(self, key: str, entry: CacheEntry) -> None:
        """Let memory hold an entry, where there is room."""
        if self._make_room(entry.bytes):
            entry.picture = self._picture
            self._entries[key] = entry
            self.bytes += entry.bytes

    def _make_room(self, size: int) -> bool:
        """Let the longest unused entries go until `size` more bytes fit; false if they cannot."""
        while self.bytes + size > self.limit and self._entries:
            oldest = next(iter(self._entries.values()))
            if oldest.picture == self._picture:
                break
            self._entries.popitem(last=False)
            self.bytes -= oldest.bytes
        return self.bytes + size <= self.limit

    def _to_host(self, tensors: list[Tensor], dtype: torch.dtype, more: int) -> CacheEntry | None:
        """Copy tensors into memory of the host; `None` where neither it nor the disk has room for them."""
        layout, device = TensorLayout.of(tensors, dtype), tensors[0].device
        size = layout.bytes_taken(device)
        if not self._make_room(size) and not (self._files and self._files.takes(size)):
            return None
        if device.type == "cuda":
            room = (self.limit - self.bytes) // size - 1
            self._page_locked.prepare(layout.sizes * max(0, min(more, room)))
        try:
            entry = layout.reserve(device, self._page_locked.take)
        except RuntimeError as error:
            self._end_growth(error)
            return None
        with self._beside(device) as stream:
            for tensor, host in zip(tensors, entry.tensors(entry.pieces), strict=True):
                host.copy_(tensor, non_blocking=stream is not None)
                if stream is not None:
                    tensor.record_stream(stream)
            entry.filled = stream.record_event() if stream is not None else None
        return entry

    def _sent(self, entry: CacheEntry, device: torch.device) -> list[Tensor]:
        """Return an entry's pieces on `device`, which they may not have reached yet."""
        with self._beside(device) as stream:
            overlap = stream is not None
            return [piece.to(device, non_blocking=overlap) for piece in entry.pieces]

    def _end_growth(self, error: RuntimeError) -> None:
        """Be content with what is held: the host's memory is full."""
        log.warning("No memory for more tokens than %d MiB: %s", self.bytes >> 20, error)
        self.limit = self.bytes

    @contextmanager
    def _beside(self, device: torch.device) -> Iterator[torch.cuda.Stream | None]:
        """Copy on a stream of our own, after what the device was told so far; elsewhere than on CUDA there is none."""
        if device.type != "cuda":
            yield None
            return
        if self._stream is None:
            self._stream = torch.cuda.Stream(device)
        self._stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(self._stream):
            yield self._stream
