"""The helpers that tell a subject from its surroundings, loaded from `transformers`' own classes.

Only safetensors are read, and no code that comes with a model is run. The last ones stay in the
host's memory, for a person clicks several times.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from standee.errors import MissingDependency, UnknownModel

from ...catalog import onnx_files
from ...catalog.catalog import HUB_ID
from ...hardware.options import Options, resolve
from ...interruption import interrupted_by
from ...library_noise import be_quiet


def kind_of(folder: Path, field: str, fix: str) -> str:
    """Return transformers' `model_type` of a folder. Raises `UnknownModel`."""
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        kind = config.get("model_type")
    except (OSError, ValueError, AttributeError):
        raise UnknownModel(f"{folder} is no model of transformers.", path=field, fix=fix) from None
    if not kind or "auto_map" in config:
        raise UnknownModel(
            f"The model in {folder} brings code of its own, which Standee does not run.",
            path=field,
            fix=fix,
        )
    return str(kind)


def check_name(model: str, field: str, fix: str) -> None:
    """Raise `UnknownModel` for what is neither here nor a name on the hub."""
    here = Path(model).expanduser()
    if here.is_file() and here.suffix != onnx_files.SUFFIX:
        raise UnknownModel(f"{model} is no {onnx_files.SUFFIX} file.", path=field, fix=fix)
    if not here.exists() and not HUB_ID.fullmatch(model) and not onnx_files.split(model)[0]:
        raise UnknownModel(f"There is no model {model!r}.", path=field, fix=fix)


@lru_cache(maxsize=2)
def load(folder: Path, auto: str, processor: str, field: str, fix: str) -> tuple[Any, Any]:
    """Load a network by the name of its class, and its processor unless that name is empty.

    Raises `UnknownModel` with `fix`, and `MissingDependency`.
    """
    import transformers

    be_quiet()
    try:
        network = getattr(transformers, auto).from_pretrained(
            folder, use_safetensors=True, local_files_only=True
        )
        prepare = None
        if processor:
            prepare = getattr(transformers, processor).from_pretrained(
                folder, local_files_only=True
            )
        return network.eval(), prepare
    except (ImportError, OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        if find_spec("torchvision") is None and "torchvision" in str(error).lower():
            raise MissingDependency(
                f"The model in {folder} needs the package torchvision.",
                path=field,
                fix="Run `pip install 'standee[masks]'` in the daemon's environment, or use a SAM or"
                " SAM 2, which do without.",
            ) from error
        reason = str(error).strip().partition("\n")[0][:300].rstrip(".")
        raise UnknownModel(
            f"The model in {folder} cannot be loaded: {reason}.", path=field, fix=fix
        ) from error


@contextmanager
def on_device(
    network: Any, device: str, check: Callable[[], None] = lambda: None
) -> Iterator[torch.device]:
    """Have a network on a device (`Options.device`) for a while, without gradients.

    `check` is called before each of its blocks; what it raises ends its forward.
    """
    there, _ = resolve(Options(device=device))
    check()
    try:
        network.to(there)
        with torch.no_grad(), interrupted_by(check, [network]):
            yield there
    finally:
        network.to("cpu")
