"""What the daemon answers to each request.

One method per type of request, each returning its answer or raising the `StandeeError` that is the
answer. What touches the disk runs in threads; nothing here waits for a device.
"""

from __future__ import annotations

import logging
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import singledispatchmethod
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from standee import __version__
from standee.composition import Composition, validate
from standee.errors import BadMessage, IncompatibleVersion, TooLarge, Unauthorised
from standee.wire.events import Queued
from standee.wire.messages import (
    PROTOCOL,
    Answer,
    BlobChunk,
    BlobCommit,
    BlobGet,
    BlobHas,
    BlobMissing,
    BlobOpen,
    BlobPut,
    BlobState,
    Cutout,
    Hello,
    JobAttach,
    JobCancel,
    JobList,
    JobRelease,
    Jobs,
    JobState,
    JobSubmit,
    Limits,
    ModelInfo,
    Models,
    ModelsRequest,
    Ok,
    Request,
    Shutdown,
    Status,
    StatusRequest,
    Welcome,
)

from ..catalog import catalog, lora_files
from ..event_log import event
from ..scheduling.scheduler import Scheduler
from ..storage.blob_files import Blobs, missing
from ..storage.disk_thread import Disk
from ..storage.job_store import Job, Store
from .peer import Peer

log = logging.getLogger("standee.service")

CAPABILITIES = ("compose", "cutout", "previews", "hard-cancel", "priorities")
SPEC_LIMIT = 900_000
"""Bytes of a specification: a result's receipt, which holds it, must fit into one message too."""
LOOK_AGAIN = 5.0
"""Seconds for which the list of models is not looked up again."""
PACKAGES = ("standee", "torch", "diffusers", "transformers", "pyzmq")


@dataclass(frozen=True)
class Surroundings:
    """What a service needs to know of the daemon around it."""

    home: Path
    epoch: str
    started: float
    limits: Limits
    local_key: str
    stop: Callable[[], None]
    clients: Callable[[], int]


