"""`standee demo`: three subjects in a scene."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click

from standee.client.packages import require

from ..console import Console, answers, common, shows_progress
from ..job_runs import connect


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("standee-demo"),
    show_default=True,
    help="The folder to write into.",
)
@shows_progress
@common
@answers
@click.pass_context
def demo(context: click.Context, console: Console, output: Path) -> None:
    """Compose three subjects into a scene.

    It writes the picture, its document, and a contact sheet that shows how it was made.
    """
    require("backend")
    from ..progress import ProgressDisplay

    client = connect(context, start=True)
    with ProgressDisplay(console.progress) as watching:
        paths = import_module("standee_backend.demo").main(output, client, on_event=watching)
    named = {what: str(path) for what, path in paths.items()}
    console.answer(named, [f"{what + ':':<10} {path}" for what, path in named.items()])
