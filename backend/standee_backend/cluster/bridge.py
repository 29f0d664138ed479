"""The bridge to a cluster: a process that speaks with Ray, so that the daemon need not.

A driver of Ray ends when its cluster does; the daemon must not. So Ray lives in a child process, as the device does. It
keeps one actor per slot on each machine of the cluster, brings it the pictures that its jobs name, and passes the
words of workers on. It holds nothing that would be missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from standee.errors import JobFailed, StandeeError
from standee.wire.events import Failed, Problem

from ..catalog.catalog import ModelInfo
from ..storage.blob_files import BlobFiles
from ..worker.main import read_specification, take_stdio
from ..worker.pipe import Cancel, Done, FromWorker, JobEvent, Message, Pipe, Run
from . import ray_cluster
from .files_elsewhere import local_files
from .messages import (
    BridgeSetup,
    BridgeUnable,
    Connected,
    FromSlot,
    KillWorker,
    SlotComing,
    SlotHere,
    SlotLeft,
    SlotLost,
    SlotRefused,
    ToBridge,
    ToSlot,
    WorkerEnded,
)
from .node_slot import Word, versions

WATCHDOG = float(os.environ.get("STANDEE_WATCHDOG") or 6.0)
"""Seconds without a word after which a slot's machine counts as lost; it breathes once a second."""
HEAD_WATCHDOG = 2.5 * WATCHDOG
"""Seconds in which the head must say which machines there are, and in which this process must turn to its work."""
LOOK = 1.0
"""Seconds between two looks at which machines there are."""
AGAIN = 5.0
"""Seconds after a slot's loss until it is asked for again, where its machine is said to be there."""
HELD = 256 * 2**20
"""Bytes of pictures that are kept as Ray's objects for the next machine that lacks them."""

log = logging.getLogger("standee.cluster")
T = TypeVar("T")


def main() -> None:
    """Serve the daemon at the other end of stdin and stdout until it goes."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="cluster: %(message)s")
    pipe = take_stdio(ToBridge)
    setup = pipe.receive()
    if not isinstance(setup, BridgeSetup):
        return
    try:
        guarded = ray_cluster.connect(setup.address)
    except StandeeError as error:
        pipe.send(BridgeUnable(Problem.of(error)))
        return
    pipe.send(Connected(guarded))
    asyncio.run(Bridge(pipe, setup).serve())


class Bridge:
    """The slots of one cluster."""

    def __init__(self, pipe: Pipe, setup: BridgeSetup) -> None:
        self._pipe, self.setup = pipe, setup
        self.blobs = BlobFiles(Path(setup.blobs))
        self._slots: dict[str, Slot] = {}
        self._names: dict[str, str] = {}
        self._count = 0
        self._objects: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._gpus_seen = False

    async def serve(self) -> None:
        """Keep a slot for each that there should be, until the daemon or the head goes."""
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._listen, args=(loop,), daemon=True).start()
        threading.Thread(target=leave_a_standstill, args=(loop,), daemon=True).start()
        while True:
            try:
                async with asyncio.timeout(HEAD_WATCHDOG):
                    nodes = await asyncio.to_thread(ray_cluster.nodes)
            except Exception as error:  # Ray raises many kinds, and none of them can be mended here
                log.error("The head does not answer: %s", ray_cluster.first_line(error))
                leave()
            self._reconcile(nodes)
            await asyncio.sleep(LOOK)

    def _reconcile(self, nodes: list[ray_cluster.Node]) -> None:
        """Make the slots that are wanted, and give up those that are not."""
        self._gpus_seen |= any(node.gpus for node in nodes)
        share = self.setup.gpus if self._gpus_seen else 0.0
        wanted = {place.name: place for node in nodes for place in ray_cluster.places(node, share)}
        for name, slot in list(self._slots.items()):
            if name not in wanted or slot.place != wanted[name]:
                there = any(node.id == slot.place.node.id for node in nodes)
                slot.close("" if there else f"{slot.place.node.name} has left the cluster")
                del self._slots[name]
            elif slot.over and asyncio.get_running_loop().time() > slot.again_at:
                del self._slots[name]
        for name, place in wanted.items():
            if name not in self._slots:
                self._count += 1
                self._slots[name] = Slot(self, self._count, place)

    def _named(self, nodes: list[ray_cluster.Node]) -> list[ray_cluster.Node]:
        """Return machines with names of their own, which they keep, silent ones first.

        A machine that comes back takes its name from what the head still believes to be there, and is silent.
        """
        silent = {slot.place.node.id for slot in self._slots.values() if slot.over}
        nodes = sorted(nodes, key=lambda node: (node.id not in silent, node.id))
        here = {node.id for node in nodes} - silent
        self._names = {id: name for id, name in self._names.items() if id in here | silent}
        for node in nodes:
            if node.id not in self._names:
                taken = {name for id, name in self._names.items() if id in here}
                alike = node.name in taken
                self._names[node.id] = f"{node.name}-{node.id[:6]}" if alike else node.name
        return [dataclasses.replace(node, name=self._names[node.id]) for node in nodes]

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread: take in what the daemon says; end this process when the daemon has ended."""
        try:
            while (message := self._pipe.receive()) is not None:
                loop.call_soon_threadsafe(self._take, message)
        finally:
            leave()

    def _take(self, message: ToSlot | KillWorker) -> None:
        slot = next((each for each in self._slots.values() if each.number == message.slot), None)
        if slot is None:  # it is lost, and the daemon hears that now
            return
        if isinstance(message, KillWorker):
            slot.kill()
        else:
            slot.orders.put_nowait(message.message)

    def say(self, message: Message) -> None:
        """Tell the daemon."""
        try:
            self._pipe.send(message)
        except OSError:
            leave()

    async def as_object(self, digest: str) -> Any:
        """Return a picture as an object of Ray's, which moves it. Raises `MissingBlob`."""
        if digest not in self._objects:
            data = await asyncio.to_thread(self.blobs.whole, digest)
            while sum(size for _, size in self._objects.values()) > HELD:
                self._objects.popitem(last=False)
            self._objects[digest] = await asyncio.to_thread(ray_cluster.put, data), len(data)
        found, _ = self._objects[digest]
        self._objects.move_to_end(digest)
        return found


