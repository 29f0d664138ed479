"""What this machine can run: how models are loaded, and which options suit its memory.

Importing this is cheap: torch comes in only where a device is asked for. Sizes are GiB.

The estimates hold for models of FLUX.1's size at 1024 x 1024 px. They are the weights, by counting
(transformer 11.90, T5 4.76, CLIP 0.12, autoencoder 0.08 thousand million), and `WORKING`, for
everything that lives only while a picture is made: the decoder at full size, or the activations of
a step with the tokens of subjects that fill the whole canvas (57 sites x 4096 x 3072 x 2 bytes).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from standee.errors import InvalidField
from standee.validation import convert

Offload = Literal["none", "model", "group"]
Quantization = Literal["none", "nf4", "int8"]

TRANSFORMER = {"none": 22.2, "int8": 11.1, "nf4": 6.3}
TEXT = {"none": 9.1, "int8": 5.7, "nf4": 4.3}
"""T5 and CLIP. A fifth of T5's weights, the output of its feed-forward, is never quantized."""

AUTOENCODER = 0.2
GROUPS = 1.5
"""Two blocks of the transformer, the one at work and the next one, and what belongs to no block."""

SHARD = 10.0
"""The largest file of a checkpoint: what the host holds while weights are quantized."""

WORKING = 4.0
RESERVE = 1.0
"""Left to the desktop, the driver and fragmentation."""


