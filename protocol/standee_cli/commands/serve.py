"""`standee serve`: the daemon in this terminal."""

from __future__ import annotations

import importlib.util
from importlib import import_module
from typing import Any

import click

from standee.client.packages import require

from ..console import Console, answers, common
from ..job_runs import connect


class Daemon(click.Command):
    """A command with the daemon's own flags, where the backend is installed."""

    def get_params(self, context: click.Context) -> list[click.Parameter]:
        """Return the flags, then what all commands have."""
        return [*_flags(), *super().get_params(context)]

    def format_options(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, and those that are experimental under a heading of their own."""
        experimental = {flag.field for flag in _daemon_flags() if flag.experimental}
        sections: dict[str, list[tuple[str, str]]] = {"Options": [], "Experimental": []}
        for option in self.get_params(context):
            heading = "Experimental" if option.name in experimental else "Options"
            if record := option.get_help_record(context):
                sections[heading].append(record)
        for heading, records in sections.items():
            if records:
                with formatter.section(heading):
                    formatter.write_dl(records)


def _daemon_flags() -> tuple[Any, ...]:
    """Return the daemon's own flags; none where the backend is not installed."""
    if not importlib.util.find_spec("standee_backend"):
        return ()
    flags: tuple[Any, ...] = import_module("standee_backend.daemon.flags").FLAGS
    return flags


def _flags() -> list[click.Parameter]:
    return [
        click.Option(
            [f"--{flag.name}"],
            type=click.Choice(flag.choices)
            if flag.choices
            else (float if flag.kind is float else str),
            is_flag=flag.switch,
            multiple=flag.many,
            metavar=flag.metavar,
            help=f"{flag.help} [{flag.variable}]",
        )
        for flag in _daemon_flags()
    ]


@click.command(cls=Daemon)
@click.option(
    "--stop", is_flag=True, help="Stop the daemon that runs; its jobs go on at the next start."
)
@common
@answers
@click.pass_context
def serve(context: click.Context, console: Console, /, stop: bool, **given: Any) -> int:
    """Run the daemon in this terminal.

    Other commands start one by themselves when they need it. Each option may come from the
    environment variable beside it, or from [hardware] in models.toml.

    \b
    Examples:
      standee serve --device cuda:1 --offload model
      standee serve --listen 192.168.1.20:5580      another machine: see `standee pair`
      standee serve --stop
    """
    if stop:
        connect(context).shutdown()
        console.say("The daemon stops.")
        return 0
    require("backend")
    if console.json and not given.get("log"):
        given["log"] = "json"
    code: int = import_module("standee_backend.daemon.main").serve(given)
    return code
