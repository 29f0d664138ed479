"""Answers of the daemon to each request.

One method per type of request, each returning its answer or raising the `StandeeError` that is the
answer. What touches the disk runs in threads; nothing here waits for a device.
"""

from __future__ import annotations

import logging
import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial, singledispatchmethod
from importlib import metadata
from pathlib import Path

import msgspec

from standee import __version__
from standee.composition import Composition, validate
from standee.errors import (
    IncompatibleVersion,
    Unauthorised,
)
from standee.wire.messages import (
    PROTOCOL,
    Answer,
    BlobCommit,
    BlobGet,
    BlobHas,
    BlobOpen,
    BlobPut,
    Cutout,
    Downloads,
    DownloadsRequest,
    Hello,
    JobAttach,
    JobCancel,
    JobList,
    JobRelease,
    Jobs,
    JobState,
    JobSubmit,
    KnownModelsRequest,
    Limits,
    ModelDownload,
    ModelsRequest,
    Ok,
    Request,
    Shutdown,
    Status,
    StatusRequest,
    Welcome,
)
from standee.wire.messages import Models as ModelList
from standee.wire.worker_info import WorkerInfo

from ..event_log import event
from ..hardware.options import Options
from ..scheduling.scheduler import Scheduler
from ..storage.blob_files import BlobFiles
from ..storage.disk_thread import DiskThread
from ..storage.job_store import PAGE, JobStore
from .job_requests import JobRequests
from .known_models import KnownModelRequests
from .model_requests import Models
from .peer import Peer
from .picture_requests import PictureRequests

log = logging.getLogger("standee.service")

CAPABILITIES = ("compose", "cutout", "previews", "hard-cancel", "priorities")
PACKAGES = ("standee", "torch", "diffusers", "transformers", "pyzmq")


@dataclass(frozen=True)
class DaemonInfo:
    """What a service needs to know of the daemon around it."""

    home: Path
    epoch: str
    started: float
    limits: Limits
    local_key: str
    options: Options
    stop: Callable[[], None]
    clients: Callable[[], int]
    workers: Callable[[], tuple[WorkerInfo, ...]]


