"""Connection to the daemon in an event loop: the driver of one client for all requests.

The client is turned by one task of the loop, a few milliseconds at a time. Requests wait for their own answers; jobs
that anybody asked about are followed, so that each event is fetched once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from standee.client.client import Client, new_job_id
from standee.composition import Composition
from standee.errors import NotConnected, StandeeError, UnknownJob
from standee.wire.events import Failed, Problem
from standee.wire.operations import Blobs
from standee.wire.session import Task

from .job_feed import JobFeed, reached

T = TypeVar("T")

BUSY_WAIT, IDLE_WAIT = 0.005, 0.1
"""Seconds between two looks at the socket, with something open and without; a request is taken at once."""
SLICE = 0.005
"""Seconds that one round may move frames for."""
LOOK_AGAIN = 5.0
"""Seconds after an error of the connection before the daemon is looked for anew."""
PATIENCE = 30.0
"""Seconds that a request waits for a daemon that is away: one that is started needs some."""
SETTLED = 5.0
"""Seconds that the events of a job may take to say what the list of jobs says already."""
MOST_FINISHED = 256
"""How many finished jobs are remembered; others are asked for again."""


class DaemonLink:
    """The gateway's client. Use it in an `async with` block, inside one event loop.

    Without a `connection_file` the user's own daemon is meant. With `start` it is started where none runs; one that
    ends later is started again when something waits for it. All methods raise `NotConnected` and what else the
    connection or the daemon's answer says.
    """

    def __init__(
        self, *, connection_file: Path | None = None, start: bool = True, patience: float = PATIENCE
    ) -> None:
        self._file, self._start, self._patience = connection_file, start, patience
        self._error: StandeeError | None = None
        self._feeds: dict[str, JobFeed] = {}
        self._unwanted: list[asyncio.Task[None]] = []
        self._waiting = 0
        self._starts = start  # as the client was told

    async def __aenter__(self) -> Self:
        self._wake, self._turned = asyncio.Event(), asyncio.Event()
        self._client = Client.begin_connect(start=self._start, connection_file=self._file)
        self._turning = asyncio.create_task(self._turn())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        under_way = [self._turning, *self._unwanted]
        for one in under_way:
            one.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        self._client.close()

    @property
    def connected(self) -> bool:
        """Whether the daemon answers at the moment."""
        return self._client.connected

    async def ask(self, begin: Callable[[Client], Task[T]]) -> T:
        """Begin a task of the client and return what comes of it."""
        await self._wait(lambda: self._client.connected)
        task = begin(self._client)
        await self._wait(lambda: task.done)
        return task.result()

    async def submit(
        self,
        composition: Composition,
        blobs: Blobs,
        *,
        job: str = "",
        priority: int = 0,
        download: bool = False,
    ) -> str:
        """Send the pictures that the daemon lacks, hand in the job, and follow it. Returns its id.

        Cancelled before the daemon has it, the job is cancelled as soon as it does.
        """
        job = job or new_job_id()
        await self._wait(lambda: self._client.connected)
        known = job in self._feeds
        feed = self._feeds.setdefault(job, JobFeed(job))
        try:
            task = self._client.begin_submit(
                composition, blobs, job_id=job, priority=priority, download=download
            )
            return await self._handed_in(task, job)
        except StandeeError as error:
            if not known:
                self._feeds.pop(job, None)
                feed.take(Failed(job=job, error=Problem.of(error)))
            elif not feed.status.finished:  # its watch ended with the refusal: go on where it was
                self._client.begin_watch(job, feed.status.last_seq)
            raise

    async def _handed_in(self, task: Task[str], job: str) -> str:
        try:
            await self._wait(lambda: task.done)
        except asyncio.CancelledError:
            self._unwanted.append(asyncio.create_task(self._end(task, job)))
            raise
        return task.result()

    async def _end(self, task: Task[str], job: str) -> None:
        """Cancel a job that nobody wants any more, once it is handed in."""
        with suppress(StandeeError):
            while not task.done:
                await self._turned.wait()
            task.result()
            await self.ask(lambda client: client.begin_cancel(job))

    async def feed(self, job: str) -> JobFeed:
        """Return what is known of a job, and go on to follow it. Raises `UnknownJob`."""
        feed = self._feeds.get(job)
        if feed is None:
            listed = await self.ask(lambda client: client.begin_jobs())
            found = next((one for one in listed if one.job == job), None)
            if found is None:
                raise UnknownJob(f"There is no job {job[:80]!r}.", fix="Ask for the list of jobs.")
            feed = self._feeds.setdefault(job, JobFeed(job))
            self._client.begin_watch(job)
            with suppress(TimeoutError):
                async with asyncio.timeout(SETTLED):
                    await self._wait(lambda: reached(feed.status.state, found.state))
        return feed

    async def release(self, job: str) -> None:
        """Have the daemon forget a finished job."""
        await self.ask(lambda client: client.begin_release(job))
        self._feeds.pop(job, None)

    # -- the loop --------------------------------------------------------------------------------

    async def _wait(self, ready: Callable[[], bool]) -> None:
        """Wait until `ready()`. Raises the connection's error, or `NotConnected` after a while without a daemon."""
        loop = asyncio.get_running_loop()
        away_since = loop.time()
        self._waiting += 1
        try:
            self._wake.set()
            while not ready():
                if self._error is not None:
                    raise self._error
                if self._client.connected:
                    away_since = loop.time()
                elif loop.time() - away_since > self._patience:
                    raise NotConnected(
                        "No daemon answers.", fix="Start one with `standee serve`.", retry_after=5.0
                    )
                await self._turned.wait()
        finally:
            self._waiting -= 1

    async def _turn(self) -> None:
        """Move everything on, for as long as the link is there."""
        while True:
            wait = BUSY_WAIT if self._waiting or self._following else IDLE_WAIT
            try:
                for event in self._client.poll(SLICE):
                    if feed := self._feeds.get(event.job):
                        feed.take(event)
            except StandeeError as error:
                self._error, wait = error, LOOK_AGAIN
            self._forget()
            self._look_for_daemon()
            self._turned.set()
            self._turned = asyncio.Event()
            self._wake.clear()
            if wait == IDLE_WAIT:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), wait)
            else:
                await asyncio.sleep(wait)
            if self._error is not None:
                self._error, self._starts = None, self._needed
                self._client.reconnect(start=self._starts)

    def _look_for_daemon(self) -> None:
        """Have a daemon that is gone started where it is needed, and only there: somebody may have stopped it."""
        if self._client.connected and self._starts:
            self._starts = False
            self._client.start_no_daemon()
        elif self._needed and not self._client.connected and not self._starts:
            self._starts = True
            self._client.reconnect(start=True)

    @property
    def _needed(self) -> bool:
        """Whether a daemon is to be started, if there is none."""
        return self._start and bool(self._waiting or self._following)

    @property
    def _following(self) -> bool:
        return any(not feed.status.finished for feed in self._feeds.values())

    def _forget(self) -> None:
        """Keep the memory bounded: the oldest of the jobs that have ended are asked for again when they are wanted."""
        self._unwanted = [one for one in self._unwanted if not one.done()]
        finished = [job for job, feed in self._feeds.items() if feed.status.finished]
        for job in finished[:-MOST_FINISHED]:
            del self._feeds[job]
