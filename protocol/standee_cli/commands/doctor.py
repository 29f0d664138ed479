"""`standee doctor`: checks of this Python, the packages, the device, the daemon.

Each finding is one line with a verdict; a bad one says what to do.
"""

from __future__ import annotations

import importlib.util
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import click
from msgspec import Struct

from standee.connection import connection_file
from standee.errors import InvalidField, MissingDependency, StandeeError
from standee.files import home, private_folder

from ..console import Console, answers, common
from ..missing_packages import EXTRAS, bring, unsuitable_torch
from ..package_installer import InstallError
from ..torch_builds import CHOICES

CLIENT = ("standee", "click", "msgpack", "msgspec", "numpy", "pyzmq", "rich")
BACKEND = ("torch", "diffusers", "transformers", "accelerate", "opencv-python-headless", "pillow")
DESKTOP = ("PySide6-Essentials",)
ROOM = 2 << 30
"""Fewer free bytes than this in Standee's home are worth a warning."""


class Finding(Struct, frozen=True):
    """One fact about the machine; `fix` says what to do when it is not `ok`."""

    what: str
    value: str
    verdict: Literal["ok", "warning", "bad"] = "ok"
    fix: str = ""


def examine(file: Path | None = None) -> Iterator[Finding]:
    """Look at everything, the quick things first; `file` is another daemon's connection file."""
    yield Finding("Python", f"{platform.python_version()} ({sys.executable})")
    yield Finding("System", platform.platform())
    yield from _packages("Packages", CLIENT, "")
    yield from _packages("Backend", BACKEND, "backend")
    yield from _packages("Editor", DESKTOP, "desktop")
    yield from _machine()
    yield from _home()
    yield from _daemon(file)


def _packages(what: str, names: tuple[str, ...], extra: str) -> Iterator[Finding]:
    found: list[str] = []
    missing: list[str] = []
    for name in names:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if not missing:
        yield Finding(what, ", ".join(found))
        return
    yield Finding(
        what,
        f"not installed: {', '.join(missing)}",
        "warning" if extra else "bad",
        f"Run `standee doctor --fix {extra}`." if extra else "Run `pip install standee`.",
    )


def _machine() -> Iterator[Finding]:
    """What the device is, and how the published models would run on it, as the backend says."""
    if not (importlib.util.find_spec("standee_backend") and importlib.util.find_spec("torch")):
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
    help="Install what is missing: of the engine, of the editor, or of both.",
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
    for extra in EXTRAS:
        if fix in (extra, "all"):
            _bring(extra, console, torch or "")
    found = list(examine(console.connection))
    marks = {"ok": "", "warning": "! ", "bad": "!! "}
    rows = [(f.what, f"{marks[f.verdict]}{f.value} {f.fix}".strip()) for f in found]
    console.table(found, ("", ""), rows)
    return 1 if any(f.verdict == "bad" for f in found) else 0
