"""The cluster as the daemon sees it: a bridge that is kept running, and slots that come and go."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from standee.wire.events import Problem
from standee.wire.worker_info import WorkerInfo

from ..event_log import event
from ..hardware.options import Options
from ..scheduling.child_process import ChildProcess
from ..worker.pipe import Message
from . import messages
from .slots import ClusterSlot, FarWorker

BRIDGE = (sys.executable, "-P", "-m", "standee_backend.cluster")
SHOWN = 300.0
"""Seconds that a slot which was lost is shown."""
PAUSE = 3.0
"""Seconds until a bridge that ended is started again."""

log = logging.getLogger("standee.cluster")


@dataclass(frozen=True)
class ClusterSetup:
    """Which cluster to use: its `address`, cards per slot, and how its workers are to run.

    `command` is the worker's; each machine's own where it is empty.
    """

    address: str
    gpus: float
    blobs: Path
    options: Options
    command: Sequence[str] = ()
    warm: bool = True


class Cluster:
    """The slots of a cluster. `came` and `went` are told of each slot that there is or is not any more; `opened`, that
    one takes jobs."""

    def __init__(
        self,
        setup: ClusterSetup,
        came: Callable[[ClusterSlot], None],
        went: Callable[[ClusterSlot], None],
        opened: Callable[[], None],
    ) -> None:
        self._setup, self._came, self._went, self._opened = setup, came, went, opened
        self._slots: dict[str, ClusterSlot] = {}
        self._numbers: dict[int, tuple[ClusterSlot, FarWorker]] = {}
        self._bridge: ChildProcess | None = None
        self._gone = asyncio.Event()
        self._trouble = ""

    async def keep(self) -> None:
        """Keep a bridge running; what it cannot reach now may be there later."""
        while True:
            self._gone.clear()
            self._bridge = self._start()
            while not self._gone.is_set():
                try:
                    async with asyncio.timeout(PAUSE):
                        await self._gone.wait()
                except TimeoutError:
                    self._tidy()
            await asyncio.sleep(PAUSE)

    def infos(self) -> tuple[WorkerInfo, ...]:
        """Return what to say of a cluster that has no slots; else they speak for themselves."""
        if self._slots:
            return ()
        info = WorkerInfo(name=self._setup.address, state="starting")
        if self._trouble:
            info = msgspec.structs.replace(info, state="lost", why=self._trouble)
        return (info,)

    async def stop(self) -> None:
        """Leave the cluster; its actors end then."""
        if self._bridge is not None:
            await self._bridge.stop()

    def _start(self) -> ChildProcess:
        setup = self._setup
        bridge = ChildProcess(
            "cluster", BRIDGE, messages.FromBridge, self._take, self._bridge_ended
        )
        options: dict[str, Any] = msgspec.to_builtins(setup.options)
        said = messages.BridgeSetup(
            setup.address, setup.gpus, str(setup.blobs), options, list(setup.command), setup.warm
        )
        bridge.send(said)
        return bridge

    def _say(self, message: Message) -> None:
        assert self._bridge is not None
        self._bridge.send(message)

    def _tidy(self) -> None:
        """Forget slots that were lost long ago."""
        now = asyncio.get_running_loop().time()
        for slot in list(self._slots.values()):
            if slot.lost_at is not None and now - slot.lost_at > SHOWN:
                self._forget(slot)

    def _forget(self, slot: ClusterSlot) -> None:
        del self._slots[slot.name]
        self._went(slot)

    # -- what the bridge says --------------------------------------------------------------------

    def _take(self, message: Any) -> None:
        if isinstance(message, messages.Connected):
            self._connected(message.guarded)
        elif isinstance(message, messages.BridgeUnable):
            self._unable(message.problem)
        elif isinstance(message, messages.SlotComing):
            self._coming(message)
        else:
            slot, worker = self._numbers[message.slot]
            self._happened(message, slot, worker)

    def _connected(self, guarded: bool) -> None:
        self._trouble = ""
        event(log, "cluster.connected", address=self._setup.address)
        if not guarded:
            why = "whoever reaches its ports can run code: see docs/cluster.md"
            event(log, "cluster.unguarded", level=logging.WARNING, why=why)

    def _unable(self, problem: Problem) -> None:
        said = f"{problem.message} {problem.fix}".strip()
        if said != self._trouble:
            event(log, "cluster.unreachable", level=logging.WARNING, error=said)
        self._trouble = said

    def _coming(self, message: messages.SlotComing) -> None:
        slot = self._slots.get(message.name)
        new = slot is None
        if slot is None:
            slot = self._slots[message.name] = ClusterSlot(message.name, message.node)
        worker = FarWorker(message.name, message.slot, self._say)
        self._numbers[message.slot] = slot, worker
        slot.come(worker)
        if new:
            self._came(slot)

    def _happened(self, message: Any, slot: ClusterSlot, worker: FarWorker) -> None:
        if isinstance(message, messages.FromSlot):
            worker.take(message.message)
        elif isinstance(message, messages.SlotHere):
            event(log, "slot.here", slot=slot.name, node=slot.node)
            slot.here()
            self._opened()
        elif isinstance(message, messages.WorkerEnded):
            worker.ended(message.how)
        elif isinstance(message, messages.SlotRefused):
            event(log, "slot.refused", level=logging.WARNING, slot=slot.name, why=message.why)
            slot.refuse(message.why)
        elif isinstance(message, messages.SlotLost):
            del self._numbers[message.slot]
            self._lost(slot, message.why)
        elif isinstance(message, messages.SlotLeft):
            del self._numbers[message.slot]
            slot.lose("it was given up", asyncio.get_running_loop().time())
            self._forget(slot)

    def _lost(self, slot: ClusterSlot, why: str) -> None:
        event(log, "slot.lost", level=logging.WARNING, slot=slot.name, why=why)
        slot.lose(why, asyncio.get_running_loop().time())

    def _bridge_ended(self, how: str) -> None:
        self._numbers.clear()
        self._trouble = self._trouble or f"The bridge to the cluster has ended: {how}."
        for slot in self._slots.values():
            if slot.lost_at is None:
                self._lost(slot, "the cluster is not reached")
        self._gone.set()
