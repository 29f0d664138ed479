"""The command line: every command of `standee`, with the help that an artist reads.

They are in `commands/`, and how all of them speak is in `console.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from standee import __version__

from .commands.bench import bench
from .commands.compose import compose
from .commands.cutout import cutout
from .commands.demo import demo
from .commands.doctor import doctor
from .commands.edit import edit
from .commands.gateway import gateway
from .commands.jobs import cancel, jobs
from .commands.models import download, models
from .commands.pair import pair
from .commands.schema import schema
from .commands.serve import serve
from .commands.status import status
from .console import Console, answers, common, run


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
@common
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


models.add_command(download)
for command in (demo, compose, cutout, edit, models, status, jobs, cancel, serve, pair, bench):
    cli.add_command(command)
cli.add_command(gateway)
cli.add_command(doctor)
cli.add_command(schema)
cli.add_command(completion)


if __name__ == "__main__":
    sys.exit(main())
