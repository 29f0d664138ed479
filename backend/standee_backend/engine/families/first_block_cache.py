"""First-block cache: forwards end after their first block, where it says that little has changed.

From one step to the next, what a transformer's blocks add to the tokens changes slowly. Where the first block's share
has changed by less than a threshold since the last whole forward, the other blocks' is taken from there ("first-block
cache", after TeaCache, arXiv 2411.19108). It is an approximation: faster, and a little different.

Only a picture's own forwards do so: a reference's would otherwise lend tokens of another step. Each of the two forwards
of guidance remembers its own, from the first step of a picture to its last.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from diffusers.hooks import HookRegistry, ModelHook
from torch import Tensor, nn

NAME = "standee_step_cache"

Output: TypeAlias = Tensor | tuple[Tensor, Tensor]
"""What a block returns: its tokens (batch, tokens, dims), or those of text and image."""


@dataclass
class LastForward:
    """What a whole forward left: the first block's share, all others', and what was injected meanwhile."""

    injected: Hashable
    first: Tensor
    others: Tensor | None = None


class FirstBlockCache:
    """Skips the blocks of a transformer after the first, in forwards that are made inside `forward`."""

    def __init__(self, blocks: Sequence[nn.Module], threshold: float) -> None:
        self._threshold, self._last = threshold, len(blocks) - 1
        self._memories: dict[str, LastForward] = {}
        self._open = False
        self._name: str | None = None
        self._injected: Hashable = None
        self._skipping = False
        self._entered: Tensor | None = None
        for index, block in enumerate(blocks):
            hook = _BlockHook(self, index)
            HookRegistry.check_if_exists_or_initialize(block).register_hook(hook, NAME)

    @contextmanager
    def picture(self) -> Iterator[None]:
        """Remember from step to step inside the block, and forget all of it at the end."""
        self._open = True
        try:
            yield
        finally:
            self._open = False
            self._memories.clear()

    @contextmanager
    def forward(self, name: str, injected: Hashable) -> Iterator[None]:
        """Let the forward made inside the block be cut short; `name` tells a picture's forwards of one step apart.

        One with other tokens `injected` than the last is never cut short.
        """
        self._name, self._injected = name if self._open else None, injected
        try:
            yield
        finally:
            self._name, self._entered, self._skipping = None, None, False

    def block(self, index: int, run: Callable[..., Output], args: Any, kwargs: Any) -> Output:
        """Run block `index`, or pass its tokens on as they are where blocks are skipped."""
        if self._name is None or not self._last:
            return run(*args, **kwargs)
        image = kwargs["hidden_states"] if "hidden_states" in kwargs else args[0]
        text = kwargs.get("encoder_hidden_states")
        if index == 0:
            output = run(*args, **kwargs)
            self._decide(_image(output) - image)
            self._entered = _joined(output)
            return output
        memory = self._memories[self._name]
        if not self._skipping:
            output = run(*args, **kwargs)
            if index == self._last and self._entered is not None:
                memory.others = _joined(output) - self._entered
            return output
        if index == self._last and memory.others is not None:
            whole = torch.cat([text, image], dim=1) if text is not None else image
            whole = whole + memory.others
            if text is None:
                return whole
            text, image = whole.split([text.shape[1], image.shape[1]], dim=1)
        return image if text is None else (text, image)

    def _decide(self, first: Tensor) -> None:
        """Skip the other blocks, or begin to remember anew, by what the first block has added to the image."""
        assert self._name is not None
        memory = self._memories.get(self._name)
        self._skipping = (
            memory is not None
            and memory.others is not None
            and memory.injected == self._injected
            and memory.first.shape == first.shape
            and _change(memory.first, first) < self._threshold
        )
        if not self._skipping:
            self._memories[self._name] = LastForward(self._injected, first)


class _BlockHook(ModelHook):
    """Lays the cache around one block; offloading lays its own hooks beside it."""

    def __init__(self, cache: FirstBlockCache, index: int) -> None:
        super().__init__()
        self._cache, self._index = cache, index

    def new_forward(self, module: nn.Module, *args: Any, **kwargs: Any) -> Output:
        return self._cache.block(self._index, self.fn_ref.original_forward, args, kwargs)


def _change(before: Tensor, after: Tensor) -> float:
    return float((after - before).abs().mean() / before.abs().mean())


def _image(output: Output) -> Tensor:
    return output[1] if isinstance(output, tuple) else output


def _joined(output: Output) -> Tensor:
    """Return a block's tokens in one tensor, text first."""
    return torch.cat(output, dim=1) if isinstance(output, tuple) else output
