"""One connected client as the daemon sees it: what it asked, and what it has yet to be told.

Both directions are bounded. A peer's requests are answered one after another, and the next one waits
until the last answer is on its way, so that a peer that does not read costs nothing more. Progress
that waits is replaced by newer progress.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
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
RETRY = 0.02
"""Seconds until a peer that takes nothing more is tried again."""

COALESCED = (Queued, Progress, Preview)


class Peer:
    """A client's connection. Lives in the event loop."""

    def __init__(
        self,
        identity: bytes,
        owner: str,
        source: int,
        transmit: Callable[[bytes, codec.Frames], bool],
    ) -> None:
        self.identity = identity
        self.owner = owner
        self.source = source
        self.heard = time.monotonic()
        self.greeted = False
        self.gone = False
        self.uploads: dict[str, int] = {}
        self._transmit = transmit
        self._inbox: deque[tuple[dict[str, Any], int]] = deque()
        self._inbox_bytes = 0
        self._news = asyncio.Event()
        self._outbox: deque[tuple[Any, codec.Frames]] = deque()
        self._outbox_bytes = 0
        self._empty = asyncio.Event()
        self._empty.set()

    # -- from the peer ---------------------------------------------------------------------------

    def accept(self, fields: dict[str, Any], size: int) -> bool:
        """Take in a request, unless too many wait already."""
        if len(self._inbox) >= MAX_INBOX or self._inbox_bytes + size > MAX_INBOX_BYTES:
            return False
        self._inbox.append((fields, size))
        self._inbox_bytes += size
        self._news.set()
        return True

    async def next(self) -> dict[str, Any]:
        """Return the next request, once all earlier answers have left."""
        await self._empty.wait()
        while not self._inbox:
            self._news.clear()
            await self._news.wait()
        fields, size = self._inbox.popleft()
        self._inbox_bytes -= size
        return fields

    # -- to the peer -----------------------------------------------------------------------------

    def send(self, message: msgspec.Struct) -> None:
        """Send a message, now or as soon as the peer takes it."""
        if self.gone:
            return
        frames = codec.encode(message)
        kind = None
        if isinstance(message, COALESCED):
            assert isinstance(message, Event)
            kind = (type(message), message.job)
        if not self._outbox and self._transmit(self.identity, frames):
            return
        if kind is not None:
            self._drop_older(kind)
        self._outbox.append((kind, frames))
        self._outbox_bytes += sum(map(len, frames))
        if self._empty.is_set():
            self._empty.clear()
            asyncio.get_running_loop().call_later(RETRY, self._flush)

    def refuse(self, number: int, error: StandeeError) -> None:
        """Answer a request with an error."""
        self.send(Refused(re=number, error=Problem.of(error)))

    @property
    def overwhelmed(self) -> bool:
        """Whether so much waits for this peer that it cannot be reading at all."""
        return len(self._outbox) > MAX_OUTBOX or self._outbox_bytes > MAX_OUTBOX_BYTES

    def leave(self) -> None:
        """Forget what waits: the connection is over."""
        self.gone = True
        self._outbox.clear()
        self._inbox.clear()
        self._outbox_bytes = self._inbox_bytes = 0
        self._empty.set()

    def _flush(self) -> None:
        while self._outbox and self._transmit(self.identity, self._outbox[0][1]):
            _, frames = self._outbox.popleft()
            self._outbox_bytes -= sum(map(len, frames))
        if self._outbox:
            asyncio.get_running_loop().call_later(RETRY, self._flush)
        else:
            self._empty.set()

    def _drop_older(self, kind: Any) -> None:
        kept = deque(entry for entry in self._outbox if entry[0] != kind)
        if len(kept) < len(self._outbox):
            self._outbox = kept
            self._outbox_bytes = sum(len(f) for _, frames in kept for f in frames)
