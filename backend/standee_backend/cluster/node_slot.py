"""A slot's own process on a machine of the cluster, a Ray actor: it keeps a worker as a daemon does.

The worker is the same child process as on the daemon's machine, so what ends it ends it alone and is told as there.
The actor passes words both ways, keeps the pictures of this machine, and answers at least once a second while it is
asked for words: that is how the bridge knows that it is there.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import psutil

from standee import __version__, files
from standee.errors import StandeeError
from standee.wire.events import Failed, Problem
from standee.wire.messages import PROTOCOL

from ..catalog.catalog import ModelInfo
from ..scheduling.child_process import ChildProcess
from ..scheduling.slots import WORKER
from ..worker.pipe import Cancel, Done, FromWorker, JobEvent, Lacking, Message, Run, Setup
from .files_elsewhere import LocalFiles, on_this_machine
from .node_blobs import NodeBlobs

BREATH = 1.0
"""Seconds after which there is an answer though nothing was said."""
FORSAKEN = 30.0
"""Seconds after which a worker is ended whose words nobody asks for: its job is somebody else's by then."""

Word = tuple[int, bytes, dict[str, bytes], str]
"""A number, a message of the worker, packed, and the pictures that it names; or how the worker has ended."""


def versions() -> dict[str, Any]:
    """Return what has to be the same on both sides."""
    return {"standee": __version__, "protocol": list(PROTOCOL)}


class NodeSlot:
    """One slot on this machine. All methods run in the actor's loop."""

    def __init__(self, name: str, node: str, options: dict[str, Any], command: list[str]) -> None:
        self._name, self._node = name, node
        self._options, self._command = options, command or list(WORKER)
        self._blobs = NodeBlobs(files.private_folder(files.home() / "cluster") / "blobs")
        self._words: deque[Word] = deque()
        self._said = asyncio.Event()
        self._child: ChildProcess | None = None
        self._asked, self._count, self._kills = 0.0, 0, 0
        self._watching: asyncio.Task[None] | None = None

    async def hello(self, warm: bool) -> dict[str, Any]:
        """Return the versions here, and which process this is; start the worker if it is to be `warm`."""
        _stay()
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        if warm:
            self._worker()
        return versions() | {"pid": os.getpid()}

    async def lacks(self, digests: list[str]) -> list[str]:
        """Return which of the pictures are not on this machine."""
        return await asyncio.to_thread(self._blobs.lacks, digests)

    async def keep(self, data: bytes) -> None:
        """Keep a picture on this machine's disk."""
        await asyncio.to_thread(self._blobs.keep, data)

    async def run(self, packed: bytes, wanted: Sequence[tuple[str, str, str]]) -> None:
        """Have the worker do a job (`Run`, packed), if all the files `wanted` are here."""
        run = msgspec.msgpack.decode(packed, type=Run)
        kills = self._kills
        try:
            if run.model:
                model = await asyncio.to_thread(self._model, run.model, wanted)
                run = msgspec.structs.replace(run, model=model)
        except StandeeError as error:
            self._say(Lacking(run.job, Problem.of(error)))
        else:
            if kills == self._kills:  # else what ended the worker meant this job too
                self._worker().send(run)

    async def cancel(self, job: int) -> None:
        """Tell the worker that a job shall stop."""
        if self._child is not None:
            self._child.send(Cancel(job))

    async def kill(self) -> None:
        """End the worker, at once; that it has ended is said though there was none."""
        self._kills += 1
        if self._child is not None and self._child.alive:
            self._child.kill()
        else:
            self._ended("it was ended before it began")

    async def words(self, heard: int) -> list[Word]:
        """Return what was said after word number `heard`, as soon as there is something; nothing after a while."""
        self._asked = asyncio.get_running_loop().time()
        while self._words and self._words[0][0] <= heard:
            self._words.popleft()
        if not self._words:
            self._said.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(BREATH):
                    await self._said.wait()
        return list(self._words)

    # -- the worker ------------------------------------------------------------------------------

    def _model(self, packed: bytes, wanted: Sequence[tuple[str, str, str]]) -> bytes:
        info = msgspec.json.decode(packed, type=ModelInfo)
        found = on_this_machine(info, [LocalFiles(*each) for each in wanted], self._node)
        return msgspec.json.encode(found)

    def _worker(self) -> ChildProcess:
        if self._child is None or not self._child.alive:
            self._child = ChildProcess(
                self._name,
                self._command,
                FromWorker,
                self._take,
                self._ended,
                environment=_environment(),
            )
            self._child.send(Setup(str(self._blobs.folder), self._options))
        return self._child

    def _take(self, message: Message) -> None:
        if not isinstance(message, Done):
            self._say(message)
            return
        try:
            pictures = {each.digest: self._blobs.whole(each.digest) for each in message.results}
        except StandeeError as error:
            self._say(JobEvent(message.job, Failed(error=Problem.of(error))))
        else:
            self._say(message, pictures)

    def _say(
        self, message: Message | None, pictures: dict[str, bytes] | None = None, ended: str = ""
    ) -> None:
        self._count += 1
        packed = msgspec.msgpack.encode(message) if message is not None else b""
        self._words.append((self._count, packed, pictures or {}, ended))
        self._said.set()

    def _ended(self, how: str) -> None:
        self._say(None, ended=how)

    async def _watch(self) -> None:
        """End a worker that nobody hears."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(BREATH)
            forsaken = self._asked and loop.time() - self._asked > FORSAKEN
            if forsaken and self._child is not None:
                self._child.kill()


def _environment() -> dict[str, str]:
    """Return a worker's environment: this one, without the number of threads that Ray sets for its own processes."""
    ours = dict(os.environ)
    ours.pop("OMP_NUM_THREADS", None)
    with suppress(psutil.Error):
        given = psutil.Process().parent()
        threads = given.environ().get("OMP_NUM_THREADS") if given is not None else None
        if threads:
            ours["OMP_NUM_THREADS"] = threads
    return ours


def _stay() -> None:
    """When memory runs out, let Linux end the worker and not this process, which has to tell of it."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("0")
