"""Header of a safetensors file: which weights are in it, read without the weights and without trust."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from standee.files import is_file

LONGEST = 100_000_000
"""Bytes of a header, at most; the format's own limit."""


def read_header(file: Path) -> dict[str, Any] | None:
    """Return the header, or `None` where `file` holds none. Raises `OSError`."""
    if not is_file(file):  # a pipe may never end
        return None
    with file.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 2 <= length <= LONGEST:
            return None
        try:
            header = json.loads(stream.read(length))
        except (ValueError, RecursionError):
            return None
    return header if isinstance(header, dict) else None
