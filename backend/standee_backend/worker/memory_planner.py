"""Memory planning: which preset a job's model is loaded with, and what comes after it.

An estimate may be wrong, and other programs use the device too. So an exhausted memory is no failure of the job:
`MemoryPlanner.after` says what to go on with.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import psutil
import torch

from standee.composition import Composition
from standee.errors import OutOfMemory, StandeeError

from ..catalog import lora_files
from ..catalog.catalog import ModelInfo
from ..engine.loading.load import DTYPES
from ..engine.loading.quantization import is_gguf
from ..engine.memory.footprint import Blueprint, outline
from ..engine.memory.workload import workload_of
from ..hardware import memory_estimate
from ..hardware.load_presets import Dtype, Preset, following, presets, room
from ..hardware.memory_estimate import Footprint, Plan
from ..hardware.options import Options, resolve
from ..library_noise import be_quiet

log = logging.getLogger("standee.memory")


class MemoryPlanner:
    """Plans jobs for one device."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._blueprint = lru_cache(4)(self._draw)

    def plan(
        self,
        info: ModelInfo,
        folder: Path,
        composition: Composition,
        loras: Sequence[Path],
        nets: Mapping[str, Path],
        loaded: Preset | None,
    ) -> Plan:
        """Return what to run a job with: the preset that is `loaded` where it fits, else the best that does.

        Raises `OutOfMemory` where none does. A model of which nothing can be estimated gets what is loaded, or
        the first preset. `folder` is that of the model, `loras` are the files of the composition's, `nets` the
        folders of its control nets by kind.
        """
        device, _ = resolve(self.options)
        ladder = self.ladder
        free = room(self.options, free_bytes(device))
        try:
            if loaded is not None:
                footprint = self._footprint(info, folder, composition, loras, nets, loaded.dtype)
                need = memory_estimate.peak(footprint, loaded, device.type == "cuda")
                if need <= free:
                    return Plan(loaded, need, free)
            plan = memory_estimate.choose(
                lambda dtype: self._footprint(info, folder, composition, loras, nets, dtype),
                ladder,
                free,
                psutil.virtual_memory().total,
                device.type == "cuda",
            )
        except StandeeError:
            raise
        except Exception:  # diffusers may change; no job is lost to a missing estimate
            log.warning("What %s takes cannot be estimated.", info.name, exc_info=True)
            return Plan(loaded or ladder[0], 0, free)
        return plan

    def after(self, plan: Plan) -> Plan:
        """Return what to go on with after a plan that ran out of memory. Raises `OutOfMemory`."""
        ladder = self.ladder
        rest = following(ladder, plan.preset) if plan.preset in ladder else []
        if not rest:
            raise OutOfMemory(
                f"The device has too little memory for this job, with preset {plan.preset.name} too.",
                path="$.canvas",
                fix="Use a smaller canvas or a smaller model, or close other programs that use the device.",
            )
        return Plan(rest[0], 0, plan.room)

    @property
    def ladder(self) -> list[Preset]:
        """The presets of this machine, best first."""
        device, _ = resolve(self.options)
        return presets(self.options, device.type, find_spec("bitsandbytes") is not None)

    def _footprint(
        self,
        info: ModelInfo,
        folder: Path,
        composition: Composition,
        loras: Sequence[Path],
        nets: Mapping[str, Path],
        dtype: Dtype,
    ) -> Footprint:
        blueprint = self._blueprint(folder, dtype)
        footprint = blueprint.footprint(workload_of(composition, blueprint.family, nets))
        if info.file is not None and is_gguf(info.file):
            footprint = memory_estimate.packed_as(footprint, info.file.stat().st_size)
        laid = sum(lora_files.numbers(file) for file in loras) * DTYPES[dtype].itemsize
        return memory_estimate.with_loras(footprint, laid)

    def _draw(self, folder: Path, dtype: Dtype) -> Blueprint:
        be_quiet()
        device, _ = resolve(self.options)
        return Blueprint(outline(folder, DTYPES[dtype], device))


def free_bytes(device: torch.device) -> int:
    """Return the bytes of a device's memory that are free, or this process's own to use again."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)
    return psutil.virtual_memory().available + psutil.Process().memory_info().rss


def exhausted(error: BaseException) -> bool:
    """Return whether an error means that a memory is full: torch says so in several ways, or another after it."""
    said = str(error)
    if isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError)
        and ("DefaultCPUAllocator" in said or "ALLOC_FAILED" in said or "out of memory" in said)
    ):
        return True
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return before is not None and exhausted(before)


def give_back() -> None:
    """Free what nothing refers to any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