class Slot:
    """One actor, from its making to its loss. Nothing is heard from it afterwards, even if its machine comes back."""

    def __init__(self, bridge: Bridge, number: int, place: ray_cluster.Place) -> None:
        self.number, self.place, self.over, self.again_at = number, place, False, 0.0
        self.orders: asyncio.Queue[Run | Cancel] = asyncio.Queue()
        self._bridge, self._warm = bridge, bridge.setup.warm
        bridge.say(SlotComing(number, place.name, place.node.name))
        self._actor = ray_cluster.actor(place, bridge.setup.options, bridge.setup.command)
        self._process, self._heard = 0, 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._ordering: asyncio.Task[None] | None = None
        self._start(self._live())

    def kill(self) -> None:
        """End the worker, also with what is still on its way to it; and the actor, if it does not listen."""
        if self._ordering is not None and not self.over:
            self._ordering.cancel()
            self.orders = asyncio.Queue()
            self._ordering = self._start(self._order())
            self._start(self._kill())

    def close(self, lost: str) -> None:
        """Give the slot up: its machine is `lost`, or not wanted any more."""
        if not self.over:
            number = self.number
            self._bridge.say(SlotLost(number, lost) if lost else SlotLeft(number))
            self.over = True
            self.again_at = asyncio.get_running_loop().time() + AGAIN
            ray_cluster.kill(self._actor, for_good=True)
            for task in list(self._tasks):
                task.cancel()

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _live(self) -> None:
        """Meet the actor, then pass on what it says; a silent one is given up."""
        try:
            if not await self._meet():
                return
            self._ordering = self._start(self._order())
            self._bridge.say(SlotHere(self.number))
            while True:
                try:
                    words = await within(WATCHDOG, self._actor.words.remote(self._heard))
                except ray_cluster.ActorError:
                    await self._meet_again()
                else:
                    await self._pass_on(words)
        except Exception as error:  # Ray raises many kinds; whatever it is, the slot is of no use
            self._lose(error)

    async def _meet(self) -> bool:
        """Wait until the actor is there, for as long as its machine has no room; return whether it can be used."""
        found, ours = await self._actor.hello.remote(self._warm), versions()
        self._process = found["pid"]
        if all(found[what] == ours[what] for what in ours):
            return True
        self._process = 0
        why = f"{self.place.node.name} has Standee {found['standee']}, the daemon {ours['standee']}"
        self._bridge.say(SlotRefused(self.number, why))
        ray_cluster.kill(self._actor, for_good=True)
        return False

    async def _meet_again(self) -> None:
        """The actor was not reached. Where Ray starts another in time, its machine is there, and it alone has ended."""
        async with asyncio.timeout(WATCHDOG):
            while True:
                try:
                    found = await self._actor.hello.remote(self._warm)
                    break
                except ray_cluster.ActorError:
                    await asyncio.sleep(LOOK / 5)
        if found["pid"] != self._process:
            self._process, self._heard = found["pid"], 0
            how = f"the process of the slot on {self.place.node.name} ended"
            self._bridge.say(WorkerEnded(self.number, how))

    async def _pass_on(self, words: list[Word]) -> None:
        for number, packed, pictures, ended in words:
            if number <= self._heard:
                continue
            self._heard = number
            if ended:
                self._bridge.say(WorkerEnded(self.number, ended))
                continue
            message = msgspec.msgpack.decode(packed, type=FromWorker)
            if isinstance(message, Done):
                message = await asyncio.to_thread(self._stored, message, pictures)
            self._bridge.say(FromSlot(self.number, message))

    def _stored(self, done: Done, pictures: dict[str, bytes]) -> FromWorker:
        """In a thread: put a job's pictures among the daemon's."""
        try:
            for data in pictures.values():
                self._bridge.blobs.put(data)
        except StandeeError as error:
            return JobEvent(done.job, Failed(error=Problem.of(error)))
        return done

    async def _order(self) -> None:
        """Hand on what the daemon says, in its order."""
        while True:
            order = await self.orders.get()
            try:
                if isinstance(order, Cancel):
                    await within(WATCHDOG, self._actor.cancel.remote(order.job))
                else:
                    await self._bring(order)
            except (ray_cluster.ActorError, TimeoutError):
                ray_cluster.kill(
                    self._actor, for_good=False
                )  # so `_live` hears of an end, or of a loss
            except Exception as error:
                problem = (
                    Problem.of(error) if isinstance(error, StandeeError) else _unbrought(error)
                )
                failed = JobEvent(order.job, Failed(error=problem))
                self._bridge.say(FromSlot(self.number, failed))

    async def _bring(self, run: Run) -> None:
        """Hand on a job, after the pictures that its machine lacks."""
        spec = read_specification(run.kind, run.spec)
        info = msgspec.json.decode(run.model, type=ModelInfo) if run.model else None
        files = await asyncio.to_thread(local_files, info, spec)
        digests = sorted(spec.digests())
        if digests:
            for digest in await within(WATCHDOG, self._actor.lacks.remote(digests)):
                await self._actor.keep.remote(await self._bridge.as_object(digest))
        wanted = [(each.field, each.path, each.digest) for each in files]
        await self._actor.run.remote(msgspec.msgpack.encode(run), wanted)

    async def _kill(self) -> None:
        try:
            await within(2.0, self._actor.kill.remote())
        except (TimeoutError, ray_cluster.ActorError):
            ray_cluster.kill(self._actor, for_good=False)

    def _lose(self, error: Exception) -> None:
        name, said = self.place.node.name, ray_cluster.first_line(error)
        if isinstance(error, TimeoutError):
            self.close(f"{name} has not answered for {WATCHDOG:.0f} s")
        elif self._process or isinstance(error, ray_cluster.MachineGone):
            log.info("%s is lost: %s", self.place.name, said)
            self.close(f"{name} has left the cluster")
        else:
            self.close(f"{name} cannot start a slot: {ray_cluster.last_line(error)}")


def _unbrought(error: Exception) -> Problem:
    what = ray_cluster.first_line(error)
    return Problem.of(JobFailed(f"The job could not be brought to its machine: {what}."))


async def within(seconds: float, answer: Awaitable[T]) -> T:
    """Return an actor's answer. Raises `TimeoutError`."""
    async with asyncio.timeout(seconds):
        return await answer


def leave_a_standstill(loop: asyncio.AbstractEventLoop) -> None:
    """In a thread: end this process when its loop stands still, as Ray's client lets it while the server is silent."""
    while True:
        turned = threading.Event()
        loop.call_soon_threadsafe(turned.set)
        if not turned.wait(HEAD_WATCHDOG):
            log.error("The head does not answer.")
            leave()
        time.sleep(LOOK)


def leave() -> None:
    """End this process at once."""
    with contextlib.suppress(Exception):
        sys.stderr.flush()
    os._exit(1)
