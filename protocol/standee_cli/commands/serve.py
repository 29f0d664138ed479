"""`standee serve`: the daemon in this terminal."""

from __future__ import annotations

from importlib import import_module

import click

from ..console import Console, answers, require
from ..job_runs import connect


@click.command(
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
@answers
@click.pass_context
def serve(context: click.Context, console: Console, options: tuple[str, ...]) -> int:
    """Run the daemon in this terminal.

    Other commands start one by themselves when they need it. `--stop` stops the one that runs; its
    jobs go on when it starts again. `--help` lists all options: they are the backend's own.
    """
    if "--stop" in options:
        connect(context).shutdown()
        console.say("The daemon stops.")
        return 0
    require("standee_backend", "backend")
    plain = [option for option in options if option not in ("--json", "--debug")]
    log = ["--log", "json"] if "--json" in options else []
    code: int = import_module("standee_backend.daemon.main").main([*plain, *log])
    return code
