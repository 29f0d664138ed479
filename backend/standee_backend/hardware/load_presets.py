"""Presets of loading: what is quantized and offloaded, for graphics cards of each size."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from .options import Options

Offload = Literal["none", "text", "model", "group"]
Quantization = Literal["none", "fp8", "int8", "nf4"]
Dtype = Literal["bf16", "fp32"]

GIB = 2**30
RESERVE = 1.0
"""GiB left to the desktop, the driver and fragmentation."""


class Preset(Struct, frozen=True):
    """How a model is loaded: what is packed, and what waits in the host's memory.

    `offload`: nothing; `text`, the text encoders once they have encoded; `model`, all models but the
    one at work and the small autoencoder; `group`, all but the transformer's block at work and the
    next one. `quantization` packs the transformer, `text_quantization` the large text encoder.
    """

    name: str
    offload: Offload = "none"
    quantization: Quantization = "none"
    text_quantization: Quantization = "none"
    dtype: Dtype = "bf16"

    def note_values(self) -> dict[str, str]:
        """Return it as a job's note tells of it; see `standee.wire.notes`."""
        return {
            "preset": self.name,
            "offload": self.offload,
            "quantization": self.quantization,
            "text_quantization": self.text_quantization,
            "dtype": self.dtype,
        }


CARDS = (
    Preset("48 GB"),
    Preset("32 GB", "text", "none", "fp8"),
    Preset("24 GB", "text", "fp8", "fp8"),
    Preset("16 GB", "model", "fp8", "fp8"),
    Preset("12 GB", "model", "nf4", "nf4"),
    Preset("8 GB", "group", "fp8", "fp8"),
)
"""For graphics cards, best first, each named for the card on which FLUX.1 needs it."""

PROCESSOR = (
    Preset("32 bits", dtype="fp32"),
    Preset("16 bits"),
    Preset("8 bits", "none", "fp8", "fp8"),
)
"""For a CPU, whose memory is the host's: there is nowhere to offload to."""


def following(presets: Iterable[Preset], preset: Preset) -> list[Preset]:
    """Return the presets after one: what an exhausted memory falls to."""
    rest = list(presets)
    return rest[rest.index(preset) + 1 :]


def settle(
    presets: Iterable[Preset],
    *,
    offload: str = "auto",
    quantization: str = "auto",
    text_quantization: str = "auto",
    dtype: str = "auto",
    bitsandbytes: bool = True,
    compile: bool = False,
) -> list[Preset]:
    """Return the presets with what a user insists on, without repetitions and what cannot be.

    `bitsandbytes`: whether that package is here. A user who asks for what needs it gets its error. `compile`: whether
    the transformer is compiled, which weights cast from fp8 in each forward would break into dozens of graphs.
    """
    if quantization != "auto" and text_quantization == "auto":
        text_quantization = quantization
    given = {
        "offload": offload,
        "quantization": quantization,
        "text_quantization": text_quantization,
        "dtype": dtype,
    }
    asked = {name: value for name, value in given.items() if value != "auto"}
    settled: list[Preset] = []
    for preset in presets:
        one = replace(preset, **asked)
        packed = {one.quantization, one.text_quantization} & {"int8", "nf4"}
        missing = packed and not bitsandbytes and not packed & set(asked.values())
        cast = compile and one.quantization == "fp8"
        same = [replace(other, name="") for other in settled]
        if missing or cast or (packed and one.offload == "group") or replace(one, name="") in same:
            continue
        settled.append(one)
    return settled


def presets(options: Options, device: str, bitsandbytes: bool = True) -> list[Preset]:
    """Return the presets for a device (cuda, mps or cpu) that `options` leave, best first."""
    ladder = {"cuda": CARDS, "mps": CARDS[:1]}.get(device, PROCESSOR)
    return settle(
        ladder,
        offload=options.offload,
        quantization=options.quantization,
        text_quantization=options.text_quantization,
        dtype=options.dtype,
        bitsandbytes=bitsandbytes,
        compile=options.compile,
    )


def room(options: Options, free: int) -> int:
    """Return the bytes of a device that a job may use, where `free` are."""
    usable = max(0, free - int(RESERVE * GIB))
    return min(usable, int(options.memory * GIB)) if options.memory else usable
