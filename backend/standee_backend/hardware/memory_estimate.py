"""Memory estimates: how much a job takes, loaded by each preset. Bytes; no torch here.

A `Footprint` says what a model's weights take, packed in each way, and what lives beside them while a
job runs; `engine/memory/footprint.py` finds it out from a model's configuration alone. A `Preset` says how
weights are packed and where they wait. From both follows the peak, phase by phase: words are encoded,
then the subjects' pictures, then come the steps, then the decoder.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from standee.errors import OutOfMemory
from standee.formatting import size

from .load_presets import GIB, RESERVE, Dtype, Preset, Quantization

SHARD = 10.0
"""GiB of the largest file of a checkpoint: what the host holds while bitsandbytes packs weights."""

TOLERANCE = 0.1
"""How far an estimate may be off. A job is refused only where it would not fit by more than that."""


class Weights(Struct, frozen=True):
    """What one part's weights take, packed in one way.

    `whole`: all of them. `block`: the largest that is fetched at a time where they are fetched in
    groups; `loose`: what stays there beside the blocks. `unpacked`: what unpacking a layer takes
    while it computes; `widened`: what a layer's sums, in 32 bits, take for each token.
    """

    whole: int
    block: int
    loose: int = 0
    unpacked: int = 0
    widened: int = 0

    def beside(self, tokens: int) -> int:
        """Return what packed weights take while a layer of them computes on `tokens`."""
        return self.unpacked + tokens * self.widened


class WorkingMemory(Struct, frozen=True):
    """What lives beside the weights, at its fullest, in each phase of a job.

    `text_tokens` and `tokens` are those of the largest forward of the text encoder and the transformer.
    `transformer_first`: the transformer is at work before pictures are encoded, too.
    """

    text: int
    encode: int
    denoise: int
    decode: int
    text_tokens: int
    tokens: int
    transformer_first: bool = False


class Footprint(Struct, frozen=True):
    """A model and a job: the weights of its parts by quantization, and the work."""

    transformer: dict[Quantization, Weights]
    text: dict[Quantization, Weights]
    autoencoder: Weights
    working: WorkingMemory


def packed_as(footprint: Footprint, size: int) -> Footprint:
    """Return a footprint whose transformer comes packed, in a file of `size` bytes, and stays so."""
    plain, layers = footprint.transformer["none"], footprint.transformer["nf4"]
    share = size / plain.whole
    packed = Weights(size, int(plain.block * share), int(plain.loose * share), layers.unpacked)
    return replace(footprint, transformer=dict.fromkeys(footprint.transformer, packed))


def with_loras(footprint: Footprint, size: int) -> Footprint:
    """Return a footprint whose transformer has LoRAs of `size` bytes laid over it, spread as its own weights are."""
    plain = footprint.transformer["none"]

    def laid(weights: Weights) -> Weights:
        return replace(
            weights,
            whole=weights.whole + size,
            block=weights.block + size * plain.block // plain.whole,
            loose=weights.loose + size * plain.loose // plain.whole,
        )

    transformer = {way: laid(weights) for way, weights in footprint.transformer.items()}
    return replace(footprint, transformer=transformer)


def with_nets(footprint: Footprint, nets: Sequence[dict[Quantization, Weights]]) -> Footprint:
    """Return a footprint whose transformer has control nets beside it, placed as it is itself."""
    transformer = footprint.transformer
    for net in nets:
        transformer = {
            way: Weights(
                whole=weights.whole + net[way].whole,
                block=max(weights.block, net[way].block),
                loose=weights.loose + net[way].loose,
                unpacked=max(weights.unpacked, net[way].unpacked),
                widened=weights.widened,
            )
            for way, weights in transformer.items()
        }
    return replace(footprint, transformer=transformer)


def peak(footprint: Footprint, preset: Preset, ahead: bool = True) -> int:
    """Return the device memory that a job takes at its fullest.

    `ahead`: the next block is fetched while one computes, as it is on CUDA.
    """
    transformer = footprint.transformer[preset.quantization]
    text = footprint.text[preset.text_quantization]
    autoencoder, work = footprint.autoencoder, footprint.working
    words = text.beside(work.text_tokens) + work.text
    steps = transformer.beside(work.tokens) + work.denoise
    if preset.offload == "group":
        fetched = transformer.loose + (2 if ahead else 1) * transformer.block
        coded = autoencoder.block + max(work.encode, work.decode)
        return max(text.block + words, coded, fetched + steps)
    if preset.offload == "model":
        encode = work.encode + (transformer.whole if work.transformer_first else 0)
        after = max(text.whole + words, encode, transformer.whole + max(steps, work.decode))
        return autoencoder.whole + after
    resident = transformer.whole + autoencoder.whole
    after = max(steps, work.encode, work.decode)
    if preset.offload == "text":
        return resident + max(text.whole + words, after)
    return resident + text.whole + max(words, after)


def host(footprint: Footprint, preset: Preset) -> int:
    """Return how much of the host's memory a model takes at its fullest, while loading or later.

    Weights that go to fp8 are read and packed part by part, the transformer first; bitsandbytes packs
    file by file on the device.
    """
    parts = [
        (footprint.transformer, preset.quantization),
        (footprint.text, preset.text_quantization),
    ]
    parts.sort(key=lambda part: part[1] != "fp8")
    held = fullest = 0
    for part, quantization in parts:
        plain, packed = part["none"].whole, part[quantization].whole
        read = int(SHARD * GIB) if quantization in ("int8", "nf4") else plain
        fullest = max(fullest, held + min(read, plain))
        stays = quantization in ("none", "fp8") or preset.offload != "none"
        held += packed if stays else 0
    return max(fullest, held) + footprint.autoencoder.whole + int(2 * RESERVE * GIB)


class Plan(Struct, frozen=True):
    """What will happen: the preset, the peak that it leads to, and the memory there is, in bytes."""

    preset: Preset
    need: int
    room: int

    @property
    def fits(self) -> bool:
        """Whether there is room, as far as an estimate can tell."""
        return self.need <= self.room


def choose(
    footprint: Callable[[Dtype], Footprint],
    presets: Sequence[Preset],
    room: int,
    ram: int,
    ahead: bool = True,
) -> Plan:
    """Return the first of `presets` that fits into `room` on the device and `ram` on the host.

    `footprint` says what model and job take in a precision. Raises `OutOfMemory` where none fits.
    """
    held: list[Plan] = []
    for preset in presets:
        known = footprint(preset.dtype)
        if host(known, preset) <= ram:
            held.append(Plan(preset, peak(known, preset, ahead), room))
            if held[-1].fits:
                return held[-1]
    if not held:
        least = min(host(footprint(preset.dtype), preset) for preset in presets)
        raise OutOfMemory(
            f"The model needs {size(least)} of this machine's memory, which has {size(ram)}.",
            path="$.sampling.model",
            fix="Use a smaller model.",
        )
    nearest = min(held, key=lambda plan: plan.need)
    if nearest.need <= room * (1 + TOLERANCE):
        return nearest
    raise OutOfMemory(
        f"This job needs at least {size(nearest.need)} of device memory with every saving there"
        f" is; {size(room)} can be used.",
        path="$.canvas",
        fix="Use a smaller canvas or a smaller model, or close other programs that use the device.",
    )
