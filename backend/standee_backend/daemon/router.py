"""The daemon's socket and the peers on it: frames in, requests to the service, messages out.

The socket never blocks and never drops in silence (ROUTER with MANDATORY and NOBLOCK). Who a peer is
says its key (`User-Id`), never a name that it chose.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection

import zmq
import zmq.asyncio

from standee.errors import BadMessage, JobFailed, QuotaExceeded, StandeeError
from standee.wire import codec
from standee.wire.messages import Answer, Ok, Request

from ..event_log import event
from .flood_guard import FloodGuard
from .peer import IN_SOCKET, Budget, Peer, Received, refusal

log = logging.getLogger("standee.router")

MAX_PEERS = 256
MAX_REMOTE = 128
"""How many of them may be of other keys than the user's own, for which the rest is kept."""
MAX_OF_A_KEY = 32
"""How many may be of one such key."""
SILENT_AFTER = 60.0
"""Seconds after which a client that says nothing, not even ping, is forgotten."""

NO_HELLO = 30.0
"""Seconds after which a connection that never said anything is shut."""

AT_ONCE = 0.005
"""Seconds for which messages are taken in before the loop does something else."""
LARGE = 2**14
"""Bytes of a request that may take long to read: of such the loop reads one after another."""

Respond = Callable[[Request, Peer], Awaitable[Answer | None]]


class Router:
    """All connections of a bound ROUTER socket."""

    def __init__(
        self,
        bound: zmq.asyncio.Socket,
        respond: Respond,
        forget: Callable[[Peer], None],
        local_key: str = "",
    ) -> None:
        self.guard = FloodGuard(bound, self._left)
        self._local_key, self._budget = local_key, Budget(first=local_key)
        self._socket = bound
        self._respond, self._forgotten = respond, forget
        self._peers: dict[bytes, Peer] = {}
        self._tasks: dict[bytes, asyncio.Task[None]] = {}
        self._reading = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._peers)

    async def receive(self) -> None:
        """Take in messages for ever, and let others have the loop however many there are."""
        since = time.monotonic()
        while True:
            if time.monotonic() - since > AT_ONCE:
                await asyncio.sleep(0)
                since = time.monotonic()
            frames = await self._socket.recv_multipart(copy=False)
            last = frames[-1]
            source, owner = int(last.get(zmq.SRCFD)), str(last.get("User-Id"))
            self.guard.delivered(source)
            self._take(frames[0].bytes, owner, source, [frame.bytes for frame in frames[1:]])

    async def sweep(self) -> None:
        """Let go of peers that went silent and of those that never read, for ever."""
        while True:
            await asyncio.sleep(1.0)
            now = time.monotonic()
            for peer in list(self._peers.values()):
                if peer.overwhelmed or now - peer.heard > SILENT_AFTER:
                    event(log, "client.dropped", waiting=peer.overwhelmed)
                    self._shut(peer)
                elif peer.unsent and self.guard.drained(peer.source):
                    peer.sent()
            self.guard.shut_silent({peer.source for peer in self._peers.values()}, NO_HELLO)

    def expel(self, allowed: Collection[str]) -> None:
        """Shut the connections of keys that are let in no more."""
        for peer in [peer for peer in self._peers.values() if peer.owner not in allowed]:
            event(log, "client.expelled", level=logging.WARNING)
            self._shut(peer)

    def _shut(self, peer: Peer) -> None:
        self._forget(peer.identity)
        self.guard.shut(peer.source)

    def close(self) -> None:
        """Forget all peers and close the socket; what was sent last may still leave."""
        for identity in list(self._peers):
            self._forget(identity)
        self.guard.close()
        self._socket.close(linger=500)

    # -- in ----------------------------------------------------------------------------------------

    def _take(self, identity: bytes, owner: str, source: int, frames: codec.Frames) -> None:
        """Put a request where its peer's are, or answer at once what needs no thought."""
        (kind, number), peer = codec.peek(frames), self._peers.get(identity)
        try:
            codec.check_sizes(frames)
            if peer is None or peer.owner != owner:
                peer = self._welcome(identity, owner, source)
            peer.heard = time.monotonic()
            if kind == "ping":
                peer.send(Ok(re=number))
            elif not peer.accept(Received(frames, kind, number)):
                raise QuotaExceeded(
                    "Too many requests wait for their answers.",
                    fix="Wait for answers before asking more.",
                    retry_after=1.0,
                )
        except StandeeError as error:
            if peer is not None:
                peer.refuse(number, error)
            else:
                self._transmit(identity, codec.encode(refusal(number, error)))

    def _welcome(self, identity: bytes, owner: str, source: int) -> Peer:
        if identity[:1] != b"\0":
            raise BadMessage(
                "The connection chose its own routing id.", path="$", fix="Let the daemon choose."
            )
        others = [peer.owner for peer in self._peers.values() if peer.owner != self._local_key]
        full = len(self._peers) >= MAX_PEERS
        if owner != self._local_key:
            full |= len(others) >= MAX_REMOTE or others.count(owner) >= MAX_OF_A_KEY
        if full:
            raise QuotaExceeded(
                f"{len(self._peers)} clients are connected already.",
                fix="Close some.",
                retry_after=10.0,
            )
        peer = Peer(identity, owner, source, self._transmit, self._budget)
        self._peers[identity] = peer
        self._tasks[identity] = asyncio.get_running_loop().create_task(self._attend(peer))
        return peer

    async def _attend(self, peer: Peer) -> None:
        """Answer a peer's requests, one after another."""
        while True:
            await self._answer(peer, await peer.next())

    async def _answer(self, peer: Peer, received: Received) -> None:
        """Answer a request; nothing keeps it while the next one is awaited."""
        frames, kind, number = received
        try:
            if not peer.greeted and kind != "hello":  # before anything looks further into it
                raise BadMessage(
                    "The connection is not greeted yet.",
                    path="$.type",
                    fix="Send hello first; after a restart of the daemon, again.",
                )
            if len(frames[0]) > LARGE:
                async with self._reading:
                    await asyncio.sleep(0)
                    answer = await self._respond(codec.request(frames), peer)
            else:
                answer = await self._respond(codec.request(frames), peer)
            if answer is not None:
                peer.send(answer)
        except StandeeError as error:
            peer.refuse(number or codec.number_of(frames), error)
        except Exception as error:
            log.exception("request.broken")
            failed = JobFailed(f"The daemon failed: {error}.", fix="See the daemon's log.")
            peer.refuse(number or codec.number_of(frames), failed)

    # -- out ---------------------------------------------------------------------------------------

    def _transmit(self, identity: bytes, frames: codec.Frames) -> bool:
        """Send now; return `False` if the peer takes nothing more at the moment."""
        sent = self._socket.send_multipart([identity, *frames], zmq.NOBLOCK)
        assert isinstance(sent, asyncio.Future)  # done already: that is what NOBLOCK means here
        error = sent.exception()
        if isinstance(error, zmq.Again):
            return False
        if error is not None:  # EHOSTUNREACH: the peer has left
            self._forget(identity)
        return True

    def _left(self, source: int) -> None:
        for peer in [peer for peer in self._peers.values() if peer.source == source]:
            self._forget(peer.identity)

    def _forget(self, identity: bytes) -> None:
        peer = self._peers.pop(identity, None)
        if peer is not None:
            peer.leave()
            self._forgotten(peer)
            self._tasks.pop(identity).cancel()


