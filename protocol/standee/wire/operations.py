"""The conversations of more than one message, as generators: they yield requests, and get answers.

An operation yields a list of requests; when all their answers are there it gets them in the same order.
A refusal is raised in it as the `StandeeError` that it carries. No sockets, no clocks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import msgspec

from ..composition import Composition, validate
from ..errors import BadMessage, TooLarge
from .codec import LIMITS
from .messages import (
    AnyAnswer,
    BlobChunk,
    BlobCommit,
    BlobGet,
    BlobHas,
    BlobMissing,
    BlobOpen,
    BlobPut,
    BlobState,
    Cutout,
    Download,
    Downloads,
    DownloadsRequest,
    JobInfo,
    JobList,
    Jobs,
    JobSubmit,
    Kind,
    KnownModels,
    KnownModelsRequest,
    ModelInfo,
    Models,
    ModelsRequest,
    Request,
)

T = TypeVar("T")
Operation = Generator[list[Request], list[AnyAnswer], T]
Blobs = Mapping[str, bytes | Path]
"""Pictures by their digest: the encoded bytes, or the file that holds them."""

CHUNK = 2**18
WINDOW = 8
"""How many chunks are under way at once: 2 MiB, so that a host's loop never waits for long."""


@dataclass
class TransferProgress:
    """How many bytes of an operation have moved."""

    moved: int = 0
    total: int = 0

    @property
    def part(self) -> float:
        return self.moved / self.total if self.total else 0.0


class _Reader(Protocol):
    def __call__(self, offset: int, length: int) -> bytes: ...


def ask(request: Request) -> Operation[Any]:
    """Ask one thing and return its answer."""
    [answer] = yield [request]
    return answer


def list_jobs(everyone: bool = False) -> Operation[list[JobInfo]]:
    """Return all jobs of this client, oldest first, which may take several answers."""
    found: list[JobInfo] = []
    while True:
        after = found[-1].number if found else 0
        answer = cast(Jobs, (yield from ask(JobList(after=after, everyone=everyone))))
        found += answer.jobs
        if not answer.more or not answer.jobs:
            return found


def list_models() -> Operation[list[ModelInfo]]:
    """Return the models that compositions may name."""
    answer = cast(Models, (yield from ask(ModelsRequest())))
    return list(answer.models)


def known_models() -> Operation[KnownModels]:
    """Return what models there are to have, and what each takes on the daemon's machine."""
    answer = cast(KnownModels, (yield from ask(KnownModelsRequest())))
    return msgspec.structs.replace(answer, models=tuple(answer.models))


def downloads(spec: Composition | Cutout) -> Operation[tuple[Download, ...]]:
    """Return what a job of this `spec` would have to download first."""
    kind: Kind = "cutout" if isinstance(spec, Cutout) else "compose"
    answer = cast(Downloads, (yield from ask(DownloadsRequest(kind=kind, spec=spec))))
    return answer.downloads


def upload(digest: str, source: bytes | Path, transfer: TransferProgress) -> Operation[None]:
    """Send a picture, from where an earlier try ended. Raises `TooLarge` and the daemon's errors."""
    with _open_source(source) as (size, read):
        if size > LIMITS.blob:
            raise TooLarge(
                f"A picture of {size:,} bytes is over the limit of {LIMITS.blob:,}.",
                fix="Save it smaller.",
            )
        transfer.total += size
        before, fruitless = transfer.moved, 0
        [state] = cast(list[BlobState], (yield [BlobOpen(digest=digest, size=size)]))
        while not state.complete:
            transfer.moved = before + state.offset
            ends = min(size, state.offset + WINDOW * CHUNK)
            offsets = range(state.offset, ends, CHUNK)
            batch: list[Request] = [
                BlobPut(digest=digest, offset=at, data=read(at, min(CHUNK, size - at)))
                for at in offsets
            ]
            if ends == size:
                batch.append(BlobCommit(digest=digest))
            previous, state = state, cast(BlobState, (yield batch)[-1])
            fruitless = fruitless + 1 if state.offset <= previous.offset else 0
            if fruitless > 3 and not state.complete:
                raise BadMessage("The upload does not get on.", fix="Try again.")
        transfer.moved = before + size


def download(digest: str, transfer: TransferProgress | None = None) -> Operation[bytes]:
    """Fetch a picture. Raises `MissingBlob`, and `BadMessage` if its bytes are not the digest's."""
    transfer = transfer or TransferProgress()
    [first] = cast(list[BlobChunk], (yield [BlobGet(digest=digest, length=CHUNK)]))
    check, data = hashlib.sha256(first.data), bytearray(first.data)
    transfer.total += first.size
    transfer.moved += len(data)
    while len(data) < first.size:
        ends = min(first.size, len(data) + WINDOW * CHUNK)
        offsets = range(len(data), ends, CHUNK)
        batch: list[Request] = [BlobGet(digest=digest, offset=at, length=CHUNK) for at in offsets]
        for chunk in cast(list[BlobChunk], (yield batch)):
            check.update(chunk.data)
            data += chunk.data
            transfer.moved += len(chunk.data)
    if check.hexdigest() != digest:
        raise BadMessage("The picture arrived damaged.", path="$.digest", fix="Fetch it again.")
    return bytes(data)


def put_blob(digest: str, source: bytes | Path, transfer: TransferProgress) -> Operation[str]:
    """Send a picture unless the daemon has it. Returns its digest."""
    [missing] = cast(list[BlobMissing], (yield [BlobHas(digests=(digest,))]))
    if missing.digests:
        yield from upload(digest, source, transfer)
    return digest


def submission(
    spec: Composition | Cutout,
    blobs: Blobs | None,
    kind: Kind,
    job_id: str,
    priority: int,
    download: bool,
) -> tuple[Operation[str], TransferProgress]:
    """Return the operation that submits `spec`, checked here first: errors come before any upload."""
    if isinstance(spec, Cutout):
        kind = "cutout"
    named = spec.digests()
    spec = validate(spec, type(spec))
    request = JobSubmit(job=job_id, kind=kind, spec=None, priority=priority, download=download)
    request = validate(request, JobSubmit)
    request = msgspec.structs.replace(request, spec=spec)
    transfer = TransferProgress()
    return submit(request, named, blobs or {}, transfer), transfer


def submit(
    job: JobSubmit, named: frozenset[str], blobs: Blobs, transfer: TransferProgress
) -> Operation[str]:
    """Send those of the `named` pictures that the daemon lacks, then the job. Returns its id."""
    if named:
        [missing] = cast(list[BlobMissing], (yield [BlobHas(digests=tuple(sorted(named)))]))
        for digest in missing.digests:
            if digest in blobs:
                yield from upload(digest, blobs[digest], transfer)
    yield [job]
    return job.job


@contextmanager
def _open_source(source: bytes | Path) -> Iterator[tuple[int, _Reader]]:
    """Yield a picture's size and a function that reads a slice of it, from memory or from disk."""
    if not isinstance(source, Path):
        view = memoryview(source)
        yield len(view), lambda offset, length: bytes(view[offset : offset + length])
        return
    with source.open("rb") as file:

        def read(offset: int, length: int) -> bytes:
            file.seek(offset)
            return file.read(length)

        yield source.stat().st_size, read
