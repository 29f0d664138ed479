"""A device's memory, kept account of on a CPU: what is alive there, save the weights that wait on the host.

On a CPU the hooks that move weights between host and device run as they do elsewhere, but nothing moves. So each
arrival and departure is noted where the hook makes it, and all else is counted as torch allocates it. With a `limit`
the device is full there, and torch's own error says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from types import TracebackType
from typing import Any

import torch
from diffusers.hooks.group_offloading import ModuleGroup
from torch import Tensor, nn

from standee_backend.engine.families.base import Family
from standee_backend.engine.memory.live_bytes import LiveBytes


class Ledger(LiveBytes):
    """Counts the bytes of a loaded family's weights on the device, and of what its jobs make."""

    def __init__(self, family: Family, limit: int | None = None) -> None:
        super().__init__()
        self.limit = limit
        parts = family.pipeline.components.values()
        self.modules = [part for part in parts if isinstance(part, nn.Module)]
        self.modules += [loaded.net for loaded in family.loaded_nets]
        for tensor in _tensors(self.modules):
            self._meet(tensor.untyped_storage())
        self._present: Counter[int] = Counter()
        self._there: set[int] = set()
        for hook in (*getattr(family.pipeline, "_all_hooks", []), *family.net_hooks):
            self._follow(hook.hook, "pre_forward", "init_hook", hook.model)

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function is torch.ops.aten.lift_fresh.default:  # an array's numbers, which the host has
            return function(*args, **(kwargs or {}))
        return super().__torch_dispatch__(function, types, args, kwargs)

    def grow(self, size: int) -> None:
        if self.limit is not None and size > 0 and self.now + size > self.limit:
            raise torch.OutOfMemoryError(f"no room for {size} bytes beside {self.now}")
        super().grow(size)

    def _follow(self, hook: Any, comes: str, goes: str, module: nn.Module) -> None:
        """Note when a hook of accelerate fetches a module or sends it away, where it is now."""
        hook.execution_device = torch.device(
            "cpu"
        )  # `cpu:0` is another, to which inputs are copied
        come, go = getattr(hook, comes), getattr(hook, goes)

        def fetch(*args: Any, **kwargs: Any) -> Any:
            result = come(*args, **kwargs)
            self.arrive(id(module), _tensors([module]))
            return result

        def send(*args: Any, **kwargs: Any) -> Any:
            self.leave(id(module), _tensors([module]))
            return go(*args, **kwargs)

        setattr(hook, comes, fetch)
        setattr(hook, goes, send)
        self._settle([_tensors([module])])

    def arrive(self, key: int, tensors: Iterable[Tensor]) -> None:
        """A module's or group's weights come, save those that are there for another that shares them."""
        if key in self._there:
            return
        self._there.add(key)
        for tensor in tensors:
            self._present[id(tensor)] += 1
            if self._present[id(tensor)] == 1:
                self.grow(tensor.nbytes)

    def leave(self, key: int, tensors: Iterable[Tensor]) -> None:
        """A module's or group's weights leave, save those that another there needs."""
        if key not in self._there:
            return
        self._there.remove(key)
        for tensor in tensors:
            self._present[id(tensor)] -= 1
            if not self._present[id(tensor)]:
                self.grow(-tensor.nbytes)

    def _settle(self, groups: Iterable[Iterable[Tensor]]) -> None:
        """Send all of these away."""
        for tensor in {id(tensor): tensor for group in groups for tensor in group}.values():
            self.grow(-tensor.nbytes)

    def __enter__(self) -> Ledger:
        self._plain = ModuleGroup.onload_, ModuleGroup.offload_
        come, go = self._plain
        ledger = self

        def onload_(group: ModuleGroup) -> None:
            come(group)
            ledger.arrive(id(group), _group_tensors(group))

        def offload_(group: ModuleGroup) -> None:
            ledger.leave(id(group), _group_tensors(group))
            go(group)

        ModuleGroup.onload_, ModuleGroup.offload_ = onload_, offload_
        self._settle(_group_tensors(group) for part in self.modules for group in _groups(part))
        self.mark()
        return super().__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        super().__exit__(kind, error, trace)
        ModuleGroup.onload_, ModuleGroup.offload_ = self._plain


def _tensors(modules: Iterable[nn.Module]) -> list[Tensor]:
    """Return all that modules keep, with the scales of quantized weights."""
    found: dict[int, Tensor] = {}
    for module in modules:
        for tensor in (*module.parameters(), *module.buffers()):
            state = getattr(tensor, "quant_state", None)
            more = [getattr(state, "absmax", None), getattr(tensor, "SCB", None)]
            for one in (tensor, *more):
                if isinstance(one, Tensor):
                    found[one.untyped_storage()._cdata] = one
    return list(found.values())


def _groups(module: nn.Module) -> list[ModuleGroup]:
    """Return the groups in which diffusers fetches a module's weights."""
    found: dict[int, ModuleGroup] = {}
    for part in module.modules():
        registry = getattr(part, "_diffusers_hook", None)
        for hook in registry.hooks.values() if registry else ():
            group = getattr(hook, "group", None)
            if group is not None:
                found[id(group)] = group
    return list(found.values())


def _group_tensors(group: ModuleGroup) -> list[Tensor]:
    tensors = [*_tensors(group.modules), *group.parameters, *group.buffers]
    return list({id(tensor): tensor for tensor in tensors}.values())
