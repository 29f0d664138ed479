"""Frame ledger: which frames of a range are made, and of what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from standee.files import write_atomically

from .timeline import picture_name

LEDGER = "standee-range.json"
"""The file in a range's folder that says which composition each frame was made of."""


@dataclass
class FrameLedger:
    """Which frames of a folder are done, and of what; so that a range goes on where it stopped."""

    folder: Path
    made: dict[int, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> FrameLedger:
        """Read a folder's ledger; a missing or damaged one means that nothing is done."""
        try:
            data: Any = json.loads((folder / LEDGER).read_text(encoding="utf-8"))
            made = {int(frame): str(of) for frame, of in data["frames"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            made = {}
        return cls(folder, made)

    def done(self, frame: int, of: str) -> bool:
        """Whether the picture of `frame` is there and was made of the same composition."""
        return self.made.get(frame) == of and (self.folder / picture_name(frame)).is_file()

    def add(self, frame: int, of: str, png: bytes) -> Path:
        """Keep a frame's picture; it is whole or not there, whenever Blender stops."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / picture_name(frame)
        write_atomically(path, png)
        self._note(frame, of)
        return path

    def adopt(self, frame: int, of: str, picture: Path) -> None:
        """Keep a copy of a picture that is there already, as that of `frame`."""
        self.add(frame, of, picture.read_bytes())

    def made_of(self, of: str) -> Path | None:
        """Return a picture that was made of this composition, for whatever frame."""
        found = (frame for frame in self.made if self.done(frame, of))
        return next((self.folder / picture_name(frame) for frame in found), None)

    def _note(self, frame: int, of: str) -> None:
        # A job of an earlier start may have added a frame meanwhile.
        self.made = FrameLedger.read(self.folder).made | {frame: of}
        text = json.dumps({"frames": {str(key): self.made[key] for key in sorted(self.made)}})
        write_atomically(self.folder / LEDGER, text.encode())

    def missing(self, wanted: Sequence[tuple[int, str]]) -> list[int]:
        """Return those of the (frame, fingerprint) pairs that have to be made."""
        return [frame for frame, of in wanted if not self.done(frame, of)]
