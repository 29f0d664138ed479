"""One connected client as the daemon sees it: what it asked, and what it has yet to be told.

Both directions are bounded, in bytes as they travel: for each connection, for all of a key, and for all
keys together. A request counts until it is answered, and so does what libzmq may still hold: it is known to
have left when the kernel has it. A peer's requests wait as they came, and are answered one after another;
the next one waits until the last answer is on its way. Progress that waits is replaced by newer progress.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from standee.errors import StandeeError
from standee.wire import codec
from standee.wire.events import Event, Preview, Problem, Progress, Queued
from standee.wire.messages import Refused

MAX_INBOX = 64
MAX_INBOX_BYTES = 2**24
MAX_OUTBOX = 20_000
OWNER_BYTES = 3 * 2**23
ALL_BYTES = 3 * 2**23
MAX_OUTBOX_BYTES = OWNER_BYTES
IN_SOCKET = 2
"""How many messages of a peer and for it libzmq queues; one more may be on its way."""
RETRY = 0.001
LONGEST_RETRY = 0.064
"""Seconds until a peer that takes nothing more is tried again, at first and at last."""
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


class Received(NamedTuple):
    """A request as it came, and what it says of its type and number."""

    frames: codec.Frames
    kind: str
    number: int


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
        self._inbox: deque[Received] = deque()
        self._inbox_bytes = self._answering = 0
        self._news = asyncio.Event()
        self._outbox: deque[tuple[Any, codec.Frames]] = deque()
        self._outbox_bytes = 0
        self._in_socket: deque[int] = deque()
        self._retry = RETRY
        self._drowned = False
        self._empty = asyncio.Event()
        self._empty.set()

    # -- from the peer ---------------------------------------------------------------------------

    def accept(self, received: Received) -> bool:
        """Take in a request, as it came, unless too many or too much wait already."""
        size = _size(received.frames)
        if len(self._inbox) >= MAX_INBOX or self._inbox_bytes + size > MAX_INBOX_BYTES:
            return False
        if not self._budget.take(self.owner, size):
            return False
        self._inbox.append(received)
        self._inbox_bytes += size
        self._news.set()
        return True

    async def next(self) -> Received:
        """Return the next request, once the last one is answered and the answer has left."""
        self._inbox_bytes -= self._answering
        self._budget.give(self.owner, self._answering)
        self._answering = 0
        await self.read()
        while not self._inbox:
            self._news.clear()
            await self._news.wait()
        received = self._inbox.popleft()
        self._answering = _size(received.frames)
        return received

    # -- to the peer -----------------------------------------------------------------------------

    def send(self, message: msgspec.Struct, frames: codec.Frames | None = None) -> None:
        """Send a message, now or as soon as the peer takes it.

        `frames` are the message's, where several peers share them.
        """
        if self.gone or self._drowned:
            return
        frames = frames or codec.encode(message)
        size, kind = _size(frames), None
        if isinstance(message, COALESCED):
            assert isinstance(message, Event)
            kind = (type(message), message.job)
            self._drop_older(kind)
        if not self._budget.take(self.owner, size):
            self._drowned = True
            return
        if not self._outbox and self._transmit(self.identity, frames):
            self._handed_over(size)
            return
        self._outbox.append((kind, frames))
        self._outbox_bytes += size
        if self._empty.is_set():
            self._empty.clear()
            self._retry = RETRY
            asyncio.get_running_loop().call_later(RETRY, self._flush)

    async def read(self) -> None:
        """Wait until the peer has taken what was sent."""
        await self._empty.wait()

    def refuse(self, number: int, error: StandeeError) -> None:
        """Answer a request with an error."""
        self.send(refusal(number, error))

    @property
    def overwhelmed(self) -> bool:
        """Whether so much waits for this peer that it cannot be reading at all."""
        full = len(self._outbox) > MAX_OUTBOX or self._outbox_bytes > MAX_OUTBOX_BYTES
        return full or self._drowned

    @property
    def unsent(self) -> bool:
        """Whether libzmq may still hold some of what was sent."""
        return bool(self._in_socket)

    def sent(self) -> None:
        """Note that the kernel has all that was sent."""
        self._budget.give(self.owner, sum(self._in_socket))
        self._in_socket.clear()

    def leave(self) -> None:
        """Forget what waits: the connection is over."""
        self.gone, self._drowned = True, False
        self._budget.give(self.owner, self._inbox_bytes + self._outbox_bytes)
        self.sent()
        self._outbox.clear()
        self._inbox.clear()
        self._outbox_bytes = self._inbox_bytes = self._answering = 0
        self._empty.set()

    def _handed_over(self, size: int) -> None:
        """Note that libzmq took a message, which shows that an older one has left."""
        self._in_socket.append(size)
        if len(self._in_socket) > IN_SOCKET + 1 or self.gone:
            self._budget.give(self.owner, self._in_socket.popleft())

    def _flush(self) -> None:
        before = len(self._outbox)
        while self._outbox and self._transmit(self.identity, self._outbox[0][1]):
            if self.gone:  # so sending found, and all is given back
                return
            size = _size(self._outbox.popleft()[1])
            self._outbox_bytes -= size
            self._handed_over(size)
        if self._outbox:
            moved = len(self._outbox) < before
            self._retry = RETRY if moved else min(2 * self._retry, LONGEST_RETRY)
            asyncio.get_running_loop().call_later(self._retry, self._flush)
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
