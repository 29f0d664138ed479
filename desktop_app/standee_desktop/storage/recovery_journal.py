"""Recovery journal: unsaved work on the disk, so that a crash costs a second or two. No Qt.

Each editor has a folder of its own, a *journal*, and holds a lock in it as long as it lives:

    recovery/<id>/lock
    recovery/<id>/state.json        the composition, the file it belongs to, unfinished jobs
    recovery/<id>/blobs/<sha256>    pictures that the file does not hold
    recovery/<id>/results/<name>.png, .json

A journal whose lock is free was left behind. Pictures are written once; a change writes `state.json`
only, so autosaving costs the same however large the document is.
"""

from __future__ import annotations

import os
import re
import shutil
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import msgspec

from standee.composition import Composition, validate
from standee.document.blobs import StoredResult
from standee.document.document import Document
from standee.errors import BadDocument, MissingBlob, StandeeError
from standee.files import not_saved

from .paths import write_whole

STATE = "state.json"


@dataclass(frozen=True)
class Snapshot:
    """All that an editor would lose. `jobs` are those whose results are not in the document yet."""

    composition: Composition
    path: Path | None = None
    jobs: tuple[dict[str, Any], ...] = ()
    results: Mapping[str, StoredResult] = field(default_factory=dict)


@dataclass(frozen=True)
class UnsavedWork:
    """Work that an editor left behind when it ended without saving it."""

    folder: Path
    composition: Composition
    path: Path | None
    when: float
    jobs: tuple[dict[str, Any], ...]
    results: tuple[str, ...]

    @property
    def name(self) -> str:
        """What to call it."""
        return self.path.stem if self.path is not None else ""


class Journal:
    """The journal of this editor. Its methods are called from one worker thread."""

    def __init__(self, recovery: Path) -> None:
        self.folder = recovery / uuid.uuid4().hex
        self._lock: IO[bytes] | None = None
        self._blobs: set[str] = set()
        self._results: set[str] = set()
        self._last: bytes = b""

    def write(
        self,
        snapshot: Snapshot,
        read: Callable[[str], bytes],
        held: frozenset[str] = frozenset(),
        held_results: frozenset[str] = frozenset(),
    ) -> None:
        """Write what changed. `held` are the pictures and results that the file at `path` holds.

        `read` gives a picture's bytes. Raises `StorageFull`. Pictures that the document itself
        lacks are left out.
        """
        self._open()
        digests = set(snapshot.composition.digests())
        for result in snapshot.results.values():
            digests.update(result.digests())
        for digest in digests - held - self._blobs:
            with suppress(MissingBlob, BadDocument):
                write_whole(self.folder / "blobs" / digest, read(digest))
                self._blobs.add(digest)
        for name in snapshot.results.keys() - held_results - self._results:
            result = snapshot.results[name]
            folder = self.folder / "results"
            write_whole(folder / f"{name}.png", result.data)
            write_whole(folder / f"{name}.json", result.text)
            self._results.add(name)
        state = {
            "composition": msgspec.to_builtins(snapshot.composition),
            "path": str(snapshot.path) if snapshot.path else None,
            "jobs": list(snapshot.jobs),
            "results": list(snapshot.results),
        }
        text = msgspec.json.encode(state)
        if text != self._last:
            write_whole(self.folder / STATE, msgspec.json.encode(state | {"when": time.time()}))
            self._last = text

    def clear(self) -> None:
        """Nothing is unsaved any more."""
        self._blobs.clear()
        self._results.clear()
        self._last = b""
        for name in (STATE, "blobs", "results"):
            path = self.folder / name
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def leave(self) -> None:
        """The editor ends, and leaves what is in the journal to the next one."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def close(self) -> None:
        """The editor ends in peace: nothing is left behind."""
        self.clear()
        self.leave()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _open(self) -> None:
        if self._lock is None:
            try:
                self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._lock = (self.folder / "lock").open("wb")
            except OSError as error:
                raise not_saved(self.folder / STATE, error) from error
            _locked(self._lock)


def left_behind(recovery: Path) -> list[UnsavedWork]:
    """Return the work that editors which live no more left in `recovery`, newest first."""
    found = []
    for folder in recovery.glob("*") if recovery.is_dir() else ():
        if not _abandoned(folder):
            continue
        left = _read_state(folder)
        if left is None:
            discard(folder)
        else:
            found.append(left)
    return sorted(found, key=lambda left: left.when, reverse=True)


def rebuild_document(left: UnsavedWork) -> Document:
    """Rebuild a document from what was left behind. Pictures that are gone stay missing."""
    document = Document()
    if left.path is not None and left.path.exists():
        with suppress(BadDocument):
            document = Document.open(left.path)
    document.path = left.path
    document.composition = left.composition
    for path in sorted((left.folder / "blobs").glob("*")):
        with suppress(StandeeError):
            if re.fullmatch(r"[0-9a-f]{64}", path.name):
                document.add_picture(path)
    for name in left.results:
        if name in document.results:
            continue
        with suppress(OSError, StandeeError, msgspec.DecodeError):
            png = (left.folder / "results" / f"{name}.png").read_bytes()
            text = (left.folder / "results" / f"{name}.json").read_bytes()
            document.add_result(png, msgspec.json.decode(text, type=dict[str, Any]), name)
    for name in document.results.keys() - set(left.results):
        document.remove_result(name)
    return document


def discard(folder: Path) -> None:
    """Drop what was left behind."""
    shutil.rmtree(folder, ignore_errors=True)


def _read_state(folder: Path) -> UnsavedWork | None:
    try:
        data = msgspec.json.decode((folder / STATE).read_bytes(), type=dict[str, Any])
        composition = validate(data["composition"])
        path = data.get("path")
        return UnsavedWork(
            folder,
            composition,
            Path(path) if path else None,
            float(data.get("when", 0.0)),
            tuple(job for job in data.get("jobs", ()) if isinstance(job, dict)),
            tuple(name for name in data.get("results", ()) if isinstance(name, str)),
        )
    except (OSError, StandeeError, msgspec.DecodeError, KeyError, TypeError, ValueError):
        return None


def _abandoned(folder: Path) -> bool:
    """Return whether the editor of a journal is gone: then its lock is free."""
    try:
        with (folder / "lock").open("r+b") as lock:
            return _locked(lock)
    except FileNotFoundError:
        return folder.is_dir()
    except OSError:
        return False


def _locked(file: IO[bytes]) -> bool:
    """Take the lock of an open file until it is closed; return whether it was free."""
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
