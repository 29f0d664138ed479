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
from .placement import LOOK_AHEAD, Held, Needs, Placement
from .slots import Slot
from .spread import Spread
from .worker_process import Free, NotHere, WorkerDied

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


@dataclass(eq=False)
class Seat:
    """A slot as the scheduler sees it: whose turn it is there, what it holds, and whether it is going.

    `waiting`: it is open and has nothing to compute. `left`: it has just left a job to a slot that suits it better.
    """

    slot: Slot
    news: asyncio.Event = field(default_factory=asyncio.Event)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    held: Held = field(default_factory=Held)
    waiting: bool = False
    left: bool = False
    going: bool = False


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
        self._claim_picture = claim
        self._store, self._disk = store, disk
        self._active: dict[int, ActiveJob] = {}
        self._seats = {id(slot): Seat(slot) for slot in slots}
        self._placement = Placement()
        self._running: dict[int, Slot] = {}
        self._spreads: dict[int, Spread] = {}

    @property
    def busy(self) -> bool:
        return bool(self._running)

    @property
    def slots(self) -> list[Slot]:
        return [seat.slot for seat in self._seats.values()]

    def wake(self) -> None:
        """There may be a job to claim."""
        for seat in self._seats.values():
            seat.news.set()

    def add(self, slot: Slot) -> None:
        """Have one more slot to `serve`."""
        self._seats[id(slot)] = Seat(slot)

    def remove(self, slot: Slot) -> None:
        """Give a slot no more jobs; what serves it ends."""
        seat = self._seats.pop(id(slot))
        seat.going = True
        seat.news.set()

    async def serve(self, slot: Slot) -> None:
        """Claim and run jobs in one slot, until it is removed.

        Two of these share a slot: while the job of one is being finished, that of the other computes. If the worker
        dies of one of them, nobody can say of which; so a job that was tried before has the slot to itself.
        """
        seat = self._seats[id(slot)]
        while True:
            await seat.turn.acquire()
            with ExitStack() as computing:
                computing.callback(seat.turn.release)
                claimed = await self._claim(seat)
                if claimed is None:
                    return
                if isinstance(claimed, Spread):
                    await self._help(seat, claimed)
                    continue
                job, started = claimed
                event(log, "job.started", job=job.id, attempt=job.attempts, slot=slot.info().name)
                self._running[job.key] = slot
                self._publish(job.key, started)
                events = await self._run(seat, job, _never if job.retried else computing.close)
                del self._running[job.key]
                seat.news.set()
                for happened in events:
                    self._publish(job.key, happened)
                await self.announce()

    async def _claim(self, seat: Seat) -> tuple[Job, Started] | Spread | None:
        """Wait for a job that the slot may have now, or one to help with; `None` once it is going."""
        while not seat.going:
            seat.news.clear()
            if seat.slot.open:
                seat.waiting = True
                try:
                    claimed = await self._stored(self._claim_for, seat)
                finally:
                    seat.waiting = False
                self._wake_others(seat, claimed is not None)
                if claimed is not None:
                    return claimed
                for spread in self._spreads.values():
                    if spread.wants(seat.slot) and spread.job.key not in seat.held.lacks:
                        return spread
            await self._woken(seat)
        return None

    def _wake_others(self, seat: Seat, claimed: bool) -> None:
        """Wake those that a slot has left a job to, and those that left one to it, which has another now."""
        for other in self._seats.values():
            if other is not seat and other.waiting and (seat.left or (claimed and other.left)):
                other.news.set()

    async def _woken(self, seat: Seat) -> None:
        seat.waiting = seat.slot.open
        try:
            await seat.news.wait()
        finally:
            seat.waiting = False

    def _claim_for(self, seat: Seat) -> tuple[Job, Started] | None:
        """In the store's thread: take the job that suits a slot best."""
        others = [other for other in list(self._seats.values()) if other is not seat]
        free = [other.held for other in others if other.waiting]
        busy = [other.held for other in others if not other.waiting and other.slot.open]
        helping = [slot for spread in list(self._spreads.values()) for slot in spread.slots]
        beside = seat.slot in [*self._running.values(), *helping]

        def choose(line: list[Job]) -> Job | None:
            job, seat.left = self._placement.choose(line, seat.held, free, busy)
            return job

        seat.left = False
        claimed = self._store.claim(beside=beside, choose=choose, look_ahead=LOOK_AHEAD)
        if claimed is not None:
            seat.held.take(self._placement.needs(claimed[0]))
        return claimed

    async def stop(self) -> None:
        """End the workers and put back what they were at."""
        await asyncio.gather(*(slot.stop() for slot in self.slots))
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

    def leave(self, peer: Subscriber, job_id: str) -> None:
        """Send a peer nothing more of a job until it is subscribed anew."""
        for active in self._active.values():
            if active.job == job_id:
                active.subscribers.discard(peer)

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
        elif spread := self._spreads.get(job.key):
            spread.end(JobCancelled("The job was cancelled."), hard)
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

    async def _run(self, seat: Seat, job: Job, free: Free) -> Sequence[AnyEvent]:
        """Run a job, store how it ended and return the events of that."""
        store, started = self._stored, time.monotonic()
        ended: Sequence[AnyEvent]
        report = partial(self._report, job.key, job.id)
        alone = len(self._seats) < 2 or job.retried
        spread = None if alone else Spread.of(job, report)
        try:
            if spread:
                self._spreads[job.key] = spread
                self.wake()  # those with nothing to do help
                made = await spread.run(seat.slot, free)
            else:
                made = await seat.slot.run(job, report, free)
            each = None if spread and spread.shared else self._seconds_each(job, made)
            ended = await store(self._store.finish, job.key, made, each)
            for result in made:
                await self._disk(self._claim_picture, result.digest)
        except JobCancelled:
            ended = [await store(self._store.cancelled, job.key)]
        except WorkerDied as death:
            seat.held.clear()
            crashed = str(death) if death.blamed else ""
            ended = [await store(self._store.put_back, job.key, crashed=crashed)]
            self.wake()  # another slot may be there for it
        except NotHere as lacking:
            seat.held.lacks.add(job.key)
            if all(job.key in other.held.lacks for other in self._seats.values()):
                ended = [await store(self._store.fail, job.key, Problem.of(lacking.error))]
            else:
                ended = [await store(self._store.put_back, job.key, polite=True)]
                self.wake()
        except StandeeError as error:
            ended = [await store(self._store.fail, job.key, Problem.of(error))]
        except Exception as error:
            log.exception("job.broken")
            problem = Problem.of(JobFailed(f"The daemon failed: {error}.", fix="See its log."))
            ended = [await store(self._store.fail, job.key, problem)]
        finally:
            self._spreads.pop(job.key, None)
        said = msgspec.to_builtins(ended[-1])
        why = {"error": said["error"]["message"]} if "error" in said else {}
        seconds = round(time.monotonic() - started, 3)
        event(log, f"job.{said['type']}", job=job.id, seconds=seconds, **why)
        return ended

    async def _help(self, seat: Seat, spread: Spread) -> None:
        """Make a picture of a job that another slot has claimed."""
        await self._stored(seat.held.take, Needs.of(spread.job))
        try:
            if spread.wants(seat.slot):
                await spread.help(seat.slot)
        except WorkerDied:
            seat.held.clear()
        except NotHere:
            seat.held.lacks.add(spread.job.key)

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
            self._placement.forget(key)

    def _active_job(self, key: int, job: str, seq: int) -> ActiveJob:
        return self._active.setdefault(key, ActiveJob(job, seq))

    def _next(self, active: ActiveJob) -> int:
        active.seq += 1
        return active.seq


def _never() -> None:
    """Let no job come beside this one."""
