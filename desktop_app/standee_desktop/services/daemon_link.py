"""Connection to the daemon: a thread that owns the client, and Qt signals for the GUI thread.

Jobs outlive everything: the daemon's restarts (they are attached to again by their id) and this
program's own (their ids are in the recovery folder). What cannot be mended without a person is told
by `contact`, with the error; meanwhile the link goes on looking for a daemon.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import QObject, Qt, Signal, Slot

from standee.client.client import Client, new_job_id
from standee.composition import Composition
from standee.errors import JobFailed, NotConnected, StandeeError
from standee.wire.events import Cancelled, Event, Failed, Problem, ends
from standee.wire.messages import Cutout, ModelInfo, Welcome
from standee.wire.operations import Blobs
from standee.wire.session import Task

from .job_timeouts import LONGEST, JobTimeouts

Listener = Callable[[Event], None]
State = Literal["looking", "connected", "away", "failed"]

BUSY_WAIT, IDLE_WAIT = 0.005, 0.05
"""Seconds between two looks at the socket; a command from the GUI is always taken at once."""
SLICE = 0.02
"""Seconds that one round may move frames for."""


@dataclass(frozen=True)
class ConnectionState:
    """How the daemon is reached. `error` says why it is not, where a person has to do something."""

    state: State = "looking"
    server: str = ""
    models: tuple[ModelInfo, ...] = ()
    error: StandeeError | None = None


@dataclass
class _OpenJob:
    """A job that the link follows. `task` hands it in, until the daemon holds it."""

    task: Task[str] | None
    last_seq: int = 0
    unwanted: bool = False


class DaemonLink(QObject):
    """Talk to the daemon from the GUI thread. No method waits; answers come as signals."""

    contact_changed = Signal(object)
    """The `ConnectionState` at the moment."""
    accepted = Signal(str)
    """The id of a job that the daemon holds now: from here on it cannot be lost."""
    _stroke_step = Signal(object)
    _told = Signal(object)
    _answered = Signal(object, object)

    def __init__(
        self,
        parent: QObject | None = None,
        *,
        start: bool = True,
        connection_file: Path | None = None,
    ) -> None:
        super().__init__(parent)
        self.contact = ConnectionState()
        self._listeners: dict[str, Listener] = {}
        self._patience = JobTimeouts(self._run_out, self)
        self._commands: queue.SimpleQueue[Callable[[_ClientThread], None]] = queue.SimpleQueue()
        self._thread = _ClientThread(self, self._commands, start, connection_file)
        queued = Qt.ConnectionType.QueuedConnection
        self._stroke_step.connect(self._deliver, queued)
        self._told.connect(self._tell, queued)
        self._answered.connect(self._answer, queued)

    def start(self) -> None:
        """Begin to look for the daemon."""
        self._thread.start()

    def stop(self, seconds: float = 3.0) -> None:
        """Let go of the socket. Jobs go on without the editor."""
        self._listeners.clear()
        self._thread.stopping = True
        self._commands.put(lambda thread: None)
        if self._thread.is_alive():
            self._thread.join(seconds)

    @property
    def connected(self) -> bool:
        """Whether the daemon answers at the moment."""
        return self.contact.state == "connected"

    def submit(
        self,
        spec: Composition | Cutout,
        blobs: Blobs,
        listener: Listener,
        *,
        job_id: str | None = None,
        priority: int = 0,
        download: bool = False,
        patience: float = LONGEST,
    ) -> str:
        """Hand in a job, whether the daemon is there or not, and return its id.

        `listener` gets its events, one that ends it for certain; a refusal comes as `Failed`. With
        the `job_id` of a job that the daemon holds, it is the same job: all its events come again.
        `download` says yes to what it has to bring from the hub. After `patience` seconds of work
        without a word it is ended, and fails.
        """
        job_id = job_id or new_job_id()
        self._patience.have(job_id, patience)
        self._listeners[job_id] = listener
        self._commands.put(lambda thread: thread.submit(job_id, spec, blobs, priority, download))
        return job_id

    def cancel(self, job_id: str, hard: bool = False) -> None:
        """Stop a job within a step; `hard` kills its worker. `Cancelled` comes as an event."""
        self._commands.put(lambda thread: thread.cancel(job_id, hard))

    def end(self, job_id: str) -> None:
        """Kill the worker of a job that was cancelled and has not ended; one that has is no error."""
        self._commands.put(lambda thread: thread.end(job_id))

    def release(self, job_id: str) -> None:
        """Let the daemon forget a finished job."""
        self._commands.put(lambda thread: thread.ask(lambda client: client.begin_release(job_id)))

    def forget(self, job_id: str) -> None:
        """Listen to a job no more; it goes on."""
        self._listeners.pop(job_id, None)
        self._patience.forget(job_id)

    def retry(self) -> None:
        """Look for the daemon anew, and start it if there is none."""
        self._commands.put(lambda thread: thread.renew())

    def restart(self) -> None:
        """Stop the daemon and start it again; unfinished jobs go on."""
        self._commands.put(lambda thread: thread.restart())

    def ask(
        self, begin: Callable[[Client], Task[Any]], done: Callable[[Any], None] | None = None
    ) -> None:
        """Begin a task of the client; `done` gets its value, or the `StandeeError`, back here."""
        self._commands.put(lambda thread: thread.ask(begin, done))

    def look_for_models(self) -> None:
        """Have the list of models brought up to date: one has come."""

        def answered(models: list[ModelInfo] | StandeeError) -> None:
            if not isinstance(models, StandeeError):
                self._tell(replace(self.contact, models=tuple(models)))

        self.ask(lambda client: client.begin_models(), answered)

    # -- back on the GUI thread ------------------------------------------------------------------

    def _run_out(self, job_id: str, seconds: float) -> None:
        """A job gave no sign for long: end it, unless it could not be heard."""
        if not self.connected:
            self._patience.renew(job_id)
            return
        minutes = max(1, round(seconds / 60))
        error = JobFailed(
            self.tr("It was stopped after %n minute(s) without a sign of life.", "", minutes),
            fix=self.tr("Try again; if it happens once more, try another picture or model."),
        )
        self._deliver(Failed(job=job_id, seq=0, error=Problem.of(error)))
        self.cancel(job_id, hard=True)

    @Slot(object)
    def _deliver(self, event: Event) -> None:
        self._patience.hear(event)
        listener = self._listeners.get(event.job)
        if listener is None:
            return
        if ends(event):
            del self._listeners[event.job]
        listener(event)

    @Slot(object)
    def _tell(self, contact: ConnectionState) -> None:
        self.contact = contact
        self.contact_changed.emit(contact)

    @Slot(object, object)
    def _answer(self, done: Callable[[Any], None], value: Any) -> None:
        done(value)


@dataclass
class _Request:
    task: Task[Any]
    done: Callable[[Any], None] | None = None


class _ClientThread(threading.Thread):
    """The thread that owns the client. Its methods run in it, as commands."""

    def __init__(
        self,
        link: DaemonLink,
        commands: queue.SimpleQueue[Callable[[_ClientThread], None]],
        start: bool,
        file: Path | None,
    ) -> None:
        super().__init__(name="standee-link", daemon=True)
        self.stopping = False
        self._link = link
        self._commands = commands
        self._may_start = start
        self._file = file
        self._client = Client.begin_connect(start=start, connection_file=file)
        self._met = False
        self._jobs: dict[str, _OpenJob] = {}
        self._asked: list[_Request] = []
        self._contact = ConnectionState()
        self._error: StandeeError | None = None
        self._greeted: Welcome | None = None

    def run(self) -> None:
        """Take commands, move frames, tell what happened, until the editor closes."""
        try:
            while not self.stopping:
                self._take_commands()
                self._round()
        except RuntimeError:
            if not self.stopping:  # Qt says so when the window is gone
                raise
        finally:
            self._client.close()

    # -- commands --------------------------------------------------------------------------------

    def submit(
        self,
        job_id: str,
        spec: Composition | Cutout,
        blobs: Blobs,
        priority: int,
        download: bool,
    ) -> None:
        self._jobs[job_id] = job = _OpenJob(None)
        try:
            job.task = self._client.begin_submit(
                spec, blobs, job_id=job_id, priority=priority, download=download
            )
        except StandeeError as error:
            self._happened(Failed(job=job_id, seq=1, error=Problem.of(error)))

    def cancel(self, job_id: str, hard: bool) -> None:
        job = self._jobs.get(job_id)
        if job is None or job.task is None:
            self.ask(lambda client: client.begin_cancel(job_id, hard))
            return
        # It is still on its way: gone for the artist at once, stopped when it has arrived.
        job.unwanted = True
        self._link._stroke_step.emit(Cancelled(job=job_id, seq=job.last_seq + 1))

    def end(self, job_id: str) -> None:
        if job_id in self._jobs:
            self.cancel(job_id, hard=True)

    def ask(
        self, begin: Callable[[Client], Task[Any]], done: Callable[[Any], None] | None = None
    ) -> None:
        self._asked.append(_Request(begin(self._client), done))

    def renew(self) -> None:
        self._error = None
        self._reconnect(self._may_start)

    def restart(self) -> None:
        if self._client.connected:
            with suppress(StandeeError):
                self._client.shutdown()
        self.renew()

    # -- one round -------------------------------------------------------------------------------

    def _take_commands(self) -> None:
        """Do what the GUI asked for; without that wait a little for it."""
        busy = self._asked or self._jobs
        if any(job.task is not None for job in self._jobs.values()):
            wait = 0.0005  # an upload: the daemon's answers come fast
        else:
            wait = BUSY_WAIT if busy else IDLE_WAIT
        with suppress(queue.Empty):
            command = self._commands.get(timeout=wait)
            while True:
                command(self)
                command = self._commands.get_nowait()

    def _round(self) -> None:
        try:
            events = self._client.poll(SLICE)
        except StandeeError as error:
            self._give_up(error)
            return
        for event in events:
            self._happened(event)
        self._settle()
        self._tell()

    def _happened(self, event: Event) -> None:
        job = self._jobs.get(event.job)
        if job is not None:
            job.last_seq = max(job.last_seq, event.seq)
            if ends(event):
                del self._jobs[event.job]
        self._link._stroke_step.emit(event)

    def _settle(self) -> None:
        """See which submissions and questions have their answer."""
        for job_id, job in list(self._jobs.items()):
            if job.task is None or not job.task.done:
                continue
            task, job.task = job.task, None
            if job.unwanted:
                del self._jobs[job_id]
                if task.error is None:
                    self.cancel(job_id, hard=False)
            elif task.error is None:
                self._link.accepted.emit(job_id)
            else:
                problem = Problem.of(task.error)
                self._happened(Failed(job=job_id, seq=job.last_seq + 1, error=problem))
        for asked in [one for one in self._asked if one.task.done]:
            self._asked.remove(asked)
            if asked.done is not None:
                value = asked.task.error or asked.task.result()
                self._link._answered.emit(asked.done, value)

    def _tell(self) -> None:
        client = self._client
        welcome = client.welcome
        if client.connected and welcome is not None:
            self._error, self._greeted, self._met = None, welcome, True
            contact = ConnectionState("connected", welcome.server, welcome.models)
        elif self._error is not None:
            contact = ConnectionState("failed", error=self._error)
        elif self._greeted is not None:
            contact = ConnectionState("away", self._greeted.server, self._greeted.models)
        else:
            contact = ConnectionState("looking")
        if contact != self._contact:
            self._contact = contact
            self._link._told.emit(contact)

    # -- the client ------------------------------------------------------------------------------

    def _reconnect(self, start: bool) -> None:
        self._met = False
        self._client.reconnect(start=start)

    def _give_up(self, error: StandeeError) -> None:
        """There is no way on by itself: say so, and go on looking for a daemon that others start.

        A daemon that was started here, worked and then died is no such case: it is started again.
        """
        if isinstance(error, NotConnected) and self._met:
            self._reconnect(self._may_start)
            self._tell()
            return
        if self._error is None or str(self._error) != str(error):
            self._error = error
        time.sleep(0.2)
        self._reconnect(start=False)
        self._tell()
