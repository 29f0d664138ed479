"""`standee edit`: the desktop editor."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

import click

from standee.client.packages import require
from standee.errors import MissingDependency

from ..console import FILE, Console, answers, common


@click.command()
@click.argument("file", required=False, type=FILE)
@click.option("--language", help="The interface's, such as en or zh_CN. [default: the system's]")
@common
@answers
def edit(console: Console, file: Path | None, language: str | None) -> int:
    """Open the editor, with a document or empty.

    \b
    Example:
      standee edit scene.standee
    """
    require("desktop")
    _check_display()
    chosen = ["--language", language] if language else []
    code: int = import_module("standee_desktop").main([*chosen, *([str(file)] if file else [])])
    console.answer({"exit": code})
    return code


def _check_display() -> None:
    """Raise `MissingDependency` where there is nothing to show a window on: Qt would end the process."""
    where = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if sys.platform.startswith("linux") and not any(map(os.environ.get, where)):
        raise MissingDependency(
            "There is no display to show the editor on.",
            fix="Start it in a desktop session, or say where one is in DISPLAY.",
        )
