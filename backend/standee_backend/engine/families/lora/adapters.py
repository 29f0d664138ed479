"""LoRAs over a loaded model: kept while the model is, switched for each job.

`weights.py` reads the files, peft's layers run what they change. Without any the model computes what it did
before the first was loaded, bit for bit: the weights beneath are never changed. Control LoRAs, which change the
model's shapes, are refused.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from diffusers.hooks.group_offloading import _maybe_remove_and_reapply_group_offloading
from diffusers.utils.peft_utils import (
    delete_adapter_layers,
    set_adapter_layers,
    set_weights_and_activate_adapters,
)
from msgspec.structs import replace
from torch import Tensor, nn

from standee.errors import InvalidField, MissingDependency
from standee.wire.notes import LORA_PART_LEFT_OUT, LORA_STRENGTH_UNKNOWN, Note, note

from ....catalog.lora_files import PEFT_CONFIG, digest, field_of
from .names import LayerMatches, find, kind_of
from .weights import LoraFile, LoraMismatch, LowRankChange, changes, read, strength

KEPT = 8
"""How many LoRAs stay loaded beside those that a job uses, where there is room."""

PARTS = ("transformer", "text_encoder", "text_encoder_2")
"""The parts of a pipeline that LoRAs are laid over."""

KINDS = {
    "FluxTransformer2DModel": "FLUX.1",
    "Flux2Transformer2DModel": "FLUX.2",
    "ZImageTransformer2DModel": "Z-Image",
    "QwenImageTransformer2DModel": "Qwen-Image",
    "Krea2Transformer2DModel": "Krea 2",
}
"""What the kinds of models are called."""

SAID = 3
"""How many names a message gives, at most."""

LEFT_OUT_FIXES = {
    "text_encoder": "Where its words do nothing, train it without the text encoder.",
    "norms": "Merge it into a checkpoint where all of it is needed.",
}
"""What helps where a part of a LoRA was left out, by the part."""


@dataclass(frozen=True)
class ActiveLora:
    """A LoRA that counts: the digest of its file, and its weight."""

    digest: str
    weight: float


class Adapters:
    """The LoRAs of one pipeline. `place` puts offloaded weights back after the layers have changed.

    `active` are those that count, `files` their names, and `notes` say what of them could not be laid.
    """

    def __init__(self, pipeline: Any, place: Callable[[], None]) -> None:
        self._pipeline, self._place = pipeline, place
        self._loaded: dict[str, int] = {}  # the bytes of each, the one used last at the end
        self._noted: dict[str, tuple[Note, ...]] = {}
        self._known = True
        self.active: tuple[ActiveLora, ...] = ()
        self.files: tuple[str, ...] = ()
        self.notes: tuple[Note, ...] = ()

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
        wanted = tuple(ActiveLora(digest(file), weight) for file, weight in loras)
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
        for part in self._parts().values():
            if getattr(part, "peft_config", None):
                set_adapter_layers(part, enabled=bool(names))
                if names:
                    set_weights_and_activate_adapters(part, names, [one.weight for one in wanted])
        self._loaded |= {name: self._loaded.pop(name) for name in names}
        self.active, self._known = wanted, True
        self.files = tuple(file.name for file, _ in loras)
        self.notes = tuple(
            replace(about, path=field_of(index))
            for index, name in enumerate(names)
            for about in self._noted[name]
        )

    def _parts(self) -> dict[str, nn.Module]:
        found = {name: getattr(self._pipeline, name, None) for name in PARTS}
        return {name: part for name, part in found.items() if isinstance(part, nn.Module)}

    def _load(self, file: Path, name: str, path: str) -> None:
        if find_spec("peft") is None:
            raise MissingDependency(
                "LoRAs need the package peft.",
                path=path,
                fix="Run `pip install peft` in the daemon's environment.",
            )
        parts = self._parts()
        lora = read(file, path)
        plan, notes = _plan(lora, parts, file, path)
        offloaded = bool(getattr(self._pipeline, "_all_hooks", []))
        try:
            if offloaded:
                self._pipeline.remove_all_hooks()
            self._loaded[name] = sum(
                _inject(parts[part], layers, name) for part, layers in plan.items()
            )
        except BaseException:
            self._delete(name)
            raise
        finally:
            if offloaded:
                self._place()
        self._noted[name] = notes

    def _delete(self, name: str) -> None:
        for part in self._parts().values():
            if name in getattr(part, "peft_config", {}):
                delete_adapter_layers(part, name)
                _maybe_remove_and_reapply_group_offloading(part)

    def _forget(self, used: Sequence[str], spare: float) -> None:
        """Give back the memory of those that were used longest ago, save a few that take no more than `spare` bytes."""
        idle = [name for name in self._loaded if name not in used]
        while idle and (len(idle) > KEPT or sum(self._loaded[name] for name in idle) > spare):
            gone = idle.pop(0)
            self._delete(gone)
            del self._loaded[gone], self._noted[gone]


def own_weights(part: torch.nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Yield a model's own parameters and buffers under their own names, without those of LoRAs."""
    for name, weight in chain(part.named_parameters(), part.named_buffers()):
        if ".lora_" not in name:
            yield name.replace(".base_layer.", "."), weight


