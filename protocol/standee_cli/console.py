"""Console output: answers on stdout, messages on stderr, and exit codes.

An error is one line, what went wrong and what to do, never a traceback unless `--debug` asks for it.
"""

from __future__ import annotations

import io
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import Any, Literal, TypeVar

import click
import msgspec

from standee.errors import MissingDependency, StandeeError

Command = TypeVar("Command", bound=Callable[..., Any])

FILE = click.Path(dir_okay=False, path_type=Path)
"""The type of arguments that name a file."""


class ExitCode(IntEnum):
    """What the process returns; in the help and in docs/cli.md."""

    OK = 0
    FAILED = 1
    INVALID = 2
    NO_DAEMON = 3
    CANCELLED = 4
    NOT_INSTALLED = 5


EXITS = {
    "bad-document": ExitCode.INVALID,
    "bad-picture": ExitCode.INVALID,
    "download-needed": ExitCode.INVALID,
    "invalid-field": ExitCode.INVALID,
    "missing-blob": ExitCode.INVALID,
    "too-large": ExitCode.INVALID,
    "unknown-job": ExitCode.INVALID,
    "unknown-model": ExitCode.INVALID,
    "incompatible-version": ExitCode.NO_DAEMON,
    "not-connected": ExitCode.NO_DAEMON,
    "unauthorised": ExitCode.NO_DAEMON,
    "job-cancelled": ExitCode.CANCELLED,
    "missing-dependency": ExitCode.NOT_INSTALLED,
}
"""Codes of errors that have an exit code of their own; the others are failures."""


Shown = Literal["auto", "json", "none"]
"""How progress is told: as suits the terminal, as a line of JSON for each event, or not at all."""


class Console:
    """Where a command's answer, messages and errors go, as the options that all have in common say."""

    def __init__(self) -> None:
        self.json = False
        self.debug = False
        self.connection: Path | None = None
        self.progress: Shown = "auto"

    def answer(self, data: Any, lines: Iterable[str] = ()) -> None:
        """Give the answer of a command: `data` for a program, `lines` for a person."""
        if self.json:
            click.echo(json.dumps(msgspec.to_builtins(data), indent=2))
            return
        for line in lines:
            click.echo(line)

    def table(self, data: Any, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Give an answer that a person reads as a table."""
        if self.json:
            self.answer(data)
            return
        from rich.console import Console as Rich
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(head))
        for name in head:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        if sys.stdout.isatty():
            Rich(highlight=False).print(table)
            return
        plain = io.StringIO()  # for another program, which has no use for padding
        Rich(file=plain, highlight=False, width=200).print(table)
        click.echo("\n".join(line.rstrip() for line in plain.getvalue().splitlines()))

    def say(self, message: str) -> None:
        """Tell a person something beside the answer."""
        click.echo(message, err=True)

    def fail(self, error: StandeeError) -> ExitCode:
        """Tell an error to both and return the exit code."""
        if self.json:
            click.echo(json.dumps({"error": error.to_wire()}, indent=2))
        if self.debug:
            traceback.print_exception(error)
        code = EXITS.get(error.code, ExitCode.FAILED)
        prefix = "" if code is ExitCode.CANCELLED else click.style("Error: ", fg="red", bold=True)
        self.say(prefix + " ".join(str(error).split()))
        return code


answers = click.make_pass_decorator(Console, ensure=True)


def common(command: Command) -> Command:
    """Give a command the options that all of them have; they come last in its help."""

    def option(name: str, explanation: str, **more: Any) -> Callable[[Command], Command]:
        def keep(context: click.Context, _: click.Parameter, value: Any) -> None:
            if value:
                setattr(context.ensure_object(Console), name, value)

        return click.option(
            f"--{name}", expose_value=False, callback=keep, help=explanation, **more
        )

    debug = option("debug", "Show where in the program an error came from.", is_flag=True)
    answer = option("json", "Answer in JSON on stdout, for programs.", is_flag=True)
    connection = option(
        "connection",
        "A daemon on another machine: the file that `standee pair` made there.",
        type=FILE,
        metavar="FILE",
        envvar="STANDEE_CONNECTION",
    )
    return connection(answer(debug(command)))


def shows_progress(command: Command) -> Command:
    """Give a command that takes a while the options that say how its progress is told."""

    def keep(context: click.Context, parameter: click.Parameter, value: Any) -> None:
        if value:
            shown: Shown = "none" if parameter.name == "quiet" else value
            context.ensure_object(Console).progress = shown

    quiet = click.option(
        "-q", "--quiet", is_flag=True, expose_value=False, callback=keep, help="Show no progress."
    )
    how = click.option(
        "--progress",
        type=click.Choice(["auto", "json"]),
        expose_value=False,
        callback=keep,
        help="json: a line of JSON on stderr for each event, for programs.",
    )
    return quiet(how(command))


def speak_any_script() -> None:
    """Let a terminal of any encoding show any text: what it has no letter for becomes `?`."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def run(group: click.Group, arguments: Sequence[str] | None = None) -> int:
    """Run the command that `arguments` name and return the exit code."""
    speak_any_script()
    console = Console()
    try:
        code = group.main(arguments, prog_name="standee", obj=console, standalone_mode=False)
    except click.UsageError as error:
        where = f" Run `{error.ctx.command_path} --help` for help." if error.ctx else ""
        return _stop(
            console, UsageError(error.format_message(), fix=where.strip()), ExitCode.INVALID
        )
    except click.ClickException as error:
        return _stop(console, StandeeError(error.format_message()), ExitCode.FAILED)
    except (click.Abort, KeyboardInterrupt):
        console.say("Stopped.")
        return ExitCode.CANCELLED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAILED
    except StandeeError as error:
        return console.fail(error)
    except Exception as error:
        unexpected = _unexpected(error, console.debug)
        unexpected.__cause__ = error
        return console.fail(unexpected)
    return code if isinstance(code, int) else ExitCode.OK


def _unexpected(error: Exception, debug: bool) -> StandeeError:
    package = (error.name or "").partition(".")[0] if isinstance(error, ImportError) else ""
    if package and not package.startswith("standee"):  # what another package lacks
        return MissingDependency(
            f"A package cannot be loaded: {error}.",
            fix=f"Run `standee doctor --fix`; if that does not help, install {package} anew.",
        )
    return StandeeError(
        f"Something unforeseen went wrong: {type(error).__name__}: {error}.",
        fix="" if debug else "Run it again with --debug and report what it shows.",
    )


class UsageError(StandeeError):
    """The command line itself is wrong.

    `standee COMMAND --help` shows what the command takes, with examples.
    """

    code = "usage"


def _stop(console: Console, error: StandeeError, code: ExitCode) -> int:
    console.fail(error)
    return code
