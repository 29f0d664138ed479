"""Models that are one file: a transformer's weights, as safetensors or GGUF.

The text encoders, the autoencoder and the configurations come from a base in diffusers layout. Here a file is
looked at, without torch; `engine/loading/` reads it. Pickles are refused unread: they may run code.
"""

from __future__ import annotations

import json
from pathlib import Path

from standee.errors import UnknownModel

SUFFIXES = (".safetensors", ".gguf")

LONGEST_HEADER = 100_000_000
"""Bytes of a safetensors header, at most, as the format has it."""

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
        with file.open("rb") as stream:
            head = stream.read(8)
            if file.suffix.lower() == ".gguf":
                whole = head[:4] == b"GGUF"
            else:
                length = int.from_bytes(head, "little")
                whole = length <= LONGEST_HEADER and isinstance(
                    json.loads(stream.read(length)), dict
                )
    except OSError as error:
        raise UnknownModel(
            f"{file} cannot be read: {error.strerror}.", path=FIELD, fix="Check its permissions."
        ) from None
    except ValueError:
        whole = False
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
