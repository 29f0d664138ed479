"""Pictures that leave the editor: PNG, JPEG or WebP, each with the receipt that makes it again.

In a PNG the receipt lies as `standee compose` reads it. The other formats carry the same JSON as
metadata (a comment in a JPEG, EXIF in a WebP), and the editor reads all three. No Qt in here.
"""

from __future__ import annotations

import base64
import io
import json
import zlib
from pathlib import Path
from typing import Any, cast

from PIL import Image

from standee.errors import BadPicture
from standee.receipt import embed, extract

from .places import write_whole

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
PACKED = "standee-receipt:"
COMMENT_LIMIT = 65_000
USER_COMMENT = 0x9286
EXIF_IFD = 0x8769


def export(path: Path, png: bytes, receipt: dict[str, Any], quality: int = 95) -> None:
    """Write a result, in the format that the name says, with its receipt.

    A PNG keeps the very pixels. Raises `BadPicture` for another name, and `StorageFull`.
    """
    write_whole(path, encoded(path.suffix, png, receipt, quality))


def encoded(suffix: str, png: bytes, receipt: dict[str, Any], quality: int = 95) -> bytes:
    """Return the bytes of a result in the format of `suffix`. Raises `BadPicture`."""
    kind = FORMATS.get(suffix.lower())
    if kind is None:
        raise BadPicture(
            f"Standee does not write {suffix or 'files without an ending'}.",
            fix="Use .png, .jpg or .webp.",
        )
    if kind == "PNG":
        return embed(png, receipt)
    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        colour = picture.convert("RGB")
    text = _packed(receipt)
    if kind == "JPEG":
        comment = text.encode() if len(text) <= COMMENT_LIMIT else b""
        colour.save(out, "JPEG", quality=quality, subsampling=0, comment=comment)
    else:
        exif = Image.Exif()
        exif.get_ifd(EXIF_IFD)[USER_COMMENT] = b"ASCII\0\0\0" + text.encode()
        colour.save(out, "WEBP", quality=quality, method=4, exif=exif)
    return out.getvalue()


def read_receipt(path: Path) -> dict[str, Any] | None:
    """Return the receipt in a picture that Standee wrote, or `None`. Raises `BadPicture`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadPicture(
            f"{path.name} cannot be read: {error.strerror}.", fix="Check its permissions."
        ) from error
    return receipt_of(data)


def receipt_of(data: bytes) -> dict[str, Any] | None:
    """Return the receipt in the bytes of a picture, or `None`."""
    try:
        if data.startswith(b"\x89PNG"):
            return extract(data)
        with Image.open(io.BytesIO(data), formats=("JPEG", "WEBP")) as picture:
            text = picture.info.get("comment") or picture.getexif().get_ifd(EXIF_IFD).get(
                USER_COMMENT, b""
            )
        return _unpacked(cast("bytes | str", text))
    except (BadPicture, OSError, ValueError, SyntaxError, zlib.error):
        return None


def _packed(receipt: dict[str, Any]) -> str:
    text = json.dumps(receipt, separators=(",", ":")).encode()
    return PACKED + base64.b64encode(zlib.compress(text, 9)).decode()


def _unpacked(text: bytes | str) -> dict[str, Any] | None:
    if isinstance(text, str):
        text = text.encode()
    text = text.removeprefix(b"ASCII\0\0\0")
    if not text.startswith(PACKED.encode()):
        return None
    unpacker = zlib.decompressobj()
    raw = unpacker.decompress(base64.b64decode(text[len(PACKED) :]), 16 << 20)
    receipt = json.loads(raw)
    return receipt if isinstance(receipt, dict) else None
