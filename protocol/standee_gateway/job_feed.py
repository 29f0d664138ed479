"""Job events as they are told to several listeners, each from where it wants to go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec

from standee.wire.events import Event, Failed, Preview, Progress, Result
from standee.wire.jobs import FINISHED, JobStatus, Standing
from standee.wire.messages import State

ORDER: tuple[Standing, ...] = ("sending", "queued", "running")


class JobFeed:
    """A job: its status, its durable events, the last progress and preview, but no pictures of results."""

    def __init__(self, job: str) -> None:
        self.status = JobStatus(job)
        self.results: list[Result] = []
        self._durable: list[Event] = []
        self._passing: dict[type[Event], Event] = {}
        self._changed = asyncio.Event()

    def take(self, event: Event) -> None:
        """Take in what happened. What is known already is passed over."""
        last = self.status.last_seq
        if self.status.finished or (event.seq <= last and not isinstance(event, Failed)):
            return
        if event.seq <= last:  # a failure that the client tells of itself has no number of its own
            event = msgspec.structs.replace(event, seq=last + 1)
        self.status = self.status.after(event)
        if isinstance(event, Result):
            event = msgspec.structs.replace(event, data=b"")
            self.results.append(event)
        if isinstance(event, Progress | Preview):
            self._passing[type(event)] = event
        else:
            self._durable.append(event)
            self._passing.clear()
        self._changed.set()
        self._changed = asyncio.Event()

    def after(self, seq: int) -> list[Event]:
        """Return the events after `seq`, in order; of progress and previews the last one alone."""
        known = [*self._durable, *self._passing.values()]
        return sorted((one for one in known if one.seq > seq), key=lambda one: one.seq)

    async def events(self, since: int = 0, *, alive: float = 15.0) -> AsyncIterator[Event | None]:
        """Yield the events after `since` until the job has ended; `None` after `alive` seconds without one.

        A slow listener gets the newest progress only.
        """
        while True:
            changed = self._changed
            for event in self.after(since):
                since = event.seq
                yield event
            if self.status.finished and not self.after(since):
                return
            if changed is not self._changed:
                continue
            try:
                async with asyncio.timeout(alive):
                    await changed.wait()
            except TimeoutError:
                yield None

    async def finished(self, seconds: float) -> bool:
        """Wait until the job has ended, for `seconds` at most; return whether it has."""
        try:
            async with asyncio.timeout(seconds):
                async for _ in self.events(self.status.last_seq, alive=seconds):
                    pass
        except TimeoutError:
            pass
        return self.status.finished


def reached(known: Standing, listed: State) -> bool:
    """Return whether the events of a job say what the list of jobs says, or more."""
    if known in FINISHED:
        return True
    return listed in ORDER and ORDER.index(known) >= ORDER.index(listed)
