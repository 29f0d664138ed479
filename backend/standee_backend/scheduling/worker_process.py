"""One worker process as the daemon sees it: the jobs it has, who hears what it says of them, and how it ended."""

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
from ..storage.job_store import Job
from ..worker.pipe import (
    Cancel,
    Done,
    Finishing,
    FromWorker,
    Heard,
    Pipe,
    Ready,
    Run,
    Setup,
    Told,
    Unable,
)

HEARD_WITHIN = 20.0
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
class Errand:
    """A job that the child has: who hears of it, who waits for its end, and whether the child was killed to end it."""

    job: Job
    report: Report
    free: Free
    answer: asyncio.Future[list[Result]]
    cancelled_hard: bool = False
    unheard: asyncio.TimerHandle | None = None


class Child:
    """A running worker process."""

    def __init__(self, name: str, command: Sequence[str], setup: Setup) -> None:
        self.ready: Ready | None = None
        self._name, self._errands, self._killed = name, dict[int, Errand](), False
        self._words: queue.SimpleQueue[Run | Cancel | Setup | None] = queue.SimpleQueue()
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
        for work in (self._listen, self._talk, self._relay):
            threading.Thread(target=work, daemon=True, name=f"worker {name}").start()
        self._say(setup)
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
        return next((errand.job for errand in reversed(self._errands.values())), None)

    async def do(self, job: Job, report: Report, free: Free) -> list[Result]:
        """Have a job done; see `executor.Slot.run`."""
        answer = asyncio.get_running_loop().create_future()
        self._errands[job.key] = Errand(job, report, free, answer)
        try:
            self._say(Run(job.key, job.kind, job.spec, job.model))
            return await answer
        finally:
            self._errands.pop(job.key, None)

    def cancel(self, key: int, hard: bool) -> bool:
        """Stop a job if it is here, and return whether it is.

        `hard` takes this process, and all that it has, along; so does a worker that does not listen.
        """
        errand = self._errands.get(key)
        if errand is None:
            return False
        if hard:
            self._kill_for(errand)
        else:
            self._say(Cancel(key))
            errand.unheard = self._loop.call_later(HEARD_WITHIN, self._kill_for, errand)
        return True

    def _kill_for(self, errand: Errand) -> None:
        """Kill the process to end a job, unless the job has ended."""
        if self._errands.get(errand.job.key) is errand:
            errand.cancelled_hard = self._killed = True
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

    def _say(self, message: Run | Cancel | Setup) -> None:
        self._words.put(message)

    def _talk(self) -> None:
        """In a thread: write what there is to say; a worker that does not read stops nothing else."""
        with contextlib.suppress(OSError):  # it is gone, and will be heard to be
            while (message := self._words.get()) is not None:
                self._pipe.send(message)

    def _relay(self) -> None:
        """Log what the worker, and whatever runs in it, says on stderr: whoever reads the log need not hurry."""
        stream = self._process.stderr
        assert stream is not None
        while line := stream.readline(LONGEST_LINE):
            if said := line.decode(errors="replace").rstrip():
                event(log, "worker.says", worker=self._name, line=said)

    def _listen(self) -> None:
        """In a thread: hand what the child says to the loop, and at last how it ended."""
        with contextlib.suppress(RuntimeError):  # the loop may be closed already
            try:
                while (message := self._pipe.receive()) is not None:
                    self._loop.call_soon_threadsafe(self._heard, message)
                status = self._process.wait(GONE_WITHIN)
            except (OSError, ValueError, msgspec.MsgspecError, subprocess.TimeoutExpired) as error:
                event(log, "worker.mute", level=logging.WARNING, error=str(error)[:200])
                self._kill()
                status = self._process.wait()
            self._kill()  # what it has started and left
            self._words.put(None)
            self._loop.call_soon_threadsafe(self._gone, status)

    def _heard(self, message: Any) -> None:
        if isinstance(message, Ready):
            self.ready = message
        elif isinstance(message, Unable):
            for each in list(self._errands.values()):
                self._end(each, message.problem.exception())
        elif (errand := self._errands.get(message.job)) is None:
            return
        elif isinstance(message, Told):
            self._told(errand, message.event)
        elif isinstance(message, Heard):
            if errand.unheard is not None:
                errand.unheard.cancel()
        elif isinstance(message, Finishing):
            errand.free()
        elif isinstance(message, Done):
            engine, reporting = message.seconds, message.reporting
            event(log, "job.computed", job=errand.job.id, engine=engine, reporting=reporting)
            self._end(errand, message.results)

    def _told(self, errand: Errand, happened: Progress | Preview | Cancelled | Failed) -> None:
        if isinstance(happened, Cancelled):
            self._end(errand, JobCancelled("The job was cancelled."))
        elif isinstance(happened, Failed):
            self._end(errand, happened.error.exception())
        else:
            errand.report(happened)

    def _end(self, errand: Errand, how: list[Result] | Exception) -> None:
        del self._errands[errand.job.key]
        answer = errand.answer
        if answer.done():  # whoever waited was cancelled
            return
        if isinstance(how, Exception):
            answer.set_exception(how)
        else:
            answer.set_result(how)

    def _gone(self, status: int) -> None:
        how, blamed = _how(status), len(self._errands) == 1 and not self._killed
        level = logging.WARNING if self._errands else logging.INFO
        if self._killed:
            event(log, "worker.stopped", worker=self._name)
        else:
            event(log, "worker.died", level=level, worker=self._name, how=how)
        for errand in list(self._errands.values()):
            cancelled = JobCancelled("The job was cancelled.")
            self._end(errand, cancelled if errand.cancelled_hard else WorkerDied(how, blamed))


def _how(status: int) -> str:
    """Say how a process ended."""
    if status >= 0:
        return f"it exited with status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:  # a real-time signal
        name = f"signal {-status}"
    hint = " (often the system's answer to too little memory)" if name == "SIGKILL" else ""
    return f"it was ended by {name}{hint}"
