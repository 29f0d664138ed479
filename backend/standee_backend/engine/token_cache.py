"""Captured tokens kept for the next picture: in the host's memory, by what they depend on.

A subject's tokens do not depend on where it stands, what covers it, or what the picture shows: moving, re-ordering and
re-prompting find them again, and then a reference costs no forward. They are large (FLUX.1: 350 kB a cell and step), so
they lie in the host's memory, page-locked where the device is a GPU, and travel on a stream of their own, one step
ahead of their use. What does not fit is captured again.

`captures.py` makes the keys and asks.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from typing import Literal

import torch
from torch import Tensor

from .injection import Tokens

log = logging.getLogger(__name__)

Precision = Literal["model", "fp8"]

PIECE = 64 * 2**20
"""Most bytes of one piece of memory: page-locked memory comes in powers of two, so a large piece wastes much."""

ALIGNMENT = 64
"""Each tensor begins at a multiple of this many bytes."""

EIGHT_BITS = torch.float8_e4m3fn
LARGEST = torch.finfo(EIGHT_BITS).max
LEAST = 1e-12
"""The scale of a token of nothing but zeros."""


@dataclass(frozen=True)
class Place:
    """Where a tensor lies: in which piece, from which byte on, and what it is."""

    piece: int
    start: int
    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def size(self) -> int:
        """Its bytes."""
        return prod(self.shape) * self.dtype.itemsize


@dataclass
class Entry:
    """Tokens of `dtype`, encoded: tensors as bytes in a few pieces, and the picture that used them last.

    `bytes` is what it takes of the host's memory.
    """

    pieces: list[Tensor]
    places: list[Place]
    bytes: int
    dtype: torch.dtype
    picture: int

    def tensors(self, pieces: Sequence[Tensor]) -> list[Tensor]:
        """Return the tensors as views into `pieces`, which are this entry's own or a copy of them."""
        return [
            pieces[p.piece][p.start : p.start + p.size].view(p.dtype).view(p.shape)
            for p in self.places
        ]


