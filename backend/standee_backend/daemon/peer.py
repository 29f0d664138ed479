"""One connected client as the daemon sees it: what it asked, and what it has yet to be told.

Both directions are bounded, in bytes as they travel: for each connection, for all of a key, and for all
keys together. A peer's requests wait as they came, and are answered one after another; the next one
waits until the last answer is on its way. Progress that waits is replaced by newer progress.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import msgspec

from standee.errors import StandeeError
from standee.wire import codec
from standee.wire.events import Event, Preview, Problem, Progress, Queued
from standee.wire.messages import Refused

MAX_INBOX = 64
MAX_INBOX_BYTES = 2**24
MAX_OUTBOX = 20_000
MAX_OUTBOX_BYTES = 2**26
OWNER_BYTES = 2**27
ALL_BYTES = 2**28
RETRY = 0.02
"""Seconds until a peer that takes nothing more is tried again."""
LONGEST_WORDS = 2000
"""Characters of an error's text that are sent."""

COALESCED = (Queued, Progress, Preview)


class Budget:
    """The bytes that wait in all inboxes and outboxes, by owner and together.

    The owner `first` may wait when the others have filled the whole.
    """

    def __init__(self, each: int = OWNER_BYTES, together: int = ALL_BYTES, first: str = "") -> None:
        self._each, self._together, self._first = each, together, first
        self._taken: Counter[str] = Counter()

    def take(self, owner: str, size: int) -> bool:
        """Let `size` bytes of an owner wait, if there is room for them."""
        full = self._taken.total() + size > self._together and owner != self._first
        if full or self._taken[owner] + size > self._each:
            return False
        self._taken[owner] += size
        return True

    def give(self, owner: str, size: int) -> None:
        """Note that they wait no more."""
        self._taken[owner] -= size
        if not self._taken[owner]:
            del self._taken[owner]


class Peer:
    """A client's connection. Lives in the event loop."""

    def __init__(
        self,
        identity: bytes,
        owner: str,
        source: int,
        transmit: Callable[[bytes, codec.Frames], bool],
        budget: Budget | None = None,
    ) -> None:
        self.identity = identity
        self.owner = owner
        self.source = source
        self.heard = time.monotonic()
        self.greeted = False
        self.gone = False
        self._transmit = transmit
        self._budget = budget or Budget()
        self._inbox: deque[codec.Frames] = deque()
        self._inbox_bytes = 0
        self._news = asyncio.Event()
        self._outbox: deque[tuple[Any, codec.Frames]] = deque()
        self._outbox_bytes = 0
        self._drowned = False
        self._empty = asyncio.Event()
        self._empty.set()

    # -- from the peer ---------------------------------------------------------------------------

    def accept(self, frames: codec.Frames) -> bool:
        """Take in a request, as it came, unless too many or too much wait already."""
        size = _size(frames)
        if len(self._inbox) >= MAX_INBOX or self._inbox_bytes + size > MAX_INBOX_BYTES:
            return False
        if not self._budget.take(self.owner, size):
            return False
        self._inbox.append(frames)
        self._inbox_bytes += size
        self._news.set()
        return True

    async def next(self) -> codec.Frames:
        """Return the next request, once all earlier answers have left."""
        await self._empty.wait()
        while not self._inbox:
            self._news.clear()
            await self._news.wait()
        frames = self._inbox.popleft()
        self._inbox_bytes -= _size(frames)
        self._budget.give(self.owner, _size(frames))
        return frames

    # -- to the peer -----------------------------------------------------------------------------

    def send(self, message: msgspec.Struct, frames: codec.Frames | None = None) -> None:
        """Send a message, now or as soon as the peer takes it.

        `frames` are the message's, where several peers share them.
        """
        if self.gone or self._drowned:
            return
        frames = frames or codec.encode(message)
        kind = None
        if isinstance(message, COALESCED):
            assert isinstance(message, Event)
            kind = (type(message), message.job)
        if not self._outbox and self._transmit(self.identity, frames):
            return
        if kind is not None:
            self._drop_older(kind)
        if not self._budget.take(self.owner, _size(frames)):
            self._drowned = True
            return
        self._outbox.append((kind, frames))
        self._outbox_bytes += _size(frames)
        if self._empty.is_set():
            self._empty.clear()
            asyncio.get_running_loop().call_later(RETRY, self._flush)

    def refuse(self, number: int, error: StandeeError) -> None:
        """Answer a request with an error."""
        self.send(refusal(number, error))

    @property
    def overwhelmed(self) -> bool:
        """Whether so much waits for this peer that it cannot be reading at all."""
        full = len(self._outbox) > MAX_OUTBOX or self._outbox_bytes > MAX_OUTBOX_BYTES
        return full or self._drowned

    def leave(self) -> None:
        """Forget what waits: the connection is over."""
        self.gone, self._drowned = True, False
        self._budget.give(self.owner, self._inbox_bytes + self._outbox_bytes)
        self._outbox.clear()
        self._inbox.clear()
        self._outbox_bytes = self._inbox_bytes = 0
        self._empty.set()

    def _flush(self) -> None:
        while self._outbox and self._transmit(self.identity, self._outbox[0][1]):
            _, frames = self._outbox.popleft()
            self._outbox_bytes -= _size(frames)
            self._budget.give(self.owner, _size(frames))
        if self._outbox:
            asyncio.get_running_loop().call_later(RETRY, self._flush)
        else:
            self._empty.set()

    def _drop_older(self, kind: Any) -> None:
        kept = deque(entry for entry in self._outbox if entry[0] != kind)
        if len(kept) < len(self._outbox):
            self._outbox = kept
            left = sum(_size(frames) for _, frames in kept)
            self._budget.give(self.owner, self._outbox_bytes - left)
            self._outbox_bytes = left


def refusal(number: int, error: StandeeError) -> Refused:
    """Return the answer that a request is not done; it fits into a message, whatever was asked."""
    problem = Problem.of(error)
    short = {name: getattr(problem, name)[:LONGEST_WORDS] for name in ("message", "fix", "path")}
    return Refused(re=number, error=msgspec.structs.replace(problem, **short))


def _size(frames: codec.Frames) -> int:
    return sum(map(len, frames))
