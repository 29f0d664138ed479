"""Messages of the HTTP interface as types: what addresses say, and the bodies of answers."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from standee.composition import Digest
from standee.wire.events import Problem
from standee.wire.messages import JobId, JobInfo, ModelInfo, State
from standee.wire.notes import Note

from .job_feed import JobFeed


class Submission(Struct, frozen=True):
    """What the address of a job that is handed in says besides."""

    job: JobId | None = None
    priority: int = 0
    download: bool = False


class Submitted(Struct, frozen=True):
    """A job that the daemon holds now."""

    job: str


class StoredPicture(Struct, frozen=True):
    """A picture that the daemon holds now."""

    digest: Digest


class ResultInfo(Struct, frozen=True):
    """A finished picture, and where it is; `digest` names its bytes without the receipt."""

    index: int
    of: int
    seed: int
    width: int
    height: int
    digest: str
    picture: str
    notes: tuple[Note, ...] = ()


class JobView(Struct, frozen=True):
    """How a job stands. `part` says how far it is, 0..1, `eta` the seconds left, `seq` the last event."""

    job: str
    state: State
    seq: int
    position: int = 0
    attempt: int = 1
    stage: str = ""
    step: int = 0
    of: int = 0
    part: float = 0.0
    eta: float | None = None
    notes: tuple[Note, ...] = ()
    results: tuple[ResultInfo, ...] = ()
    error: Problem | None = None


class Jobs(Struct, frozen=True):
    """The jobs of the gateway's key, oldest first."""

    jobs: tuple[JobInfo, ...]


class Models(Struct, frozen=True):
    """The models that compositions may name."""

    models: tuple[ModelInfo, ...]


class Health(Struct, frozen=True):
    """Whether the daemon answers."""

    daemon: bool
    version: str


class Cancellation(Struct, frozen=True):
    """How a job is to be ended."""

    hard: bool = False
    release: bool = False


def view_of(feed: JobFeed) -> JobView:
    """Return how a job stands, for programs."""
    now = feed.status
    results = tuple(
        ResultInfo(
            one.index,
            one.of,
            one.seed,
            one.width,
            one.height,
            one.digest,
            f"/v1/jobs/{now.id}/results/{one.index}",
            one.notes,
        )
        for one in feed.results
    )
    state: Any = now.state if now.state not in ("preparing", "sending") else "queued"
    error = None if now.error is None else Problem.of(now.error)
    how_far = (now.position, now.attempt, now.stage, now.step, now.of, now.part, now.eta)
    return JobView(now.id, state, now.last_seq, *how_far, now.notes, results, error)
