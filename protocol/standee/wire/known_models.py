"""Known models: models of the hub, what each takes on the daemon's machine, and how its download goes."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from .events import Problem

Whereabouts = Literal["bundled", "here", "downloading", "absent"]


class KnownModel(Struct, frozen=True):
    """A model that has a name, on the machine or not. Bytes.

    `fits` says whether the machine can carry it, as far as that is known; `preset` then how it would be loaded (see
    `notes.preset_text`), `need` its peak and `room` the device memory that may be used. Where it does not fit,
    `reason` says why. `weights` are all of its weights in 16 bits. `done` of `size` is how far a download is;
    `error` says why the last one ended without the model. `seconds` is how long its last picture took on this machine,
    once it was loaded; `None` before the first one.
    """

    name: str
    description: str = ""
    licence: str = ""
    repository: str = ""
    state: Whereabouts = "absent"
    fits: bool | None = None
    weights: int | None = None
    preset: dict[str, str] = field(default_factory=dict)
    need: int | None = None
    room: int | None = None
    reason: str = ""
    done: int = 0
    size: int = 0
    error: Problem | None = None
    seconds: float | None = None
