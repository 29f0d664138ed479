"""Job events as types: from `queued` to results, failure or cancellation.

Durable events (`queued`, `started`, `result`, `failed`, `cancelled`) are replayed to whoever attaches
later; of `progress` and `preview` only the last. On the wire they are messages like all others.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from ..errors import StandeeError
from .notes import Note

STAGES = {
    "downloading": "Downloading the model",
    "checking": "Checking the download",
    "fitting": "Looking at the memory",
    "loading": "Loading the model",
    "words": "Reading the words",
    "reading": "Reading subject",
    "denoising": "Composing",
    "finishing": "Finishing",
    "cutout": "Cutting out",
}
"""What a job does at each stage of its progress, for a person."""


PREPARING = ("downloading", "checking", "fitting", "loading")
"""Those that the next job with the same model is spared."""


class Problem(Struct, frozen=True):
    """An error as messages carry it; see `errors.StandeeError` for the fields."""

    code: str
    message: str
    fix: str = ""
    path: str = ""
    retryable: bool = False
    retry_after: float | None = None

    @staticmethod
    def of(error: StandeeError) -> Problem:
        """Describe `error`."""
        return Problem(**error.to_wire())

    def exception(self) -> StandeeError:
        """Return the error to raise."""
        return StandeeError.from_wire(
            {name: getattr(self, name) for name in self.__struct_fields__}
        )


class Event(Struct, frozen=True, kw_only=True, tag_field="type"):
    """What happened to a job. `seq` grows with each event of the job, over restarts too.

    A worker tells its daemon the same events; `job` and `seq` are the daemon's to fill in.
    """

    job: str = ""
    seq: int = 0


class Queued(Event, frozen=True, kw_only=True, tag="queued"):
    """The job waits; `position` counts the jobs before it."""

    position: int = 0


class Started(Event, frozen=True, kw_only=True, tag="started"):
    """A worker took the job. `attempt` is more than 1 after a restart or a crash."""

    attempt: int = 1


class Progress(Event, frozen=True, kw_only=True, tag="progress"):
    """Step `step` of `of` of a stage is done; `eta` is in seconds.

    `notes` are all that the job has said of itself by now, such as how it is fitted into the memory.
    """

    stage: str = ""
    step: int = 0
    of: int = 0
    eta: float | None = None
    notes: tuple[Note, ...] = ()


class Preview(Event, frozen=True, kw_only=True, tag="preview"):
    """The picture as it looks after `step`: a small JPEG or PNG."""

    step: int = 0
    data: bytes = b""


class Result(Event, frozen=True, kw_only=True, tag="result"):
    """Picture `index` of `of`, counted from 0; the last one ends the job.

    The wire carries the digest and `size` of the PNG only; clients pull its bytes into `data`.
    """

    index: int = 0
    of: int = 1
    seed: int = 0
    digest: str = ""
    size: int = 0
    width: int = 0
    height: int = 0
    receipt: dict[str, Any] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    data: bytes = b""


class Failed(Event, frozen=True, kw_only=True, tag="failed"):
    """The job ended without a picture."""

    error: Problem


class Cancelled(Event, frozen=True, kw_only=True, tag="cancelled"):
    """The job was cancelled."""


AnyEvent = Queued | Started | Progress | Preview | Result | Failed | Cancelled


def ends(event: Event) -> bool:
    """Return whether no event of the job follows this one."""
    if isinstance(event, Result):
        return event.index + 1 >= event.of
    return isinstance(event, Failed | Cancelled)
