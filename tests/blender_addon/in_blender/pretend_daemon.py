"""Fake daemon that speaks the protocol and makes flat pictures, so that tests need no torch.

It keeps no promises beyond that; the real one has tests of its own.
"""

from __future__ import annotations

import hashlib
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import zmq

from standee.connection import Connection, Keys, write_connection
from standee.errors import DownloadNeeded, JobFailed, StandeeError
from standee.pairing import new_keys
from standee.wire import codec
from standee.wire.events import Cancelled, Preview, Problem, Progress, Queued, Result, Started
from standee.wire.messages import (
    BlobChunk,
    BlobMissing,
    BlobState,
    Download,
    Downloads,
    JobState,
    ModelInfo,
    Ok,
    Refused,
    Welcome,
)
from standee.wire.notes import MEMORY_PLAN, note


class PretendDaemon:
    """Answers on a thread of its own until `stop`. `picture` is what every result is."""

    def __init__(self, folder: Path, picture: bytes, *, steps: int = 3) -> None:
        self.file = folder / "connection.json"
        self.picture, self.steps = picture, steps
        self.blobs: dict[str, bytes] = {}
        self.specs: dict[str, dict[str, Any]] = {}
        self.released: list[str] = []
        self.cancelled: list[str] = []
        self.fail_with: StandeeError | None = None
        self.lacks: tuple[Download, ...] = ()
        self.hold = threading.Event()  # while set, jobs do not get on
        self._server, self._client = new_keys(), new_keys()
        self._stop = threading.Event()
        self._cancelled: set[str] = set()
        self._thread: threading.Thread | None = None
        self.protocol = (1, 0)
        self.note = note(
            MEMORY_PLAN,
            preset="32 bits",
            dtype="fp32",
            need=2**30,
            room=2**31,
            **dict.fromkeys(("offload", "quantization", "text_quantization"), "none"),
        )

    def start(self) -> PretendDaemon:
        ready = threading.Event()
        self._stop.clear()
        self._thread = threading.Thread(target=self._serve, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10)
        return self

    def stop(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(10)

    def _serve(self, ready: threading.Event) -> None:
        context = zmq.Context()
        socket = context.socket(zmq.ROUTER)
        socket.linger = 0
        socket.curve_server = True
        socket.curve_secretkey = self._server.secret.encode()
        socket.curve_publickey = self._server.public.encode()
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        keys = Keys(self._client.public, self._client.secret)
        endpoint = f"tcp://127.0.0.1:{port}"
        write_connection(self.file, Connection(endpoint, self._server.public, keys, self.protocol))
        ready.set()
        running: dict[str, tuple[bytes, list[Any]]] = {}
        while not self._stop.is_set():
            if socket.poll(5):
                peer, *frames = socket.recv_multipart()
                fields = codec.unpack(frames)
                answer, events = self._answer(fields)
                socket.send_multipart([peer, *codec.encode(answer)])
                if events is not None:
                    running[fields["job"]] = (peer, events)
            for job, (peer, events) in list(running.items()):
                if job in self._cancelled:
                    events[:] = [Cancelled(job=job, seq=90)]
                if events and not (self.hold.is_set() and job not in self._cancelled):
                    socket.send_multipart([peer, *codec.encode(events.pop(0))])
                if not events:
                    del running[job]
                    self._cancelled.discard(job)
        socket.close()
        context.term()

    def _answer(self, fields: dict[str, Any]) -> tuple[Any, list[Any] | None]:
        number, kind = fields["id"], fields["type"]
        if kind == "hello":
            models = (ModelInfo(name="mini", patch=16), ModelInfo(name="other", patch=16))
            return Welcome(re=number, version=self.protocol, epoch="1", models=models), None
        if kind == "blob.has":
            lacking = tuple(one for one in fields["digests"] if not self._whole(one))
            return BlobMissing(re=number, digests=lacking), None
        if kind in ("blob.open", "blob.put", "blob.commit"):
            return self._upload(number, kind, fields), None
        if kind == "blob.get":
            at, length = fields.get("offset", 0), fields.get("length", 2**18)
            data, digest = self.blobs[fields["digest"]], fields["digest"]
            part = data[at : at + length]
            return BlobChunk(re=number, digest=digest, offset=at, size=len(data), data=part), None
        if kind in ("job.submit", "job.attach"):
            job = fields["job"]
            if kind == "job.submit":
                self.specs[job] = fields["spec"]
            elif job not in self.specs:
                problem = Problem.of(JobFailed("No such job."))
                return Refused(re=number, error=problem), None
            if self.lacks and not fields.get("download"):
                refusal = DownloadNeeded("It is not on this machine.", fix="Say yes.")
                return Refused(re=number, error=Problem.of(refusal)), None
            if self.fail_with is not None:
                return Refused(re=number, error=Problem.of(self.fail_with)), None
            return JobState(re=number, job=job, state="queued"), self._events(job)
        if kind == "downloads":
            return Downloads(re=number, downloads=self.lacks), None
        if kind == "job.cancel":
            if fields["job"] not in self.specs:
                return Refused(re=number, error=Problem.of(JobFailed("No such job."))), None
            self._cancelled.add(fields["job"])
            self.cancelled.append(fields["job"])
        if kind == "job.release":
            self.released.append(fields["job"])
        return Ok(re=number), None

    def _upload(self, number: int, kind: str, fields: dict[str, Any]) -> BlobState:
        digest, data = fields["digest"], self.blobs.get(fields["digest"], b"")
        if kind == "blob.put":
            data = data[: fields["offset"]] + fields["data"]
        self.blobs[digest] = data
        whole = self._whole(digest)
        return BlobState(re=number, digest=digest, offset=len(data), complete=whole)

    def _whole(self, digest: str) -> bool:
        return hashlib.sha256(self.blobs.get(digest, b"")).hexdigest() == digest

    def _events(self, job: str) -> list[Any]:
        spec = self.specs[job]
        sampling = spec.get("sampling", {"count": 1, "seed": 0})  # a cut-out has none
        digest = hashlib.sha256(self.picture).hexdigest()
        self.blobs[digest] = self.picture
        events: list[Any] = [Queued(job=job, seq=1), Started(job=job, seq=2)]
        for step in range(self.steps):
            events.append(
                Progress(
                    job=job,
                    seq=3 + step,
                    stage="denoising",
                    step=step + 1,
                    of=self.steps,
                    notes=() if step else (self.note,),
                )
            )
        if len(self.picture) < 2**20:
            events.append(Preview(job=job, seq=50, step=1, data=self.picture))
        for index in range(sampling["count"]):
            one = spec | {"sampling": sampling | {"seed": sampling["seed"] + index, "count": 1}}
            events.append(
                Result(
                    job=job,
                    seq=60 + index,
                    index=index,
                    of=sampling["count"],
                    seed=sampling["seed"] + index,
                    digest=digest,
                    receipt={"composition": one, "notes": msgspec.to_builtins((self.note,))},
                    notes=(self.note,),
                )
            )
        return events


def wait(tick: Any, until: Any, seconds: float = 20.0) -> None:
    """Tick until something is so; the longest a test waits for anything."""
    end = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < end, "waited too long"
        tick()
        time.sleep(0.002)
