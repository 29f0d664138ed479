"""Interruption: a check before each block of the networks that run beside the sampling steps.

Between steps a job is asked whether it shall end. Text encoders, autoencoders and the networks of cut-outs take as
long as several steps where they come from the host's memory layer by layer, and would not hear of it meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import nn


@contextmanager
def interrupted_by(check: Callable[[], None], networks: Iterable[nn.Module]) -> Iterator[None]:
    """Call `check` inside the block before each block of some networks; what it raises ends their forward there."""

    def before(*_: object) -> None:
        check()

    blocks = {
        block: None
        for network in networks
        for part in network.modules()
        if isinstance(part, nn.ModuleList)
        for block in part
    }
    hooks = [block.register_forward_pre_hook(before) for block in blocks]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def beside_transformer(pipeline: Any) -> list[nn.Module]:
    """Return the networks of a pipeline that no step runs: its text encoders and its autoencoder."""
    parts = pipeline.components.values()
    return [one for one in parts if isinstance(one, nn.Module) and one is not pipeline.transformer]
