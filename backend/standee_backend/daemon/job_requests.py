"""Requests to hand in a job and to follow one.

What a client does not read costs little, however much a job has said: its past events are read and sent by
pages, one client's page after another's, and no specification is kept while the client reads.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import msgspec

from standee.composition import Composition, validate
from standee.errors import TooLarge
from standee.wire.events import Queued
from standee.wire.messages import Cutout, JobAttach, JobState, JobSubmit, Limits

from ..event_log import event
from ..scheduling.scheduler import Scheduler
from ..storage.blob_files import missing
from ..storage.disk_thread import DiskThread
from ..storage.job import Job
from ..storage.job_store import JobStore
from .model_requests import Models
from .peer import Peer
from .picture_requests import PictureRequests

log = logging.getLogger("standee.service")

SPEC_LIMIT = 900_000
"""Bytes of a specification: a result's receipt, which holds it, must fit into one message too."""


class JobRequests:
    """The jobs of all owners as their clients see them."""

    def __init__(
        self,
        local_key: str,
        limits: Limits,
        store: JobStore,
        disk: DiskThread,
        scheduler: Scheduler,
        models: Models,
        pictures: PictureRequests,
    ) -> None:
        self._local_key, self._limits = local_key, limits
        self._store, self._disk, self._scheduler = store, disk, scheduler
        self._models, self._pictures = models, pictures
        self._looking = asyncio.Lock()
        self._telling: dict[tuple[Peer, str], object] = {}

    async def submit(self, request: JobSubmit, peer: Peer) -> None:
        """Answer `job.submit`, and tell the peer what happens to the job."""
        job_id, new = await self._hand_in(request, peer)
        await self._tell(peer, job_id)
        if not new:  # others may have gone meanwhile
            await self._scheduler.announce()

    async def attach(self, request: JobAttach, peer: Peer) -> None:
        """Answer `job.attach`, and tell the peer what happened to the job and what will."""
        state = await self._disk(lambda: self._store.find(peer.owner, request.job).state)
        peer.send(JobState(re=request.id, job=request.job, state=state))
        await self._tell(peer, request.job, request.since_seq)
        await self._scheduler.announce()

    async def _hand_in(self, request: JobSubmit, peer: Peer) -> tuple[str, bool]:
        """Store a job and say so; return its id and whether it is a new one."""
        kind = Composition if request.kind == "compose" else Cutout
        spec = validate(request.spec, kind)
        encoded = msgspec.json.encode(spec)
        if len(encoded) > SPEC_LIMIT:
            raise TooLarge(
                f"The specification has {len(encoded):,} bytes, the limit is {SPEC_LIMIT:,}.",
                path="$",
                fix="Shorten its texts or use fewer layers.",
            )
        local = peer.owner == self._local_key
        info = await self._models.of_job(spec, local=local, agreed=request.download)
        model = msgspec.json.encode(info) if info else b""
        job, queued, gone = await self._disk(
            self._accept, request, peer.owner, spec, encoded, model
        )
        if queued is not None:
            event(log, "job.queued", job=job.id, kind=job.kind, position=queued.position)
        position = queued.position if queued is not None else None
        state = "queued" if queued is not None else job.state
        peer.send(JobState(re=request.id, job=job.id, state=state, position=position))
        self._scheduler.wake()
        if gone:
            await self._pictures.drop(gone, peer.owner)
        return job.id, queued is not None

    def _accept(
        self,
        request: JobSubmit,
        owner: str,
        spec: Composition | Cutout,
        encoded: bytes,
        model: bytes,
    ) -> tuple[Job, Queued | None, list[str]]:
        """In the store's thread: check that the pictures are there and store the job.

        Returns it with its event, if it is a new one, and the pictures that gave way to it.
        """
        named, local = dict(_pictures_of(spec)), owner == self._local_key
        lacks = set(self._store.ownership.lacks(owner, named.values()))
        for path, digest in named.items():
            if digest in lacks:
                raise missing(digest, path)
        return self._store.submit(
            owner,
            request.job,
            request.kind,
            encoded,
            model=model,
            digests=set(named.values()),
            priority=request.priority if local else min(0, request.priority),
            summary=(spec.prompt if isinstance(spec, Composition) else spec.words)[:80],
            limit=self._limits.jobs,
            quota=self._limits.storage,
        )

    async def _tell(self, peer: Peer, job_id: str, since: int = 0) -> None:
        """Send a peer a job's events after number `since`: past ones as fast as it reads, then those to come.

        Until the past ones are told it hears none of those to come, though it followed the job before; and of two that
        tell it of a job at once the later one does.
        """
        self._scheduler.leave(peer, job_id)
        this = self._telling[peer, job_id] = object()
        told: int | None = since
        try:
            while told is not None and not (peer.gone or peer.overwhelmed):
                async with self._looking:  # what a job has said may be large
                    told = await self._tell_page(peer, job_id, told, this)
                await peer.read()
        finally:
            if self._telling.get((peer, job_id)) is this:
                del self._telling[peer, job_id]

    async def _tell_page(self, peer: Peer, job_id: str, since: int, this: object) -> int | None:
        """Send the next past events and return the last one's number; where there is none, subscribe."""

        def look() -> tuple[Job, list[Any]]:
            job = self._store.find(peer.owner, job_id)
            return job, self._store.events(job.key, since)

        job, past = await self._disk(look)
        if self._telling.get((peer, job_id)) is not this:
            return None
        if not past:
            self._scheduler.subscribe(peer, job, since)
            return None
        for happened in past:
            peer.send(happened)
        return int(past[-1].seq)


def _pictures_of(spec: Composition | Cutout) -> Iterator[tuple[str, str]]:
    """Yield the path and digest of each picture that a specification names."""
    if isinstance(spec, Cutout):
        yield "$.picture", spec.picture
        if spec.mask is not None:
            yield "$.mask", spec.mask
        return
    for index, layer in enumerate(spec.layers):
        if layer.picture is not None:
            yield f"$.layers[{index}].picture", layer.picture
        if layer.mask is not None:
            yield f"$.layers[{index}].mask", layer.mask
    if spec.scene is not None:
        yield "$.scene.picture", spec.scene.picture
        if spec.scene.kept is not None:
            yield "$.scene.kept", spec.scene.kept
    for index, control in enumerate(spec.control):
        yield f"$.control[{index}].picture", control.picture
