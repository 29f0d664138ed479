"""`standee edit`: the desktop editor."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from ..console import FILE, Console, answers, common, require


@click.command()
@click.argument("file", required=False, type=FILE)
@common
@answers
def edit(console: Console, file: Path | None) -> int:
    """Open the editor, with a document or empty.

    \b
    Example:
      standee edit scene.standee
    """
    require("standee_desktop", "desktop")
    code: int = import_module("standee_desktop").main([str(file)] if file else [])
    console.answer({"exit": code})
    return code
