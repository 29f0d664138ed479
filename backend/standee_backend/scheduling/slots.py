"""Slots for jobs, behind one interface: each computes one job at a time.

`local` is one child process per device of this machine. The slots of other machines are in `cluster/`, with the same
store and scheduler before them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from standee.wire.events import Result
from standee.wire.worker_info import WorkerInfo

from ..hardware.options import Options
from ..storage.job import Job
from ..worker.pipe import Ready, Setup
from .worker_process import Free, Report, WorkerProcess

WORKER = (sys.executable, "-P", "-m", "standee_backend.worker")


class Slot(Protocol):
    """A place where one job at a time is computed."""

    @property
    def open(self) -> bool:
        """Whether it can take jobs now; one that opens later has the scheduler woken."""

    def warm(self) -> None:
        """Get ready before the first job comes."""

    async def run(self, job: Job, report: Report, free: Free) -> list[Result]:
        """Compute a job. Raises `WorkerDied`, `NotHere`, `JobCancelled` and the job's own error.

        Calls `free` when the next job may come: the device is done with this one, whose pictures are being finished.
        """

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
        self._process: WorkerProcess | None = None

    @property
    def open(self) -> bool:
        """Always: the process is started when a job comes."""
        return True

    def warm(self) -> None:
        """Start the process if there is none."""
        self._running_process()

    async def run(self, job: Job, report: Report, free: Free) -> list[Result]:
        """Compute a job; see `Slot`."""
        return await self._running_process().compute(job, report, free)

    def cancel(self, key: int, hard: bool) -> bool:
        """Stop a job if it runs here; see `Slot`."""
        return self._process is not None and self._process.cancel(key, hard)

    def info(self) -> WorkerInfo:
        """Return the state of the process."""
        process = self._process
        if process is None or not process.alive:
            return WorkerInfo(name=self.name, state="stopped")
        job, ready = process.job, process.ready or Ready()
        return WorkerInfo(
            name=self.name,
            state="busy" if job else "idle" if process.ready else "starting",
            pid=process.pid,
            device=ready.device,
            job=job.id if job else None,
            memory_used=ready.memory_used,
            memory_total=ready.memory_total,
        )

    async def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            await self._process.stop()

    def _running_process(self) -> WorkerProcess:
        if self._process is None or not self._process.alive:
            self._process = WorkerProcess(self.name, self._command, self._setup)
        return self._process


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
