"""The process that owns the device: computes one job after another, with the model resident.

It is a child of the daemon, so that an exhausted memory, a segfault or a driver's error takes only
this process down. It ends when the daemon does, however that ends.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import msgspec

from standee.composition import Composition, from_json
from standee.errors import JobCancelled, JobFailed, MissingDependency, StandeeError
from standee.wire.events import Cancelled, Failed, Preview, Problem, Progress, Result
from standee.wire.messages import Cutout

from ..catalog.catalog import ModelInfo
from ..hardware.options import Options
from ..storage.blob_files import BlobFiles
from .pipe import (
    Cancel,
    CancelHeard,
    DeviceFree,
    Done,
    JobEvent,
    Message,
    Pipe,
    Ready,
    Run,
    Setup,
    ToWorker,
    WorkerUnable,
)

log = logging.getLogger("standee.worker")


class Runner(Protocol):
    """What a worker runs; see `job_runner.JobRunner`."""

    def run(
        self,
        spec: Composition | Cutout,
        model: ModelInfo | None,
        read: Callable[[str], bytes],
        report: Callable[[Progress | Preview], None],
        cancelled: Callable[[], bool],
    ) -> Generator[Callable[[], Result], None, None]: ...


def main(make: Callable[[Options], Runner] | None = None) -> None:
    """Serve the daemon at the other end of stdin and stdout until it goes."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="worker: %(message)s")
    _volunteer_to_oom_killer()
    pipe = take_stdio(ToWorker)
    setup = pipe.receive()
    if not isinstance(setup, Setup):
        return
    blobs = Path(setup.blobs)
    worker = Worker(pipe, BlobFiles(blobs))
    threading.Thread(target=worker.listen, daemon=True, name="daemon's words").start()
    try:
        options = msgspec.convert(setup.options, Options)
        runner = make(options) if make else _real_runner(options, blobs.with_name("tokens"))
    except BaseException as error:
        traceback.print_exc()
        pipe.send(WorkerUnable(_problem(error)))
        return
    worker.serve(runner)


class Worker:
    """One worker's loop, and two threads beside it.

    One listens, so that a cancellation is seen within a step. The other finishes pictures, in order, while the loop
    goes on with the next picture or job; what it raises fails the picture's own job.
    """

    def __init__(self, pipe: Pipe, blobs: BlobFiles) -> None:
        self._pipe, self._blobs = pipe, blobs
        self._jobs: queue.SimpleQueue[Run] = queue.SimpleQueue()
        self._here: set[int] = set()
        self._cancelled: set[int] = set()
        self._lock = threading.Lock()
        self._reporting = 0.0
        self._finisher = ThreadPoolExecutor(1, "finisher")

    def listen(self) -> None:
        """Take in what the daemon says; end this process when the daemon has ended."""
        try:
            self._receive()
        finally:
            _leave()

    def _receive(self) -> None:
        while (message := self._pipe.receive()) is not None:
            if isinstance(message, Run):
                with self._lock:
                    self._here.add(message.job)
                self._jobs.put(message)
            elif isinstance(message, Cancel):
                with self._lock:  # one that comes late is of no job any more
                    self._cancelled |= self._here & {message.job}
                self._send(CancelHeard(message.job))

    def serve(self, runner: Runner) -> None:
        """Run jobs for ever."""
        while True:
            self._send(_vitals())
            job = self._jobs.get()
            try:
                finish = self._compute(runner, job)
            except BaseException as error:
                self._finisher.submit(self._end, _end_event(job.job, error))
            else:
                self._send(DeviceFree(job.job))
                self._finisher.submit(self._finish, job.job, finish)

    def _compute(self, runner: Runner, job: Run) -> Callable[[], Done]:
        """Do what a job needs the device for; return what waits for its pictures and keeps them."""

        def cancelled() -> bool:
            return job.job in self._cancelled

        pictures: list[Future[Result]] = []
        spec = read_specification(job.kind, job.spec)
        self._reporting, began = 0.0, time.perf_counter()
        report = self._reporter(job.job)
        model = msgspec.json.decode(job.model, type=ModelInfo) if job.model else None
        running = runner.run(spec, model, self._blobs.whole, report, cancelled)
        with contextlib.closing(running) as computed:
            for finish in computed:
                if pictures:
                    pictures[-1].result()  # so no more than one of a job waits in memory
                pictures.append(self._finisher.submit(finish))
        reporting = self._reporting

        def done() -> Done:
            results = [picture.result() for picture in pictures]
            seconds = time.perf_counter() - began
            if cancelled():
                raise JobCancelled("The job was cancelled.")
            if not results:
                raise JobFailed("The job ended without a picture.")
            kept = [self._keep(each, i, len(results)) for i, each in enumerate(results)]
            return Done(job.job, kept, seconds, reporting)

        return done

    def _finish(self, job: int, finish: Callable[[], Done]) -> None:
        try:
            self._end(finish())
        except BaseException as error:
            self._end(_end_event(job, error))

    def _end(self, answer: Done | JobEvent) -> None:
        with self._lock:
            self._here.discard(answer.job)
            self._cancelled.discard(answer.job)
        self._send(answer)

    def _keep(self, result: Result, index: int, of: int) -> Result:
        """Put a result's bytes among the blobs, and return what the daemon hears of it."""
        digest, size = self._blobs.put(result.data), len(result.data)
        fields = {"index": index, "of": of, "digest": digest, "size": size, "data": b""}
        return msgspec.structs.replace(result, **fields)

    def _reporter(self, job: int) -> Callable[[Progress | Preview], None]:
        def report(event: Progress | Preview) -> None:
            began = time.perf_counter()
            self._send(JobEvent(job, event))
            self._reporting += time.perf_counter() - began

        return report

    def _send(self, message: Message) -> None:
        try:
            self._pipe.send(message)
        except OSError:  # the daemon has ended, and nobody waits for this job here any more
            _leave()


