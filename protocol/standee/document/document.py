"""The `.standee` file: a composition with its pictures and results, in one zip.

    composition.json            the composition
    blobs/<sha256>              every picture and mask, as it was given, under its digest
    results/<name>.png, .json   pictures that were made, each with its receipt

Opening reads the composition, and of the receipts which pictures they name, in pieces: a large
document opens at once and takes no memory. Pictures and receipts are read when they are asked for.
Saving is atomic: the old file stays until the new one is complete on the disk.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import threading
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import msgspec

from ..composition import Composition, from_json, to_json, validate
from ..errors import BadDocument, BadPicture, InvalidField, MissingBlob
from ..files import replacing
from ..images import HEAD, check_kind
from .archive import BLOB, COMPOSITION, RESULT, ArchiveEntry, open_archive, write_archive
from .blobs import Blobs, Source, Spool, StoredResult


class Document:
    """A composition with the pictures that it names and the results that were made of it.

    `composition` may be set anew at any time. A picture stays until the document is closed, even
    when nothing names it any more, so that every step can be undone; opening leaves such out.
    Methods may be called from several threads.
    """

    def __init__(
        self,
        composition: Composition | None = None,
        blobs: Mapping[str, bytes] | None = None,
        results: Mapping[str, tuple[bytes, dict[str, Any]]] | None = None,
    ) -> None:
        self.composition = composition or Composition()
        self.path: Path | None = None
        self._lock = threading.RLock()
        self._spool = Spool()
        self._archive: zipfile.ZipFile | None = None
        self._sources: dict[str, Source] = {}
        self._results: dict[str, StoredResult] = {}
        for digest, data in (blobs or {}).items():
            if self.add_picture(data) != digest:
                raise BadPicture(
                    f"The bytes given for picture {digest} have another digest.",
                    fix="Name each picture by the SHA-256 of its bytes.",
                )
        for name, (png, receipt) in (results or {}).items():
            self.add_result(png, receipt, name)

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """Open a document. Raises `BadDocument`, which says what is wrong with it."""
        document = cls()
        document.path = Path(path)
        document._archive, entries = open_archive(document.path)
        try:
            document._read(entries)
        except BaseException:
            document.close()
            raise
        return document

    @property
    def blobs(self) -> Blobs:
        """The pictures, by digest: bytes that are read when they are asked for."""
        return Blobs(self._sources, self._lock)

    @property
    def results(self) -> Mapping[str, StoredResult]:
        """The results, by name, oldest first."""
        return dict(self._results)

    def read(self, digest: str) -> bytes:
        """Return the bytes of a picture. Raises `MissingBlob`, or `BadDocument` if damaged."""
        if digest not in self._sources:
            raise MissingBlob(
                f"The document does not hold the picture {digest[:12]}.",
                fix="Add the picture to the layer again.",
            )
        return self.blobs[digest]

    def missing(self) -> frozenset[str]:
        """Return the digests that the composition names and the document does not hold."""
        return self.composition.digests() - self._sources.keys()

    def add_picture(self, picture: str | os.PathLike[str] | bytes) -> str:
        """Add a picture, a file or its bytes, and return its digest.

        Raises `BadPicture`, `TooLarge`, and `StorageFull` when there is no room to put it aside.
        """
        if isinstance(picture, bytes | bytearray | memoryview):
            return self._add(io.BytesIO(picture), "The bytes given")
        try:
            with Path(picture).open("rb") as stream:
                return self._add(stream, os.fspath(picture))
        except OSError as error:
            raise BadPicture(
                f"{os.fspath(picture)} cannot be read: {error.strerror}.",
                fix="Check its name and permissions.",
            ) from error

    def add_result(
        self, png: bytes, receipt: dict[str, Any], name: str = "", at: int | None = None
    ) -> str:
        """Keep a result, the newest or number `at` of all, and return its name in the document."""
        with self._lock:
            wanted = name or f"{len(self._results) + 1:03d}"
            names = itertools.chain([wanted], (f"{wanted}-{n}" for n in itertools.count(2)))
            free = next(one for one in names if one not in self._results)
            if not RESULT.fullmatch(f"results/{free}.png"):
                raise InvalidField(
                    f"{name!r} cannot be the name of a result.",
                    fix="Use at most 100 letters, digits, spaces, dots and hyphens.",
                )
            _, source = self._spool.add(io.BytesIO(png))
            _, text = self._spool.add(io.BytesIO(msgspec.json.encode(receipt)))
            results = list(self._results.items())
            place = len(results) if at is None else at
            results.insert(place, (free, StoredResult(source, text, self._lock)))
            self._results = dict(results)
            return free

    def remove_result(self, name: str) -> None:
        """Drop a result; one that is not there is no error."""
        with self._lock:
            self._results.pop(name, None)

    def save(self, path: str | os.PathLike[str] | None = None) -> None:
        """Write the document to `path`, or to where it came from.

        Raises `StorageFull` when the disk is full or the folder cannot be written, and
        `BadDocument` when a picture in it is damaged; the old file is untouched then.
        """
        with self._lock:
            if path is None and self.path is None:
                raise InvalidField("The document has no file yet.", fix="Say where to save it.")
            with replacing(Path(path or self.path or ""), swap=self._replace) as stream:
                write_archive(stream, self._entries())

    def close(self) -> None:
        """Let go of the file; what was not saved is lost."""
        with self._lock:
            self._sources.clear()
            self._results.clear()
            self._spool.close()
            if self._archive is not None:
                self._archive.close()
                self._archive = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _add(self, stream: IO[bytes], name: str) -> str:
        check_kind(stream.read(HEAD), name)
        stream.seek(0)
        digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
        stream.seek(0)
        with self._lock:
            if digest not in self._sources:
                digest, source = self._spool.add(stream)
                self._sources[digest] = source
        return digest

    def _read(self, entries: dict[str, ArchiveEntry]) -> None:
        """Take over what an opened file holds, save the pictures that nothing in it names."""
        if COMPOSITION not in entries:
            raise BadDocument(
                f"{self.path} holds no {COMPOSITION}.", fix="Open a file that Standee saved."
            )
        try:
            self.composition = from_json(b"".join(entries[COMPOSITION].chunks()))
        except InvalidField as error:
            raise BadDocument(
                f"The composition in {self.path} is not valid: {error.message}",
                path=error.path,
                fix=error.fix,
            ) from error
        held = {
            found[1]: entry for name, entry in entries.items() if (found := BLOB.fullmatch(name))
        }
        named = self.composition.digests() & held.keys()
        for name, entry in entries.items():
            if (found := RESULT.fullmatch(name)) and found[2] == "png":
                text = entries.get(f"results/{found[1]}.json")
                result = self._results[found[1]] = StoredResult(entry, text, self._lock)
                named |= {digest for digest in result.digests() if digest in held}
        self._sources |= {digest: entry for digest, entry in held.items() if digest in named}

    def _entries(self) -> Iterator[tuple[str, bytes]]:
        """Yield all that is saved. A damaged picture that nothing names is left out for good."""
        yield COMPOSITION, to_json(validate(self.composition))
        for digest in list(self._sources):
            try:
                yield f"blobs/{digest}", self.blobs[digest]
            except BadDocument:
                if digest in self.composition.digests():
                    raise
                del self._sources[digest]
        for name, result in self._results.items():
            yield f"results/{name}.png", result.data
            yield f"results/{name}.json", result.text

    def _replace(self, part: Path, target: Path) -> None:
        """Put `part` in the place of `target` and read from it henceforth."""
        old = self._archive
        if os.name == "nt" and old is not None:  # Windows replaces no file that is open
            old.close()
        try:
            part.replace(target)
        except OSError:
            if os.name == "nt" and self.path is not None:
                self._read_from(self.path)
            raise
        self.path = target
        self._read_from(target)
        if old is not None:
            old.close()

    def _read_from(self, path: Path) -> None:
        self._archive, entries = open_archive(path)
        for digest in self._sources:
            self._sources[digest] = entries.get(f"blobs/{digest}", self._sources[digest])
        for name, result in self._results.items():
            result.source = entries.get(f"results/{name}.png", result.source)
            result.text_source = entries.get(f"results/{name}.json", result.text_source)
