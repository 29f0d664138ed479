"""The daemon: one process per user that keeps the queue and speaks the protocol on one socket.

Run it with `standee serve` or `python -m standee_backend.daemon`. It imports no torch; the device
belongs to worker processes (`scheduling/`). Connections live in `router.py`, requests are answered in
`service.py`, jobs run by `scheduling/scheduler.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import zmq
import zmq.asyncio
from msgspec.structs import replace

from standee import __version__, connection, files, pairing
from standee.connection import Connection
from standee.errors import InvalidField, StorageFull
from standee.wire.messages import Limits
from standee.wire.worker_info import WorkerInfo

from ..cluster.cluster import Cluster, ClusterSetup
from ..cluster.slots import ClusterSlot
from ..event_log import event
from ..hardware.options import Options
from ..scheduling.scheduler import Scheduler
from ..scheduling.slots import WORKER, Slot, local
from ..storage.blob_files import BlobFiles
from ..storage.disk_thread import DiskThread
from ..storage.job_store import JobStore
from .router import Router, open_socket
from .service import DaemonInfo, Service
from .single_instance import single_instance
from .zap_auth import ZapHandler

log = logging.getLogger("standee.daemon")

LOOPBACK = "127.0.0.1"
HOUSEKEEPING = 600.0
"""Seconds between two rounds of deleting what nobody needs."""
M_MMAP_THRESHOLD = -3
"""Of malloc.h: from so many bytes on a buffer is a mapping of its own. Once set, it does not grow."""
KEEP_DAYS = 7
"""Finished jobs that nobody released are kept for so long."""


@dataclass(frozen=True)
class Config:
    """How a daemon is to run; see `standee serve --help`."""

    home: Path = field(default_factory=files.home)
    host: str = LOOPBACK
    port: int = 0
    options: Options = field(default_factory=Options)
    devices: tuple[str, ...] = ()
    cluster: str = ""
    gpus_per_slot: float = 1.0
    limits: Limits = field(default_factory=Limits)
    idle_exit: float = 0.0
    warm: bool = True
    worker: tuple[str, ...] = WORKER


def run(config: Config) -> None:
    """Serve until told to stop. Raises `StandeeError`s and `AlreadyRunning`."""
    # Not asyncio.run: on Windows its loop cannot watch ZeroMQ's sockets.
    runner = asyncio.Runner(loop_factory=asyncio.SelectorEventLoop)
    with single_instance(files.private_folder(config.home)), runner:
        runner.run(Daemon(config).run())


class Daemon:
    """One run of the daemon."""

    def __init__(self, config: Config) -> None:
        self._config, self._home = config, config.home
        _allow_many_files()
        _return_large_buffers()
        self._server = pairing.server_keys(config.home)
        self._mine = pairing.local_keys(config.home)
        if pairing.allowed(config.home).get(self._mine.public) != pairing.LOCAL:
            pairing.allow(config.home, pairing.LOCAL, self._mine.public)
        check_host(config, pairing.allowed(config.home))
        self._store = JobStore(config.home / "jobs.sqlite")
        self._disk = DiskThread("store")
        self._blobs = BlobFiles(config.home / "blobs")
        blobs = config.home / "blobs"
        near: Sequence[Slot] = ()
        if not config.cluster:
            near = local(blobs, config.options, config.devices, config.worker)
        self._scheduler = Scheduler(self._store, self._disk, near, self._blobs.claim)
        self._cluster = self._far(blobs) if config.cluster else None
        self._stopping = asyncio.Event()
        self._failure: BaseException | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self) -> None:
        """Serve until `shutdown`, a signal, idleness or a failure."""
        _on_signals(self._stopping.set)
        await self._recover()
        context = zmq.asyncio.Context()
        zap = ZapHandler(context, lambda: pairing.allowed(self._home))
        bound = open_socket(context, self._server.secret)
        service = self._service(lambda: len(router))
        router = Router(bound, service.answer, self._scheduler.forget, self._mine.public)
        self._start(zap.keep(), router.guard.follow(), router.guard.weigh())
        endpoint = self._bind(bound)
        file = connection.connection_file(self._home)
        connection.write_connection(
            file, Connection(endpoint, self._server.public, self._mine, pid=os.getpid())
        )
        event(log, "daemon.ready", version=__version__, endpoint=endpoint, home=str(self._home))
        try:
            self._start(
                router.receive(),
                router.sweep(),
                self._keep_house(service),
                self._watch(router, service),
            )
            self._start(self._check_keys(router))
            for slot in self._scheduler.slots:
                self._serve(slot)
                if self._config.warm:
                    slot.warm()
            if self._cluster is not None:
                self._start(self._cluster.keep())
            await self._stopping.wait()
            await asyncio.sleep(0.05)  # the answer to `shutdown` leaves first
        finally:
            file.unlink(missing_ok=True)
            for task in list(self._tasks):
                task.cancel()
            router.close()
            zap.close()
            if self._cluster is not None:
                await self._cluster.stop()
            await self._scheduler.stop()
            service.close()
            self._disk.close()
            self._store.close()
            context.term()
        if self._failure is not None:
            raise self._failure
        event(log, "daemon.stopped")

    def _far(self, blobs: Path) -> Cluster:
        """Return the cluster, whose slots join the scheduler's as they come."""
        config = self._config
        command = config.worker if config.worker != WORKER else ()
        setup = ClusterSetup(
            config.cluster, config.gpus_per_slot, blobs, config.options, command, config.warm
        )

        def came(slot: ClusterSlot) -> None:
            self._scheduler.add(slot)
            self._serve(slot)

        return Cluster(setup, came, self._scheduler.remove, self._scheduler.wake)

    def _serve(self, slot: Slot) -> None:
        """Have jobs run in a slot, by two loops: see `Scheduler.serve`."""
        self._start(self._scheduler.serve(slot), self._scheduler.serve(slot))

    def _workers(self) -> tuple[WorkerInfo, ...]:
        slots = tuple(slot.info() for slot in self._scheduler.slots)
        return slots + (self._cluster.infos() if self._cluster is not None else ())

    def _service(self, clients: Callable[[], int]) -> Service:
        daemon = DaemonInfo(
            home=self._home,
            epoch=secrets.token_hex(8),
            started=time.monotonic(),
            limits=self._config.limits,
            local_key=self._mine.public,
            options=self._options(),
            stop=self._stopping.set,
            clients=clients,
            workers=self._workers,
        )
        return Service(daemon, self._store, self._disk, self._blobs, self._scheduler)

    def _options(self) -> Options:
        """Return how models are loaded on the first device."""
        first = self._config.devices[:1]
        return replace(self._config.options, device=first[0]) if first else self._config.options

    def _bind(self, socket: zmq.asyncio.Socket) -> str:
        """Bind to the port asked for, else to the last one, else to any; return the endpoint."""
        host, remembered = self._config.host, self._home / "port"
        ports = [self._config.port]
        if not self._config.port:
            with contextlib.suppress(OSError, ValueError):
                ports.insert(0, int(remembered.read_text()))
        for port in ports:
            try:
                socket.bind(f"tcp://{_bracketed(host)}:{port or '*'}")
                break
            except zmq.ZMQError as error:
                reason = error
        else:
            raise InvalidField(
                f"The daemon cannot listen on {host}:{ports[-1]}: {reason}.",
                path="--listen",
                fix="Choose an address of this machine and a free port.",
            )
        port = int(str(socket.getsockopt_string(zmq.LAST_ENDPOINT)).rpartition(":")[2])
        with contextlib.suppress(OSError):  # it is a convenience
            remembered.write_text(str(port))
        everywhere = ipaddress.ip_address(host).is_unspecified
        return f"tcp://{LOOPBACK if everywhere else _bracketed(host)}:{port}"

    # -- tasks -----------------------------------------------------------------------------------

    def _start(self, *work: Coroutine[Any, Any, None]) -> None:
        """Do something beside; if it fails, the daemon ends and says so."""
        for one in work:
            task = asyncio.get_running_loop().create_task(one)
            task.add_done_callback(self._ended)
            self._tasks.add(task)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("daemon.broken", exc_info=error)
            self._failure = error
            self._stopping.set()

    async def _recover(self) -> None:
        """Take up what an earlier daemon left."""
        for happened in await self._disk(self._store.recover):
            event(log, "job.recovered", job=happened.job, now=type(happened).__name__.lower())
        await self._disk(self._store.shrink)
        await self._tidy_up()

    async def _keep_house(self, service: Service) -> None:
        while True:
            await asyncio.sleep(HOUSEKEEPING)
            await self._tidy_up()
            await service.drop_later()

    async def _tidy_up(self) -> None:
        with contextlib.suppress(StorageFull):  # the next round may find room
            await self._disk(self._tidy)

    async def _check_keys(self, router: Router) -> None:
        """Shut out clients that are unpaired, and cancel their jobs.

        Each time, whatever was found before: one may be paired, connected and unpaired between two looks.
        """
        while True:
            allowed = set(await asyncio.to_thread(pairing.allowed, self._home))
            if allowed:
                router.expel(allowed)
                for owner in await self._disk(self._store.owners) - allowed:
                    await self._scheduler.cancel_all(owner)
            await asyncio.sleep(1.0)

    def _tidy(self) -> None:
        """In the store's thread: delete what nobody needs any more."""
        self._store.expire(time.time(), KEEP_DAYS * 86400)
        dropped = self._blobs.sweep(self._store.ownership.digests())
        if dropped:
            event(log, "blobs.swept", dropped=dropped)

    async def _watch(self, router: Router, service: Service) -> None:
        """Stop when nobody has needed the daemon for a while, if that is wanted."""
        idle_since = time.monotonic()
        while self._config.idle_exit > 0:
            await asyncio.sleep(min(5.0, self._config.idle_exit * 6))
            waiting, _ = await self._disk(self._store.counts)
            if len(router) or self._scheduler.busy or waiting or service.downloading:
                idle_since = time.monotonic()
            elif time.monotonic() - idle_since > self._config.idle_exit * 60:
                event(log, "daemon.idle", minutes=self._config.idle_exit)
                self._stopping.set()
                return


def check_host(config: Config, clients: dict[str, str]) -> None:
    """Refuse to be reachable from other machines before one of them is paired."""
    try:
        address = ipaddress.ip_address(config.host)
    except ValueError:
        raise InvalidField(
            f"{config.host!r} is not an IP address.",
            path="--listen",
            fix="Give an address of this machine, such as 192.168.1.20:7717.",
        ) from None
    if address.is_loopback:
        return
    if set(clients.values()) <= {pairing.LOCAL}:
        raise InvalidField(
            f"No other machine is paired, so none could use {config.host}.",
            path="--listen",
            fix="Run `standee pair NAME HOST:PORT` first and carry the file that it writes over.",
        )
    if not config.port:
        raise InvalidField(
            "Other machines need a port that stays.", path="--listen", fix="Give HOST:PORT."
        )


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _on_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        if sys.platform == "win32":
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
        else:
            loop.add_signal_handler(number, stop)


def _return_large_buffers() -> None:
    """Have glibc give large buffers back to the system when they are freed, whatever came before."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, 2**17)


def _allow_many_files() -> None:
    """Take as many file descriptors as allowed: every connection needs one."""
    if sys.platform != "win32":
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 65_536)), hard))
