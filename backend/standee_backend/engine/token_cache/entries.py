"""Entries of the token cache: a reference's tokens at one noise level, encoded, in pieces of memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Literal

import torch
from torch import Tensor

from ..injection import Tokens
from .page_locked import page_locked

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
class TensorSpan:
    """Where a tensor lies: in which piece, from which byte on, and what it is."""

    piece: int
    start: int
    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def size(self) -> int:
        """Its bytes."""
        return prod(self.shape) * self.dtype.itemsize


@dataclass(frozen=True)
class TensorLayout:
    """How encoded tokens lie in pieces of `sizes` bytes. Decoded, they are of `dtype`."""

    dtype: torch.dtype
    sizes: list[int]
    places: list[TensorSpan]

    @staticmethod
    def of(tensors: Sequence[Tensor], dtype: torch.dtype) -> TensorLayout:
        """Lay tensors one after another into pieces."""
        places: list[TensorSpan] = []
        sizes = [0]
        for tensor in tensors:
            start = -(-sizes[-1] // ALIGNMENT) * ALIGNMENT
            if start and start + tensor.nbytes > PIECE:
                sizes.append(0)
                start = 0
            places.append(TensorSpan(len(sizes) - 1, start, tuple(tensor.shape), tensor.dtype))
            sizes[-1] = start + tensor.nbytes
        return TensorLayout(dtype, sizes, places)

    def bytes_taken(self, device: torch.device) -> int:
        """Return the bytes of the host that `reserve` takes: page-locked memory comes in powers of two."""
        if device.type != "cuda":
            return sum(self.sizes)
        return sum(1 << (size - 1).bit_length() for size in self.sizes)

    def reserve(
        self, device: torch.device, take: Callable[[int], Tensor] = page_locked
    ) -> CacheEntry:
        """Return an entry yet to be filled, of memory that is taken by `take` where the device is a GPU.

        Raises `RuntimeError` where the host's memory is full.
        """
        if device.type != "cuda":
            take = partial(torch.empty, dtype=torch.uint8)
        pieces = [take(size) for size in self.sizes]
        return CacheEntry(self, pieces, self.bytes_taken(device))


@dataclass
class CacheEntry:
    """Encoded tokens in the host's memory, of which they take `bytes`. Once filled they do not change.

    `filled` is when a GPU has copied them there, `picture` the one that used them last; `filed` are those that the disk
    has, or was given to write.
    """

    layout: TensorLayout
    pieces: list[Tensor]
    bytes: int
    filled: torch.cuda.Event | None = None
    picture: int = 0
    filed: bool = False

    def tensors(self, pieces: Sequence[Tensor]) -> list[Tensor]:
        """Return the tensors as views into `pieces`, which are this entry's own or a copy of them."""
        return [
            pieces[p.piece][p.start : p.start + p.size].view(p.dtype).view(p.shape)
            for p in self.layout.places
        ]


def encode(tensors: Sequence[Tensor], precision: Precision) -> list[Tensor]:
    """Return what is kept of tokens (cells, dims) per site: themselves, or scales (cells, 1) and then 8-bit numbers."""
    if precision == "model":
        return list(tensors)
    peaks = [tokens.abs().amax(dim=1, keepdim=True).float() for tokens in tensors]
    scales = [(peak / LARGEST).clamp(min=LEAST) for peak in peaks]
    return scales + [(t / s).to(EIGHT_BITS) for t, s in zip(tensors, scales, strict=True)]


def decode(kept: Sequence[Tensor], precision: Precision, dtype: torch.dtype) -> Tokens:
    """Return tokens of `dtype` from what is kept of them."""
    if precision == "model":
        return Tokens(list(kept))
    half = len(kept) // 2
    pairs = zip(kept[:half], kept[half:], strict=True)
    return Tokens([(numbers.float() * scale).to(dtype) for scale, numbers in pairs])
