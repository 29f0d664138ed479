"""The machine: its device and memory, and how published models would run on it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from standee.errors import OutOfMemory
from standee.formatting import size
from standee.wire.notes import preset_text

from . import memory_estimate
from .load_presets import GIB, presets, room
from .memory_estimate import Footprint, Plan
from .options import Options

FOOTPRINTS = Path(__file__).parents[1] / "footprints.json"
"""What published models take with three subjects; `benchmarks/memory.py --write` measures it."""

SURVEY_WITHIN = 120.0
"""Seconds that torch may take to come up and find the device."""
SURVEY = (
    "import sys, msgspec; from standee_backend.hardware.machine import survey; "
    "sys.stdout.buffer.write(msgspec.json.encode(survey()))"
)


class Machine(Struct, frozen=True):
    """What this machine is. `memory` is the device's own; a Mac shares its `ram` with it."""

    device: Literal["cuda", "mps", "cpu"] = "cpu"
    name: str = ""
    memory: float = 0.0
    ram: float = 0.0
    cores: int = 1
    torch: str = ""
    bitsandbytes: bool = False
    bf16: bool = True

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The machine in lines of (label, value)."""
        lines = [("device", f"{self.device} ({self.name})" if self.name else self.device)]
        if self.device == "cuda":
            lines.append(("device memory", f"{self.memory:.1f} GiB"))
        lines += [("memory", f"{self.ram:.1f} GiB"), ("cores", str(self.cores))]
        lines.append(("torch", self.torch or "not installed"))
        if self.device == "cuda":
            lines.append(("bf16", "yes" if self.bf16 else "emulated, slow"))
            lines.append(("bitsandbytes", "yes" if self.bitsandbytes else "not installed"))
        return lines


class Advice(Struct, frozen=True):
    """What suits a machine for one model: the plan, if there is one, and the same or why there is none, in words."""

    model: str
    plan: Plan | None
    reason: str


def survey() -> Machine:
    """Look at this machine."""
    import os
    from importlib.util import find_spec

    import psutil
    import torch

    gib = 2.0**30
    ram = psutil.virtual_memory().total / gib
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    known: dict[str, Any] = {"ram": ram, "cores": cores or 1, "torch": str(torch.__version__)}
    if torch.cuda.is_available():
        card = torch.cuda.get_device_properties(0)
        known |= {
            "device": "cuda",
            "name": card.name,
            "memory": card.total_memory / gib,
            "bf16": torch.cuda.is_bf16_supported(including_emulation=False),
            "bitsandbytes": find_spec("bitsandbytes") is not None,
        }
    elif torch.mps.is_available():
        known |= {"device": "mps", "memory": ram}
    return Machine(**known)


def survey_apart(stop: threading.Event) -> Machine | None:
    """Look at this machine in a process of its own, which takes torch along when it ends.

    `None` where torch fails, and once `stop` is set.
    """
    command, deadline = [sys.executable, "-P", "-c", SURVEY], time.monotonic() + SURVEY_WITHIN
    told = b""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        while not told and process.returncode is None:
            try:
                told, _ = process.communicate(timeout=0.1)
            except subprocess.TimeoutExpired:
                if stop.is_set() or time.monotonic() > deadline:
                    process.kill()
    try:
        return msgspec.json.decode(told.strip().rpartition(b"\n")[2], type=Machine)
    except msgspec.MsgspecError:
        return None


@cache
def published() -> dict[str, Footprint]:
    """Return what published models take at 1024 x 1024 px with three subjects."""
    return msgspec.json.decode(FOOTPRINTS.read_bytes(), type=dict[str, Footprint])


def _known(footprint: Footprint, dtype: str) -> Footprint:
    return footprint


def recommend(machine: Machine | None = None, options: Options | None = None) -> list[Advice]:
    """Return what suits `machine` (this one) for each published model, in 16 bits at most."""
    machine, options = machine or survey(), options or Options()
    if options.device == "cpu":
        machine = replace(machine, device="cpu", memory=0.0)
    ladder = presets(options, machine.device, machine.bitsandbytes)
    ladder = [preset for preset in ladder if preset.dtype == "bf16"]
    advices = []
    for model, footprint in published().items():
        try:
            plan = memory_estimate.choose(
                partial(_known, footprint),
                ladder,
                room(options, int((machine.memory or machine.ram) * GIB)),
                int(machine.ram * GIB),
            )
        except OutOfMemory as error:
            advices.append(Advice(model, None, error.message))
            continue
        slow = "; minutes a step without a GPU" if machine.device == "cpu" else ""
        how = f"preset {plan.preset.name}: {preset_text(plan.preset.note_values())}"
        takes = f"about {size(plan.need)} of {size(plan.room)}"
        advices.append(Advice(model, plan, f"{how}; {takes}{slow}"))
    return advices
