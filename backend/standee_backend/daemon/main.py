"""The command line of the daemon: flags and environment to a `Config`, failures to one line."""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from standee import files
from standee.client.launch import ALREADY_RUNNING
from standee.errors import StandeeError
from standee.wire.messages import Limits

from .. import event_log
from ..catalog import model_card
from ..hardware import options as hardware
from .daemon import LOOPBACK, Config, run
from .single_instance import AlreadyRunning


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the daemon in the foreground; return its exit status."""
    given = parser().parse_args(arguments)
    event_log.set_up(given.log)
    if given.offline:
        os.environ["HF_HUB_OFFLINE"] = (
            "1"  # before huggingface_hub is imported, here or in a worker
        )
    try:
        os.environ["STANDEE_HOME"] = str(given.home.expanduser().absolute())  # of models.toml too
        run(configure(given))
    except AlreadyRunning as other:
        print(f"standee: a daemon is running already (process {other}).", file=sys.stderr)
        return ALREADY_RUNNING
    except StandeeError as error:
        print(f"standee: {error}", file=sys.stderr)
        return 1
    except sqlite3.DatabaseError as error:
        print(
            f"standee: {given.home / 'jobs.sqlite'} is damaged: {error}. Move it away; only the"
            " list of jobs is lost.",
            file=sys.stderr,
        )
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of `standee serve`; every flag's default may come from STANDEE_<FLAG>."""
    parser = argparse.ArgumentParser(
        prog="standee serve", description="Run the daemon that composes pictures on this machine."
    )

    def flag(name: str, default: object, **more: object) -> None:
        value = os.environ.get(f"STANDEE_{name[2:].replace('-', '_').upper()}", default)
        parser.add_argument(name, default=value, **more)  # type: ignore[arg-type]

    flag("--home", files.home(), type=Path, help="folder of jobs, pictures and keys")
    flag("--listen", LOOPBACK, metavar="HOST[:PORT]", help="address; others need `standee pair`")
    flag("--device", None, action="append", help="auto, cpu, mps, cuda or cuda:N; may be repeated")
    flag("--dtype", None, help="auto, bf16 or fp32")
    flag("--offload", None, help="auto, none, text, model or group: slower, with less memory")
    flag("--quantization", None, help="auto, none, fp8, int8 or nf4: less memory and quality")
    flag("--text-quantization", None, help="the text encoder's, where it differs")
    flag("--memory", None, type=float, metavar="GIB", help="device memory to use at most")
    parser.add_argument("--compile", action="store_true", help="compile the model at first use")
    flag("--attention", None, help="auto, or kernels that are installed: native, flash, sage, ...")
    flag("--step-cache", None, type=float, metavar="CHANGE", help="skip what changes less, as 0.1")
    flag(
        "--token-cache", None, type=float, metavar="GIB", help="memory that keeps subjects' tokens"
    )
    flag("--token-disk", None, type=float, metavar="GIB", help="disk that keeps them over restarts")
    flag("--token-precision", None, help="model, or fp8: half of that room, a little less alike")
    flag("--quota", 4.0, type=float, metavar="GIB", help="pictures kept per client")
    flag("--idle-exit", 0.0, type=float, metavar="MINUTES", help="end after so long without use")
    parser.add_argument("--offline", action="store_true", help="download nothing from the hub")
    flag("--log", "text", choices=("text", "json"), help="how events are written to stderr")
    parser.add_argument("--lazy", action="store_true", help="start no worker before the first job")
    return parser


def configure(given: argparse.Namespace) -> Config:
    """Return the configuration that the flags mean, over `[hardware]` in models.toml.

    Raises `InvalidField`.
    """
    host, port = _address(given.listen)
    usual = model_card.configuration().hardware
    devices = [given.device] if isinstance(given.device, str) else given.device or [usual.device]
    options = hardware.check(
        {
            "device": devices[0],
            "dtype": given.dtype or usual.dtype,
            "offload": given.offload or usual.offload,
            "quantization": given.quantization or usual.quantization,
            "text_quantization": given.text_quantization or usual.text_quantization,
            "memory": usual.memory if given.memory is None else given.memory,
            "compile": given.compile or usual.compile,
            "attention": given.attention or usual.attention,
            "step_cache": usual.step_cache if given.step_cache is None else given.step_cache,
            "token_cache": usual.token_cache if given.token_cache is None else given.token_cache,
            "token_disk": usual.token_disk if given.token_disk is None else given.token_disk,
            "token_precision": given.token_precision or usual.token_precision,
        }
    )
    for device in devices[1:]:
        hardware.check({"device": device})
    return Config(
        home=given.home.expanduser().absolute(),
        host=host,
        port=port,
        options=options,
        devices=tuple(devices) if len(devices) > 1 else (),
        limits=msgspec.structs.replace(Limits(), storage=int(given.quota * 2**30)),
        idle_exit=given.idle_exit,
        warm=not given.lazy,
    )


def _address(listen: str) -> tuple[str, int]:
    """Split HOST, HOST:PORT, IPV6 or [IPV6]:PORT."""
    if listen.startswith("["):
        host, _, port = listen[1:].partition("]")
        port = port.removeprefix(":")
    elif listen.count(":") == 1:
        host, _, port = listen.partition(":")
    else:
        host, port = listen, ""
    return host, int(port) if port.isdecimal() and int(port) < 65536 else 0
