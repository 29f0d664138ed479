"""Receipts in pictures: how each was made, so that it can be made again, and that a model made it.

In a PNG it is a `tEXt` chunk named `standee` whose text is the receipt as ASCII JSON. In a JPEG
(comments) and in a WebP (EXIF) it is that JSON deflated, as base64 behind `standee-receipt:`. All are
read without decoding the picture. That a model made it says XMP, in the words of IPTC, which platforms look for.
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
XMP_IN_PNG = b"XML:com.adobe.xmp"
XMP_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0"
XMP = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
    '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmp:CreatorTool="Standee"'
    ' Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/KIND"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
"""A packet of XMP; KIND stands for the word of IPTC's list."""
APP1, COMMENT = 0xE1, 0xFE
LONGEST_COMMENT = 65_000
"""Bytes of text in one comment of a JPEG; a longer receipt takes several."""


def embed(picture: bytes, receipt: dict[str, Any], *, marked: bool = True) -> bytes:
    """Return the PNG or JPEG with `receipt` in it, in the place of one that it had; `marked` as a model's work.

    Raises `BadPicture`.
    """
    mark = mark_of(receipt) if marked else b""
    if picture.startswith(JPEG):
        return _embed_in_jpeg(picture, pack(receipt), mark)
    kept = [chunk for kind, chunk in _chunks(picture) if not _is_ours_in_png(kind, chunk)]
    ours = [_chunk(b"tEXt", KEYWORD + b"\0" + _json(receipt))]
    if mark:
        ours.append(_chunk(b"iTXt", XMP_IN_PNG + b"\0\0\0\0\0" + mark))
    return b"".join([SIGNATURE, kept[0], *ours, *kept[1:]])


def mark_of(receipt: dict[str, Any]) -> bytes:
    """Return the XMP that says of a picture with this receipt that a model made it, or all but what its scene keeps."""
    composition = receipt.get("composition")
    of_scene = isinstance(composition, dict) and composition.get("scene") is not None
    kind = "compositeWithTrainedAlgorithmicMedia" if of_scene else "trainedAlgorithmicMedia"
    return XMP.replace("KIND", kind).encode()


def extract(picture: bytes) -> dict[str, Any]:
    """Return the receipt in a PNG, JPEG or WebP. Raises `BadPicture`: it has none, or is broken."""
    if picture.startswith(JPEG):
        ours = [one[4 + len(PACKED) :] for one in _segments(picture)[0] if _is_ours(one)]
        return _unpack(PACKED + b"".join(ours) if ours else b"")
    if picture.startswith(WEBP):
        return _unpack(_exif(picture))
    for kind, chunk in _chunks(picture):
        if not _is_receipt(kind, chunk):
            continue
        data = chunk[8:-4]
        if struct.unpack(">I", chunk[-4:])[0] != zlib.crc32(chunk[4:-4]) or len(data) > MAX_RECEIPT:
            raise _damaged()
        return _read(data[len(KEYWORD) + 1 :])
    raise _none()


def pack(receipt: dict[str, Any]) -> bytes:
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


def _unpack(text: bytes) -> dict[str, Any]:
    """Read what `pack` gave, wherever it stands in `text`."""
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


def _chunk(kind: bytes, body: bytes) -> bytes:
    check = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)


def _is_ours_in_png(kind: bytes, chunk: bytes) -> bool:
    xmp = kind == b"iTXt" and chunk[8:].startswith(XMP_IN_PNG + b"\0")
    return xmp or _is_receipt(kind, chunk)


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


def _embed_in_jpeg(jpeg: bytes, text: bytes, mark: bytes) -> bytes:
    """Put `mark` behind the application segments, which have to come first, and `text` into comments."""
    segments, picture = _segments(jpeg)
    kept = [one for one in segments if not (_is_ours(one) or _is_xmp(one))]
    first = sum(1 for one in kept if 0xE0 <= one[1] <= 0xEF)
    body = text.removeprefix(PACKED)
    parts = [PACKED + body[n : n + LONGEST_COMMENT] for n in range(0, len(body), LONGEST_COMMENT)]
    ours = [_segment(APP1, XMP_IN_JPEG + mark)] if mark else []
    ours += [_segment(COMMENT, part) for part in parts]
    return b"".join([jpeg[:2], *kept[:first], *ours, *kept[first:], picture])


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def _is_xmp(segment: bytes) -> bool:
    return segment[1] == APP1 and segment[4:].startswith(XMP_IN_JPEG)


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