def read_specification(kind: str, spec: bytes) -> Composition | Cutout:
    """Return what a job asks for: a composition in any format that is still read, or a cut-out."""
    return from_json(spec) if kind == "compose" else msgspec.json.decode(spec, type=Cutout)


def _leave() -> None:
    """End this process at once, and what it has started where the group is its own."""
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _end_event(job: int, error: BaseException) -> JobEvent:
    """Say how a job ended that was not done."""
    if isinstance(error, JobCancelled):
        return JobEvent(job, Cancelled())
    if not isinstance(error, StandeeError):
        traceback.print_exception(error)
    return JobEvent(job, Failed(error=_problem(error)))


def _real_runner(options: Options, tokens: Path) -> Runner:
    from .job_runner import JobRunner  # imports torch, which takes seconds and memory

    return JobRunner(options, tokens)


def take_stdio(reads: Any) -> Pipe:
    """Keep stdin and stdout for the daemon, whose messages are `reads`; whatever else prints goes to the log."""
    write = os.fdopen(os.dup(1), "wb")
    read = os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    return Pipe(read, write, reads)


def _problem(error: BaseException) -> Problem:
    if isinstance(error, StandeeError):
        return Problem.of(error)
    if isinstance(error, ImportError):
        return Problem.of(
            MissingDependency(
                f"The engine cannot be loaded: {error}.",
                fix='Run `pip install "standee[backend]"`.',
            )
        )
    what = f"{type(error).__name__}: {error}".strip(": ")
    return Problem.of(
        JobFailed(f"The job failed: {what[:500]}.", fix="The daemon's log says where.")
    )


def _vitals() -> Ready:
    """Say which device this is and how full its memory is, if torch is here to tell."""
    torch = sys.modules.get("torch")
    if torch is None:
        return Ready("cpu")
    with contextlib.suppress(Exception):
        if torch.cuda.is_available():
            free, total = torch.cuda.mem_get_info()
            return Ready(torch.cuda.get_device_name(), total - free, total)
    return Ready("cpu")


def _volunteer_to_oom_killer() -> None:
    """When memory runs out, let Linux end this process and not the daemon or the desktop."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")
