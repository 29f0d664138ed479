"""A worker as the daemon sees it: its jobs, what it says of them, and how it ended."""

from __future__ import annotations

import asyncio
import itertools
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from standee.errors import JobCancelled, StandeeError
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
    Lacking,
    Ready,
    Run,
    Setup,
    WorkerUnable,
)
from .child_process import ChildProcess

RUNS = itertools.count(1)
"""Numbers of runs, each used once."""

CANCEL_HEARD_WITHIN = 20.0
"""Seconds in which a worker says that it has heard a cancellation; else it is killed, with all that it has."""

Report = Callable[[Progress | Preview], None]
Free = Callable[[], None]

log = logging.getLogger("standee.executor")


class WorkerDied(Exception):
    """The process that had a job is gone; the text says how. `blamed`: nothing but this job can have ended it."""

    def __init__(self, how: str, blamed: bool = True) -> None:
        super().__init__(how)
        self.blamed = blamed


class NotHere(Exception):
    """The worker's machine has not got what a job names, which `error` says; another machine may have it."""

    def __init__(self, error: StandeeError) -> None:
        super().__init__(error.message)
        self.error = error


@dataclass(eq=False)
class Assignment:
    """A job of the process: who hears of it, who waits for its end, and whether killing the process ended it.

    `run` is a number that no other run has, not even of the same job: what is said late of an earlier one is not heard.
    """

    run: int
    job: Job
    report: Report
    free: Free
    answer: asyncio.Future[list[Result]]
    cancelled_hard: bool = False
    unheard: asyncio.TimerHandle | None = None


class Worker(ABC):
    """The jobs of a worker, wherever it runs; how it is reached is for those that derive from this."""

    def __init__(self, name: str) -> None:
        self.name, self.ready = name, None
        self._assignments, self._killed = dict[int, Assignment](), False
        self._loop = asyncio.get_running_loop()

    name: str
    ready: Ready | None

    @property
    @abstractmethod
    def alive(self) -> bool: ...

    @property
    @abstractmethod
    def pid(self) -> int | None: ...

    @abstractmethod
    def send(self, message: Run | Cancel) -> None:
        """Say something to it."""

    @abstractmethod
    def kill(self) -> None:
        """End it and whatever it has started, at once."""

    @property
    def job(self) -> Job | None:
        """The job that came last: the one that computes, if any does."""
        return next((assignment.job for assignment in reversed(self._assignments.values())), None)

    async def compute(self, job: Job, report: Report, free: Free) -> list[Result]:
        """Have a job done; see `slots.Slot.run`."""
        run, answer = next(RUNS), asyncio.get_running_loop().create_future()
        self._assignments[run] = Assignment(run, job, report, free, answer)
        try:
            self.send(Run(run, job.kind, job.spec, job.model))
            return await answer
        finally:
            self._assignments.pop(run, None)

    def cancel(self, key: int, hard: bool) -> bool:
        """Stop a job if it is here, and return whether it is.

        `hard` takes the process, and all that it has, along; so does a worker that does not listen.
        """
        here = (each for each in self._assignments.values() if each.job.key == key)
        assignment = next(here, None)
        if assignment is None:
            return False
        if hard:
            self._kill_for(assignment)
        else:
            self.send(Cancel(assignment.run))
            if assignment.unheard is None:
                assignment.unheard = self._loop.call_later(
                    CANCEL_HEARD_WITHIN, self._kill_for, assignment
                )
        return True

    def _kill_for(self, assignment: Assignment) -> None:
        """Kill the process to end a job, unless the job has ended."""
        if assignment.run in self._assignments:
            assignment.cancelled_hard = self._killed = True
            self.kill()

    def take(self, message: Any) -> None:
        """Take in what it says."""
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
        elif isinstance(message, Lacking):
            self._end(assignment, NotHere(message.problem.exception()))
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
        del self._assignments[assignment.run]
        answer = assignment.answer
        if answer.done():  # whoever waited was cancelled
            return
        if isinstance(how, Exception):
            answer.set_exception(how)
        else:
            answer.set_result(how)

    def ended(self, how: str, *, lost: bool = False) -> None:
        """Take in that it has ended; `lost` with its machine, for which no job can be blamed."""
        blamed = len(self._assignments) == 1 and not self._killed and not lost
        level = logging.WARNING if self._assignments else logging.INFO
        if self._killed:
            event(log, "worker.stopped", worker=self.name)
        else:
            event(log, "worker.died", level=level, worker=self.name, how=how)
        for assignment in list(self._assignments.values()):
            cancelled = JobCancelled("The job was cancelled.")
            self._end(
                assignment, cancelled if assignment.cancelled_hard else WorkerDied(how, blamed)
            )


class WorkerProcess(Worker):
    """A worker that is a process of this machine."""

    def __init__(self, name: str, command: Sequence[str], setup: Setup) -> None:
        super().__init__(name)
        self._process = ChildProcess(name, command, FromWorker, self.take, self.ended)
        self._process.send(setup)

    @property
    def alive(self) -> bool:
        return self._process.alive

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: Run | Cancel) -> None:
        """Say something to it."""
        self._process.send(message)

    def kill(self) -> None:
        """End it and whatever it has started, at once."""
        self._process.kill()

    async def stop(self) -> None:
        """End the process."""
        self._killed = True
        await self._process.stop()
