"""Image export: PNG, JPEG or WebP with the receipt, OpenRaster or Photoshop with layers.

`standee.document.receipt` says how pictures carry it; the editor and `standee compose` read all three. No
Qt in here.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from standee.composition import Composition
from standee.document.receipt import embed, mark_of, pack
from standee.errors import BadPicture
from standee.layered.exchange import layered_of
from standee.layered.raster_layers import LayeredPicture

from .paths import write_whole

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
USER_COMMENT = 0x9286
EXIF_IFD = 0x8769


def export(
    path: Path, png: bytes, receipt: dict[str, Any], quality: int = 95, *, marked: bool = True
) -> None:
    """Write a result, in the format that the name says, with its receipt, and `marked` as a model's work.

    A PNG keeps the very pixels. Raises `BadPicture` for another name, and `StorageFull`.
    """
    write_whole(path, encode_result(path.suffix, png, receipt, quality, marked=marked))


def export_layers(
    path: Path,
    composition: Composition,
    read: Callable[[str], bytes],
    png: bytes,
    receipt: dict[str, Any],
    *,
    marked: bool = True,
) -> LayeredPicture:
    """Write a result over the layers that it was made of, as OpenRaster or Photoshop; return what is in the file.

    `read` returns the bytes of a digest. Raises `BadPicture`, `TooLarge`, `MissingBlob`, `MissingDependency`, and
    `StorageFull`.
    """
    data, picture = layered_of(path.suffix, composition, read, png, receipt, marked=marked)
    write_whole(path, data)
    return picture


def encode_result(
    suffix: str, png: bytes, receipt: dict[str, Any], quality: int = 95, *, marked: bool = True
) -> bytes:
    """Return the bytes of a result in the format of `suffix`. Raises `BadPicture`."""
    kind = FORMATS.get(suffix.lower())
    if kind is None:
        raise BadPicture(
            f"Standee does not write {suffix or 'files without an ending'}.",
            fix="Use .png, .jpg or .webp, or .ora or .psd for layers.",
        )
    if kind == "PNG":
        return embed(png, receipt, marked=marked)
    out = io.BytesIO()
    with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
        colour = picture.convert("RGB")
    if kind == "JPEG":
        colour.save(out, "JPEG", quality=quality, subsampling=0)
        return embed(out.getvalue(), receipt, marked=marked)
    exif = Image.Exif()
    exif.get_ifd(EXIF_IFD)[USER_COMMENT] = b"ASCII\0\0\0" + pack(receipt)
    mark = mark_of(receipt) if marked else b""
    colour.save(out, "WEBP", quality=quality, method=4, exif=exif, xmp=mark)
    return out.getvalue()
