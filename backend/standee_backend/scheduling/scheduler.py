"""The scheduler: jobs from the queue to the slots, their events to subscribers, and cancellation.

The store knows what is durable; here lives what is only sent: progress, previews, places in the
queue. Events of a job reach a subscriber in the order of their numbers.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec

from standee.errors import JobCancelled, JobFailed, StandeeError, StorageFull
from standee.wire import codec
from standee.wire.events import (
    PREPARING,
    AnyEvent,
    Event,
    Preview,
    Problem,
    Progress,
    Queued,
    Result,
    Started,
    ends,
)

from ..event_log import event
from ..storage.disk_thread import DiskThread
from ..storage.job import Job
from ..storage.job_store import STRIDE, JobStore
from .slots import Slot
from .worker_process import Free, WorkerDied

T = TypeVar("T")

log = logging.getLogger("standee.jobs")

AGAIN = 5.0
"""Seconds until what could not be stored is tried again: there may be room on the disk by then."""


class Subscriber(Protocol):
    """Somebody who hears of a job, such as a client's connection."""

    gone: bool
    """Whether nothing reaches them any more."""

    def send(self, message: msgspec.Struct, frames: codec.Frames | None = None) -> None:
        """Send a message, now or as soon as they take it; `frames` are its own, if it has them."""


@dataclass
class ActiveJob:
    """What is known of an unfinished job beyond the store."""

    job: str
    seq: int
    subscribers: set[Subscriber] = field(default_factory=set)
    progress: Progress | None = None
    preview: Preview | None = None
    position: int | None = None
    painting: float | None = None
    """Since when its pictures are painted, its model loaded; s of the monotonic clock."""