class Service:
    """Answers the requests of all peers."""

    def __init__(
        self, around: Surroundings, store: Store, disk: Disk, blobs: Blobs, scheduler: Scheduler
    ) -> None:
        self._around = around
        self._store, self._disk, self._scheduler = store, disk, scheduler
        self._blobs, self._files = blobs, Disk("blobs", threads=2)
        self._known_models: tuple[ModelInfo, ...] = ()
        self._looked = float("-inf")

    def close(self) -> None:
        self._files.close()

    async def answer(self, request: Request, peer: Peer) -> Answer | None:
        """Answer a request; `None` where the answer is sent already. Raises `StandeeError`."""
        if not peer.greeted and not isinstance(request, Hello):
            raise BadMessage(
                "The connection is not greeted yet.",
                path="$.type",
                fix="Send hello first; after a restart of the daemon, again.",
            )
        answer: Answer | None = await self._answer(request, peer)
        return answer and msgspec.structs.replace(answer, re=request.id)

    @singledispatchmethod
    async def _answer(self, request: Request, peer: Peer) -> Answer | None:
        return Ok()  # a ping

    # -- the daemon itself -----------------------------------------------------------------------

    @_answer.register
    async def _(self, request: Hello, peer: Peer) -> Answer:
        if request.version[0] != PROTOCOL[0]:
            raise IncompatibleVersion(
                f"The client speaks protocol {request.version[0]}, the daemon {PROTOCOL[0]}.",
                path="$.version",
                fix="Install the same version of Standee on both sides.",
            )
        peer.greeted = True
        event(log, "client.hello", client=request.client)
        return Welcome(
            version=PROTOCOL,
            epoch=self._around.epoch,
            server=f"standee {__version__}",
            capabilities=CAPABILITIES,
            limits=self._around.limits,
            models=await self._models(),
        )

    @_answer.register
    async def _(self, request: ModelsRequest, peer: Peer) -> Answer:
        return Models(models=await self._models())

    @_answer.register
    async def _(self, request: StatusRequest, peer: Peer) -> Answer:
        queued, running = await self._disk(self._store.counts)
        return Status(
            server=f"standee {__version__}",
            version=PROTOCOL,
            epoch=self._around.epoch,
            pid=os.getpid(),
            uptime=time.monotonic() - self._around.started,
            home=str(self._around.home),
            queued=queued,
            running=running,
            clients=self._around.clients(),
            memory=resident_memory(),
            stored=await self._disk(self._store.holdings.stored, peer.owner),
            storage_limit=self._around.limits.storage,
            workers=tuple(slot.info() for slot in self._scheduler.slots),
            versions=versions(),
        )

    @_answer.register
    async def _(self, request: Shutdown, peer: Peer) -> Answer:
        if peer.owner != self._around.local_key:
            raise Unauthorised(
                "Only the daemon's own user may stop it.", fix="Stop it on its own machine."
            )
        event(log, "daemon.asked-to-stop")
        self._around.stop()
        return Ok()

    async def _models(self) -> tuple[ModelInfo, ...]:
        """Return the models there are, looked up anew when the last look is some seconds old."""
        if time.monotonic() - self._looked > LOOK_AGAIN:
            self._known_models = tuple(await self._files(catalog.models))
            self._looked = time.monotonic()
        return self._known_models

    # -- pictures --------------------------------------------------------------------------------

    @_answer.register
    async def _(self, request: BlobHas, peer: Peer) -> Answer:
        lacks = await self._disk(self._store.holdings.lacks, peer.owner, request.digests)
        return BlobMissing(digests=tuple(lacks))

    @_answer.register
    async def _(self, request: BlobOpen, peer: Peer) -> Answer:
        holdings, limits = self._store.holdings, self._around.limits
        owner, digest = peer.owner, request.digest
        if await self._disk(holdings.holds, owner, digest):
            return BlobState(digest=digest, offset=request.size, complete=True)
        if request.size > limits.blob:
            raise TooLarge(
                f"A picture of {request.size:,} bytes is over the limit of {limits.blob:,}.",
                path="$.size",
                fix="Save it smaller.",
            )
        gone = await self._disk(holdings.expect, owner, digest, request.size, limits.storage)
        await self._drop(gone)
        peer.uploads[digest] = request.size
        received = await self._files(self._blobs.received, owner, digest)
        return BlobState(digest=digest, offset=received)

    @_answer.register
    async def _(self, request: BlobPut, peer: Peer) -> Answer:
        size = await self._announced(peer, request.digest)
        if request.offset + len(request.data) > size:
            raise TooLarge(
                f"The upload was announced with {size:,} bytes, and this is more.",
                path="$.data",
                fix="Open the upload with the picture's size.",
            )
        offset = await self._files(
            self._blobs.append, peer.owner, request.digest, request.offset, request.data
        )
        return BlobState(digest=request.digest, offset=offset)

    @_answer.register
    async def _(self, request: BlobCommit, peer: Peer) -> Answer:
        holdings, owner, digest = self._store.holdings, peer.owner, request.digest
        if await self._disk(holdings.holds, owner, digest):
            size = await self._files(self._blobs.size, digest)
            return BlobState(digest=digest, offset=size, complete=True)
        size = await self._announced(peer, digest)
        received = await self._files(self._blobs.received, owner, digest)
        if received < size:
            return BlobState(digest=digest, offset=received)
        try:
            size = await self._files(self._blobs.commit, owner, digest)
        except BadMessage:
            await self._disk(holdings.forget, owner, digest)
            raise
        finally:
            peer.uploads.pop(digest, None)
        await self._disk(holdings.hold, owner, digest, size)
        return BlobState(digest=digest, offset=size, complete=True)

    @_answer.register
    async def _(self, request: BlobGet, peer: Peer) -> Answer:
        digest = request.digest
        if not await self._disk(self._store.holdings.holds, peer.owner, digest):
            raise missing(digest)
        size = await self._files(self._blobs.size, digest)
        data = await self._files(self._blobs.read, digest, request.offset, request.length)
        return BlobChunk(digest=digest, offset=request.offset, size=size, data=data)

    async def _announced(self, peer: Peer, digest: str) -> int:
        """Return the size that an upload was opened with, maybe on an earlier connection."""
        if digest not in peer.uploads:
            size = await self._disk(self._store.holdings.expected, peer.owner, digest)
            if size is None:
                raise BadMessage(
                    "This upload was not opened.", path="$.digest", fix="Send blob.open first."
                )
            peer.uploads[digest] = size
        return peer.uploads[digest]

    async def _drop(self, digests: list[str]) -> None:
        for digest in digests:
            await self._files(self._blobs.drop, digest)

    # -- jobs ------------------------------------------------------------------------------------

    @_answer.register
    async def _(self, request: JobSubmit, peer: Peer) -> Answer | None:
        kind = Composition if request.kind == "compose" else Cutout
        spec = validate(request.spec, kind)
        encoded = msgspec.json.encode(spec)
        if len(encoded) > SPEC_LIMIT:
            raise TooLarge(
                f"The specification has {len(encoded):,} bytes, the limit is {SPEC_LIMIT:,}.",
                path="$",
                fix="Shorten its texts or use fewer layers.",
            )
        model = b""
        if isinstance(spec, Composition):
            info = await self._files(catalog.find, spec.sampling.model)
            model = msgspec.json.encode(info)
            for index, lora in enumerate(spec.sampling.loras):
                await self._files(lora_files.locate, lora.path, lora_files.field_of(index))
        job, queued, past = await self._disk(
            self._accept, request, peer.owner, spec, encoded, model
        )
        if queued is not None:
            event(log, "job.queued", job=job.id, kind=job.kind, position=queued.position)
        position = queued.position if queued is not None else None
        state = "queued" if queued is not None else job.state
        peer.send(JobState(re=request.id, job=job.id, state=state, position=position))
        self._scheduler.subscribe(peer, job, past)
        self._scheduler.wake()
        if queued is None:  # handed in again: others may have gone meanwhile
            await self._scheduler.announce()
        return None

    def _accept(
        self,
        request: JobSubmit,
        owner: str,
        spec: Composition | Cutout,
        encoded: bytes,
        model: bytes,
    ) -> tuple[Job, Queued | None, list[Any]]:
        """In the store's thread: check that the pictures are there and store the job."""
        named = dict(_pictures(spec))
        lacks = set(self._store.holdings.lacks(owner, named.values()))
        for path, digest in named.items():
            if digest in lacks:
                raise missing(digest, path)
        job, queued = self._store.submit(
            owner,
            request.job,
            request.kind,
            encoded,
            model=model,
            digests=set(named.values()),
            priority=request.priority,
            summary=(spec.prompt if isinstance(spec, Composition) else spec.words)[:80],
            limit=self._around.limits.jobs,
        )
        return job, queued, self._store.events(job.key)

    @_answer.register
    async def _(self, request: JobAttach, peer: Peer) -> Answer | None:
        def look() -> tuple[Job, list[Any]]:
            job = self._store.find(peer.owner, request.job)
            return job, self._store.events(job.key, request.since_seq)

        job, past = await self._disk(look)
        peer.send(JobState(re=request.id, job=job.id, state=job.state))
        self._scheduler.subscribe(peer, job, past, request.since_seq)
        await self._scheduler.announce()
        return None

    @_answer.register
    async def _(self, request: JobCancel, peer: Peer) -> Answer:
        job = await self._scheduler.cancel(peer.owner, request.job, request.hard)
        return JobState(job=job.id, state=job.state)

    @_answer.register
    async def _(self, request: JobList, peer: Peer) -> Answer:
        return Jobs(jobs=tuple(await self._disk(self._store.jobs, peer.owner)))

    @_answer.register
    async def _(self, request: JobRelease, peer: Peer) -> Answer:
        gone = await self._disk(self._store.release, peer.owner, request.job)
        await self._drop(gone)
        return Ok()


def _pictures(spec: Composition | Cutout) -> Iterator[tuple[str, str]]:
    """Yield the path and digest of each picture that a specification names."""
    if isinstance(spec, Cutout):
        yield "$.picture", spec.picture
        return
    for index, layer in enumerate(spec.layers):
        yield f"$.layers[{index}].picture", layer.picture
        if layer.mask is not None:
            yield f"$.layers[{index}].mask", layer.mask
    if spec.scene is not None:
        yield "$.scene.picture", spec.scene.picture
        if spec.scene.kept is not None:
            yield "$.scene.kept", spec.scene.kept


def resident_memory() -> int:
    """Return the bytes of memory that this process holds now; 0 where it cannot be told."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def versions() -> dict[str, str]:
    """Return the versions of what matters for a result."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
