"""Models that are one file: a transformer's weights, as safetensors or GGUF.

The text encoders, the autoencoder and the configurations come from a base in diffusers layout. Here a file is
looked at, without torch; `engine/loading/` reads it. Pickles are refused unread: they may run code.
"""

from __future__ import annotations

import json
from pathlib import Path

from standee.errors import UnknownModel

from .safetensors_header import read_header

SUFFIXES = (".safetensors", ".gguf")

FIELD = "$.sampling.model"


def check(file: Path) -> None:
    """Raise `UnknownModel` unless `file` looks like what its name says."""
    if file.suffix.lower() not in SUFFIXES:
        raise UnknownModel(
            f"{file} is a file, but not of a kind that is read: {' and '.join(SUFFIXES)} are.",
            path=FIELD,
            fix="Give a folder in diffusers layout, or get the weights as safetensors: pickles (.ckpt, .pt, .bin) may"
            " run code.",
        )
    try:
        if file.suffix.lower() == ".gguf":
            with file.open("rb") as stream:
                whole = stream.read(4) == b"GGUF"
        else:
            whole = read_header(file) is not None
    except OSError as error:
        raise UnknownModel(
            f"{file} cannot be read: {error.strerror}.", path=FIELD, fix="Check its permissions."
        ) from None
    if not whole:
        raise UnknownModel(
            f"{file} is no {file.suffix.lstrip('.').lower()} file, whatever its name says.",
            path=FIELD,
            fix="Get it again.",
        )


def base_of(file: Path, base: str) -> str:
    """Return the base of a file: what `models.toml` says, or the folder that it lies in.

    Raises `UnknownModel` where there is neither.
    """
    if base:
        return base
    if (file.parent / "model_index.json").is_file():
        return str(file.parent)
    raise UnknownModel(
        f"{file} holds a transformer alone, and nothing says where the other parts are.",
        path=FIELD,
        fix=f"Name it in models.toml, with path = {json.dumps(str(file))} and base = a folder in diffusers layout or a"
        ' hub id, such as "black-forest-labs/FLUX.1-dev"; or put it into such a folder.',
    )
