"""The socket under a session: finds the daemon, moves frames, notices when it goes and comes back.

`turn` does one round without waiting and `pause` waits until there is something to do, so that a
blocking call, a timer and a thread are all the same few lines around them.
"""

from __future__ import annotations

import time
from pathlib import Path

import zmq
from zmq.utils.monitor import recv_monitor_message

from ..connection import Connection, read_connection
from ..errors import NotConnected, StandeeError, Unauthorised
from ..wire.codec import FRAME_LIMIT
from ..wire.session import Session
from .launch import LaunchedDaemon

LOOK_AGAIN = 0.5
"""Seconds between two looks at the connection file while the daemon is away."""
START_AFTER = 0.75
"""Seconds without a daemon after which one is started, for clients that may."""
START_AGAIN = 15.0
"""Seconds that a started daemon has to answer before another one is started."""
MAX_FAILED_HANDSHAKES = 8
"""After so many the server does not have the key that the connection file promises."""


class Transport:
    """The driver of one session over one DEALER socket after another. Belongs to one thread."""

    def __init__(
        self, session: Session, file: Path, *, start: bool = False, python: str | None = None
    ) -> None:
        self.session = session
        self.error: StandeeError | None = None
        self.away_since: float | None = time.monotonic()
        self._file = file
        self._start = start
        self._python = python
        self._launched: LaunchedDaemon | None = None
        self._launched_at = float("-inf")
        self._looked = float("-inf")
        self._waited = 0.0
        self._failed_handshakes = 0
        self._connection: Connection | None = None
        self._context = zmq.Context()
        self._socket: zmq.Socket[bytes] | None = None
        self._monitor: zmq.Socket[bytes] | None = None

    @property
    def connection(self) -> Connection | None:
        """What the connection file said last."""
        return self._connection

    def turn(self, deadline: float) -> None:
        """Do all there is to do now, until `deadline` (of `time.monotonic`) at the latest.

        Raises `Unauthorised`, `IncompatibleVersion` and the like when there is no way back.
        """
        now = time.monotonic()
        while self._watch_connection():  # first what came while the host was busy elsewhere
            pass
        if self.away_since is not None:
            self._find(now)
        moved = True
        while moved:
            moved = self._watch_connection() or self._receive() or self._send()
            self._fail_if_hopeless()
            if time.monotonic() >= deadline:
                break
        if self._socket is not None and self.away_since is None:
            if not self.session.tick(time.monotonic()):
                self._open()
            else:
                self._send()

    def pause(self, seconds: float) -> None:
        """Wait until something arrives, but not longer than `seconds`."""
        seconds = max(0.0, min(seconds, 0.1 if self.away_since is not None else 1.0))
        if self._socket is None or self._monitor is None:
            time.sleep(min(seconds, 0.05))
            return
        poller = zmq.Poller()
        poller.register(self._socket, zmq.POLLIN)
        poller.register(self._monitor, zmq.POLLIN)
        poller.poll(int(seconds * 1000))

    def reconnect(
        self, file: Path | None = None, *, start: bool = False, python: str | None = None
    ) -> None:
        """Look for the daemon anew, after an error too. What the session has open is asked again."""
        self._file, self._start, self._python = file or self._file, start, python
        self.error, self._connection, self._launched = None, None, None
        self._launched_at = self._looked = float("-inf")
        self._waited, self._failed_handshakes = 0.0, 0
        self._close_socket()
        self.session.lost()
        self.away_since = time.monotonic()

    def stay_away(self) -> None:
        """Do not start the daemon again: it was asked to stop, or the host says when."""
        self._start = False

    def close(self) -> None:
        """Let go of the sockets."""
        self._close_socket()
        self._context.term()

    # -- finding the daemon ----------------------------------------------------------------------

    def _find(self, now: float) -> None:
        """Read the connection file from time to time; start the daemon if that is wanted."""
        since = now - self._looked
        if since < LOOK_AGAIN:
            return
        # A host that was busy for longer did not wait for the daemon meanwhile.
        self._waited += LOOK_AGAIN if self._looked > float("-inf") else 0.0
        self._looked = now
        try:
            connection = read_connection(self._file)
        except NotConnected:
            connection = None
        if connection is not None and connection != self._connection:
            self._connection = connection
            self._failed_handshakes = 0
            self._open()
        wanted = self._start and (connection is None or self._waited > START_AFTER)
        if wanted and now - self._launched_at > START_AGAIN:
            self._launched_at = now
            self._launched = LaunchedDaemon(self._file.parent, self._python)
        if self._launched is not None:
            self._launched.check()

    def _open(self) -> None:
        self._close_socket()
        self._drop_connection()
        connection = self._connection
        if connection is None:
            return
        socket = self._context.socket(zmq.DEALER)
        socket.linger = 0
        socket.setsockopt(zmq.IMMEDIATE, 1)
        socket.setsockopt(zmq.MAXMSGSIZE, FRAME_LIMIT)
        socket.setsockopt(zmq.SNDHWM, 64)
        socket.setsockopt(zmq.RECONNECT_IVL, 100)
        socket.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
        socket.setsockopt(zmq.HEARTBEAT_IVL, 5000)
        socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 15000)
        socket.curve_serverkey = connection.server_key.encode()
        socket.curve_publickey = connection.client.public.encode()
        socket.curve_secretkey = connection.client.secret.encode()
        self._monitor = socket.get_monitor_socket()
        self._socket = socket
        socket.connect(connection.endpoint)

    def _close_socket(self) -> None:
        if self._socket is not None:
            self._socket.disable_monitor()
            self._socket.close(linger=0)
        if self._monitor is not None:  # `term` waits for it: an exception's frames may hold it
            self._monitor.close(linger=0)
        self._socket = self._monitor = None

    # -- one round -------------------------------------------------------------------------------

    def _watch_connection(self) -> bool:
        """Take in what libzmq says of the connection itself."""
        if self._monitor is None or not self._monitor.poll(0):
            return False
        event = recv_monitor_message(self._monitor)["event"]
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self.away_since, self._waited = None, 0.0
            self._failed_handshakes = 0
            self.session.connected(time.monotonic())
        elif event == zmq.EVENT_DISCONNECTED:
            self._drop_connection()
        elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            self.error = Unauthorised(
                "The daemon does not let this client's key in.",
                fix="Delete the connection file and restart the daemon, or `standee pair` again.",
            )
        elif event in (
            zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL,
            zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL,
        ):
            self._failed_handshakes += 1
        return True

    def _receive(self) -> bool:
        if self._socket is None:
            return False
        try:
            frames = self._socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return False
        self.session.receive(frames, time.monotonic())
        if self.session.error is not None:
            self.error = self.session.error
        return True

    def _send(self) -> bool:
        if self._socket is None or not self._socket.poll(0, zmq.POLLOUT):
            return False
        frames = self.session.next_frames()
        if frames is None:
            return False
        try:
            self._socket.send_multipart(frames, zmq.NOBLOCK)
        except zmq.Again:
            self._open()  # the daemon left in this very moment: all that is open is asked again
        return True

    def _drop_connection(self) -> None:
        self.session.lost()
        if self.away_since is None:
            self.away_since = time.monotonic()

    def _fail_if_hopeless(self) -> None:
        if self._failed_handshakes >= MAX_FAILED_HANDSHAKES:
            self.error = Unauthorised(
                f"What answers at {self._connection and self._connection.endpoint} has another key"
                " than the connection file says.",
                fix="Restart the daemon, which writes a new connection file, or pair again.",
            )
        if self.error is not None:
            raise self.error
