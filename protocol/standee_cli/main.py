"""The command line: every command of `standee`, with the help that an artist reads.

Those that take more than a page are in `commands/`, and how all of them speak is in `console.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import click
import msgspec

from standee import __version__
from standee.errors import InvalidField

from .commands.compose import compose, cutout
from .commands.jobs import cancel, jobs, models, status
from .commands.models import get
from .console import FILE, Console, answers, common, require, run
from .job_runs import check_writable, connect, write_file


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    return run(cli, arguments)


class InOrder(click.Group):
    """A group whose help lists the commands in the order in which they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, what an artist needs first at the top."""
        return list(self.commands)


@click.group(
    cls=InOrder, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, message="standee %(version)s")
def cli() -> None:
    """Stand your subjects in a scene.

    Standee composes one picture from your own cut-out pictures: each subject stands where you put
    it and keeps its looks. A daemon on your machine does the work; it starts by itself.

    \b
    Try it:
      standee demo                          three subjects in a scene
      standee compose scene.standee         the picture of a document
      standee edit                          arrange subjects in the editor

    \b
    Exit codes:
      0  done                 3  no daemon to talk to
      1  failed               4  cancelled
      2  the input is wrong   5  something must be installed first
    """


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


@click.command()
@click.argument("name", required=False)
@click.argument("endpoint", required=False, metavar="tcp://HOST:PORT")
@click.option("-o", "--output", type=FILE, help="The file to carry over. [default: NAME.json]")
@click.option("--remove", is_flag=True, help="Let NAME in no more.")
@common
@answers
@click.pass_context
def pair(
    context: click.Context,
    console: Console,
    name: str | None,
    endpoint: str | None,
    output: Path | None,
    remove: bool,
) -> None:
    """Let another machine use the daemon of this one.

    The file that it writes holds a secret key: carry it over safely, and give it to --connection
    there. The daemon must listen beyond this machine: `standee serve --listen HOST:PORT`.
    Without NAME, it lists who is let in.

    \b
    Example:
      standee serve --listen 192.168.1.20:5580        on this machine, and
      standee pair laptop tcp://192.168.1.20:5580     on this machine
      standee status --connection laptop.json         on the laptop
    """
    from standee import connection

    folder = connection.home()
    if name is None:
        names = sorted(connection.allowed(folder).values())
        console.answer({"paired": names}, names)
    elif remove:
        if not connection.unpair(folder, name):
            raise InvalidField(f"{name!r} was not paired.", fix="See `standee pair` for who is.")
        console.answer({"removed": name}, [f"{name} is let in no more."])
    elif endpoint is None:
        raise click.UsageError("Say where the daemon listens: tcp://HOST:PORT.", context)
    else:
        out = output or Path(f"{name}.json")
        check_writable(out)
        made = msgspec.json.encode(connection.pair(folder, name, endpoint))
        write_file(out, msgspec.json.format(made), mode=0o600)
        console.answer({"path": str(out)}, [f"{out} lets {name} in. It holds a secret key."])


@click.command()
@common
@answers
def doctor(console: Console) -> int:
    """Look over this machine.

    It says what is installed, which options suit the machine, and how the daemon is.
    """
    from .commands.doctor import examine

    found = list(examine(console.connection))
    marks = {"ok": "", "warning": "! ", "bad": "!! "}
    rows = [(f.what, f"{marks[f.verdict]}{f.value} {f.fix}".strip()) for f in found]
    console.table(found, ("", ""), rows)
    return 1 if any(f.verdict == "bad" for f in found) else 0


@click.command()
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("standee-demo"),
    show_default=True,
    help="The folder to write into.",
)
@common
@answers
@click.pass_context
def demo(context: click.Context, console: Console, output: Path) -> None:
    """Compose three subjects into a scene.

    It writes the picture, its document, and a contact sheet that shows how it was made.
    """
    require("standee_backend", "backend")
    from .progress import Watching

    client = connect(context, start=True)
    with Watching() as watching:
        paths = import_module("standee_backend.demo").main(output, client, on_event=watching)
    named = {what: str(path) for what, path in paths.items()}
    console.answer(named, [f"{what + ':':<10} {path}" for what, path in named.items()])


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


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common
@answers
def completion(console: Console, shell: str) -> None:
    """Let the Tab key complete commands.

    It prints a script for SHELL.

    \b
    Set it up once:
      bash:  standee completion bash >> ~/.bashrc
      zsh:   standee completion zsh >> ~/.zshrc
      fish:  standee completion fish > ~/.config/fish/completions/standee.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    script = kind(cli, {}, "standee", "_STANDEE_COMPLETE").source()
    console.answer({"shell": shell, "script": script}, [script])


models.add_command(get)
for command in (demo, compose, cutout, edit, models, status, jobs, cancel, serve, pair):
    cli.add_command(command)
cli.add_command(doctor)
cli.add_command(completion)


if __name__ == "__main__":
    sys.exit(main())
