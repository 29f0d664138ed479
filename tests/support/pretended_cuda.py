"""A pretended CUDA device: real numbers on the CPU, tagged by their storage.

An operation that mixes devices raises as on a GPU, and so does reading a tagged tensor as an array. Streams and events
do nothing, page-locked memory is plain memory. What waits for the device, a host read, is counted.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

CUDA = torch.device("cuda:0")

BETWEEN = {"copy_", "_to_copy", "_copy_from", "set_", "resize_", "lift_fresh", "detach", "alias"}
"""Operations that may see tensors of both devices."""

TOGETHER = {"cat", "stack", "index_select", "index_copy", "gather", "scatter", "embedding"}
"""Operations that do not take even a single number from the other device."""

INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index"}
"""Operations on a tensor of the device that take an index from the host."""

READS = {"_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero"}
"""Operations that wait for the device."""


class PretendedCuda:
    """What is on the pretended device, and how often the host has read from it."""

    def __init__(self) -> None:
        self.reads: Counter[str] = Counter()
        self._tagged: set[int] = set()

    def has(self, tensor: Tensor) -> bool:
        """Return whether a tensor is on the device."""
        with torch._C.DisableTorchFunction():
            return tensor.device.type != "meta" and (
                tensor.untyped_storage()._cdata in self._tagged
            )

    def put(self, tensor: Tensor) -> Tensor:
        """Say that a tensor is on the device."""
        with torch._C.DisableTorchFunction():
            if tensor.device.type != "meta":
                storage = tensor.untyped_storage()
                if storage._cdata not in self._tagged:
                    self._tagged.add(storage._cdata)
                    weakref.finalize(storage, self._tagged.discard, storage._cdata)
        return tensor

    def take(self, tensor: Tensor) -> Tensor:
        """Return a copy of a tensor on the host."""
        with torch._C.DisableTorchFunction():
            copy = tensor.detach().clone()
            self._tagged.discard(copy.untyped_storage()._cdata)
            return copy


@contextmanager
def pretended_cuda() -> Iterator[PretendedCuda]:
    """Pretend inside the block that torch has one CUDA device."""
    device = PretendedCuda()
    stand_ins: dict[str, Any] = {
        "Stream": _Stream,
        "Event": _Event,
        "set_device": lambda device: None,
        "current_stream": lambda device=None: _Stream(),
        "stream": _on_stream,
        "current_device": lambda: 0,
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "synchronize": lambda *given: None,
        "get_device_name": lambda *given: "pretended",
        "mem_get_info": lambda *given: (80 << 30, 80 << 30),
        "get_device_capability": lambda *given: (9, 0),
        "empty_cache": lambda: None,
    }
    with ExitStack() as stack:
        for name, stand_in in stand_ins.items():
            stack.enter_context(patch.object(torch.cuda, name, stand_in))
        stack.enter_context(patch.object(Tensor, "record_stream", lambda self, stream: None))
        stack.enter_context(_Dispatch(device))
        stack.enter_context(_Function(device))
        yield device


class _Dispatch(TorchDispatchMode):
    """Refuses to mix devices, counts host reads, and tags what comes out."""

    def __init__(self, device: PretendedCuda) -> None:
        super().__init__()
        self.device = device

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func._schema.name.split("::")[1].split(".")[0]
        given = [
            leaf
            for leaf in tree_leaves((args, kwargs))
            if isinstance(leaf, Tensor) and leaf.device.type != "meta"
        ]
        on = [self.device.has(tensor) for tensor in given]
        if any(on):
            self._check(name, given, on)
            self._count(name, args)
        out = func(*args, **kwargs)
        if any(on) and name not in ("copy_", "set_"):
            for leaf in tree_leaves(out):
                if isinstance(leaf, Tensor):
                    self.device.put(leaf)
        return out

    def _check(self, name: str, given: list[Tensor], on: list[bool]) -> None:
        if all(on) or name in BETWEEN or (name in INDEXING and on[0]):
            return
        strangers = [
            tensor
            for tensor, here in zip(given, on, strict=True)
            if not here and tensor.numel() and (tensor.dim() or name in TOGETHER)
        ]
        if strangers:
            shapes = [
                f"{tuple(tensor.shape)} on {'cuda' if here else 'cpu'}"
                for tensor, here in zip(given, on, strict=True)
            ]
            raise RuntimeError(f"aten::{name} mixes devices: {', '.join(shapes)}")

    def _count(self, name: str, args: Any) -> None:
        masked = name == "index" and any(
            isinstance(leaf, Tensor) and leaf.dtype == torch.bool for leaf in tree_leaves(args[1])
        )
        if name in READS or masked:
            self.device.reads[name] += 1


class _Function(TorchFunctionMode):
    """Answers where tensors are, and moves them."""

    def __init__(self, device: PretendedCuda) -> None:
        super().__init__()
        self.device = device

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, has = dict(kwargs or {}), self.device.has
        name = getattr(func, "__name__", "")
        if name == "__get__":
            read = getattr(func, "__self__", None)
            if read is Tensor.device:
                return CUDA if has(args[0]) else func(*args, **kwargs)
            if read in (Tensor.is_cuda, Tensor.is_cpu):
                return has(args[0]) == (read is Tensor.is_cuda)
            return func(*args, **kwargs)
        if func is Tensor.get_device:
            return 0 if has(args[0]) else -1
        if func is Tensor.is_pinned:
            return not has(args[0])
        if func is Tensor.pin_memory:
            return args[0].clone()
        if func in (Tensor.numpy, Tensor.__array__) and has(args[0]):
            raise TypeError("can't convert cuda:0 device type tensor to numpy.")
        if func is Tensor.cpu:
            return self._moved(args[0], "cpu", False)
        if func is Tensor.cuda:
            return self._moved(args[0], "cuda", False)
        if func is Tensor.to:
            return self._to(func, args, kwargs)
        return self._made(func, name, args, kwargs)

    def _to(self, func: Any, args: Any, kwargs: Any) -> Any:
        tensor, *given = args
        if given and isinstance(given[0], Tensor):
            like = given[0]
            given[:1] = ["cuda" if self.device.has(like) else "cpu", like.dtype]
        names = ["dtype"] if given and isinstance(given[0], torch.dtype) else ["device", "dtype"]
        kwargs |= dict(zip([*names, "non_blocking", "copy"], given, strict=False))
        wanted = kwargs.pop("device", None)
        kind = torch.device(wanted).type if wanted is not None else None
        if kind not in (None, "cpu", "cuda"):
            return func(tensor, wanted, **kwargs)
        overlap = bool(kwargs.pop("non_blocking", False))
        asked = {name: value for name, value in kwargs.items() if value is not None}
        if asked.keys() == {"copy"}:
            asked["dtype"] = tensor.dtype
        out = func(tensor, asked.pop("dtype", tensor.dtype), **asked) if asked else tensor
        return out if kind is None else self._moved(out, kind, overlap)

    def _moved(self, tensor: Tensor, kind: str, overlap: bool) -> Tensor:
        if (kind == "cuda") == self.device.has(tensor):
            return tensor
        copy = self.device.take(tensor)
        if kind == "cuda":
            return self.device.put(copy)
        if not overlap:
            self.device.reads["to(cpu)"] += 1
        return copy

    def _made(self, func: Any, name: str, args: Any, kwargs: Any) -> Any:
        """Run a function, and put what it makes where it is to be made."""
        wanted = kwargs.get("device")
        on = wanted is not None and torch.device(wanted).type == "cuda"
        if on:
            kwargs["device"] = "cpu"
        kwargs.pop("pin_memory", None)
        out = func(*args, **kwargs)
        if name == "pad_sequence":  # made in C++, where its inputs really are
            on = any(isinstance(x, Tensor) and self.device.has(x) for x in tree_leaves(args))
        if on:
            for leaf in tree_leaves(out):
                if isinstance(leaf, Tensor):
                    self.device.put(leaf)
        return out


class _Stream:
    device = CUDA

    def __init__(self, *given: Any, **named: Any) -> None:
        pass

    def synchronize(self) -> None:
        pass

    def wait_stream(self, other: Any) -> None:
        pass

    def wait_event(self, event: Any) -> None:
        pass

    def record_event(self, event: Any = None) -> _Event:
        return _Event()


class _Event:
    def __init__(self, *given: Any, **named: Any) -> None:
        pass

    def synchronize(self) -> None:
        pass

    def record(self, *given: Any) -> None:
        pass

    def query(self) -> bool:
        return True


@contextmanager
def _on_stream(stream: Any) -> Iterator[Any]:
    yield stream
