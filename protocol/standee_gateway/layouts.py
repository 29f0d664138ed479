"""Compositions as requests bring them: JSON, with pictures named in any of four ways."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from standee.composition import Composition, from_json, validate
from standee.document.blobs import MAX_PICTURE
from standee.document.load import named_pictures
from standee.errors import BadPicture, InvalidField, TooLarge
from standee.files import NETWORK, is_file, text_of
from standee.images import HEAD, check_kind, digest_of

LONGEST_NAME = 1000
DATA_URL = re.compile(r"data:[\w.+/-]*;base64,", re.ASCII)


@dataclass(frozen=True)
class Layout:
    """A composition, and those of its pictures that came with it, by their digest."""

    composition: Composition
    blobs: Mapping[str, bytes | Path]


def layout_of_json(
    text: bytes, beside: Mapping[str, bytes] | None = None, folder: Path | None = None
) -> Layout:
    """Read a composition in JSON; see `layout_of`."""
    try:
        data = msgspec.json.decode(text_of(text))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        data = None
    if not isinstance(data, dict):
        return Layout(from_json(text), {})  # which says what is wrong
    return layout_of(data, beside, folder)


def layout_of(
    data: dict[str, Any],
    beside: Mapping[str, bytes] | None = None,
    folder: Path | None = None,
) -> Layout:
    """Return a composition with its pictures; digests take the place of their names in `data`.

    A picture is named by its digest, by a `data:` URL that holds it, by a name of those that came `beside` the
    composition, or by a file in `folder` (nothing outside of it). Raises `InvalidField`, `BadPicture`, `TooLarge`.
    """
    blobs: dict[str, bytes | Path] = {}
    for holder, field, path in named_pictures(data):
        name = holder[field]
        if re.fullmatch(r"[0-9a-f]{64}", name):
            continue
        found = _picture(name, beside or {}, folder, path)
        holder[field] = digest = digest_of(found)
        blobs[digest] = found
    return Layout(validate(data), blobs)


def picture_head(source: bytes | Path) -> bytes:
    """Return the bytes of a picture that tell its kind."""
    if isinstance(source, bytes):
        return source[:HEAD]
    with source.open("rb") as stream:
        return stream.read(HEAD)


def _picture(
    name: str, beside: Mapping[str, bytes], folder: Path | None, path: str
) -> bytes | Path:
    found: bytes | Path | None = None
    if start := DATA_URL.match(name):
        found = _decoded(name[start.end() :], path)
    elif name in beside:
        found = beside[name]
    elif folder is not None:
        found = _file(name, folder, path)
    if found is None:
        raise InvalidField(
            f"There is no picture {name[:80]!r} in the request.",
            path=path,
            fix="Give the digest of one that was uploaded, a data: URL with base64, or send it beside the composition.",
        )
    check_kind(picture_head(found), "The picture", path)
    return found


def _decoded(text: str, path: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadPicture(
            "The data: URL is not base64.", path=path, fix="Encode the file's bytes as base64."
        ) from None


def _file(name: str, folder: Path, path: str) -> Path:
    """Return a picture file of `folder`; what lies outside of it is not looked at."""
    root = folder.resolve()
    try:
        named = 0 < len(name) <= LONGEST_NAME and not name.startswith(NETWORK)
        found = (root / name).resolve() if named else root
    except (OSError, RuntimeError, ValueError):  # a zero byte, a circle of links
        found = root
    if not found.is_relative_to(root) or not is_file(found):
        raise InvalidField(
            f"There is no picture {name[:80]!r} in {root}.",
            path=path,
            fix="Name a picture file of that folder; the gateway's --pictures names another folder.",
        )
    if found.stat().st_size > MAX_PICTURE:
        raise TooLarge(
            f"{name[:80]} has more than {MAX_PICTURE >> 20} MiB.", path=path, fix="Save it smaller."
        )
    return found
