"""LoRA files: a safetensors file, a folder with one, or a file of the hub's cache.

Only the file's header is read here, so that a wrong file is refused when a job is handed in.
`engine/families/lora/adapters.py` lays the weights over a model.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from standee.composition import Lora
from standee.errors import InvalidField
from standee.files import NETWORK

from . import download
from .catalog import HUB_ID, cached_repository, existing
from .download import UNOBSERVED, DownloadObserver
from .hub import HubSnapshot, look_up
from .safetensors_header import read_header

USUAL = "pytorch_lora_weights.safetensors"
"""What diffusers calls the file that it saves."""

PEFT_CONFIG = "adapter_config.json"
"""What PEFT saves beside a LoRA: its strength, among others."""

PICKLES = (".bin", ".ckpt", ".pkl", ".pt", ".pth")
"""Files that may run code when they are read."""

MARKS = re.compile(r"lora|lokr|hada|oft_|\.diff(_b)?$", re.IGNORECASE)
"""One of these is in the names of the weights of a LoRA and its kin."""

MOST_SIDES = 8
"""How many dimensions a weight may have: those of networks have five at most."""


def locate(path: str, field: str) -> Path | None:
    """Return the safetensors file that `path` means, checked; `None` for one still on the hub.

    `field` is where the path stands in what the user wrote. Raises `InvalidField`.
    """
    if path.startswith(NETWORK):
        raise InvalidField(
            f"{path} is a file of another computer, which a composition may not name.",
            path=field,
            fix="Copy it onto this machine, or give its folder a drive letter.",
        )
    there = existing(path)
    if there is None:
        repository, name = on_hub(path, field)
        there = cached_repository(repository)
        if there is not None and name:
            there = there / name
        if there is None or not there.exists():
            return None
    file = (
        choose((one.name for one in there.iterdir()), str(there), field) if there.is_dir() else ""
    )
    found = there / file
    _check_kind(found.name, field)
    if not any(MARKS.search(name) for name in _header(found, field)):
        raise InvalidField(
            f"{found.name} is not a LoRA: no weight in it is named as a LoRA's are (lora, lokr, hada, diff).",
            path=field,
            fix="Give a LoRA. A whole model belongs in $.sampling.model.",
        )
    return found


def bring(path: str, field: str, observer: DownloadObserver = UNOBSERVED) -> Path:
    """Return the file that `path` means, downloaded if it is not on this machine.

    Raises `InvalidField` and what `download.bring` raises.
    """
    if (found := locate(path, field)) is not None:
        return found
    whole = offer(path, field)
    found = download.bring(whole, field, observer) / whole.files[0].name
    return locate(str(found), field) or found


def offer(path: str, field: str) -> HubSnapshot:
    """Ask the hub what there is to download of a LoRA. Raises `InvalidField` and what `look_up` raises."""
    repository, file = on_hub(path, field)

    def pick(names: Sequence[str]) -> list[str]:
        if file and file not in names:
            raise InvalidField(
                f"{repository} on the hub has no file {file}.",
                path=field,
                fix=f"See https://huggingface.co/{repository}/tree/main for what it has.",
            )
        found = file or choose(names, repository, field)
        config = str(PurePosixPath(found).with_name(PEFT_CONFIG))
        return [found, config] if config in names else [found]

    return look_up(repository, field, pick)


def bring_all(
    loras: Sequence[Lora], observer: DownloadObserver = UNOBSERVED
) -> list[tuple[Path, float]]:
    """Return the files of a composition's LoRAs with their weights, as `bring` does."""
    return [
        (bring(lora.path, field_of(index), observer), lora.weight)
        for index, lora in enumerate(loras)
    ]


def field_of(index: int) -> str:
    """Return where a LoRA's path stands in a composition."""
    return f"$.sampling.loras[{index}].path"


def on_hub(path: str, field: str) -> tuple[str, str]:
    """Split `owner/name/folder/file.safetensors` into the hub id and the file, empty if left out.

    Raises `InvalidField` for what is no hub id.
    """
    owner, _, rest = path.partition("/")
    name, _, file = rest.partition("/")
    if not HUB_ID.fullmatch(f"{owner}/{name}"):
        raise InvalidField(
            f"There is no LoRA {path!r}.",
            path=field,
            fix="Give the full path of a .safetensors file or its folder, or a hub id owner/name.",
        )
    if file:
        _check_kind(file, field)
    return f"{owner}/{name}", file


def choose(names: Iterable[str], where: str, field: str) -> str:
    """Return the one LoRA among the files of a folder or repository. Raises `InvalidField`."""
    names = sorted(names)
    found = [name for name in names if name.endswith(".safetensors") and "/" not in name]
    if USUAL in found:
        return USUAL
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidField(
            f"{where} holds several LoRAs: {', '.join(found[:8])}.",
            path=field,
            fix=f"Name one: {where}/{found[0]}.",
        )
    for name in names:
        if name.endswith(PICKLES):
            _check_kind(name, field)
    raise InvalidField(
        f"{where} holds no .safetensors file.",
        path=field,
        fix="Give the LoRA's own file or folder.",
    )


def numbers(file: Path) -> int:
    """Return how many numbers a LoRA's weights are, once it is laid. Raises `InvalidField`."""
    header = _header(file, "$.sampling.loras")
    return sum(
        math.prod(weight["shape"]) * (_multiplied(weight["shape"]) if "hada_w" in name else 1)
        for name, weight in header.items()
    )


def _multiplied(shape: Sequence[int]) -> int:
    """Return how many times as large a LoHa's half becomes: ranks multiply, and two halves become one."""
    return max(1, min(shape, default=1) // 2)


def digest(file: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    state = file.stat()
    return _digest(str(file.resolve()), state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest(path: str, size: int, changed: int) -> str:
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _check_kind(name: str, field: str) -> None:
    if name.endswith(PICKLES):
        raise InvalidField(
            f"{name} is a pickle, which can run code when it is read.",
            path=field,
            fix="Get the LoRA as .safetensors, or convert it where you trust it.",
        )
    if not name.endswith(".safetensors"):
        raise InvalidField(
            f"{name} is not a .safetensors file.", path=field, fix="Get the LoRA as .safetensors."
        )


def _header(file: Path, field: str) -> dict[str, Any]:
    """Return what a safetensors file says of its weights, by name."""
    try:
        header = read_header(file)
    except OSError:
        header = None
    if header is None or not all(map(_is_weight, header.items())):
        raise InvalidField(
            f"{file} cannot be read as safetensors.", path=field, fix="Get the file again."
        )
    return {name: weight for name, weight in header.items() if name != "__metadata__"}


def _is_weight(entry: tuple[str, Any]) -> bool:
    """Whether an entry of a header says what it has to: how large a weight is."""
    name, said = entry
    shape = said.get("shape") if isinstance(said, dict) else None
    return name == "__metadata__" or (
        isinstance(shape, list)
        and len(shape) <= MOST_SIDES
        and all(isinstance(side, int) and 0 <= side < 2**48 for side in shape)
    )
