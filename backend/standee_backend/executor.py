"""Where jobs are computed, behind one interface: `Slot`s that each run one job at a time.

`local` is one child process per device of this machine. Other machines would be other slots, with
the same store and scheduler before them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from standee.errors import JobCancelled, StandeeError
from standee.messages import WorkerInfo

from .hardware import Options
from .logs import event
from .pipe import (
    Cancel,
    Done,
    FromWorker,
    Made,
    Pipe,
    Previewed,
    Ready,
    Reported,
    Run,
    Setup,
    Stopped,
    Unable,
)
from .store import Job

WORKER = (sys.executable, "-m", "standee_backend.worker")
Report = Callable[[Reported | Previewed], None]

log = logging.getLogger("standee.executor")


class WorkerDied(Exception):
    """The process that ran a job is gone; the text says how."""


class Slot(Protocol):
    """A place where one job at a time is computed."""

    def warm(self) -> None:
        """Get ready before the first job comes."""

    async def run(self, job: Job, report: Report) -> list[Made]:
        """Compute a job. Raises `WorkerDied`, `JobCancelled` and the job's own error."""

    def cancel(self, key: int, hard: bool) -> bool:
        """Stop a job if it runs here, and return whether it does."""

    def info(self) -> WorkerInfo: ...

    async def stop(self) -> None:
        """Give everything back."""


class LocalSlot:
    """A child process that is started when it is needed and kept for its loaded model."""

    def __init__(
        self, name: str, blobs: Path, options: Options, command: Sequence[str] = WORKER
    ) -> None:
        self.name = name
        self._command = list(command)
        self._setup = Setup(str(blobs), msgspec.to_builtins(options))
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Pipe | None = None
        self._inbox: asyncio.Queue[Any] = asyncio.Queue()
        self._ready = Ready()
        self._warm = False
        self._job: Job | None = None
        self._cancelled_hard = False

    def warm(self) -> None:
        """Start the child if there is none."""
        if self._process is not None and self._process.poll() is None:
            return
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # a Ctrl-C in the daemon's terminal is for the daemon to handle
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._pipe = Pipe(self._process.stdout, self._process.stdin, FromWorker)
        self._inbox = asyncio.Queue()
        self._warm = False
        reader = threading.Thread(
            target=_read,
            args=(self._pipe, asyncio.get_running_loop(), self._inbox),
            daemon=True,
            name=f"worker {self.name}",
        )
        reader.start()
        with contextlib.suppress(OSError):
            self._pipe.send(self._setup)
        event(log, "worker.started", worker=self.name, pid=self._process.pid)

    async def run(self, job: Job, report: Report) -> list[Made]:
        """Compute a job; see `Slot`."""
        self._job, self._cancelled_hard = job, False
        try:
            while not self._inbox.empty():
                self._heard(self._inbox.get_nowait())
            self.warm()
            assert self._pipe is not None
            with contextlib.suppress(OSError):
                self._pipe.send(Run(job.key, job.kind, job.spec))
            while True:
                message = await self._inbox.get()
                if message is None:
                    if self._cancelled_hard:
                        raise JobCancelled("The job was cancelled.")
                    raise WorkerDied(await self._autopsy())
                if isinstance(message, Reported | Previewed) and message.job == job.key:
                    report(message)
                elif isinstance(message, Done) and message.job == job.key:
                    engine, reporting = message.seconds, message.reporting
                    event(log, "job.computed", job=job.id, engine=engine, reporting=reporting)
                    return message.outputs
                elif isinstance(message, Stopped) and message.job == job.key:
                    raise JobCancelled("The job was cancelled.")
                elif isinstance(message, Unable):
                    raise message.problem.exception()
                else:
                    self._heard(message)
        finally:
            self._job = None

    def cancel(self, key: int, hard: bool) -> bool:
        """Stop a job if it runs here; see `Slot`."""
        if self._job is None or self._job.key != key or self._pipe is None:
            return False
        if hard:
            self._cancelled_hard = True
            self._kill()
        else:
            with contextlib.suppress(OSError):
                self._pipe.send(Cancel(key))
        return True

    def info(self) -> WorkerInfo:
        """Say how the child is."""
        if self._job is None:
            with contextlib.suppress(asyncio.QueueEmpty):
                while True:
                    self._heard(self._inbox.get_nowait())
        alive = self._process is not None and self._process.poll() is None
        state = "stopped" if not alive else "busy" if self._job else "idle"
        return WorkerInfo(
            name=self.name,
            state="starting" if state == "idle" and not self._warm else state,  # type: ignore[arg-type]
            pid=self._process.pid if alive and self._process is not None else None,
            device=self._ready.device,
            job=self._job.id if self._job else None,
            memory_used=self._ready.memory_used,
            memory_total=self._ready.memory_total,
        )

    async def stop(self) -> None:
        """End the child."""
        self._kill()
        if self._process is not None:
            await asyncio.to_thread(self._process.wait)

    def _heard(self, message: Any) -> None:
        if isinstance(message, Ready):
            self._ready, self._warm = message, True
        elif message is None and self._process is not None:
            event(log, "worker.gone", worker=self.name, status=self._process.poll())
            self._process.wait()
            self._process = None

    def _kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()

    async def _autopsy(self) -> str:
        """Say how the child ended."""
        process, self._process = self._process, None
        if process is None:
            return "its worker was gone"
        status = await asyncio.to_thread(process.wait)
        how = f"it exited with status {status}"
        if status < 0:
            name = signal.Signals(-status).name
            how = f"it was ended by {name}"
            if name == "SIGKILL":
                how += " (often the system's answer to too little memory)"
        event(log, "worker.died", level=logging.WARNING, worker=self.name, how=how)
        return how


def local(
    blobs: Path,
    options: Options,
    devices: Sequence[str] = (),
    command: Sequence[str] = WORKER,
) -> list[LocalSlot]:
    """Return a slot per device: those given, or all NVIDIA cards, or one for whatever there is."""
    if not devices and options.device == "auto":
        devices = [f"cuda:{index}" for index in range(_cards())]
    if len(devices) <= 1:
        devices = list(devices) or [options.device]
    return [
        LocalSlot(f"local-{index}", blobs, msgspec.structs.replace(options, device=device), command)
        for index, device in enumerate(devices)
    ]


def _cards() -> int:
    """Count the NVIDIA cards without torch; 0 unless there are several to tell apart."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        count = len([card for card in visible.split(",") if card.strip() not in ("", "-1")])
    else:
        tool = shutil.which("nvidia-smi")
        if tool is None:
            return 0
        try:
            listed = subprocess.run([tool, "-L"], capture_output=True, timeout=10, check=True)
        except (OSError, subprocess.SubprocessError):
            return 0
        count = listed.stdout.count(b"GPU ")
    return count if count > 1 else 0


def _read(pipe: Pipe, loop: asyncio.AbstractEventLoop, inbox: asyncio.Queue[Any]) -> None:
    """In a thread: hand what the child says to the loop; `None` when it is gone."""
    message: Any = True
    while message is not None:
        try:
            message = pipe.receive()
        except (OSError, ValueError, msgspec.MsgspecError):
            message = None
        with contextlib.suppress(RuntimeError):  # the loop may be closed already
            loop.call_soon_threadsafe(inbox.put_nowait, message)


__all__ = ["WORKER", "LocalSlot", "Slot", "StandeeError", "WorkerDied", "local"]
