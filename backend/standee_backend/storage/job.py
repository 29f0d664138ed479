"""A job as the table of jobs has it."""

from __future__ import annotations

from msgspec import Struct

from standee.wire.messages import State


class Job(Struct, frozen=True):
    """One row of the table of jobs. `key` is a number that no other job gets, not even a later one.

    `spec` is JSON, and so is `model`: what the model that it names was when it was handed in.
    """

    key: int
    owner: str
    id: str
    kind: str
    spec: bytes
    summary: str
    priority: int
    state: State
    created: float
    finished: float | None
    attempts: int
    crashes: int
    cancelling: int
    seq: int
    model: bytes = b""

    @property
    def over(self) -> bool:
        return self.state in ("done", "failed", "cancelled")

    @property
    def retried(self) -> bool:
        """Whether it was tried before, so that it has its worker to itself."""
        return self.attempts > 1