class Options(Struct, frozen=True):
    """How models are loaded on this machine.

    `device`: where they run; `auto` is the best there is. `dtype`: `auto` is bf16, and fp32 on a
    CPU. `offload` keeps weights in the host's memory: whole models (`model`), or a block at a time
    (`group`: least memory). `quantization` packs the transformer and T5 into 4 (`nf4`) or 8 bits.
    `compile` has torch compile the transformer's blocks: slow at first, then faster. `token_cache`
    is how many GiB of the host's memory keep subjects' tokens from one picture to the next, by
    default a quarter of what is free once the model is loaded; `token_precision` fp8 keeps them in
    8 bits, in half of the memory.
    """

    device: Annotated[str, Meta(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    dtype: Literal["auto", "bf16", "fp32", "fp16"] = "auto"
    offload: Offload = "none"
    quantization: Quantization = "none"
    compile: bool = False
    token_cache: Annotated[float, Meta(ge=0.0, le=4096.0)] | None = None
    token_precision: Literal["model", "fp8"] = "model"


def check(options: Any, path: str = "$") -> Options:
    """Return options, given as a map or as `Options`, checked. Raises `InvalidField`.

    `path` is where they stand in what the user wrote.
    """
    try:
        checked: Options = convert(options, Options)
    except InvalidField as error:
        where = path + error.path.removeprefix("$")
        if error.path == "$.device":
            message, fix = "There is no such device.", "Give auto, cpu, mps, cuda or cuda:1."
            raise InvalidField(message, path=where, fix=fix) from None
        raise InvalidField(error.message, path=where, fix=error.fix) from None
    if checked.dtype == "fp16":
        raise InvalidField(
            "FLUX overflows in fp16 and gives black pictures.",
            path=f"{path}.dtype",
            fix="Use bf16, or fp32 on a CPU.",
        )
    if checked.offload == "group" and checked.quantization != "none":
        raise InvalidField(
            "Quantized weights cannot be offloaded in groups.",
            path=f"{path}.offload",
            fix=f"Use offload model with {checked.quantization}, or group without quantization.",
        )
    return checked


def resolve(options: Options) -> tuple[Any, Any]:
    """Return the torch device and dtype that `options` mean on this machine. Raises `InvalidField`."""
    import torch

    options = check(options)
    best = "cuda" if torch.cuda.is_available() else "mps" if torch.mps.is_available() else "cpu"
    device = torch.device(best if options.device == "auto" else options.device)
    present = device.type in ("cpu", best) and (device.index or 0) < max(
        1, torch.cuda.device_count()
    )
    if not present:
        raise InvalidField(
            f"torch finds no device {options.device!r} here.",
            path="$.device",
            fix="Use auto; `standee doctor` says what there is.",
        )
    if device.type == "cpu" and options.quantization != "none":
        raise InvalidField(
            "Quantized models need a GPU.",
            path="$.quantization",
            fix="Use quantization none on this machine.",
        )
    dtype = (
        ("fp32" if device.type == "cpu" else "bf16") if options.dtype == "auto" else options.dtype
    )
    return device, {"bf16": torch.bfloat16, "fp32": torch.float32}[dtype]


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


class Advice(Struct, frozen=True):
    """What suits a machine: the options, whether FLUX.1 fits with them, and why, in one sentence."""

    machine: Machine
    options: Options
    fits: bool
    reason: str

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The machine in lines of (label, value)."""
        machine = self.machine
        lines = [
            ("device", f"{machine.device} ({machine.name})" if machine.name else machine.device)
        ]
        if machine.device == "cuda":
            lines.append(("device memory", f"{machine.memory:.1f} GiB"))
        lines += [("memory", f"{machine.ram:.1f} GiB"), ("cores", str(machine.cores))]
        lines.append(("torch", machine.torch or "not installed"))
        if machine.device == "cuda":
            lines.append(("bf16", "yes" if machine.bf16 else "emulated, slow"))
            lines.append(("bitsandbytes", "yes" if machine.bitsandbytes else "not installed"))
        return lines


def peak(offload: Offload, quantization: Quantization) -> float:
    """Return how much device memory FLUX.1 takes at its fullest, at 1024 x 1024 px."""
    transformer, text = TRANSFORMER[quantization], TEXT[quantization]
    if offload == "group":
        return GROUPS + WORKING
    if offload == "model":
        return max(transformer, text) + WORKING
    return transformer + text + AUTOENCODER + WORKING


def host(offload: Offload, quantization: Quantization) -> float:
    """Return how much of the host's memory FLUX.1 takes at its fullest, while loading or later."""
    whole = TRANSFORMER[quantization] + TEXT[quantization] + AUTOENCODER
    if quantization == "none":
        return whole + 2 * RESERVE
    kept = whole if offload == "model" else 0.0
    return max(kept, SHARD) + 2 * RESERVE


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


PREFERENCE: tuple[tuple[Offload, Quantization], ...] = (
    ("none", "none"),
    ("model", "none"),
    ("none", "int8"),
    ("model", "int8"),
    ("none", "nf4"),
    ("model", "nf4"),
    ("group", "none"),
)
"""Best first: unquantized weights that stay on the device, down to those fetched block by block."""


def recommend(machine: Machine | None = None) -> Advice:
    """Return what suits `machine` (this one) for models of FLUX.1's size."""
    machine = machine or survey()
    if machine.device == "cpu":
        reason = "Without a GPU the bundled model runs well; FLUX.1 would take minutes a step."
        return Advice(machine, Options(), False, reason)
    if machine.device == "mps":
        need = peak("none", "none") + 4 * RESERVE
        fits = machine.ram >= need
        reason = f"FLUX.1 takes {need:.0f} GiB of the {machine.ram:.0f} that all programs share."
        return Advice(machine, Options(), fits, reason)
    for offload, quantization in PREFERENCE:
        need = peak(offload, quantization)
        if need + RESERVE <= machine.memory and host(offload, quantization) <= machine.ram:
            options = Options(offload=offload, quantization=quantization)
            reason = f"FLUX.1 then takes about {need:.0f} of {machine.memory:.0f} GiB."
            if quantization != "none" and not machine.bitsandbytes:
                reason += " It needs `pip install 'standee[quantization]'`."
            return Advice(machine, options, True, reason)
    reason = (
        f"FLUX.1 needs more than {machine.memory:.0f} GiB of device memory with"
        f" {machine.ram:.0f} GiB of memory; the bundled model runs."
    )
    return Advice(machine, Options(), False, reason)
