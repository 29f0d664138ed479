"""Control parts: what control pictures tell a forward of the picture, and the residuals of nets.

A control net is a shorter copy of the transformer that sees the control picture beside the noisy one; what it makes is
added to the picture's tokens between blocks. A site replaces tokens as they enter attention, after that: a subject's
stay what they are.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class ControlPart:
    """A control picture of some `kind` as one forward is told it, with `weight`.

    `picture` is what the family made of its pixels; `cover` (cells,) is how much it counts at each cell, `None` where
    that is wholly everywhere.
    """

    kind: str
    picture: Tensor
    weight: float
    cover: Tensor | None = None

    def covered(self, tokens: Tensor) -> Tensor:
        """Return tokens (batch, cells and maybe others behind them, dims) weighed by how much each cell is covered."""
        if self.cover is None:
            return tokens
        others = self.cover.new_ones(tokens.shape[1] - len(self.cover))
        return tokens * torch.cat([self.cover, others])[None, :, None].to(tokens.dtype)


@dataclass(frozen=True, eq=False)
class LoadedNet:
    """A net, the folder that it came from, and what sends it back to the host where it waits there."""

    folder: Path
    net: Any
    hook: Any


class Controlled:
    """What a family has to do with control pictures.

    `nets` are the nets by kind of picture, `loaded_nets` the same by folder. `controls` are what the next forward of
    the picture is told.
    """

    control_net = ""
    """diffusers' class of the control nets that the model takes; empty for none."""

    def __init__(self) -> None:
        self.nets: dict[str, Any] = {}
        self.loaded_nets: list[LoadedNet] = []
        self.controls: Sequence[ControlPart] = ()

    @abstractmethod
    def encode_latents(self, pixels: Tensor) -> Tensor:
        """Encode pixels (batch, 3, height, width) to tokens."""

    def takes_control(self, kind: str) -> bool:
        """Return whether control pictures of a kind can be told to the model as it is loaded."""
        return kind in self.nets

    def encode_control(self, kind: str, pixels: Tensor) -> Tensor:
        """Return a control picture's pixels (1, 3, height, width) as the forward takes them: as tokens."""
        return self.encode_latents(pixels)

    @contextmanager
    def controlled(self, parts: Sequence[ControlPart]) -> Iterator[None]:
        """Tell the forwards made inside the block what control pictures say."""
        self.controls = parts
        try:
            yield
        finally:
            self.controls = ()

    @property
    def net_folders(self) -> dict[str, str]:
        """The folder of each kind's net."""
        return {
            kind: str(loaded.folder)
            for kind, net in self.nets.items()
            for loaded in self.loaded_nets
            if loaded.net is net
        }

    @property
    def net_hooks(self) -> list[Any]:
        """The hooks of nets that wait on the host."""
        return [loaded.hook for loaded in self.loaded_nets if loaded.hook is not None]


@dataclass(frozen=True)
class Residuals:
    """What a net adds between the blocks of one kind: `samples` (batch, cells, dims), fewer than there are blocks.

    Each serves blocks that follow one another, or those that are `cycled` through.
    """

    samples: Sequence[Tensor]
    cycled: bool = False

    def spread(self, blocks: int) -> list[Tensor]:
        """Return the sample of each block."""
        count = len(self.samples)
        each = -(-blocks // count)
        places = (n % count if self.cycled else n // each for n in range(blocks))
        return [self.samples[place] for place in places]


def summed(parts: Sequence[Residuals], blocks: int) -> list[Tensor] | None:
    """Return the sums of several nets' residuals, as a transformer of so many `blocks` takes them."""
    if not parts or not blocks:
        return None
    counts = {len(part.samples) for part in parts}
    alike = len(counts) == 1 and not any(part.cycled for part in parts)
    lists = [part.samples if alike else part.spread(blocks) for part in parts]
    return [total(samples) for samples in zip(*lists, strict=True)]


def total(samples: Sequence[Tensor]) -> Tensor:
    """Return the sum of tensors of one shape."""
    first, *more = samples
    for other in more:
        first = first + other
    return first


def flux_residuals(
    parts: Sequence[ControlPart],
    nets: dict[str, Any],
    transformer: Any,
    given: dict[str, Any],
    guidance: Tensor | None,
) -> dict[str, list[Tensor] | None]:
    """Return what FLUX.1's transformer takes of its nets, which are `given` what it is itself.

    `guidance` is for nets that embed it.
    """
    double: list[Residuals] = []
    single: list[Residuals] = []
    for part in parts:
        net = nets[part.kind]
        made = net(
            **given,
            guidance=guidance if net.config.guidance_embeds else None,
            controlnet_cond=part.picture,
            controlnet_mode=_mode(net, part),
            conditioning_scale=part.weight,
            return_dict=False,
        )
        for into, samples in zip((double, single), made, strict=True):
            if samples:
                covered = [part.covered(sample) for sample in samples]
                into.append(Residuals(covered, cycled=net.input_hint_block is not None))
    return {
        "controlnet_block_samples": summed(double, len(transformer.transformer_blocks)),
        "controlnet_single_block_samples": summed(
            single, len(transformer.single_transformer_blocks)
        ),
    }


MODES = {"lines": 0, "depth": 2, "pose": 4}
"""How nets for several kinds (Union) number them. They know no normals."""


def _mode(net: Any, part: ControlPart) -> Tensor | None:
    if not net.union:
        return None
    return torch.full((1, 1), MODES[part.kind], dtype=torch.long, device=part.picture.device)
