"""The command line of the daemon: flags and environment to a `Config`, failures to one line."""

from __future__ import annotations

import argparse
import importlib.util
import ipaddress
import os
import re
import socket
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import msgspec

from standee.client.launch import ALREADY_RUNNING
from standee.errors import InvalidField, MissingDependency, StandeeError, StorageFull
from standee.wire.messages import Limits

from .. import event_log
from ..catalog import model_card
from ..hardware import options as hardware
from .daemon import Config, run
from .flags import FLAGS, settled
from .single_instance import AlreadyRunning


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the daemon in the foreground; return its exit status."""
    given = vars(parser().parse_args(arguments))
    try:
        return serve(given)
    except StandeeError as error:
        print(f"standee: {error}", file=sys.stderr)
        return 1


def serve(given: Mapping[str, Any]) -> int:
    """Run the daemon by the flags `given`, by field, until it ends; return its exit status.

    Raises `StandeeError`s: what cannot be configured, stored or listened to.
    """
    values = settled(given)
    event_log.set_up(values["log"])
    if values["offline"]:  # before huggingface_hub is imported, here or in a worker
        os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        os.environ["STANDEE_HOME"] = str(
            values["home"].expanduser().absolute()
        )  # of models.toml too
        run(configure(values))
    except AlreadyRunning as other:
        print(f"standee: a daemon is running already (process {other}).", file=sys.stderr)
        return ALREADY_RUNNING
    except sqlite3.DatabaseError as error:
        raise StorageFull(
            f"{values['home'] / 'jobs.sqlite'} is damaged: {error}.",
            fix="Move it away; only the list of jobs is lost.",
        ) from error
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of `python -m standee_backend.daemon`."""
    parser = argparse.ArgumentParser(
        prog="standee serve", description="Run the daemon that composes pictures on this machine."
    )
    for flag in FLAGS:
        how: dict[str, Any] = {"type": flag.kind, "metavar": flag.metavar}
        if flag.choices:
            how = {"choices": flag.choices}
        if flag.many:
            how["action"] = "append"
        if flag.switch:
            how = {"action": "store_true"}
        parser.add_argument(f"--{flag.name}", help=flag.help, default=None, **how)
    return parser


def configure(values: Mapping[str, Any]) -> Config:
    """Return the configuration that the values of all flags mean, over `[hardware]` in models.toml.

    Raises `InvalidField`.
    """
    given = SimpleNamespace(**values)
    host, port = _address(given.listen)
    usual = model_card.configuration().hardware
    devices = list(given.device or [usual.device])
    chosen = {name: getattr(given, name) for name in hardware.Options.__struct_fields__}
    options = hardware.check(
        {
            name: getattr(usual, name) if value is None or value is False else value
            for name, value in (chosen | {"device": devices[0]}).items()
        }
    )
    for device in devices[1:]:
        hardware.check({"device": device})
    if given.cluster:
        _check_cluster(given.cluster, given.gpus_per_slot, devices)
    return Config(
        home=given.home.expanduser().absolute(),
        host=host,
        port=port,
        options=options,
        devices=tuple(devices) if len(devices) > 1 else (),
        cluster=given.cluster,
        gpus_per_slot=given.gpus_per_slot,
        limits=msgspec.structs.replace(Limits(), storage=int(given.quota * 2**30)),
        idle_exit=given.idle_exit,
        warm=not given.lazy,
    )


def _check_cluster(address: str, gpus: float, devices: Sequence[str]) -> None:
    """Refuse what a cluster cannot mean. Raises `InvalidField`."""
    needed = ("ray", "grpc") if address.startswith("ray://") else ("ray",)
    if not all(importlib.util.find_spec(each) for each in needed):
        raise MissingDependency(
            "Slots on other machines need Ray, which is not installed.",
            path="--cluster",
            fix='Run `pip install "standee[cluster]"`, on each machine.',
        )
    if not re.fullmatch(r"auto|(ray://)?[^/\s]+:\d{1,5}", address):
        raise InvalidField(
            f"{address!r} is no address of a cluster.",
            path="--cluster",
            fix="Give auto, ray://HOST:10001, or HOST:6379 as `ray start` says it.",
        )
    if not 0 <= gpus <= 1:
        raise InvalidField(
            f"{gpus:g} cards for one job at a time cannot be used: a model runs on one.",
            path="--gpus-per-slot",
            fix="Give 1, a share such as 0.5, or 0 for processors.",
        )
    if any(":" in device for device in devices):
        raise InvalidField(
            "Ray chooses the cards of a cluster's slots.",
            path="--device",
            fix="Leave it out, or give cpu.",
        )


def _address(listen: str) -> tuple[str, int]:
    """Split HOST, HOST:PORT, IPV6 or [IPV6]:PORT; a name becomes its address. Raises `InvalidField`."""
    host, colon, port = listen, "", ""
    if listen.startswith("["):
        host, _, port = listen[1:].partition("]")
        colon, port = port[:1], port[1:]
    elif listen.count(":") == 1:
        host, colon, port = listen.partition(":")
    if colon and not (port.isdecimal() and int(port) < 65536):
        raise InvalidField(
            f"{port!r} is no port.",
            path="--listen",
            fix="Use a number up to 65535; 0 is any that is free.",
        )
    return _numbers(host), int(port or 0)


def _numbers(host: str) -> str:
    """Return a host's address in numbers, which is what can be bound. Raises `InvalidField`."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        try:
            return str(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][4][0])
        except (OSError, UnicodeError):
            raise InvalidField(
                f"{host!r} is no address, and no name that is known here.",
                path="--listen",
                fix="Give an address of this machine, such as 192.168.1.20:7717.",
            ) from None
    return host
