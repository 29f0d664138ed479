"""Inputs of `standee compose` as documents: a file, or a picture that was made before.

Three kinds of file, told apart by their first bytes:

- a `.standee` document;
- a composition as JSON, which may name picture files and LoRAs beside it;
- a PNG, JPEG or WebP with a receipt: its pictures come from a folder or a document, or the daemon still has them.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec

from ..composition import Composition, from_json, validate
from ..errors import BadDocument, InvalidField, TooLarge
from ..files import NETWORK, is_file, text_of, whole_path
from ..images import HEAD, digest_of, is_read
from .blobs import MAX_PICTURE
from .document import Document
from .receipt import JPEG, SIGNATURE, WEBP, extract

STDIN = Path("-")
MAX_FILES = 20_000
"""How many files of a folder are looked at in search of pictures."""


def load_document(path: Path, pictures: Path | None = None) -> Document:
    """Read `path` as a document; pictures that it names but lacks are looked for in `pictures`.

    `-` is stdin, and what comes from there names files relative to the current folder. Raises `BadDocument`,
    `BadPicture`, `InvalidField`, `TooLarge`.
    """
    from_stdin = path == STDIN
    try:
        with nullcontext(sys.stdin.buffer) if from_stdin else path.open("rb") as stream:
            head = stream.read(len(SIGNATURE))
            lazy = head.startswith(b"PK") and not from_stdin
            most = -1 if head.startswith(b"PK") else MAX_PICTURE + 1
            whole = head + (b"" if lazy else stream.read(most))
    except OSError as error:
        raise BadDocument(
            f"{path} cannot be read: {error.strerror}.", fix="Check its name and permissions."
        ) from None
    if len(whole) > MAX_PICTURE and not head.startswith(b"PK"):
        raise TooLarge(
            f"{path} has more than {MAX_PICTURE >> 20} MiB.",
            fix="Give a .standee document, a composition in JSON, or a picture that Standee made.",
        )
    if head.startswith(b"PK"):
        document = _of_zip(whole) if from_stdin else Document.open(path)
    elif head.startswith((SIGNATURE, JPEG, WEBP)):
        document = Document(_of_receipt(extract(whole)))
    else:
        try:
            document = _of_json(whole, path.parent)
        except InvalidField as error:
            name = "stdin" if from_stdin else path.name
            raise InvalidField(f"{name}: {error.message}", path=error.path, fix=error.fix) from None
    if pictures is not None and document.missing():
        _find(document, pictures)
    return document


def _of_zip(data: bytes) -> Document:
    """Read a document's bytes through a file, which is gone when its pictures are read."""
    with tempfile.TemporaryDirectory(prefix="standee-") as folder:
        path = Path(folder) / "stdin"
        path.write_bytes(data)
        with Document.open(path) as opened:
            return Document(opened.composition, opened.blobs)


def _of_receipt(receipt: dict[str, Any]) -> Composition:
    if "composition" not in receipt:
        raise InvalidField(
            "The receipt in the picture names no composition.",
            path="$.composition",
            fix="Give a picture that `standee compose` made; a cut-out cannot be made again.",
        )
    composition: Composition = validate(receipt["composition"])
    return composition


def _of_json(text: bytes, folder: Path) -> Document:
    """Read a composition whose pictures may be named by files relative to `folder`."""
    document = Document()
    try:
        data = msgspec.json.decode(text_of(text))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        data = None  # from_json says what is wrong
    if not isinstance(data, dict):
        document.composition = from_json(text)
        return document
    for holder, field, path in named_pictures(data):
        name = holder[field]
        if re.fullmatch(r"[0-9a-f]{64}", name):
            continue
        if name.startswith(NETWORK):
            raise InvalidField(
                f"{name[:80]!r} is a file of another computer, which a composition may not name.",
                path=path,
                fix="Copy it onto this machine, or give its folder a drive letter.",
            )
        if not name or "\0" in name or not is_file(folder / name):
            raise InvalidField(
                f"There is no picture {name!r} in {folder.resolve()}.",
                path=path,
                fix="Name a picture file relative to the composition's own folder.",
            )
        holder[field] = document.add_picture(folder / name)
    _place_loras(data.get("sampling"), folder)
    document.composition = validate(data)
    return document


def named_pictures(data: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str, str]]:
    """Yield where a composition that is not checked yet names pictures: a map, its field, the JSON path."""
    for name, fields in (("layers", ("picture", "mask")), ("control", ("picture",))):
        listed = data.get(name)
        for index, one in enumerate(listed if isinstance(listed, list) else []):
            yield from _named(one, fields, f"$.{name}[{index}]")
    yield from _named(data.get("scene"), ("picture", "kept"), "$.scene")


def _named(
    data: Any, fields: tuple[str, ...], path: str
) -> Iterator[tuple[dict[str, Any], str, str]]:
    for field in fields:
        if isinstance(data, dict) and isinstance(data.get(field), str):
            yield data, field, f"{path}.{field}"


def _place_loras(sampling: Any, folder: Path) -> None:
    """Give LoRAs that lie beside the composition their full paths: the daemon runs elsewhere."""
    loras = sampling.get("loras") if isinstance(sampling, dict) else None
    for lora in loras if isinstance(loras, list) else []:
        path = lora.get("path") if isinstance(lora, dict) else None
        if isinstance(path, str) and path:
            lora["path"] = whole_path(path, folder)


def _find(document: Document, pictures: Path) -> None:
    """Add those pictures that the document lacks and `pictures`, a document or folder, holds."""
    if pictures.is_file():
        with Document.open(pictures) as other:
            for digest in document.missing() & set(other.blobs):
                document.add_picture(other.read(digest))
        return
    for count, path in enumerate(sorted(pictures.rglob("*"))):
        missing = document.missing()
        if not missing or count >= MAX_FILES:
            return
        if path.is_file() and _digest(path) in missing:
            document.add_picture(path)


def _digest(path: Path) -> str:
    """Return the digest of a picture file; empty for what is none or cannot be read."""
    try:
        with path.open("rb") as stream:
            known = is_read(stream.read(HEAD))
        return digest_of(path) if known else ""
    except OSError:
        return ""
