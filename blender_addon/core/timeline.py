"""Timeline arithmetic: the prompt at a frame, the frames of a range, their file names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence


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


def runs(numbers: Sequence[int], step: int = 1) -> list[list[int]]:
    """Return frames in the runs that one strip can hold: one after the other, each for one frame."""
    out: list[list[int]] = []
    for one in numbers:
        if step == 1 and out and out[-1][-1] == one - 1:
            out[-1].append(one)
        else:
            out.append([one])
    return out


def spelled_out(numbers: Sequence[int]) -> str:
    """Return frames in words, in their order: 1-3, 7."""
    return ", ".join(
        str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs(numbers)
    )


def picture_name(frame: int) -> str:
    """Return the file name of a frame's picture, as Blender's sequencer expects it."""
    return f"{frame:04d}.png"


def fingerprint(spec: bytes) -> str:
    """Return what tells one frame's composition from another's."""
    return hashlib.sha256(spec).hexdigest()
