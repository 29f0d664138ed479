"""Ray, which nothing else imports: the connection, the machines there are, an actor on each."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from standee.errors import InvalidField, MissingDependency

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# Its memory monitor is off where a cluster is started here: offloading fills the host's memory.
os.environ.setdefault("RAY_memory_monitor_refresh_ms", "0")
os.environ.setdefault("RAY_DEDUP_LOGS", "0")
# What a client that is gone held is free again after seconds: nothing comes back to it.
os.environ.setdefault("RAY_CLIENT_RECONNECT_GRACE_PERIOD", "5")
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")

try:
    import ray
    from ray.exceptions import ActorUnschedulableError, RayActorError
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
except ImportError:
    ray = None
    RayActorError = ActorUnschedulableError = OSError

MachineGone = ActorUnschedulableError
"""The machine on which an actor is to be is no part of the cluster any more."""
ActorError = RayActorError
"""An actor has ended, or is not reached for now."""

AUTO = "auto"
CALLS = 16
"""How many methods of an actor may wait at the same time."""


@dataclass(frozen=True)
class Node:
    """A machine of the cluster that is alive."""

    id: str
    name: str
    cpus: float
    gpus: float


@dataclass(frozen=True)
class Place:
    """What one slot takes of a machine: `gpus` cards, or none and its processors."""

    name: str
    node: Node
    gpus: float


def connect(address: str) -> bool:
    """Reach a cluster, or start one here for `auto` where none runs; return whether it asks for a token.

    Raises `MissingDependency`, `InvalidField`.
    """
    if ray is None:
        raise MissingDependency(
            "Slots on other machines need Ray, which is not installed.",
            fix='Run `pip install "standee[cluster]"`.',
        )
    how: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address != AUTO:
            ray.init(address=address, namespace="standee", **how)
        else:
            try:
                ray.init(address="auto", namespace="standee", **how)
            except ConnectionError:
                ray.init(include_dashboard=False, namespace="standee", **how)
    except Exception as error:  # of many kinds
        raise InvalidField(
            f"The cluster at {address} cannot be reached: {first_line(error)}.",
            path="--cluster",
            fix="Start its head by `ray start --head`; give ray://HOST:10001, HOST:6379 or auto; and have its "
            "token here, if it asks for one.",
        ) from error
    return os.environ.get("RAY_AUTH_MODE", "").lower() == "token"


def nodes() -> list[Node]:
    """Return the machines that are alive, as far as the head knows."""
    found = []
    for each in ray.nodes():
        if each["Alive"]:
            name = each["NodeName"]
            if name == each["NodeManagerAddress"]:  # nobody has named it
                name = each["NodeManagerHostname"]
            resources = each["Resources"]
            cpus, gpus = resources.get("CPU", 0.0), resources.get("GPU", 0.0)
            found.append(Node(each["NodeID"], name, cpus, gpus))
    return found


def places(node: Node, share: float) -> Iterator[Place]:
    """Yield the slots that a machine has, of `share` of a card each; with 0, one of its processors."""
    if not share:
        if node.cpus >= 1:
            yield Place(node.name, node, 0.0)
        return
    count = int(node.gpus / share + 1e-6)
    for index in range(count):
        yield Place(f"{node.name}-{index}" if count > 1 else node.name, node, share)


def actor(place: Place, options: dict[str, Any], command: list[str]) -> Any:
    """Ask for a slot's actor; Ray makes it when the machine has room, and again when it ends."""
    from .node_slot import NodeSlot

    return (
        ray.remote(NodeSlot)
        .options(
            num_cpus=0 if place.gpus else 1,
            num_gpus=place.gpus,
            max_restarts=-1,
            max_concurrency=CALLS,
            scheduling_strategy=NodeAffinitySchedulingStrategy(place.node.id, soft=False),
        )
        .remote(place.name, place.node.name, options, command)
    )


def put(data: bytes) -> Any:
    """Return bytes as an object that Ray moves."""
    return ray.put(data)


def kill(actor: Any, *, for_good: bool) -> None:
    """End an actor; unless `for_good`, Ray starts it again."""
    try:
        ray.kill(actor, no_restart=for_good)
    except Exception as error:  # it is gone already, or the cluster is
        logging.getLogger("standee.cluster").info("An actor was not ended: %s", first_line(error))


def first_line(error: BaseException) -> str:
    """Return what an error of Ray's says, in one line."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0].rstrip(".")[:200]


def last_line(error: BaseException) -> str:
    """Return the end of what an error of Ray's says, which is the cause where it tells of another process."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1].rstrip(".")[:200]
