"""The client: talk to the daemon from a script, a command line, an editor or an add-on.

Two ways to use one client. *Blocking*: `compose`, `wait`, `events` and the others return when the
work is done. *Polling*, for hosts with their own loop (a Blender timer, a Qt thread): the `begin_`
methods return a `Task` at once, and `poll(budget)` moves everything on for about `budget` seconds
and returns what happened to the jobs. A client belongs to one thread.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from ..composition import Composition, Rect
from ..connection import connection_file as default_file
from ..errors import JobCancelled, NotConnected, StandeeError
from ..images import digest_of
from ..wire import operations
from ..wire.events import Cancelled, Event, Failed, Result, ends
from ..wire.messages import (
    Cutout,
    JobCancel,
    JobInfo,
    JobRelease,
    Kind,
    Point,
    Shutdown,
    Status,
    StatusRequest,
    Welcome,
)
from ..wire.operations import Blobs, Operation, TransferProgress, submission
from ..wire.session import Session, Task
from .model_requests import ModelRequests
from .transport import Transport

T = TypeVar("T")

PATIENCE = 60.0
"""Seconds that a blocking call waits for a daemon that is away. Jobs wait for it without limit."""


class Client(ModelRequests):
    """A connection to the daemon, kept over its restarts. Use it in a `with` block or `close` it.

    Any method may raise `NotConnected`, `Unauthorised` and `IncompatibleVersion`.
    """

    def __init__(self, transport: Transport, timeout: float = PATIENCE) -> None:
        self._transport = transport
        self._session = transport.session
        self._patience = timeout

    @classmethod
    def connect(
        cls,
        *,
        start: bool = False,
        connection_file: Path | None = None,
        timeout: float = 10.0,
        python: str | None = None,
    ) -> Self:
        """Find the daemon and say hello; with `start`, launch it if none is running.

        `connection_file` is what the daemon wrote (or `standee pair`); without it the user's own
        daemon is meant. `python` is the interpreter to launch the daemon with, if not this one.
        Raises `NotConnected`, `Unauthorised`, `IncompatibleVersion`, `MissingDependency`.
        """
        client = cls.begin_connect(start=start, connection_file=connection_file, python=python)
        try:
            client._wait_for(lambda: client.connected, timeout, timeout)
        except BaseException:
            client.close()
            raise
        return client

    @classmethod
    def begin_connect(
        cls,
        *,
        start: bool = False,
        connection_file: Path | None = None,
        python: str | None = None,
    ) -> Self:
        """Like `connect`, for hosts that poll: returns at once, `connected` becomes true."""
        file = Path(connection_file) if connection_file else default_file()
        return cls(Transport(Session(), file, start=start, python=python))

    # -- blocking --------------------------------------------------------------------------------

    def submit(
        self,
        composition: Composition | Cutout,
        blobs: Blobs | None = None,
        *,
        kind: Kind = "compose",
        job_id: str | None = None,
        priority: int = 0,
        download: bool = False,
    ) -> str:
        """Upload the pictures that the daemon lacks, hand in the job and return its id.

        From then on the job is durable. A higher `priority` (-100..100) goes first; `download` says
        yes to what has to be brought from the hub (`downloads`). Raises `InvalidField`,
        `MissingBlob`, `UnknownModel`, `DownloadNeeded`, `Conflict`, `QuotaExceeded`.
        """
        job_id = job_id or new_job_id()
        operation, transfer = submission(composition, blobs, kind, job_id, priority, download)
        return self._run(operation, transfer)

    def events(self, job_id: str, since_seq: int = 0) -> Iterator[Event]:
        """Yield what happens to the job until it ends, over restarts of the daemon.

        Results carry their bytes. An unknown job yields `Failed`.
        """
        self._session.watch(job_id, since_seq)
        try:
            while True:
                for event in self._next_events(job_id, None):
                    yield event
                    if ends(event):
                        return
        finally:
            self._session.unwatch(job_id)

    def wait(
        self,
        job_id: str,
        on_event: Callable[[Event], None] | None = None,
        timeout: float | None = None,
    ) -> list[Result]:
        """Return the job's results. Raises the job's own error, `JobCancelled`, or `TimeoutError`."""
        deadline = time.monotonic() + timeout if timeout is not None else None
        results: list[Result] = []
        self._session.watch(job_id)
        try:
            while True:
                for event in self._next_events(job_id, deadline):
                    if on_event is not None:
                        on_event(event)
                    if isinstance(event, Failed):
                        raise event.error.exception()
                    if isinstance(event, Cancelled):
                        raise JobCancelled("The job was cancelled.", fix="Submit it again.")
                    if isinstance(event, Result):
                        results.append(event)
                    if ends(event):
                        return results
        finally:
            self._session.unwatch(job_id)

    def compose(
        self,
        composition: Composition,
        blobs: Blobs | None = None,
        *,
        on_event: Callable[[Event], None] | None = None,
        priority: int = 0,
        download: bool = False,
        timeout: float | None = None,
    ) -> list[Result]:
        """Submit, wait and release."""
        job = self.submit(composition, blobs, priority=priority, download=download)
        results = self.wait(job, on_event, timeout)
        self.release(job)
        return results

    def cutout(
        self,
        picture: bytes,
        *,
        box: Rect | None = None,
        points: Sequence[Point] = (),
        mask: bytes | None = None,
        words: str = "",
        model: str | None = None,
        finder: str | None = None,
        download: bool = False,
        on_event: Callable[[Event], None] | None = None,
    ) -> bytes:
        """Return the cut-out of a picture as the bytes of a mask PNG; see `messages.Cutout`."""
        blobs = {digest_of(one): one for one in (picture, mask) if one is not None}
        digest, painted = digest_of(picture), None if mask is None else digest_of(mask)
        spec = Cutout(digest, box, tuple(points), model, words, finder, painted)
        job = self.submit(spec, blobs, download=download)
        [result] = self.wait(job, on_event)
        self.release(job)
        return result.data

    def cancel(self, job_id: str, hard: bool = False) -> None:
        """Stop a job within one step; `hard` kills its worker at once. Raises `UnknownJob`."""
        self._run(operations.ask(JobCancel(job=job_id, hard=hard)))

    def release(self, job_id: str) -> None:
        """Forget a finished job and its results. One that is not there counts as released."""
        self._run(operations.ask(JobRelease(job=job_id)))

    def jobs(self, everyone: bool = False) -> list[JobInfo]:
        """Return this client's jobs, oldest first; `everyone`: those of all, for the user only."""
        return self._run(operations.list_jobs(everyone))

    def status(self) -> Status:
        """Return how the daemon is."""
        status: Status = self._run(operations.ask(StatusRequest()))
        return status

    def shutdown(self) -> None:
        """Stop the daemon. Unfinished jobs go on when it starts again."""
        self._run(operations.ask(Shutdown()))
        self._transport.stay_away()

    def put_blob(self, data: bytes | Path) -> str:
        """Upload a picture, unless the daemon has it, and return its digest."""
        transfer = TransferProgress()
        return self._run(operations.put_blob(digest_of(data), data, transfer), transfer)

    def get_blob(self, digest: str) -> bytes:
        """Return the bytes of a picture or result. Raises `MissingBlob`."""
        return self._run(operations.download(digest))

    # -- polling ---------------------------------------------------------------------------------

    def poll(self, budget: float = 0.002) -> list[Event]:
        """Send and receive for about `budget` seconds; return new events of the watched jobs.

        Raises `Unauthorised` and the like when there is no way back; a daemon that is away for a
        while is only a pause, see `connected`.
        """
        self._transport.turn(time.monotonic() + budget)
        return self._session.take_events()

    def reconnect(
        self,
        *,
        start: bool = False,
        connection_file: Path | None = None,
        python: str | None = None,
    ) -> None:
        """Look for the daemon anew, as `begin_connect` does, and go on with all that is under way.

        The way on after an error of `poll`: tasks and watched jobs stay as they are until it is there.
        """
        self._transport.reconnect(connection_file, start=start, python=python)

    def start_no_daemon(self) -> None:
        """Only look for a daemon from now on, should this one end, until `reconnect` says otherwise."""
        self._transport.stay_away()

    @property
    def connected(self) -> bool:
        """Whether the daemon answers at the moment."""
        return self._session.ready

    @property
    def welcome(self) -> Welcome | None:
        """What the daemon said of itself when it greeted last: limits, models, epoch."""
        return self._session.welcome

    def begin_submit(
        self,
        composition: Composition | Cutout,
        blobs: Blobs | None = None,
        *,
        kind: Kind = "compose",
        job_id: str | None = None,
        priority: int = 0,
        download: bool = False,
    ) -> Task[str]:
        """Like `submit`, and watch the job: `poll` returns its events, results with their bytes.

        Give `job_id` (any 8 to 64 letters and digits) to know the job before the task is done.
        """
        job_id = job_id or new_job_id()
        operation, transfer = submission(composition, blobs, kind, job_id, priority, download)
        return self._session.begin(self._watch_submission(job_id, operation), transfer)

    def begin_watch(self, job_id: str, since_seq: int = 0) -> None:
        """Have `poll` return the events of a job after `since_seq`; an unknown one is `Failed`."""
        self._session.watch(job_id, since_seq)

    def begin_cancel(self, job_id: str, hard: bool = False) -> Task[object]:
        """Like `cancel`."""
        return self._session.begin(operations.ask(JobCancel(job=job_id, hard=hard)))

    def begin_release(self, job_id: str) -> Task[object]:
        """Like `release`."""
        return self._session.begin(operations.ask(JobRelease(job=job_id)))

    def begin_jobs(self) -> Task[list[JobInfo]]:
        """Like `jobs`."""
        return self._session.begin(operations.list_jobs())

    def begin_status(self) -> Task[Status]:
        """Like `status`."""
        return self._session.begin(operations.ask(StatusRequest()))

    def begin_put_blob(self, data: bytes | Path) -> Task[str]:
        """Like `put_blob`; the bytes go in slices, a few of them in each `poll`."""
        transfer = TransferProgress()
        return self._session.begin(operations.put_blob(digest_of(data), data, transfer), transfer)

    def begin_get_blob(self, digest: str) -> Task[bytes]:
        """Like `get_blob`."""
        transfer = TransferProgress()
        return self._session.begin(operations.download(digest, transfer), transfer)

    def close(self) -> None:
        """Let go of the sockets. Jobs go on without the client."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -- the blocking driver ---------------------------------------------------------------------

    def _run(self, operation: Operation[T], transfer: TransferProgress | None = None) -> T:
        task = self._session.begin(operation, transfer)
        self._wait_for(lambda: task.done, None, self._patience)
        return task.result()

    def _wait_for(
        self, ready: Callable[[], bool], timeout: float | None, patience: float | None
    ) -> None:
        """Turn the transport until `ready()`, for `timeout` seconds, `patience` of them without daemon."""
        deadline = time.monotonic() + timeout if timeout is not None else None
        while True:
            self._transport.turn(time.monotonic() + 0.05)
            if ready():
                return
            now = time.monotonic()
            away = self._transport.away_since
            if deadline is not None and now >= deadline and away is None:
                raise NotConnected("The daemon does not greet back.", fix="Try again.")
            if patience is not None and away is not None and now - away >= patience:
                raise self._nobody()
            self._transport.pause(min(1.0, deadline - now) if deadline is not None else 1.0)

    def _next_events(self, job_id: str, deadline: float | None) -> list[Event]:
        """Wait for events of one job and return them."""
        while True:
            self._transport.turn(time.monotonic() + 0.05)
            events = self._session.take_events(job_id)
            if events:
                return events
            now = time.monotonic()
            if deadline is not None and now >= deadline:
                raise TimeoutError(f"Job {job_id} is not done yet; it goes on.")
            self._transport.pause(min(1.0, deadline - now) if deadline is not None else 1.0)

    def _nobody(self) -> StandeeError:
        where = self._transport.connection
        return NotConnected(
            f"No daemon answers at {where.endpoint}." if where else "No daemon is running.",
            fix="Start one with `standee serve`.",
        )

    def _watch_submission(self, job_id: str, operation: Operation[str]) -> Operation[str]:
        """Watch the job from the moment it is submitted: events may come before the answer."""
        self._session.watch(job_id, confirmed=False)
        try:
            job = yield from operation
        except BaseException:
            self._session.unwatch(job_id)
            raise
        self._session.confirm(job_id)
        return job


def new_job_id() -> str:
    """Return an id for a job that nobody else uses."""
    return uuid.uuid4().hex
