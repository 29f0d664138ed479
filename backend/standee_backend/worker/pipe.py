"""Messages between the daemon and a worker process, over the worker's stdin and stdout.

Frames of msgpack with their length before them. What happens to a job is told in the protocol's own
events. Pictures do not pass: both sides read and write them in the same folder of blobs.
"""

from __future__ import annotations

import struct
import threading
from typing import IO, Any

import msgspec
from msgspec import Struct

from standee.wire.events import Cancelled, Failed, Preview, Problem, Progress, Result

_LENGTH = struct.Struct("<I")


class Message(Struct, frozen=True, tag_field="type"):
    """Anything that passes the pipe."""


class Setup(Message, frozen=True, tag="setup"):
    """The first words to a worker: where pictures lie, and the fields of `Options`."""

    blobs: str
    options: dict[str, Any]


class Run(Message, frozen=True, tag="run"):
    """Do this job, by a number that the daemon uses once.

    `spec` is JSON, and so is `model`, the `ModelInfo` of what a composition names. A cut-out has
    none, which names networks of another kind; nor has what an earlier daemon accepted.
    """

    job: int
    kind: str
    spec: bytes
    model: bytes = b""


class Cancel(Message, frozen=True, tag="cancel"):
    """Stop this job at its next step."""

    job: int


class Ready(Message, frozen=True, tag="ready"):
    """A worker is there. Memory is the device's, in bytes."""

    device: str = ""
    memory_used: int | None = None
    memory_total: int | None = None


class JobEvent(Message, frozen=True, tag="event"):
    """What happened to a job, but for its end with pictures; the event's `job` and `seq` are open."""

    job: int
    event: Progress | Preview | Cancelled | Failed


class CancelHeard(Message, frozen=True, tag="cancel.heard"):
    """A cancellation has been heard; the job ends at its next step, or once its model is loaded."""

    job: int


class Lacking(Message, frozen=True, tag="lacking"):
    """The worker's machine has not got what a job names; `problem` says what."""

    job: int
    problem: Problem


class DeviceFree(Message, frozen=True, tag="device.free"):
    """The device is done with a job, and the next one may come; its pictures are being finished beside that."""

    job: int


class Done(Message, frozen=True, tag="done"):
    """A job is done, and its pictures are among the blobs: all of them, or it is not done.

    `seconds` is the engine's own time, `reporting` what reports took of it.
    """

    job: int
    results: list[Result]
    seconds: float = 0.0
    reporting: float = 0.0


class WorkerUnable(Message, frozen=True, tag="unable"):
    """The worker cannot work at all."""

    problem: Problem


ToWorker = Setup | Run | Cancel
FromWorker = Ready | JobEvent | CancelHeard | Lacking | DeviceFree | Done | WorkerUnable


class Pipe:
    """One end. Reading belongs to one thread, writing to any."""

    def __init__(self, read: IO[bytes], write: IO[bytes], reads: Any) -> None:
        self._read, self._write = read, write
        self._decoder = msgspec.msgpack.Decoder(reads)
        self._encoder = msgspec.msgpack.Encoder()
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        """Write a message. Raises `OSError` when the other side is gone."""
        body = self._encoder.encode(message)
        with self._lock:
            self._write.write(_LENGTH.pack(len(body)) + body)
            self._write.flush()

    def receive(self) -> Any:
        """Return the next message, `None` at the end. Waits."""
        head = self._read.read(_LENGTH.size)
        if len(head) < _LENGTH.size:
            return None
        [length] = _LENGTH.unpack(head)
        body = self._read.read(length)
        return self._decoder.decode(body) if len(body) == length else None
