"""Counting the bytes of tensors that are alive, as torch makes and frees them.

It counts storages, so views cost nothing, on any device: on `meta`, where nothing is allocated, it tells
what a run would take.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree
from torch.utils._python_dispatch import TorchDispatchMode


class LiveBytes(TorchDispatchMode):
    """Inside its `with` block: `now` bytes are alive, and `peak` were since `mark` was last called.

    Only what is made inside counts; `known` tensors (weights) and views of them do not.
    """

    def __init__(self, known: Iterable[Tensor] = ()) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._sizes: dict[int, int] = {}
        self._fresh: dict[Hashable, tuple[list[Any], bool] | None] = {}
        self._known = [tensor.untyped_storage() for tensor in known]
        self._ignored = {storage._cdata for storage in self._known}

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        out = self._run(function, args, kwargs or {})
        for leaf in pytree.tree_leaves(out):
            if isinstance(leaf, Tensor) and leaf.layout == torch.strided:
                self._meet(leaf.untyped_storage())
        return out

    def _run(self, function: Any, args: Any, kwargs: Any) -> Any:
        """Call an operation; on `meta`, where it finds out shapes at length, once for given ones of the same shapes.

        What it makes is then made anew from its shape, unless it is a view of what was given.
        """
        key = _kind((function, args, kwargs))
        if key is None:
            return function(*args, **kwargs)
        if made := self._fresh.get(key):
            tensors = [
                torch.empty_strided(shape, stride, dtype=dtype, device="meta")
                for shape, stride, dtype in made[0]
            ]
            return tuple(tensors) if made[1] else tensors[0]
        out = function(*args, **kwargs)
        if key not in self._fresh:
            several = isinstance(out, tuple)
            found = [_fresh(one, (args, kwargs)) for one in (out if several else (out,))]
            self._fresh[key] = None if None in found else (found, several)
        return out

    def mark(self) -> int:
        """Return the peak since the last mark, and begin anew."""
        was, self.peak = self.peak, self.now
        return was

    def _meet(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self._sizes or key in self._ignored:
            return
        size = storage.nbytes()
        self.grow(size)
        self._sizes[key] = size
        weakref.finalize(storage, self._part, key)

    def grow(self, size: int) -> None:
        """Count `size` more bytes (fewer, if negative): what is not a tensor's, such as moved weights."""
        self.now += size
        self.peak = max(self.peak, self.now)

    def _part(self, key: int) -> None:
        self.now -= self._sizes.pop(key)


def _kind(given: Any) -> Hashable | None:
    """Return what the result's shape depends on: tensors on `meta` by theirs. None where any other is given."""
    if isinstance(given, Tensor):
        if not given.is_meta or given.layout != torch.strided:
            return None
        return tuple(given.shape), given.stride(), given.dtype
    if isinstance(given, tuple | list):
        kinds = [_kind(one) for one in given]
        return None if None in kinds else (type(given), *kinds)
    if isinstance(given, dict):
        return _kind(tuple(given.items()))
    return (type(given), given) if isinstance(given, Hashable) else None


def _fresh(out: Any, given: Any) -> tuple[Any, ...] | None:
    """Return shape, strides and dtype of a tensor on `meta` that has all of a storage that was not given."""
    if not isinstance(out, Tensor) or not out.is_meta or out.layout != torch.strided:
        return None
    how = tuple(out.shape), out.stride()
    size = torch.empty_strided(*how, dtype=out.dtype, device="meta").untyped_storage().nbytes()
    storage = out.untyped_storage()
    theirs = {
        t.untyped_storage()._cdata for t in pytree.tree_leaves(given) if isinstance(t, Tensor)
    }
    if storage._cdata in theirs or out.storage_offset() or storage.nbytes() != size:
        return None
    return *how, out.dtype


class DryRun(TorchFunctionMode):
    """Lets models run on `meta` where they would look at values or attend.

    Attention allocates its result alone, as fused kernels do, and not the square of the tokens. A mask is
    taken to hide something, and a number to be 1.
    """

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = kwargs or {}
        if function is torch.nn.functional.scaled_dot_product_attention:
            query, value = given.get("query", args[0] if args else None), given.get("value")
            value = args[2] if value is None else value
            if query.is_meta:
                return query.new_empty(*query.shape[:-1], value.shape[-1])
        elif function in (Tensor.item, Tensor.__bool__) and args[0].is_meta:
            return False
        elif function is Tensor.__float__ and args[0].is_meta:
            return 1.0
        return function(*args, **given)