def _check_once(digests: Sequence[str]) -> None:
    for index, one in enumerate(digests):
        if one in digests[:index]:
            raise InvalidField(
                "This LoRA is in the list already, by another name.",
                path=field_of(index),
                fix="Name each once; its weight says how much it counts.",
            )


Plan = dict[str, dict[str, LowRankChange]]
"""What is changed: by the part of a pipeline and the layer in it."""


def _plan(
    lora: LoraFile, parts: dict[str, nn.Module], file: Path, path: str
) -> tuple[Plan, tuple[Note, ...]]:
    """Return what a LoRA changes in each layer of a model, and what of it cannot be laid.

    Raises `InvalidField`.
    """
    kind = KINDS.get(type(parts["transformer"]).__name__, "this model")
    found = find(lora.layers, parts)
    beside = [name for name in lora.others if find([name], parts).text]
    _check_known(lora, found, beside, kind, file, path)
    plan: Plan = {}
    norms = []
    for name, (part, original) in found.layers.items():
        modules = [_base(parts[part].get_submodule(layer)) for layer in original.layers]
        if not all(hasattr(module, "in_features") for module in modules):
            norms.append(name)
            continue
        heights = [module.out_features for module in modules]
        try:
            laid = changes(
                lora.layers[name],
                modules[0].in_features,
                heights,
                original.swapped,
                partial(strength, lora.config, part, original.layers[0]),
            )
        except LoraMismatch as error:
            raise _misfit(name, str(error), file, path) from None
        except RuntimeError as error:  # torch's, of matrices that do not go together
            said = f"has parts that do not fit each other ({str(error).splitlines()[0]})"
            raise _misfit(name, said, file, path) from error
        for layer, change in zip(original.layers, laid, strict=True):
            if plan.setdefault(part, {}).setdefault(layer, change) is not change:
                raise _misfit(name, f"is the layer {layer} once more", file, path)
    if not plan:
        raise InvalidField(
            f"Nothing of the LoRA {file.name} can be laid over this model: it changes"
            f" {_some([*found.text, *beside, *norms])}, a text encoder or norms that {kind} does not have here.",
            path=path,
            fix=f"Give a LoRA that was trained for {kind}.",
        )
    notes = []
    if lora.unsure:
        fix = f"Put {PEFT_CONFIG} beside it, which PEFT saved with it."
        notes.append(note(LORA_STRENGTH_UNKNOWN, path, fix=fix, file=file.name))
    left_out = {"text_encoder": [*found.text, *beside], "norms": norms}
    notes += [
        note(
            LORA_PART_LEFT_OUT,
            path,
            file=file.name,
            part=part,
            count=len(names),
            names=names[:SAID],
            fix=LEFT_OUT_FIXES[part],
        )
        for part, names in left_out.items()
        if names
    ]
    return plan, tuple(notes)


