"""Receipts in pictures: a PNG carries in a text chunk how it was made, so it can be made again.

The chunk is a `tEXt` named `standee` whose text is the result's receipt as ASCII JSON. It is written
and read without decoding the picture.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from .errors import BadPicture

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"standee"
MAX_RECEIPT = 16 << 20


def embed(png: bytes, receipt: dict[str, Any]) -> bytes:
    """Return the PNG with `receipt` in it, in the place of one that it had. Raises `BadPicture`."""
    kept = [chunk for kind, chunk in _chunks(png) if not _is_receipt(kind, chunk)]
    text = json.dumps(receipt, ensure_ascii=True, separators=(",", ":")).encode()
    body = b"tEXt" + KEYWORD + b"\0" + text
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return b"".join([SIGNATURE, kept[0], chunk, *kept[1:]])


def extract(png: bytes) -> dict[str, Any]:
    """Return the receipt in a PNG. Raises `BadPicture` when it has none, or is broken."""
    for kind, chunk in _chunks(png):
        if not _is_receipt(kind, chunk):
            continue
        data = chunk[8:-4]
        if struct.unpack(">I", chunk[-4:])[0] != zlib.crc32(chunk[4:-4]) or len(data) > MAX_RECEIPT:
            break
        try:
            receipt = json.loads(data[len(KEYWORD) + 1 :])
        except (ValueError, RecursionError):
            break
        if isinstance(receipt, dict):
            return receipt
        break
    else:
        raise BadPicture(
            "The picture holds no receipt.",
            fix="Give a PNG that Standee wrote and no other program saved again.",
        )
    raise BadPicture("The receipt in the picture is damaged.", fix="Get the original file again.")


def _is_receipt(kind: bytes, chunk: bytes) -> bool:
    return kind == b"tEXt" and chunk[8:].startswith(KEYWORD + b"\0")


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type and the whole bytes of each chunk, from `IHDR` to `IEND`."""
    if not png.startswith(SIGNATURE):
        raise BadPicture("This is not a PNG.", fix="Give a PNG that Standee wrote.")
    at, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        length = int.from_bytes(png[at : at + 4], "big")
        kind, end = png[at + 4 : at + 8], at + 12 + length
        if at == len(SIGNATURE) and kind != b"IHDR":
            raise BadPicture("The PNG is damaged.", fix="Get the file again.")
        if end > len(png):
            raise BadPicture("The PNG is cut off.", fix="Get the file again.")
        yield kind, png[at:end]
        at = end
