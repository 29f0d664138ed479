"""Requests for pictures: which are here, uploads that survive anything, downloads in parts.

One connection at a time moves an upload on: two clients of one key may send the same picture at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from weakref import WeakValueDictionary

from standee.errors import BadMessage, TooLarge
from standee.wire.messages import (
    Answer,
    BlobChunk,
    BlobCommit,
    BlobGet,
    BlobHas,
    BlobMissing,
    BlobOpen,
    BlobPut,
    BlobState,
    Limits,
)

from ..storage.blob_files import BlobFiles, missing
from ..storage.blob_ownership import BlobOwnership
from ..storage.disk_thread import DiskThread

CHUNK = 2**18
"""Bytes of a picture that one answer carries at most: so little waits for a client that does not read."""

AT_ONCE = 8
"""Chunks that are read from the disk at once: what is read waits in memory until it is sent."""


class PictureRequests:
    """The pictures of all owners. `disk` is the thread of the tables, `files` those of the bytes."""

    def __init__(
        self,
        ownership: BlobOwnership,
        disk: DiskThread,
        blobs: BlobFiles,
        files: DiskThread,
        limits: Limits,
    ) -> None:
        self._ownership, self._disk = ownership, disk
        self._blobs, self._files, self._limits = blobs, files, limits
        self._uploads: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._to_drop: set[str] = set()
        self._reading = asyncio.Semaphore(AT_ONCE)

    async def has(self, owner: str, request: BlobHas) -> Answer:
        """Answer `blob.has`."""
        lacks = await self._disk(self._ownership.lacks, owner, request.digests)
        lost = await self._files(self._without_file, set(request.digests) - set(lacks))
        for digest in lost:
            await self._disk(self._ownership.forget, owner, digest)
        return BlobMissing(digests=(*lacks, *lost))

    async def open(self, owner: str, request: BlobOpen) -> Answer:
        """Answer `blob.open`."""
        ownership, limits, digest = self._ownership, self._limits, request.digest
        async with self._uploading(owner, digest):
            if await self._holds(owner, digest):
                return BlobState(digest=digest, offset=request.size, complete=True)
            if request.size > limits.blob:
                raise TooLarge(
                    f"A picture of {request.size:,} bytes is over the limit of {limits.blob:,}.",
                    path="$.size",
                    fix="Save it smaller.",
                )
            gone = await self._disk(ownership.expect, owner, digest, request.size, limits.storage)
            await self.drop(gone, owner)
            received = await self._files(self._blobs.received, owner, digest)
            if received > request.size:  # it was opened as a larger one before
                await self._files(self._blobs.drop_upload, owner, digest)
                received = 0
        return BlobState(digest=digest, offset=received)

    async def put(self, owner: str, request: BlobPut) -> Answer:
        """Answer `blob.put`."""
        digest = request.digest
        async with self._uploading(owner, digest):
            size, complete = await self._announced(owner, digest)
            if complete:
                return BlobState(digest=digest, offset=size, complete=True)
            if request.offset + len(request.data) > size:
                raise TooLarge(
                    f"The upload was announced with {size:,} bytes, and this is more.",
                    path="$.data",
                    fix="Open the upload with the picture's size.",
                )
            put = self._blobs.append, owner, digest, request.offset, request.data
            return BlobState(digest=digest, offset=await self._files(*put))

    async def commit(self, owner: str, request: BlobCommit) -> Answer:
        """Answer `blob.commit`."""
        ownership, digest = self._ownership, request.digest
        async with self._uploading(owner, digest):
            size, complete = await self._announced(owner, digest)
            if complete:
                return BlobState(digest=digest, offset=size, complete=True)
            received = await self._files(self._blobs.received, owner, digest)
            if received < size:
                return BlobState(digest=digest, offset=received)
            try:
                size = await self._files(self._blobs.commit, owner, digest)
            except BadMessage:
                await self._disk(ownership.forget, owner, digest)
                raise
            await self._disk(ownership.hold, owner, digest, size)
            await self._files(self._blobs.claim, digest)
        return BlobState(digest=digest, offset=size, complete=True)

    async def get(self, owner: str, request: BlobGet) -> Answer:
        """Answer `blob.get`."""
        digest, length = request.digest, min(request.length, CHUNK)
        if not await self._disk(self._ownership.holds, owner, digest):
            raise missing(digest)
        async with self._reading:
            size = await self._files(self._blobs.size, digest)
            data = await self._files(self._blobs.read, digest, request.offset, length)
        return BlobChunk(digest=digest, offset=request.offset, size=size, data=data)

    def _uploading(self, owner: str, digest: str) -> asyncio.Lock:
        """Return what one connection at a time holds while it moves an upload on."""
        return self._uploads.setdefault((owner, digest), asyncio.Lock())

    async def _holds(self, owner: str, digest: str) -> bool:
        """Return whether an owner has a picture, whose file is there too."""
        ownership = self._ownership
        if not await self._disk(ownership.holds, owner, digest):
            return False
        if await self._files(self._blobs.has, digest):
            return True
        await self._disk(ownership.forget, owner, digest)
        return False

    def _without_file(self, digests: Collection[str]) -> list[str]:
        return [digest for digest in digests if not self._blobs.has(digest)]

    async def _announced(self, owner: str, digest: str) -> tuple[int, bool]:
        """Return the size that an upload was opened with last, and whether it is complete."""
        if await self._holds(owner, digest):
            return await self._files(self._blobs.size, digest), True
        size = await self._disk(self._ownership.expected, owner, digest)
        if size is None:
            raise BadMessage(
                "This upload was not opened.", path="$.digest", fix="Send blob.open first."
            )
        return size, False

    async def drop(self, digests: Iterable[str], owner: str) -> None:
        """Delete pictures that nobody holds, and what came of an owner's uploads of them."""
        for digest in digests:
            await self._files(self._blobs.drop_upload, owner, digest)
        self._to_drop.update(digests)
        await self.drop_later()

    async def drop_later(self) -> None:
        """Delete what was let go, save what came so lately that a job may be about to claim it."""
        unheld = await self._disk(self._ownership.unheld, list(self._to_drop))
        self._to_drop.intersection_update(unheld)
        for digest in unheld:
            if await self._files(self._blobs.drop, digest):
                self._to_drop.discard(digest)