def _check_known(
    lora: LoraFile, found: LayerMatches, beside: list[str], kind: str, file: Path, path: str
) -> None:
    """Raise `InvalidField` for weights that are of no kind that is read, and for layers that a model lacks."""
    unknown = [name for name in lora.others if name not in beside]
    if found.missing:
        theirs = kind_of([*found.missing, *lora.layers])
        some = f"{len(found.missing)} of its {len(lora.layers)} layers, {_some(found.missing)}"
        outputs = [name for name in found.missing if name.endswith("processor.proj_lora")]
        if kind in theirs and outputs:
            said = f"changes what blocks give out, not their layers: {_some(outputs)}"
            fix = "Give one that changes the double blocks alone, as XLabs' usually do."
        elif kind in theirs:
            said = f"was made for a larger {kind} or another variant of it: this one lacks {some}"
            fix = "Give a LoRA that was trained for this very model, or name its model."
        elif theirs:
            said = f"was made for another kind of model, {theirs}: this one, {kind}, lacks {some}"
            fix = f"Give a LoRA that was trained for {kind}, or name a model of its own kind."
        else:
            said = "names layers in a way that is not known, or was made for another kind of model:"
            said += f" {kind} lacks {some}"
            fix = f"Give a LoRA that was trained for {kind}, as diffusers, PEFT, kohya or ai-toolkit save it."
        raise InvalidField(f"The LoRA {file.name} {said}.", path=path, fix=fix)
    if unknown:
        raise InvalidField(
            f"The LoRA {file.name} holds {len(unknown)} weights of a method that is not read: {_some(unknown)}.",
            path=path,
            fix="Give a LoRA, DoRA, LoKr or LoHa; convert others, such as OFT, to a LoRA where they were made.",
        )


def _misfit(layer: str, said: str, file: Path, path: str) -> InvalidField:
    if re.search(r"(img_in|x_embedder)$", layer) and said.startswith("has") and "inputs" in said:
        return InvalidField(
            f"{file.name} is a control LoRA, which shows the model another picture beside its own: its {layer} {said}.",
            path=path,
            fix="Give a LoRA of style or subject: control LoRAs change a model's shape and cannot be laid.",
        )
    if match := re.search(r"has (\d+) (?:in|out)puts, this model's has (\d+)", said):
        return InvalidField(
            f"The LoRA {file.name} was made for a model of another size: its {layer} has"
            f" {match[1]} channels, this model's has {match[2]}.",
            path=path,
            fix="Give a LoRA that was trained for this very model.",
        )
    return InvalidField(
        f"The LoRA {file.name} cannot be laid over this model: its {layer} {said}.",
        path=path,
        fix="Get the file again, or one that was trained for this very model.",
    )


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SAID} more" if len(names) > SAID else ""
    return ", ".join(names[:SAID]) + more


def _base(layer: Any) -> Any:
    """Return a layer without the LoRAs over it."""
    return layer.get_base_layer() if hasattr(layer, "get_base_layer") else layer


def _inject(part: Any, layers: dict[str, LowRankChange], name: str) -> int:
    """Lay changes over a model's layers as an adapter of peft, in its device and precision; return their bytes."""
    from peft import LoraConfig, inject_adapter_in_model

    from .dora import DoRA, rescaling

    rescaled = {
        layer: rescaling(_base(part.get_submodule(layer)), change)
        for layer, change in layers.items()
        if change.magnitude is not None
    }
    # peft makes places of rank 1, without memory, which the changes of any rank then take
    targets = "|".join(re.escape(layer) for layer in layers)
    config = LoraConfig(r=1, lora_alpha=1, target_modules=targets, init_lora_weights=False)
    inject_adapter_in_model(config, part, name, low_cpu_mem_usage=True)
    part._hf_peft_config_loaded = True
    size = 0
    for layer, change in layers.items():
        place = part.get_submodule(layer)
        base = place.get_base_layer()
        halves = {"lora_A": change.down, "lora_B": change.up}
        if change.magnitude is not None:
            halves["lora_magnitude_vector"] = rescaled[layer]
            place.lora_variant[name] = DoRA
        for kind, module in halves.items():
            module = module.to(base.weight.device, part.dtype).eval()
            getattr(place, kind)[name] = module
            size += sum(weight.nbytes for weight in module.parameters())
    _maybe_remove_and_reapply_group_offloading(part)  # what was laid moves with its layers
    return size
