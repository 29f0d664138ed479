"""Clipboard format of layers: JSON; their pictures travel by digest.

Within one document the pictures are there already; for another document or window they lie in a
`.standee` file that copying leaves in the cache folder (see `standee_desktop.services.clipboard`).
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from standee.composition import Layer, validate
from standee.errors import InvalidField

MIME = "application/x-standee-layers"
ROWS = "application/x-standee-rows"
"""Rows of the list of layers, while they are dragged within it."""
SHIFT = 16.0
"""How far a pasted or duplicated layer stands from the original, px."""


def pack(layers: Iterable[Layer]) -> bytes:
    """Return layers as bytes for the clipboard."""
    return msgspec.json.encode(tuple(layers))


def unpack(data: bytes) -> tuple[Layer, ...]:
    """Return the layers in `data`, which any program may have put there; none where it is foreign."""
    try:
        found: tuple[Layer, ...] = validate(msgspec.json.decode(data), tuple[Layer, ...])
    except (InvalidField, msgspec.DecodeError, RecursionError):
        return ()
    return found