class Scheduler:
    """Serves the queue of a store with some slots."""

    def __init__(
        self,
        store: JobStore,
        disk: DiskThread,
        slots: Sequence[Slot],
        claim: Callable[[str], None] = lambda digest: None,
    ) -> None:
        """`claim` is told of each result's picture once its owner holds it."""
        self.slots, self._claim_picture = slots, claim
        self._store, self._disk = store, disk
        self._active: dict[int, ActiveJob] = {}
        self._news = [asyncio.Event() for _ in slots]
        self._turns = [asyncio.Lock() for _ in slots]
        self._running: dict[int, Slot] = {}

    @property
    def busy(self) -> bool:
        return bool(self._running)

    def wake(self) -> None:
        """There may be a job to claim."""
        for news in self._news:
            news.set()

    async def serve(self, index: int) -> None:
        """Claim and run jobs in one slot, for ever.

        Two of these share a slot: while the job of one is being finished, that of the other computes. If the worker
        dies of one of them, nobody can say of which; so a job that was tried before has the slot to itself.
        """
        slot, turn = self.slots[index], self._turns[index]
        while True:
            await turn.acquire()
            with ExitStack() as computing:
                computing.callback(turn.release)
                job, started = await self._claim(index)
                event(log, "job.started", job=job.id, attempt=job.attempts, slot=slot.info().name)
                self._running[job.key] = slot
                self._publish(job.key, started)
                events = await self._run(slot, job, _never if job.retried else computing.close)
                del self._running[job.key]
                self._news[index].set()
                for happened in events:
                    self._publish(job.key, happened)
                await self.announce()

    async def _claim(self, index: int) -> tuple[Job, Started]:
        """Wait for a job that the slot may have now."""
        slot, news = self.slots[index], self._news[index]
        while True:
            news.clear()
            beside = slot in self._running.values()
            claimed = await self._stored(self._store.claim, beside=beside)
            if claimed is not None:
                return claimed
            await news.wait()

    async def stop(self) -> None:
        """End the workers and put back what they were at."""
        for slot in self.slots:
            await slot.stop()
        with suppress(StorageFull):  # then the next daemon finds them running, and puts them back
            await self._disk(self._store.recover, polite=True)

    async def _stored(self, change: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Make a change that must be made, as soon as the disk takes it."""
        while True:
            try:
                return await self._disk(change, *args, **kwargs)
            except StorageFull as error:
                event(log, "store.full", level=logging.WARNING, error=error.message[:200])
                await asyncio.sleep(AGAIN)

    # -- for clients -----------------------------------------------------------------------------

    def subscribe(self, peer: Subscriber, job: Job, since: int = 0) -> None:
        """Send a peer a job's events to come; it has the past ones up to number `since`."""
        if job.over:
            return
        active = self._active_job(job.key, job.id, job.seq)
        for last in (active.progress, active.preview):
            if last is not None and last.seq > since:
                peer.send(last)
        if not peer.gone:
            active.subscribers.add(peer)
            active.position = None  # what is stored of it may be old: `announce` tells it anew

    def forget(self, peer: Subscriber) -> None:
        """Send a peer nothing more."""
        for key, active in list(self._active.items()):
            active.subscribers.discard(peer)
            if not active.subscribers and key not in self._running:
                del self._active[key]

    async def cancel(self, owner: str, job_id: str, hard: bool) -> Job:
        """Stop a job. Raises `UnknownJob`."""
        job, cancelled = await self._disk(self._store.cancel, owner, job_id)
        event(log, "job.cancel", job=job_id, hard=hard, state=job.state)
        if cancelled is not None:
            self._publish(job.key, cancelled)
            await self.announce()
        elif slot := self._running.get(job.key):
            slot.cancel(job.key, hard)
        return job

    async def cancel_all(self, owner: str) -> None:
        """Stop all jobs of an owner."""
        for job_id in await self._disk(self._store.unfinished, owner):
            with suppress(StandeeError):
                await self.cancel(owner, job_id, hard=False)

    async def announce(self) -> None:
        """Tell those who wait how many are before them now."""
        if not any(active.subscribers for active in self._active.values()):
            return
        waiting = await self._disk(self._store.waiting)
        for place, (key, _) in enumerate(waiting, start=len(self._running)):
            active = self._active.get(key)
            if active is not None and active.position != place and key not in self._running:
                active.position = place
                self._publish(key, Queued(job=active.job, seq=self._next(active), position=place))

    # -- one job ---------------------------------------------------------------------------------

    async def _run(self, slot: Slot, job: Job, free: Free) -> Sequence[AnyEvent]:
        """Run a job, store how it ended and return the events of that."""
        store, started = self._stored, time.monotonic()
        ended: Sequence[AnyEvent]
        try:
            made = await slot.run(job, partial(self._report, job.key, job.id), free)
            ended = await store(self._store.finish, job.key, made, self._seconds_each(job, made))
            for result in made:
                await self._disk(self._claim_picture, result.digest)
        except JobCancelled:
            ended = [await store(self._store.cancelled, job.key)]
        except WorkerDied as death:
            crashed = str(death) if death.blamed else ""
            ended = [await store(self._store.put_back, job.key, crashed=crashed)]
        except StandeeError as error:
            ended = [await store(self._store.fail, job.key, Problem.of(error))]
        except Exception as error:
            log.exception("job.broken")
            problem = Problem.of(JobFailed(f"The daemon failed: {error}.", fix="See its log."))
            ended = [await store(self._store.fail, job.key, problem)]
        said = msgspec.to_builtins(ended[-1])
        why = {"error": said["error"]["message"]} if "error" in said else {}
        seconds = round(time.monotonic() - started, 3)
        event(log, f"job.{said['type']}", job=job.id, seconds=seconds, **why)
        return ended

    def _seconds_each(self, job: Job, made: Sequence[Result]) -> float | None:
        """Return how long each of a job's pictures took, its model loaded; `None` where that was not told."""
        active = self._active.get(job.key)
        if active is None or active.painting is None:
            return None
        return (time.monotonic() - active.painting) / len(made)

    def _report(self, key: int, job: str, happened: Progress | Preview) -> None:
        active = self._active[key]
        happened = msgspec.structs.replace(happened, job=job, seq=self._next(active))
        if active.seq % STRIDE == STRIDE - 1:
            # What is durable from here on is numbered above what was sent, after a crash too.
            self._disk.soon(self._store.reserve, key, active.seq + 1)
        if isinstance(happened, Preview):
            active.preview = happened
        else:
            active.progress = happened
            if happened.stage in PREPARING:
                active.painting = None
            elif active.painting is None:
                active.painting = time.monotonic()
        self._publish(key, happened)

    def _publish(self, key: int, happened: Event) -> None:
        active = self._active_job(key, happened.job, happened.seq)
        active.seq = max(active.seq, happened.seq)
        if isinstance(happened, Queued):
            active.progress = active.preview = active.painting = None
            active.position = happened.position
        frames = codec.encode(happened) if active.subscribers else None
        for peer in list(active.subscribers):  # sending may find that a peer has left: `forget`
            peer.send(happened, frames)
        if ends(happened):
            self._active.pop(key, None)

    def _active_job(self, key: int, job: str, seq: int) -> ActiveJob:
        return self._active.setdefault(key, ActiveJob(job, seq))

    def _next(self, active: ActiveJob) -> int:
        active.seq += 1
        return active.seq


def _never() -> None:
    """Let no job come beside this one."""
