"""`standee doctor`: checks of this Python, the packages, the device, the daemon.

Each finding is one line with a verdict; a bad one says what to do.
"""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import click
from msgspec import Struct

from standee.client.packages import NEEDED, USEFUL, missing_packages
from standee.connection import connection_file
from standee.errors import InvalidField, MissingDependency, StandeeError
from standee.files import home, private_folder

from ..console import Console, answers, common
from ..missing_packages import EXTRAS, USUAL, bring, unsuitable_torch
from ..package_installer import InstallError
from ..torch_builds import CHOICES

CLIENT = {name: name for name in ("standee", "click", "msgpack", "msgspec", "numpy", "rich")} | {
    "zmq": "pyzmq"
}
ROOM = 2 << 30
"""Fewer free bytes than this in Standee's home are worth a warning."""


Verdict = Literal["ok", "warning", "bad"]


class Finding(Struct, frozen=True):
    """One fact about the machine; `fix` says what to do when it is not `ok`."""

    what: str
    value: str
    verdict: Verdict = "ok"
    fix: str = ""


def examine(file: Path | None = None) -> Iterator[Finding]:
    """Look at everything, the quick things first; `file` is another daemon's connection file."""
    yield Finding("Python", f"{platform.python_version()} ({sys.executable})")
    yield Finding("System", platform.platform())
    yield _packages("Packages", CLIENT, "bad", "Run `pip install standee`.")
    for what, extra in (("Backend", "backend"), ("Editor", "desktop"), ("Gateway", "gateway")):
        looked_for = NEEDED[extra] | USEFUL[extra]
        serious: Verdict = "ok" if extra == "gateway" else "warning"  # few use it
        yield _packages(what, looked_for, serious, f"Run `standee doctor --fix {extra}`.")
    yield from _machine()
    yield from _home()
    yield from _daemon(file)


def _packages(what: str, packages: dict[str, str], serious: Verdict, fix: str) -> Finding:
    missing = [name for module, name in packages.items() if not find_spec(module)]
    if missing:
        return Finding(what, f"not installed: {', '.join(missing)}.", serious, fix)
    return Finding(what, ", ".join(map(_with_version, packages.values())))


def _with_version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:  # files beside this Python, or another distribution of the module
        return package


def _machine() -> Iterator[Finding]:
    """What the device is, and how the published models would run on it, as the backend says."""
    if not find_spec("standee_backend") or missing_packages("backend"):
        return
    try:
        hardware = import_module("standee_backend.hardware.machine")
        machine = hardware.survey()
    except Exception as error:  # a broken driver or torch may raise anything
        yield Finding(
            "Device",
            f"torch cannot be used: {type(error).__name__}: {error}",
            "bad",
            "Run `standee doctor --fix backend --torch auto`.",
        )
        return
    if (better := unsuitable_torch()) is not None:
        yield Finding(
            "PyTorch",
            f"The installed {machine.torch} does not use the card here. {better.reason}",
            "warning",
            "Run `standee doctor --fix backend`.",
        )
    for what, value in machine.facts:
        yield Finding(what.capitalize(), str(value))  # torch has a type for its version
    for advice in hardware.recommend(machine):
        yield Finding(advice.model, advice.reason)


def _bring(extra: str, console: Console, torch: str) -> None:
    try:
        bring(extra, console.say, torch if extra == "backend" else "")
    except (InstallError, ValueError) as error:
        said, _, fix = str(error).partition(". Fix: ")
        raise MissingDependency(_sentence(said), fix=_sentence(fix)) from None


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""


def _home() -> Iterator[Finding]:
    folder = home()
    try:
        private_folder(folder)
        free = shutil.disk_usage(folder).free
    except StandeeError as error:
        yield Finding("Home", error.message, "bad", error.fix)
        return
    text = f"{folder} ({free >> 30} GiB free)"
    if free < ROOM:
        yield Finding("Home", text, "warning", "Make room, or set STANDEE_HOME to another disk.")
    else:
        yield Finding("Home", text)


def _daemon(file: Path | None) -> Iterator[Finding]:
    from standee.client.client import Client

    path = file or connection_file()
    if not path.exists():
        yield Finding("Connection", f"{path} (none: no daemon has run yet)")
        return
    yield Finding("Connection", str(path))
    try:
        with Client.connect(connection_file=path, timeout=5.0) as client:
            status = client.status()
    except StandeeError as error:
        if error.code == "not-connected":
            yield Finding("Daemon", "not running; it starts when it is needed")
        else:
            yield Finding("Daemon", error.message, "bad", error.fix)
        return
    yield Finding(
        "Daemon",
        f"version {status.server}, process {status.pid}, {status.running} jobs running,"
        f" {status.queued} waiting",
    )
    for worker in status.workers:
        yield Finding(
            "Worker", f"{worker.name}: {worker.state} on {worker.device or 'no device yet'}"
        )


@click.command()
@click.option(
    "--fix",
    is_flag=False,
    flag_value="all",
    type=click.Choice(["all", *EXTRAS]),
    help="Install what is missing: of the engine, of the editor, of both, or of the gateway.",
)
@click.option(
    "--torch",
    type=click.Choice(CHOICES),
    metavar="BUILD",
    help="With --fix: install this build of PyTorch anew, one of " + ", ".join(CHOICES) + ".",
)
@common
@answers
def doctor(console: Console, fix: str | None, torch: str | None) -> int:
    """Look over this machine.

    It says what is installed, which options suit the machine, and how the daemon is. With --fix it first
    installs what is missing, by uv or pip, and the PyTorch that suits the graphics card.
    """
    if torch and fix not in ("all", "backend"):
        raise InvalidField(
            "--torch is for the engine's packages.", path="--torch", fix="Add --fix backend."
        )
    for extra in () if fix is None else USUAL if fix == "all" else (fix,):
        _bring(extra, console, torch or "")
    found = list(examine(console.connection))
    marks = {"ok": "", "warning": "! ", "bad": "!! "}
    rows = [(f.what, f"{marks[f.verdict]}{f.value} {f.fix}".strip()) for f in found]
    console.table(found, ("", ""), rows)
    return 1 if any(f.verdict == "bad" for f in found) else 0
