"""Flood guard: shuts connections that flood, which pairing over a network makes a promise.

libzmq limits the size of a frame but not how many frames a message has, and hands out no message
before its last frame: a client with a valid key could fill the memory with one that never ends.
So the bytes that the kernel counts for a connection are compared with the messages that came out of
it, and a connection that swallows far more than a message can hold is shut. The kernel's count is
Linux's TCP_INFO; elsewhere only the keys protect.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
import sys
import time
from collections.abc import Callable, Collection
from typing import TypeVar

import zmq
import zmq.asyncio
from zmq.utils.monitor import parse_monitor_message

from standee.wire.codec import FRAME_LIMIT

from ..event_log import event

T = TypeVar("T")

log = logging.getLogger("standee.guard")

LIMIT = 8 * FRAME_LIMIT
"""Bytes that may come in without a message coming out: far above two frames of the largest size."""
INTERVAL = 0.02
"""Seconds between two looks: encrypted, a local connection brings some 14 MB in that time."""
_RECEIVED = struct.Struct("=128xQ")
"""`tcpi_bytes_received` of Linux's `struct tcp_info`."""


class FloodGuard:
    """The connections of one bound socket, by file descriptor."""

    def __init__(self, bound: zmq.asyncio.Socket, left: Callable[[int], None]) -> None:
        self._left = left
        self._monitor = bound.get_monitor_socket(
            zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED
        )
        self._swallowed: dict[int, int] = {}
        self._since: dict[int, float] = {}
        self._delivered: set[int] = set()

    def delivered(self, connection: int) -> None:
        """Note that a whole message came out of a connection."""
        self._delivered.add(connection)

    def shut(self, connection: int) -> None:
        """End a connection."""
        _borrow(connection, lambda borrowed: borrowed.shutdown(socket.SHUT_RDWR))

    def shut_silent(self, known: Collection[int], seconds: float) -> None:
        """End the connections that are none of the `known` and have been there for so long."""
        now = time.monotonic()
        for connection, since in list(self._since.items()):
            if connection not in known and now - since > seconds:
                self._since[connection] = now
                event(log, "client.silent", level=logging.DEBUG)
                self.shut(connection)

    def drained(self, connection: int) -> bool:
        """Return whether a connection's peer has all that the kernel was given for it, where that can be told."""
        if sys.platform != "linux":
            return True
        import termios
        from fcntl import ioctl

        def ask(borrowed: socket.socket) -> bool:
            return ioctl(borrowed, termios.TIOCOUTQ, bytes(4)) == bytes(4)

        return _borrow(connection, ask) is not False

    async def follow(self) -> None:
        """Take note of connections that come and go, for ever."""
        while True:
            message = parse_monitor_message(await self._monitor.recv_multipart())
            connection = int(message["value"])
            if message["event"] == zmq.EVENT_ACCEPTED:
                self._swallowed[connection] = 0
                self._since[connection] = time.monotonic()
            else:
                self._since.pop(connection, None)
                self._swallowed.pop(connection, None)
                self._left(connection)

    async def weigh(self) -> None:
        """Shut connections that swallow without end, for ever."""
        while sys.platform == "linux":
            await asyncio.sleep(INTERVAL)
            for connection, before in list(self._swallowed.items()):
                received = _received(connection)
                if connection in self._delivered:
                    self._swallowed[connection] = received
                elif received - before > LIMIT:
                    event(log, "client.flood", level=logging.WARNING, bytes=received - before)
                    self.shut(connection)
            self._delivered.clear()

    def close(self) -> None:
        self._monitor.close(linger=0)


def _received(connection: int) -> int:
    """Return how many bytes a connection has brought; 0 if it is gone."""

    def ask(borrowed: socket.socket) -> int:
        info = borrowed.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RECEIVED.size)
        return int(_RECEIVED.unpack(info)[0]) if len(info) == _RECEIVED.size else 0

    return _borrow(connection, ask) or 0


def _borrow(connection: int, use: Callable[[socket.socket], T]) -> T | None:
    """Use libzmq's file descriptor for a moment; it may be gone already."""
    try:
        borrowed = socket.socket(fileno=connection)
    except OSError:
        return None
    try:
        return use(borrowed)
    except OSError:
        return None
    finally:
        borrowed.detach()
