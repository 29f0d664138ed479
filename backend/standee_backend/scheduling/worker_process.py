"""A worker process as the daemon sees it: its jobs, what it says of them, and how it ended."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from standee.errors import JobCancelled
from standee.wire.events import Cancelled, Failed, Preview, Progress, Result

from ..event_log import event
from ..storage.job import Job
from ..worker.pipe import (
    Cancel,
    CancelHeard,
    DeviceFree,
    Done,
    FromWorker,
    JobEvent,
    Pipe,
    Ready,
    Run,
    Setup,
    WorkerUnable,
)

CANCEL_HEARD_WITHIN = 20.0
"""Seconds in which a worker says that it has heard a cancellation; else it is killed, with all that it has."""
GONE_WITHIN = 5.0
"""Seconds that the system has to end a killed process."""

Report = Callable[[Progress | Preview], None]
Free = Callable[[], None]

log = logging.getLogger("standee.executor")

LONGEST_LINE = 10_000
"""Bytes of what a worker says that are logged as one line."""


class WorkerDied(Exception):
    """The process that had a job is gone; the text says how. `blamed`: nothing but this job can have ended it."""

    def __init__(self, how: str, blamed: bool = True) -> None:
        super().__init__(how)
        self.blamed = blamed


@dataclass(eq=False)
class Assignment:
    """A job of the process: who hears of it, who waits for its end, and whether killing the process ended it."""

    job: Job
    report: Report
    free: Free
    answer: asyncio.Future[list[Result]]
    cancelled_hard: bool = False
    unheard: asyncio.TimerHandle | None = None


class WorkerProcess:
    """A running worker process."""

    def __init__(self, name: str, command: Sequence[str], setup: Setup) -> None:
        self.ready: Ready | None = None
        self._name, self._assignments, self._killed = name, dict[int, Assignment](), False
        self._outbox: queue.SimpleQueue[Run | Cancel | Setup | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # a group of its own: Ctrl-C is the daemon's, and it ends as one
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._pipe = Pipe(self._process.stdout, self._process.stdin, FromWorker)
        for work in (self._read, self._write, self._relay):
            threading.Thread(target=work, daemon=True, name=f"worker {name}").start()
        self._send(setup)
        event(log, "worker.started", worker=name, pid=self.pid)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def job(self) -> Job | None:
        """The job that came last: the one that computes, if any does."""
        return next((assignment.job for assignment in reversed(self._assignments.values())), None)

    async def compute(self, job: Job, report: Report, free: Free) -> list[Result]:
        """Have a job done; see `slots.Slot.run`."""
        answer = asyncio.get_running_loop().create_future()
        self._assignments[job.key] = Assignment(job, report, free, answer)
        try:
            self._send(Run(job.key, job.kind, job.spec, job.model))
            return await answer
        finally:
            self._assignments.pop(job.key, None)

    def cancel(self, key: int, hard: bool) -> bool:
        """Stop a job if it is here, and return whether it is.

        `hard` takes this process, and all that it has, along; so does a worker that does not listen.
        """
        assignment = self._assignments.get(key)
        if assignment is None:
            return False
        if hard:
            self._kill_for(assignment)
        else:
            self._send(Cancel(key))
            assignment.unheard = self._loop.call_later(
                CANCEL_HEARD_WITHIN, self._kill_for, assignment
            )
        return True

    def _kill_for(self, assignment: Assignment) -> None:
        """Kill the process to end a job, unless the job has ended."""
        if self._assignments.get(assignment.job.key) is assignment:
            assignment.cancelled_hard = self._killed = True
            self._kill()

    def _kill(self) -> None:
        """Kill the process and whatever it has started."""
        if sys.platform == "win32":
            self._process.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """End the process."""
        self._killed = True
        self._kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._process.wait, GONE_WITHIN)

    def _send(self, message: Run | Cancel | Setup) -> None:
        self._outbox.put(message)

    def _write(self) -> None:
        """In a thread: write what there is to say; a worker that does not read stops nothing else."""
        with contextlib.suppress(OSError):  # it is gone, and will be heard to be
            while (message := self._outbox.get()) is not None:
                self._pipe.send(message)

    def _relay(self) -> None:
        """Log what the worker, and whatever runs in it, says on stderr: whoever reads the log need not hurry."""
        stream = self._process.stderr
        assert stream is not None
        while line := stream.readline(LONGEST_LINE):
            if said := line.decode(errors="replace").rstrip():
                event(log, "worker.says", worker=self._name, line=said)

    def _read(self) -> None:
        """In a thread: hand what the process says to the loop, and at last how it ended."""
        with contextlib.suppress(RuntimeError):  # the loop may be closed already
            try:
                while (message := self._pipe.receive()) is not None:
                    self._loop.call_soon_threadsafe(self._take_message, message)
                status = self._process.wait(GONE_WITHIN)
            except (OSError, ValueError, msgspec.MsgspecError, subprocess.TimeoutExpired) as error:
                event(log, "worker.mute", level=logging.WARNING, error=str(error)[:200])
                self._kill()
                status = self._process.wait()
            self._kill()  # what it has started and left
            self._outbox.put(None)
            self._loop.call_soon_threadsafe(self._process_ended, status)

    def _take_message(self, message: Any) -> None:
        if isinstance(message, Ready):
            self.ready = message
        elif isinstance(message, WorkerUnable):
            for each in list(self._assignments.values()):
                self._end(each, message.problem.exception())
        elif (assignment := self._assignments.get(message.job)) is None:
            return
        elif isinstance(message, JobEvent):
            self._take_event(assignment, message.event)
        elif isinstance(message, CancelHeard):
            if assignment.unheard is not None:
                assignment.unheard.cancel()
        elif isinstance(message, DeviceFree):
            assignment.free()
        elif isinstance(message, Done):
            engine, reporting = message.seconds, message.reporting
            event(log, "job.computed", job=assignment.job.id, engine=engine, reporting=reporting)
            self._end(assignment, message.results)

    def _take_event(
        self, assignment: Assignment, happened: Progress | Preview | Cancelled | Failed
    ) -> None:
        if isinstance(happened, Cancelled):
            self._end(assignment, JobCancelled("The job was cancelled."))
        elif isinstance(happened, Failed):
            self._end(assignment, happened.error.exception())
        else:
            assignment.report(happened)

    def _end(self, assignment: Assignment, how: list[Result] | Exception) -> None:
        del self._assignments[assignment.job.key]
        answer = assignment.answer
        if answer.done():  # whoever waited was cancelled
            return
        if isinstance(how, Exception):
            answer.set_exception(how)
        else:
            answer.set_result(how)

    def _process_ended(self, status: int) -> None:
        how, blamed = _describe_exit(status), len(self._assignments) == 1 and not self._killed
        level = logging.WARNING if self._assignments else logging.INFO
        if self._killed:
            event(log, "worker.stopped", worker=self._name)
        else:
            event(log, "worker.died", level=level, worker=self._name, how=how)
        for assignment in list(self._assignments.values()):
            cancelled = JobCancelled("The job was cancelled.")
            self._end(
                assignment, cancelled if assignment.cancelled_hard else WorkerDied(how, blamed)
            )


def _describe_exit(status: int) -> str:
    """Say how a process ended."""
    if status >= 0:
        return f"it exited with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:  # a real-time signal
        name = f"signal {-status}"
    hint = " (often the system's answer to too little memory)" if name == "SIGKILL" else ""
    return f"it was ended by {name}{hint}"
