"""`standee gateway`: the daemon by HTTP and MCP."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path

import click
from click.core import ParameterSource

from standee.client.packages import require

from ..console import Console, answers, common
from ..options import MARKED, YES


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen at. Any other one lets other machines in.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=5590, show_default=True, help="0: a free one."
)
@click.option(
    "--max-body",
    type=click.IntRange(1, 4096),
    default=64,
    show_default=True,
    metavar="MIB",
    help="The largest request.",
)
@click.option(
    "--mcp", type=click.Choice(["stdio"]), help="Speak MCP with the program that starts this one."
)
@click.option(
    "--pictures",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder whose pictures may be named by MCP. [default: this one for stdio, else none]",
)
@YES
@MARKED
@common
@answers
@click.pass_context
def gateway(
    context: click.Context,
    console: Console,
    /,
    host: str,
    port: int,
    max_body: int,
    mcp: str | None,
    folder: Path | None,
    download: bool,
    marked: bool,
) -> None:
    """Offer the daemon by HTTP and MCP.

    It is for programs that speak neither the daemon's protocol nor Python, and for agents. Whoever
    asks by HTTP needs a token: the one in STANDEE_GATEWAY_TOKEN, or a new one that is printed. The
    requests are described at /openapi.json, MCP is at /mcp; what they may do is in docs/security.md.

    \b
    Examples:
      standee gateway
      STANDEE_GATEWAY_TOKEN=... standee gateway --port 8080
      standee gateway --mcp stdio --pictures ~/cutouts     for an agent that starts it
    """
    require("gateway")
    access = import_module("standee_gateway.access")
    server = import_module("standee_gateway.server")
    if mcp is not None:
        for name in ("host", "port", "max_body", "download"):
            if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                raise click.UsageError("--mcp stdio takes only --pictures and --mark.", context)
        own = server.Options(
            access.Access(),
            connection_file=console.connection,
            marked=marked,
            folder=folder or Path.cwd(),
        )
        server.serve_mcp(own)
        return
    chosen = os.environ.get(access.TOKEN_VARIABLE)
    token = access.check_token(chosen) if chosen is not None else access.new_token()
    options = server.Options(
        access.Access(token, host, max_body << 20),
        port,
        console.connection,
        downloads=download,
        marked=marked,
        folder=folder,
    )

    def ready(url: str) -> None:
        if not access.is_loopback(host):
            console.say(
                f"Warning: {host} is reachable from other machines, and HTTP is not encrypted. Whoever has"
                " the token may use the daemon as you do."
            )
        told = {"url": url} if chosen else {"url": url, "token": token}
        said = [f"The gateway answers at {url}"]
        said += [] if chosen else [f"Token: {token}"]
        console.answer(told, said)

    server.serve_http(options, ready)
