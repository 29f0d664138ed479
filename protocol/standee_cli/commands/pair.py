"""`standee pair`: keys of other machines."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from standee.errors import InvalidField
from standee.files import check_writable, write_atomically

from ..console import FILE, Console, answers, common


@click.command()
@click.argument("name", required=False)
@click.argument("endpoint", required=False, metavar="HOST:PORT")
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
    there. Then let the daemon listen beyond this machine: `standee serve --listen HOST:PORT`.
    Without NAME, it lists who is let in.

    \b
    Example:
      standee pair laptop 192.168.1.20:5580        on this machine, then
      standee serve --listen 192.168.1.20:5580     on this machine
      standee status --connection laptop.json      on the laptop
    """
    from standee import files, pairing

    folder = files.home()
    if name is None:
        names = sorted(pairing.allowed(folder).values())
        console.answer({"paired": names}, names)
    elif remove:
        if not pairing.unpair(folder, name):
            raise InvalidField(f"{name!r} was not paired.", fix="See `standee pair` for who is.")
        console.answer({"removed": name}, [f"{name} is let in no more."])
    elif endpoint is None:
        raise click.UsageError("Say where the daemon will listen: HOST:PORT.", context)
    else:
        out = output or Path(f"{name}.json")
        check_writable(out)
        made = msgspec.json.encode(pairing.pair(folder, name, endpoint))
        write_atomically(out, msgspec.json.format(made), mode=0o600)
        console.answer({"path": str(out)}, [f"{out} lets {name} in. It holds a secret key."])
