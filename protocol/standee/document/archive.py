"""The zip under a `.standee` file: which entries it may hold, how large, and where their bytes are.

A document may come from anywhere, so nothing in it is trusted: names, sizes and digests are checked
before they are used, and nothing is ever unpacked onto the disk under a name from the zip.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from ..errors import BadDocument
from .blobs import CHUNK, MAX_PICTURE

MAX_ENTRIES = 10_000
MAX_TEXT = 4 << 20
"""The most bytes of the composition, or of one receipt: what a daemon takes, with every letter escaped."""
MAX_TEXTS = 128 << 20
"""The most bytes of all of them: what is read of them takes some twenty times as much memory."""
MAX_TOTAL = 16 << 30
MAX_RATIO = 200
"""How many times larger than its packed form an entry may be."""

COMPOSITION = "composition.json"
BLOB = re.compile(r"blobs/([0-9a-f]{64})")
RESULT = re.compile(r"results/([\w][\w .-]{0,99})\.(png|json)")

# What zipfile raises on bytes that somebody broke.
BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    UnicodeError,
    ValueError,
)


class ArchiveEntry:
    """An entry of an open zip."""

    def __init__(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
        self._archive, self._entry, self.size = archive, entry, entry.file_size

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes in pieces; `BadDocument` when they are broken."""
        try:
            with self._archive.open(self._entry) as stream:
                left = self.size
                while chunk := stream.read(CHUNK):
                    left -= len(chunk)
                    yield chunk
        except (*BROKEN, OSError) as error:
            raise _broken(self._archive.filename, f"{self._entry.filename}: {error}") from error
        if left:
            raise _broken(self._archive.filename, f"{self._entry.filename} is truncated")


def open_archive(path: Path) -> tuple[zipfile.ZipFile, dict[str, ArchiveEntry]]:
    """Open the zip at `path`; return it and the entries that a document has, by name.

    Only the directory is read. Entries of no meaning here are left out. Raises `BadDocument`.
    """
    try:
        archive = zipfile.ZipFile(path)
    except OSError as error:
        raise BadDocument(
            f"{path} cannot be opened: {error.strerror}.", fix="Check its name and permissions."
        ) from error
    except BROKEN as error:
        raise _broken(str(path), str(error)) from error
    try:
        return archive, {
            entry.filename: ArchiveEntry(archive, entry) for entry in _check_entries(archive)
        }
    except BadDocument:
        archive.close()
        raise


def write_archive(stream: BinaryIO, entries: Iterable[tuple[str, bytes]]) -> None:
    """Write a zip. The same entries make the same bytes; pictures are packed by nature and stay as they are."""
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in entries:
            entry = zipfile.ZipInfo(name)  # with a date that is always the same
            if name.endswith(".json"):
                entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)


def _check_entries(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise _unsafe(f"it holds {len(entries)} entries, and at most {MAX_ENTRIES} are allowed")
    seen: set[str] = set()
    total = texts = 0
    for entry in entries:
        name = entry.orig_filename
        parts = re.split(r"[/\\]", name)
        if ".." in parts or not parts[0] or ":" in parts[0] or "\0" in name:
            raise _unsafe(f"it holds an entry that reaches outside of it: {name[:80]!r}")
        if name in seen:
            raise _unsafe(f"it holds two entries named {name[:80]!r}")
        seen.add(name)
        total += entry.file_size
        if name == COMPOSITION or RESULT.fullmatch(name) or BLOB.fullmatch(name):
            _check_entry(entry)
            texts += entry.file_size if name.endswith(".json") else 0
            if texts > MAX_TEXTS:
                raise _unsafe(f"its texts have more than {MAX_TEXTS:,} bytes")
            yield entry
    if total > MAX_TOTAL:
        raise _unsafe(f"it would unpack to {total:,} bytes")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    if entry.flag_bits & 0x1:
        raise BadDocument(
            f"The document is encrypted ({name}).", fix="Pack it again without a password."
        )
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise BadDocument(
            f"{name} is packed in a way that Standee does not read.",
            fix="Pack the document again with the deflate method.",
        )
    limit = MAX_TEXT if name.endswith(".json") else MAX_PICTURE
    if entry.file_size > limit:
        raise _unsafe(f"{name} has {entry.file_size:,} bytes, and at most {limit:,} are allowed")
    if entry.file_size > MAX_RATIO * max(entry.compress_size, CHUNK // MAX_RATIO):
        raise _unsafe(f"{name} would unpack to {entry.file_size:,} bytes")


def _unsafe(reason: str) -> BadDocument:
    return BadDocument(
        f"The document is not safe to open: {reason}.",
        fix="Ask whoever made it to save it again with Standee.",
    )


def _broken(name: str | None, reason: str) -> BadDocument:
    return BadDocument(
        f"{name} is not a Standee document, or it is damaged ({reason}).",
        fix="Open a backup, or get the file again.",
    )
