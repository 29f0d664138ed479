"""Messages between the daemon and its bridge to a cluster, over the bridge's stdin and stdout.

Each is for or from one slot, or about it, by a number that the bridge uses once: what comes late for a slot that was
lost means none of the same name. Pictures do not pass: the bridge reads and writes the daemon's
own folder of blobs.
"""

from __future__ import annotations

from typing import Any

from standee.wire.events import Problem

from ..worker.pipe import Cancel, FromWorker, Message, Run


class BridgeSetup(Message, frozen=True, tag="bridge.setup"):
    """The first words to a bridge: where the cluster is, and what its slots are.

    `gpus` are the cards per slot; 0 makes a slot of each machine's processors. `options` are the fields of `Options`;
    `command` is the worker's, or that of the machine it runs on where it is empty. `warm`: workers start at once.
    """

    address: str
    gpus: float
    blobs: str
    options: dict[str, Any]
    command: list[str]
    warm: bool


class ToSlot(Message, frozen=True, tag="slot.to"):
    """Something for a slot's worker."""

    slot: int
    message: Run | Cancel


class KillWorker(Message, frozen=True, tag="slot.kill"):
    """End a slot's worker, at once."""

    slot: int


class SlotComing(Message, frozen=True, tag="slot.coming"):
    """A slot is being made on a machine of the cluster."""

    slot: int
    name: str
    node: str


class SlotHere(Message, frozen=True, tag="slot.here"):
    """A slot takes jobs."""

    slot: int


class SlotRefused(Message, frozen=True, tag="slot.refused"):
    """A slot cannot be used, and why."""

    slot: int
    why: str


class SlotLost(Message, frozen=True, tag="slot.lost"):
    """A slot's machine does not answer any more."""

    slot: int
    why: str


class SlotLeft(Message, frozen=True, tag="slot.left"):
    """A slot was given up: its machine is there, but is not wanted."""

    slot: int


class FromSlot(Message, frozen=True, tag="slot.from"):
    """What a slot's worker says."""

    slot: int
    message: FromWorker


class WorkerEnded(Message, frozen=True, tag="slot.ended"):
    """A slot's worker has ended, and how; the next job starts another one."""

    slot: int
    how: str


class BridgeUnable(Message, frozen=True, tag="bridge.unable"):
    """The bridge does not reach the cluster."""

    problem: Problem


class Connected(Message, frozen=True, tag="bridge.connected"):
    """The cluster is reached. `guarded`: it asks for a token."""

    guarded: bool


ToBridge = BridgeSetup | ToSlot | KillWorker
FromBridge = (
    Connected
    | SlotComing
    | SlotHere
    | SlotRefused
    | SlotLost
    | SlotLeft
    | FromSlot
    | WorkerEnded
    | BridgeUnable
)