class TokenCache:
    """Tokens by key, the longest unused making room; at most `limit` bytes.

    `model` names the weights that are in use, with their precision; it is part of the keys. `precision` "fp8" keeps 8
    bits a number, and a scale for each token at each site. `hits` and `misses` count since the beginning, `bytes` is
    what is held. An entry that the present picture has used stays until the next one: a picture too large for the
    cache is served as far as the cache goes, and does not drive out its own beginning.
    """

    def __init__(self, limit: int, precision: Precision = "model") -> None:
        self.model, self.limit, self.precision = "", limit, precision
        self.hits = self.misses = self.bytes = 0
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._ahead: dict[str, list[Tensor]] = {}
        self._picture = 0
        self._stream: torch.cuda.Stream | None = None

    def __str__(self) -> str:
        of = self.hits + self.misses
        return f"Tokens: {self.hits} of {of} found, {self.bytes >> 20} of {self.limit >> 20} MiB."

    def begin(self) -> None:
        """Begin a picture: whatever earlier ones used may make room from here on."""
        self._picture += 1
        self._ahead.clear()

    def get(self, key: str, device: torch.device) -> Tokens | None:
        """Return an entry on `device`, or `None` if it is not held."""
        if key not in self._entries:
            self.misses += 1
            return None
        self.hits += 1
        self.look_ahead(key, device)
        pieces = self._ahead.pop(key)
        if self._stream is not None:
            current = torch.cuda.current_stream(device)
            current.wait_stream(self._stream)
            for piece in pieces:
                piece.record_stream(current)
        entry = self._entries[key]
        return _decoded(entry.tensors(pieces), self.precision, entry.dtype)

    def look_ahead(self, key: str, device: torch.device) -> None:
        """Set an entry on its way to `device`, where it is held and not under way already."""
        entry = self._entries.get(key)
        if entry is None or key in self._ahead:
            return
        self._entries.move_to_end(key)
        entry.picture = self._picture
        with self._beside(device) as stream:
            overlap = stream is not None
            self._ahead[key] = [piece.to(device, non_blocking=overlap) for piece in entry.pieces]

    def put(self, key: str, captured: Tokens) -> Tokens:
        """Keep captured tokens, where there is room, and return them as the cache would give them back.

        So a picture does not depend on whether its tokens were kept.
        """
        dtype = captured.at_site[0].dtype
        tensors = _encoded(captured.at_site, self.precision)
        if key not in self._entries:
            entry = self._to_host(tensors, dtype)
            if entry is not None:
                self._entries[key] = entry
                self.bytes += entry.bytes
        return _decoded(tensors, self.precision, dtype)

    def _make_room(self, size: int) -> bool:
        """Let the longest unused entries go until `size` more bytes fit; false if they cannot."""
        while self.bytes + size > self.limit and self._entries:
            oldest = next(iter(self._entries.values()))
            if oldest.picture == self._picture:
                break
            self._entries.popitem(last=False)
            self.bytes -= oldest.bytes
        return self.bytes + size <= self.limit

    def _to_host(self, tensors: list[Tensor], dtype: torch.dtype) -> Entry | None:
        """Copy tensors into memory of the host; `None` where there is no room for them."""
        places, sizes = _arranged(tensors)
        device = tensors[0].device
        taken = sum(_taken(size, device) for size in sizes)
        if not self._make_room(taken):
            return None
        try:
            pieces = [_memory(size, device) for size in sizes]
        except RuntimeError as error:
            log.warning("No memory for more tokens than %d MiB: %s", self.bytes >> 20, error)
            self.limit = self.bytes
            return None
        entry = Entry(pieces, places, taken, dtype, self._picture)
        with self._beside(device) as stream:
            for tensor, host in zip(tensors, entry.tensors(pieces), strict=True):
                host.copy_(tensor, non_blocking=stream is not None)
                if stream is not None:
                    tensor.record_stream(stream)
        return entry

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


def _memory(size: int, device: torch.device) -> Tensor:
    """Return `size` bytes of the host, which a GPU can read and write by itself."""
    return torch.empty(size, dtype=torch.uint8, pin_memory=device.type == "cuda")


def _taken(size: int, device: torch.device) -> int:
    """Return what `_memory` of `size` bytes takes: page-locked memory comes in powers of two."""
    return 1 << (size - 1).bit_length() if device.type == "cuda" else size


def _encoded(tensors: Sequence[Tensor], precision: Precision) -> list[Tensor]:
    """Return what is kept of tokens (cells, dims) per site: themselves, or scales (cells, 1) and then 8-bit numbers."""
    if precision == "model":
        return list(tensors)
    peaks = [tokens.abs().amax(dim=1, keepdim=True).float() for tokens in tensors]
    scales = [(peak / LARGEST).clamp(min=LEAST) for peak in peaks]
    return scales + [(t / s).to(EIGHT_BITS) for t, s in zip(tensors, scales, strict=True)]


def _decoded(kept: Sequence[Tensor], precision: Precision, dtype: torch.dtype) -> Tokens:
    if precision == "model":
        return Tokens(list(kept))
    half = len(kept) // 2
    pairs = zip(kept[:half], kept[half:], strict=True)
    return Tokens([(numbers.float() * scale).to(dtype) for scale, numbers in pairs])


def _arranged(tensors: Sequence[Tensor]) -> tuple[list[Place], list[int]]:
    """Lay tensors one after another into pieces; return their places and the pieces' bytes."""
    places: list[Place] = []
    sizes = [0]
    for tensor in tensors:
        start = -(-sizes[-1] // ALIGNMENT) * ALIGNMENT
        if start and start + tensor.nbytes > PIECE:
            sizes.append(0)
            start = 0
        places.append(Place(len(sizes) - 1, start, tuple(tensor.shape), tensor.dtype))
        sizes[-1] = start + tensor.nbytes
    return places, sizes
