"""LoRAs over a loaded model: loaded by diffusers, kept while the model is, switched for each job.

Without any the model computes what it did before the first was loaded, bit for bit: the weights
beneath are never changed. Control LoRAs, which change the model's shapes, are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from standee.errors import InvalidField, MissingDependency

from ...catalog.lora_files import digest, field_of

KEPT = 8
"""How many LoRAs stay loaded beside those that a job uses, where there is room."""

FIRST = re.compile(r"lora_A|lora[._]down|lora\.down")
"""In the names of the half of a LoRA that takes a layer's input; the other half gives its output."""


@dataclass(frozen=True)
class Laid:
    """A LoRA that counts: the digest of its file, and its weight."""

    digest: str
    weight: float


class Adapters:
    """The LoRAs of one pipeline. `place` puts offloaded weights back after the layers have changed."""

    def __init__(self, pipeline: Any, place: Callable[[], None]) -> None:
        self._pipeline, self._place = pipeline, place
        self._loaded: dict[str, int] = {}  # the bytes of each, the one used last at the end
        self._known = True
        self.active: tuple[Laid, ...] = ()

    def lay(
        self,
        loras: Sequence[tuple[Path, float]],
        loading: Callable[[], None] = lambda: None,
        spare: float = math.inf,
    ) -> None:
        """Let these files count with these weights, and no others.

        `loading` is called before one is loaded. Those of earlier jobs may stay in `spare` bytes.
        Raises `InvalidField` for what is no LoRA of this model, and `MissingDependency`.
        """
        wanted = tuple(Laid(digest(file), weight) for file, weight in loras)
        names = [one.digest for one in wanted]
        _check_once(names)
        self._forget(names, spare)
        if wanted == self.active and self._known:
            return
        self._known = False  # until all is done: an error may leave some of them on
        for index, (file, _) in enumerate(loras):
            if names[index] not in self._loaded:
                loading()
                self._load(file, names[index], field_of(index))
        if names:
            self._pipeline.enable_lora()
            self._pipeline.set_adapters(names, [one.weight for one in wanted])
        elif getattr(self._pipeline.transformer, "_hf_peft_config_loaded", False):
            self._pipeline.disable_lora()
        self._loaded |= {name: self._loaded.pop(name) for name in names}
        self.active, self._known = wanted, True

    def _load(self, file: Path, name: str, field: str) -> None:
        if find_spec("peft") is None:
            raise MissingDependency(
                "LoRAs need the package peft.",
                path=field,
                fix="Run `pip install peft` in the daemon's environment.",
            )
        source = {"weight_name": file.name, "use_safetensors": True, "local_files_only": True}
        offloaded = bool(getattr(self._pipeline, "_all_hooks", []))
        try:
            said = self._pipeline.lora_state_dict(str(file.parent), **source)
            weights = said[0] if isinstance(said, tuple) else said
            _check_fits(weights, self._pipeline.transformer, file, field)
            if offloaded:
                self._pipeline.remove_all_hooks()
            self._pipeline.load_lora_weights(str(file.parent), adapter_name=name, **source)
        except (InvalidField, torch.OutOfMemoryError):
            raise
        except Exception as error:  # diffusers' converters raise whatever they stumble over
            self._pipeline.delete_adapters(name)
            said = (str(error).strip() or type(error).__name__).splitlines()[0][:300].rstrip(". ")
            raise InvalidField(
                f"The LoRA {file.name} cannot be laid over this model: {said}.",
                path=field,
                fix="Give a LoRA that was trained for this very kind of model.",
            ) from error
        finally:
            if offloaded:
                self._place()
        self._loaded[name] = self._settle(name)

    def _settle(self, adapter: str) -> int:
        """Give what was loaded the precision and the modes of the model that it lies over; return its bytes."""
        size = 0
        for part in (self._pipeline.transformer, self._pipeline.text_encoder):
            part.eval().requires_grad_(False)
            for name, weight in part.named_parameters():
                if adapter in name:
                    weight.data = weight.data.to(part.dtype)
                    size += weight.nbytes
        return size

    def _forget(self, used: Sequence[str], spare: float) -> None:
        """Give back the memory of those that were used longest ago, save a few that take no more than `spare` bytes."""
        idle = [name for name in self._loaded if name not in used]
        while idle and (len(idle) > KEPT or sum(self._loaded[name] for name in idle) > spare):
            gone = idle.pop(0)
            self._pipeline.delete_adapters(gone)
            del self._loaded[gone]


def own_weights(part: torch.nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield a model's own parameters and buffers under their own names, without those of LoRAs."""
    for name, weight in chain(part.named_parameters(), part.named_buffers()):
        if not _is_laid(name):
            yield name.replace(".base_layer.", "."), weight


def _is_laid(name: str) -> bool:
    return ".lora_" in name or ".lokr_" in name


def _check_once(digests: Sequence[str]) -> None:
    for index, one in enumerate(digests):
        if one in digests[:index]:
            raise InvalidField(
                "This LoRA is in the list already, by another name.",
                path=field_of(index),
                fix="Name each once; its weight says how much it counts.",
            )


def _check_fits(weights: dict[str, Tensor], transformer: Any, file: Path, field: str) -> None:
    """Raise `InvalidField` unless each layer of a LoRA is one of the transformer, of the same shape."""
    layers = dict(transformer.named_modules())
    aimed: dict[str, list[tuple[str, Tensor]]] = {}
    for key, weight in weights.items():
        whole, *rest = re.split(r"\.(?=lora|lokr|alpha)", key, maxsplit=1)
        if whole.startswith("transformer."):
            parts = aimed.setdefault(whole.removeprefix("transformer."), [])
            parts.append(("".join(rest), weight))
    missing = [layer for layer in aimed if layer not in layers]
    if missing or not aimed:
        said = f"{len(missing)} of its {len(aimed)} layers" if aimed else "the layers it changes"
        raise InvalidField(
            f"The LoRA {file.name} was made for another kind of model: this one lacks {said}.",
            path=field,
            fix="Give a LoRA that was trained for this very kind of model, or name its model.",
        )
    for layer, parts in aimed.items():
        sizes = [getattr(layers[layer], side, None) for side in ("in_features", "out_features")]
        for part, weight in parts:
            if None in sizes or "lora" not in part or weight.ndim != 2:
                continue
            got, want = (
                (weight.shape[1], sizes[0]) if FIRST.search(part) else (weight.shape[0], sizes[1])
            )
            if got != want:
                raise InvalidField(
                    f"The LoRA {file.name} was made for a model of another size: its {layer} has"
                    f" {got} channels, this model's has {want}.",
                    path=field,
                    fix="Give a LoRA that was trained for this very model.",
                )
