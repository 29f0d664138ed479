"""A slot on another machine, as the daemon sees it: the same worker, reached through the bridge."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from standee.wire.events import Result
from standee.wire.worker_info import WorkerInfo

from ..scheduling.worker_process import Free, Report, Worker, WorkerDied
from ..storage.job import Job
from ..worker.pipe import Cancel, Message, Ready, Run
from .messages import KillWorker, ToSlot


class FarWorker(Worker):
    """The worker of one slot, from the slot's coming to its loss."""

    def __init__(self, name: str, number: int, say: Callable[[Message], None]) -> None:
        super().__init__(name)
        self._number, self._say = number, say

    @property
    def alive(self) -> bool:
        return True

    @property
    def pid(self) -> int | None:
        return None

    def send(self, message: Run | Cancel) -> None:
        """Say something to it, through the bridge."""
        self._say(ToSlot(self._number, message))

    def kill(self) -> None:
        """End it and whatever it has started, at once."""
        self._say(KillWorker(self._number))

    def ended(self, how: str, *, lost: bool = False) -> None:
        """Take in that its process has ended; the next job starts another one there."""
        super().ended(how, lost=lost)
        self.ready, self._killed = None, False


class ClusterSlot:
    """A slot by its name, on a machine that may go and come back."""

    def __init__(self, name: str, node: str) -> None:
        self.name, self.node = name, node
        self.lost_at: float | None = None
        self.why = ""
        self._worker: FarWorker | None = None
        self._here = False

    @property
    def open(self) -> bool:
        """Whether its machine answers."""
        return self._here

    def warm(self) -> None:
        """The bridge has workers started as their machines come."""

    async def run(self, job: Job, report: Report, free: Free) -> list[Result]:
        """Compute a job; see `Slot`."""
        if self._worker is None or not self._here:
            raise WorkerDied(f"{self.node} is not there", blamed=False)
        return await self._worker.compute(job, report, free)

    def cancel(self, key: int, hard: bool) -> bool:
        """Stop a job if it runs here; see `Slot`."""
        return self._worker is not None and self._worker.cancel(key, hard)

    def info(self) -> WorkerInfo:
        """Return the state of the slot, and of its machine."""
        worker = self._worker
        info = WorkerInfo(name=self.name, state="starting", node=self.node, why=self.why)
        if self.lost_at is not None:
            return msgspec.structs.replace(info, state="lost")
        if self.why:
            return msgspec.structs.replace(info, state="refused")
        if worker is None or not self._here:
            return info
        job, ready = worker.job, worker.ready or Ready()
        return msgspec.structs.replace(
            info,
            state="busy" if job else "idle" if worker.ready else "stopped",
            device=ready.device,
            job=job.id if job else None,
            memory_used=ready.memory_used,
            memory_total=ready.memory_total,
        )

    async def stop(self) -> None:
        """Its worker ends with the bridge."""

    # -- what the bridge tells -------------------------------------------------------------------

    def come(self, worker: FarWorker) -> None:
        """It is being made, anew perhaps."""
        self._worker, self._here = worker, False

    def here(self) -> None:
        """It takes jobs."""
        self._here, self.why, self.lost_at = True, "", None

    def refuse(self, why: str) -> None:
        """It cannot be used."""
        self.why = why

    def lose(self, why: str, now: float) -> None:
        """Its machine is gone, and no job is to be blamed for that."""
        was_here, self._here = self._here, False
        self.why, self.lost_at = why, now
        if self._worker is not None and was_here:
            self._worker.ended(why, lost=True)
