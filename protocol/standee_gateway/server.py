"""Start of the gateway: HTTP at one address, with MCP under /mcp, or MCP by stdin and stdout."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from mcp.server.transport_security import TransportSecuritySettings

from standee.errors import StandeeError

from .access import Access
from .daemon_link import DaemonLink
from .http_app import application
from .http_routes import Gateway
from .mcp_tools import mcp_server

PORT = 5590
MOST_CONNECTIONS = 512
"""How many connections are open at once; of those with the token fewer are answered (`access`)."""
MOST_SESSIONS = 256
"""How many clients of MCP are known at once; one that says nothing is forgotten after half an hour."""
GOODBYE = 2
"""Seconds that open answers have to end when the gateway stops."""


@dataclass(frozen=True)
class Options:
    """How the gateway runs. `port` 0 takes a free one; tools of MCP may name pictures of `folder`."""

    access: Access
    port: int = PORT
    connection_file: Path | None = None
    downloads: bool = False
    marked: bool = True
    folder: Path | None = None

    def gateway(self) -> Gateway:
        """Return what answers, not connected yet."""
        link = DaemonLink(connection_file=self.connection_file, start=self.connection_file is None)
        return Gateway(link, self.downloads, self.marked)


def serve_http(options: Options, ready: Callable[[str], object]) -> None:
    """Answer until the process is told to stop; `ready` gets the URL.

    Raises `StandeeError` where it cannot listen.
    """
    listening = _listen(options.access.host, options.port)
    host, port = listening.getsockname()[:2]
    gateway = options.gateway()
    server = mcp_server(gateway, options.folder)
    own = TransportSecuritySettings(enable_dns_rebinding_protection=False)  # `access` has looked
    routes = server.streamable_http_app(
        transport_security=own,
        max_request_body_size=options.access.max_body,
        max_sessions=MOST_SESSIONS,
    ).routes
    app = application(gateway, options.access, routes, server.session_manager.run)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GOODBYE,
        lifespan="on",
    )
    ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
    with (
        listening,
        suppress(KeyboardInterrupt),
    ):  # which uvicorn raises once more when all has ended
        asyncio.run(uvicorn.Server(config).serve([listening]))


def serve_mcp(options: Options) -> None:
    """Answer the process that started this one, over stdin and stdout, until it closes them."""

    async def serve() -> None:
        gateway = options.gateway()
        async with gateway.link:
            await mcp_server(gateway, options.folder).run_stdio_async()

    with suppress(KeyboardInterrupt):
        asyncio.run(serve())


def _listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return socket.create_server(found[0][4][:2], family=found[0][0], backlog=128)
    except (OSError, UnicodeError) as error:
        raise StandeeError(
            f"The gateway cannot listen at {host}:{port}: {error}.",
            fix="Choose another --port or --host.",
        ) from None
