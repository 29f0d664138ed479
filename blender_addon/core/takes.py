"""Takes of a frame range: numbered output folders, in which nothing is overwritten.

A range that goes on with unchanged frames goes on in the newest take. If a frame that is there would
be another picture now, a new take begins, and the frames that are still the same are copied into it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from .frame_ledger import FrameLedger
from .timeline import picture_name

NAME = re.compile(r"take_(\d{3,})")


def takes(folder: Path) -> list[Path]:
    """Return the takes in a range's folder, oldest first."""
    if not folder.is_dir():
        return []
    found = [
        (int(match[1]), path) for path in folder.iterdir() if (match := NAME.fullmatch(path.name))
    ]
    return [path for _, path in sorted(found)]


def newest(folder: Path) -> Path | None:
    """Return the newest take; `None` if there is none."""
    return takes(folder)[-1] if takes(folder) else None


def take_for(folder: Path, wanted: Mapping[int, str]) -> FrameLedger:
    """Return the ledger of the take to go on in, a new one if a picture would be overwritten.

    `wanted` are the fingerprints by frame. Raises `OSError` and `StorageFull`.
    """
    last = newest(folder)
    if last is None:
        return _begun(folder / "take_001")
    ledger = FrameLedger.read(last)
    changed = [
        frame
        for frame, of in wanted.items()
        if (last / picture_name(frame)).exists() and not ledger.done(frame, of)
    ]
    if not changed:
        return ledger
    number = int(NAME.fullmatch(last.name)[1]) + 1  # type: ignore[index]
    begun = _begun(folder / f"take_{number:03d}")
    for frame, of in wanted.items():
        if ledger.done(frame, of):
            begun.adopt(frame, of, last / picture_name(frame))
    return begun


def probe(folder: Path) -> None:
    """Raise `OSError` unless pictures can be written into a folder, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / ".standee-probe"
    try:
        file.write_bytes(bytes(65536))
    finally:
        if file.exists():
            file.unlink()


def _begun(folder: Path) -> FrameLedger:
    folder.mkdir(parents=True, exist_ok=True)
    return FrameLedger(folder)
