"""Receipts in pictures: each carries how it was made, so that it can be made again.

In a PNG it is a `tEXt` chunk named `standee` whose text is the receipt as ASCII JSON. In a JPEG
(comments) and in a WebP (EXIF) it is that JSON deflated, as base64 behind `standee-receipt:`. All are
read without decoding the picture.
"""

from __future__ import annotations

import base64
import json
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from ..errors import BadPicture

SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG = b"\xff\xd8\xff"
WEBP = b"RIFF"
KEYWORD = b"standee"
PACKED = b"standee-receipt:"
MAX_RECEIPT = 4 << 20
COMMENT = 0xFE
LONGEST_COMMENT = 65_000
"""Bytes of text in one comment of a JPEG; a longer receipt takes several."""


def embed(picture: bytes, receipt: dict[str, Any]) -> bytes:
    """Return the PNG or JPEG with `receipt` in it, in the place of one that it had.

    Raises `BadPicture`.
    """
    if picture.startswith(JPEG):
        return _embed_in_jpeg(picture, packed(receipt))
    kept = [chunk for kind, chunk in _chunks(picture) if not _is_receipt(kind, chunk)]
    body = b"tEXt" + KEYWORD + b"\0" + _json(receipt)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return b"".join([SIGNATURE, kept[0], chunk, *kept[1:]])


def extract(picture: bytes) -> dict[str, Any]:
    """Return the receipt in a PNG, JPEG or WebP. Raises `BadPicture`: it has none, or is broken."""
    if picture.startswith(JPEG):
        ours = [one[4 + len(PACKED) :] for one in _segments(picture)[0] if _is_ours(one)]
        return _unpacked(PACKED + b"".join(ours) if ours else b"")
    if picture.startswith(WEBP):
        return _unpacked(_exif(picture))
    for kind, chunk in _chunks(picture):
        if not _is_receipt(kind, chunk):
            continue
        data = chunk[8:-4]
        if struct.unpack(">I", chunk[-4:])[0] != zlib.crc32(chunk[4:-4]) or len(data) > MAX_RECEIPT:
            raise _damaged()
        return _read(data[len(KEYWORD) + 1 :])
    raise _none()


def packed(receipt: dict[str, Any]) -> bytes:
    """Return a receipt as the text that JPEG and WebP carry."""
    return PACKED + base64.b64encode(zlib.compress(_json(receipt), 9))


def _json(receipt: dict[str, Any]) -> bytes:
    return json.dumps(receipt, ensure_ascii=True, separators=(",", ":")).encode()


def _read(text: bytes) -> dict[str, Any]:
    try:
        receipt = json.loads(text)
    except (ValueError, RecursionError):
        raise _damaged() from None
    if not isinstance(receipt, dict):
        raise _damaged()
    return receipt


def _unpacked(text: bytes) -> dict[str, Any]:
    """Read what `packed` gave, wherever it stands in `text`."""
    found = re.search(re.escape(PACKED) + rb"([A-Za-z0-9+/]+=*)", text)
    if found is None:
        raise _none()
    unpacker = zlib.decompressobj()
    try:
        receipt = unpacker.decompress(base64.b64decode(found.group(1), validate=True), MAX_RECEIPT)
    except (ValueError, zlib.error):
        raise _damaged() from None
    if not unpacker.eof:
        raise _damaged()
    return _read(receipt)


def _none() -> BadPicture:
    return BadPicture(
        "The picture holds no receipt.",
        fix="Give a picture that Standee wrote and no other program saved again.",
    )


def _damaged() -> BadPicture:
    return BadPicture("The receipt in the picture is damaged.", fix="Get the original file again.")


# PNG


def _is_receipt(kind: bytes, chunk: bytes) -> bool:
    return kind == b"tEXt" and chunk[8:].startswith(KEYWORD + b"\0")


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type and the whole bytes of each chunk, from `IHDR` to `IEND`."""
    if not png.startswith(SIGNATURE):
        raise BadPicture(
            "This is not a PNG, JPEG or WebP.", fix="Give a picture that Standee wrote."
        )
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


# JPEG and WebP


def _embed_in_jpeg(jpeg: bytes, text: bytes) -> bytes:
    """Put `text` into comments, behind the application segments: those have to come first."""
    segments, picture = _segments(jpeg)
    kept = [one for one in segments if not _is_ours(one)]
    first = sum(1 for one in kept if 0xE0 <= one[1] <= 0xEF)
    body = text.removeprefix(PACKED)
    parts = [PACKED + body[n : n + LONGEST_COMMENT] for n in range(0, len(body), LONGEST_COMMENT)]
    comments = [struct.pack(">BBH", 0xFF, COMMENT, len(part) + 2) + part for part in parts]
    return b"".join([jpeg[:2], *kept[:first], *comments, *kept[first:], picture])


def _is_ours(segment: bytes) -> bool:
    return segment[1] == COMMENT and segment[4:].startswith(PACKED)


def _segments(jpeg: bytes) -> tuple[list[bytes], bytes]:
    """Return the segments before the compressed picture, and the rest of the file from there."""
    found, at = [], 2
    while jpeg[at : at + 1] == b"\xff" and jpeg[at + 1 : at + 2] not in (b"", b"\xda"):
        end = at + 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
        if end > len(jpeg) or end < at + 4:
            raise BadPicture("The JPEG is cut off.", fix="Get the file again.")
        found.append(jpeg[at:end])
        at = end
    if jpeg[at : at + 2] != b"\xff\xda":
        raise BadPicture("The JPEG is damaged.", fix="Get the file again.")
    return found, jpeg[at:]


def _exif(webp: bytes) -> bytes:
    """Return the EXIF data of a WebP, or nothing."""
    if webp[8:12] != b"WEBP":
        raise BadPicture(
            "This is not a PNG, JPEG or WebP.", fix="Give a picture that Standee wrote."
        )
    at = 12
    while at + 8 <= len(webp):
        end = at + 8 + int.from_bytes(webp[at + 4 : at + 8], "little")
        if end > len(webp):
            raise BadPicture("The WebP is cut off.", fix="Get the file again.")
        if webp[at : at + 4] == b"EXIF":
            return webp[at + 8 : end]
        at = end + end % 2
    return b""