def open_socket(context: zmq.asyncio.Context, secret_key: str) -> zmq.asyncio.Socket:
    """Return a socket as the daemon needs it, not bound yet."""
    socket = context.socket(zmq.ROUTER)
    socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
    socket.setsockopt(zmq.ROUTER_HANDOVER, 0)
    socket.setsockopt(zmq.MAXMSGSIZE, codec.FRAME_LIMIT)
    socket.setsockopt(zmq.RCVHWM, IN_SOCKET)
    socket.setsockopt(zmq.SNDHWM, IN_SOCKET)
    socket.setsockopt(zmq.HANDSHAKE_IVL, 5_000)
    # No HEARTBEAT_IVL: libzmq aborts the process when it is due on a connection that broke while unread
    # messages of it wait (4.3.5, `out_event`). Who is silent is let go of by `sweep` and TCP.
    socket.setsockopt(zmq.TCP_KEEPALIVE, 1)
    socket.setsockopt(zmq.TCP_KEEPALIVE_IDLE, 20)
    socket.setsockopt(zmq.TCP_KEEPALIVE_INTVL, 5)
    socket.setsockopt(zmq.TCP_KEEPALIVE_CNT, 4)
    socket.setsockopt(zmq.IPV6, 1)
    socket.curve_server = True
    socket.curve_secretkey = secret_key.encode()
    socket.zap_domain = b"standee"
    return socket