class Service:
    """Answers the requests of all peers."""

    def __init__(
        self,
        daemon: DaemonInfo,
        store: JobStore,
        disk: DiskThread,
        blobs: BlobFiles,
        scheduler: Scheduler,
    ) -> None:
        self._daemon = daemon
        self._store, self._disk, self._scheduler = store, disk, scheduler
        self._files = DiskThread("blobs", threads=4)
        self._pictures = PictureRequests(store.ownership, disk, blobs, self._files, daemon.limits)
        self._models = Models(self._files)
        self._jobs = JobRequests(
            daemon.local_key,
            daemon.limits,
            store,
            disk,
            scheduler,
            self._models,
            self._pictures,
        )
        self._known_models = KnownModelRequests(
            self._files,
            daemon.options,
            self._models.look_again,
            partial(disk, store.speeds.known),
        )

    def close(self) -> None:
        self._known_models.close()
        self._models.close()
        self._files.close()

    @property
    def downloading(self) -> bool:
        """Whether a model is brought beside the jobs."""
        return self._known_models.downloading

    async def drop_later(self) -> None:
        """Delete pictures that could not be deleted when they were let go."""
        await self._pictures.drop_later()

    async def answer(self, request: Request, peer: Peer) -> Answer | None:
        """Answer a request; `None` where the answer is sent already. Raises `StandeeError`."""
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
            epoch=self._daemon.epoch,
            server=f"standee {__version__}",
            capabilities=CAPABILITIES,
            limits=self._daemon.limits,
            models=await self._models.listed(),
        )

    @_answer.register
    async def _(self, request: ModelsRequest, peer: Peer) -> Answer:
        return ModelList(models=await self._models.listed())

    @_answer.register
    async def _(self, request: StatusRequest, peer: Peer) -> Answer:
        queued, running = await self._disk(self._store.counts)
        local = peer.owner == self._daemon.local_key
        workers = self._daemon.workers()
        if not local:  # another machine is told of its own jobs only, elsewhere
            workers = tuple(msgspec.structs.replace(worker, job=None) for worker in workers)
        return Status(
            server=f"standee {__version__}",
            version=PROTOCOL,
            epoch=self._daemon.epoch,
            pid=os.getpid(),
            uptime=time.monotonic() - self._daemon.started,
            home=str(self._daemon.home) if local else "",
            queued=queued,
            running=running,
            clients=self._daemon.clients(),
            memory=resident_memory(),
            stored=await self._disk(self._store.ownership.stored, peer.owner),
            storage_limit=self._daemon.limits.storage,
            workers=workers,
            versions=versions(),
        )

    @_answer.register
    async def _(self, request: Shutdown, peer: Peer) -> Answer:
        if peer.owner != self._daemon.local_key:
            raise Unauthorised(
                "Only the daemon's own user may stop it.", fix="Stop it on its own machine."
            )
        event(log, "daemon.asked-to-stop")
        self._daemon.stop()
        return Ok()

    @_answer.register
    async def _(self, request: KnownModelsRequest, peer: Peer) -> Answer:
        self._check_may_download(peer)
        return await self._known_models.listed()

    @_answer.register
    async def _(self, request: ModelDownload, peer: Peer) -> Answer:
        self._check_may_download(peer)
        self._known_models.download(request.model, request.stop)
        return Ok()

    @_answer.register
    async def _(self, request: DownloadsRequest, peer: Peer) -> Answer:
        self._check_may_download(peer)
        kind = Composition if request.kind == "compose" else Cutout
        return Downloads(downloads=await self._models.downloads(validate(request.spec, kind)))

    def _check_may_download(self, peer: Peer) -> None:
        if peer.owner != self._daemon.local_key:
            raise Unauthorised(
                "Only the daemon's own user may ask for downloads.",
                fix="Download models on the daemon's own machine.",
            )

    # -- pictures --------------------------------------------------------------------------------

    @_answer.register
    async def _(self, request: BlobHas, peer: Peer) -> Answer:
        return await self._pictures.has(peer.owner, request)

    @_answer.register
    async def _(self, request: BlobOpen, peer: Peer) -> Answer:
        return await self._pictures.open(peer.owner, request)

    @_answer.register
    async def _(self, request: BlobPut, peer: Peer) -> Answer:
        return await self._pictures.put(peer.owner, request)

    @_answer.register
    async def _(self, request: BlobCommit, peer: Peer) -> Answer:
        return await self._pictures.commit(peer.owner, request)

    @_answer.register
    async def _(self, request: BlobGet, peer: Peer) -> Answer:
        return await self._pictures.get(peer.owner, request)

    # -- jobs ------------------------------------------------------------------------------------

    @_answer.register
    async def _(self, request: JobSubmit, peer: Peer) -> Answer | None:
        await self._jobs.submit(request, peer)
        return None

    @_answer.register
    async def _(self, request: JobAttach, peer: Peer) -> Answer | None:
        await self._jobs.attach(request, peer)
        return None

    @_answer.register
    async def _(self, request: JobCancel, peer: Peer) -> Answer:
        owner = peer.owner
        if owner == self._daemon.local_key:  # the user of the machine may stop anybody's
            mine = request.job in await self._disk(self._store.unfinished, owner)
            others = None if mine else await self._disk(self._store.owner_of, request.job)
            owner = others or owner
        job = await self._scheduler.cancel(owner, request.job, request.hard)
        return JobState(job=job.id, state=job.state)

    @_answer.register
    async def _(self, request: JobList, peer: Peer) -> Answer:
        if request.everyone and peer.owner != self._daemon.local_key:
            raise Unauthorised(
                "Only the daemon's own user may list the jobs of all clients.",
                path="$.everyone",
                fix="Ask for your own.",
            )
        owner = None if request.everyone else peer.owner
        found = await self._disk(self._store.jobs, owner, request.after)
        return Jobs(jobs=tuple(found), more=len(found) >= PAGE)

    @_answer.register
    async def _(self, request: JobRelease, peer: Peer) -> Answer:
        gone = await self._disk(self._store.release, peer.owner, request.job)
        await self._pictures.drop(gone, peer.owner)
        return Ok()


def resident_memory() -> int:
    """Return the bytes of memory that this process holds now; 0 where it cannot be told."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


@lru_cache(1)
def versions() -> dict[str, str]:
    """Return the versions of what matters for a result."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
