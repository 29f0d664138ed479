"""Subject library: a folder of pictures with their cut-outs, kept across scenes. No Qt.

    library/<sha256>            the picture, as the document holds it
    library/<sha256>.json       its name and the digest of its mask
    library/<sha256 of mask>    the mask

Reading and writing happen in worker threads.
"""

from __future__ import annotations

import re
import time
from contextlib import suppress
from pathlib import Path

import msgspec
from msgspec import Struct

from standee.errors import MissingBlob
from standee.images import digest_of

from .paths import write_whole


class Subject(Struct, frozen=True):
    """A picture of somebody or something, with its cut-out. Digests name the bytes."""

    picture: str
    name: str = ""
    mask: str | None = None
    prompt: str = ""
    added: float = 0.0


class Library:
    """The subjects in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def subjects(self) -> list[Subject]:
        """Return all subjects, newest first; what cannot be read is left out."""
        found = []
        for path in self.folder.glob("*.json") if self.folder.is_dir() else ():
            with suppress(OSError, msgspec.DecodeError):
                subject = msgspec.json.decode(path.read_bytes(), type=Subject)
                if re.fullmatch(r"[0-9a-f]{64}", subject.picture) and self._has(subject):
                    found.append(subject)
        return sorted(found, key=lambda subject: subject.added, reverse=True)

    def add(
        self, picture: bytes, mask: bytes | None = None, name: str = "", prompt: str = ""
    ) -> Subject:
        """Keep a subject; one with the same picture is replaced. Raises `StorageFull`."""
        digest = self._put(picture)
        mask_digest = self._put(mask) if mask is not None else None
        subject = Subject(digest, name, mask_digest, prompt, time.time())
        write_whole(self.folder / f"{digest}.json", msgspec.json.encode(subject))
        return subject

    def rename(self, picture: str, name: str) -> None:
        """Call a subject otherwise; one that is not there is no error. Raises `StorageFull`."""
        for subject in self.subjects():
            if subject.picture == picture:
                renamed = msgspec.structs.replace(subject, name=name)
                write_whole(self.folder / f"{picture}.json", msgspec.json.encode(renamed))

    def remove(self, picture: str) -> None:
        """Drop a subject; one that is not there is no error."""
        subject = next((one for one in self.subjects() if one.picture == picture), None)
        (self.folder / f"{picture}.json").unlink(missing_ok=True)
        used = {digest for one in self.subjects() for digest in (one.picture, one.mask)}
        for digest in {picture, subject.mask if subject else None} - used - {None}:
            (self.folder / str(digest)).unlink(missing_ok=True)

    def read(self, digest: str) -> bytes:
        """Return the bytes of a picture or mask. Raises `MissingBlob`."""
        try:
            data = (self.folder / digest).read_bytes()
        except OSError:
            data = b""
        if digest_of(data) != digest:
            raise MissingBlob(
                f"The library has lost the picture {digest[:12]}.", fix="Add the subject again."
            )
        return data

    def _has(self, subject: Subject) -> bool:
        named = [subject.picture] + ([subject.mask] if subject.mask else [])
        return all((self.folder / digest).is_file() for digest in named)

    def _put(self, data: bytes) -> str:
        digest = digest_of(data)
        if not (self.folder / digest).is_file():
            write_whole(self.folder / digest, data)
        return digest
