"""A worker as its daemon tells of it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class WorkerInfo(Struct, frozen=True):
    """A child process that computes. Memory is in bytes, of the device it computes on.

    In a cluster it is on machine `node`. It is `lost` while that does not answer, and `refused` where it cannot be
    used; `why` says what is the matter.
    """

    name: str
    state: Literal["stopped", "starting", "idle", "busy", "lost", "refused"]
    pid: int | None = None
    device: str = ""
    job: str | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    node: str = ""
    why: str = ""
