"""Timeline: which prompt holds at a frame, and which frames a range has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping


def prompt_at(frame: int, base: str, markers: Mapping[str, int], prompts: Mapping[str, str]) -> str:
    """Return the prompt at a frame: that of the last marker before it, else `base`.

    `markers` are the timeline's, name to frame; `prompts` the words of some of them. Words whose
    marker is gone have no effect.
    """
    past = [(at, name) for name, at in markers.items() if at <= frame and name in prompts]
    return prompts[max(past)[1]] if past else base


def frames(start: int, end: int, step: int = 1) -> list[int]:
    """Return the frames from `start` to `end`, both included."""
    return list(range(start, end + 1, max(1, step)))


def picture_name(frame: int) -> str:
    """Return the file name of a frame's picture, as Blender's sequencer expects it."""
    return f"{frame:04d}.png"


def fingerprint(spec: bytes) -> str:
    """Return what tells one frame's composition from another's."""
    return hashlib.sha256(spec).hexdigest()


@dataclass
class Ledger:
    """Which frames of a folder are done, and of what; so that a range goes on where it stopped."""

    folder: Path
    made: dict[int, str] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> Ledger:
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
        _write(path, png)
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
        self.made = Ledger.read(self.folder).made | {frame: of}
        text = json.dumps({"frames": {str(key): self.made[key] for key in sorted(self.made)}})
        _write(self.folder / LEDGER, text.encode())

    def missing(self, wanted: Sequence[tuple[int, str]]) -> list[int]:
        """Return those of the (frame, fingerprint) pairs that have to be made."""
        return [frame for frame, of in wanted if not self.done(frame, of)]


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(data)
    part.replace(path)
