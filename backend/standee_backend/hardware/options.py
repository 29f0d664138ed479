"""Options of loading: on which device, in which precision, with how much memory.

Importing this is cheap: torch comes in only where a device is asked for.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from standee.errors import InvalidField
from standee.validation import convert


class Options(Struct, frozen=True):
    """How models are loaded on this machine. What is `auto` follows from the memory, job by job.

    `device`: where they run; `auto` is the best there is. `dtype`: `auto` is bf16, and fp32 on a
    CPU. `offload` keeps weights in the host's memory: the text encoders' once they have encoded (`text`),
    those of whole models (`model`), or all but a block at a time (`group`: least memory).
    `quantization` packs the transformer and, unless `text_quantization` says otherwise, the large
    text encoder into 8 (`fp8`, `int8`) or 4 bits (`nf4`). `memory`: the GiB of the device that may be
    used, 0 for all that is free. `compile` has torch compile the transformer's blocks: slow at first,
    then faster. `attention` names the kernels of its attention as diffusers does; `auto` is the best
    that is installed and exact. `step_cache` skips most of a step where the transformer's first block
    has changed by less than that fraction: faster, and a little different; 0 never. `token_cache` is
    how many GiB of the host's memory keep subjects' tokens from one picture to the next, by default a
    quarter of what is free once the model is loaded; `token_disk` is how many GiB of the disk keep them
    beyond that, and over restarts; `token_precision` fp8 keeps them in 8 bits, in half of the room.
    """

    device: Annotated[str, Meta(pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")] = "auto"
    dtype: Literal["auto", "bf16", "fp32", "fp16"] = "auto"
    offload: Literal["auto", "none", "text", "model", "group"] = "auto"
    quantization: Literal["auto", "none", "fp8", "int8", "nf4"] = "auto"
    text_quantization: Literal["auto", "none", "fp8", "int8", "nf4"] = "auto"
    memory: Annotated[float, Meta(ge=0, le=100_000)] = 0.0
    compile: bool = False
    attention: Literal[
        "auto",
        "native",
        "_native_cudnn",
        "_native_efficient",
        "_native_flash",
        "_native_math",
        "flex",
        "flash",
        "_flash_3",
        "sage",
        "xformers",
    ] = "auto"
    step_cache: Annotated[float, Meta(ge=0.0, le=1.0)] = 0.0
    token_cache: Annotated[float, Meta(ge=0.0, le=4096.0)] | None = None
    token_disk: Annotated[float, Meta(ge=0.0, le=65536.0)] = 0.0
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
    if checked.compile and checked.step_cache:
        raise InvalidField(
            "Compiled blocks cannot be skipped.",
            path=f"{path}.step_cache",
            fix="Use compile or step_cache, not both.",
        )
    if checked.compile and checked.quantization == "fp8":
        raise InvalidField(
            "Weights that are cast from fp8 in each forward cannot be compiled.",
            path=f"{path}.quantization",
            fix="Leave compile out, or use quantization none, int8 or nf4 with it.",
        )
    packed = {checked.quantization, checked.text_quantization} & {"int8", "nf4"}
    if checked.offload == "group" and packed:
        raise InvalidField(
            f"Weights in {packed.pop()} cannot be offloaded in groups.",
            path=f"{path}.offload",
            fix="Use offload model with them, or group with fp8.",
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
    for field in ("quantization", "text_quantization"):
        if device.type == "cpu" and getattr(options, field) in ("int8", "nf4"):
            raise InvalidField(
                f"Weights in {getattr(options, field)} need a GPU.",
                path=f"$.{field}",
                fix="Use fp8, or none, on this machine.",
            )
    dtype = (
        ("fp32" if device.type == "cpu" else "bf16") if options.dtype == "auto" else options.dtype
    )
    return device, {"bf16": torch.bfloat16, "fp32": torch.float32}[dtype]
