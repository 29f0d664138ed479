"""A child process of the daemon: words to it and from it, what it says on stderr, and how it ended."""

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
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from ..event_log import event
from ..worker.pipe import Message, Pipe

GONE_WITHIN = 5.0
"""Seconds that the system has to end a killed process."""
LONGEST_LINE = 10_000
"""Bytes of what a process says that are logged as one line."""

log = logging.getLogger("standee.executor")


class ChildProcess:
    """A process that is spoken with over its stdin and stdout, in messages of the type `reads`.

    `took` gets each of its messages, and `ended` is told at last how it ended; both in the loop.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        reads: Any,
        took: Callable[[Any], None],
        ended: Callable[[str], None],
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._name, self._took, self._ended = name, took, ended
        self._outbox: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**environment, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # a group of its own: Ctrl-C is the daemon's, and it ends as one
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._pipe = Pipe(self._process.stdout, self._process.stdin, reads)
        for work in (self._read, self._write, self._relay):
            threading.Thread(target=work, daemon=True, name=f"child {name}").start()
        event(log, "worker.started", worker=name, pid=self.pid)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: Message) -> None:
        """Say something, as soon as the process reads."""
        self._outbox.put(message)

    def kill(self) -> None:
        """Kill the process and whatever it has started."""
        if sys.platform == "win32":
            self._process.kill()
        else:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def stop(self) -> None:
        """End the process."""
        self.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(self._process.wait, GONE_WITHIN)

    def _write(self) -> None:
        """In a thread: write what there is to say; a process that does not read stops nothing else."""
        with contextlib.suppress(OSError):  # it is gone, and will be heard to be
            while (message := self._outbox.get()) is not None:
                self._pipe.send(message)

    def _relay(self) -> None:
        """Log what the process, and whatever runs in it, says on stderr: whoever reads the log need not hurry."""
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
                    self._loop.call_soon_threadsafe(self._took, message)
                status = self._process.wait(GONE_WITHIN)
            except (OSError, ValueError, msgspec.MsgspecError, subprocess.TimeoutExpired) as error:
                event(log, "worker.mute", level=logging.WARNING, error=str(error)[:200])
                self.kill()
                status = self._process.wait()
            self.kill()  # what it has started and left
            self._outbox.put(None)
            self._loop.call_soon_threadsafe(self._ended, _describe_exit(status))


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
