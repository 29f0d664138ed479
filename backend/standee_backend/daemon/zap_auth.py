"""Authentication: the ZAP handler, which libzmq asks about every CURVE handshake (RFC 27).

Without it CURVE would let any key in. The list of keys is read anew each time, so that pairing and
unpairing need no restart.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

import zmq
import zmq.asyncio
from zmq.utils import z85

from ..event_log import event

log = logging.getLogger("standee.auth")

SECONDS_BETWEEN_LINES = 10.0
"""So seldom are strangers written down, with how many there were."""

ENDPOINT = "inproc://zeromq.zap.01"


class ZapHandler:
    """Answers libzmq's questions. Must be open before the daemon's socket is bound."""

    def __init__(
        self, context: zmq.asyncio.Context, allowed: Callable[[], Mapping[str, str]]
    ) -> None:
        self._allowed = allowed
        self._refused, self._written = 0, float("-inf")
        self._socket = context.socket(zmq.REP)
        self._socket.linger = 0
        self._socket.bind(ENDPOINT)

    async def keep(self) -> None:
        """Answer for ever."""
        while True:
            question = await self._socket.recv_multipart()
            await self._socket.send_multipart(self._answer(question))

    def _write_down(self, address: bytes, mechanism: bytes, key: str) -> None:
        """Note a stranger, but not each of many."""
        self._refused += 1
        now = time.monotonic()
        if now - self._written > SECONDS_BETWEEN_LINES:
            event(
                log,
                "client.refused",
                level=logging.WARNING,
                address=address.decode(errors="replace"),
                mechanism=mechanism.decode(errors="replace"),
                key=key,
                times=self._refused,
            )
            self._refused, self._written = 0, now

    def close(self) -> None:
        self._socket.close()

    def _answer(self, question: list[bytes]) -> list[bytes]:
        version, number, _domain, address, _identity, mechanism, *credentials = question
        name, key = None, ""
        if mechanism == b"CURVE" and len(credentials) == 1 and len(credentials[0]) == 32:
            key = z85.encode(credentials[0]).decode()
            name = self._allowed().get(key)
        if name is None:
            self._write_down(address, mechanism, key)
            return [version, number, b"400", b"This key is not known here.", b"", b""]
        return [version, number, b"200", b"", key.encode(), b""]
