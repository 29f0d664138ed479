"""MCP server: the tools by which an agent sees the models, tries a layout and has its picture made."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import anyio
import anyio.to_thread
import msgspec
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, ContentBlock, ImageContent, TextContent, ToolAnnotations
from pydantic import Field

from standee import __version__
from standee.client.client import Client
from standee.composition import json_schema
from standee.errors import StandeeError
from standee.images import HEAD, kind_of
from standee.wire.events import STAGES, Progress

from .http_messages import view_of
from .http_routes import Gateway
from .job_feed import JobFeed
from .layout_preview import preview_layout
from .layouts import Layout, layout_of

MOST_PICTURES = 4
"""How many pictures one answer carries."""
USUAL_WAIT, LONGEST_WAIT = 45.0, 3600.0
"""Seconds that a tool waits for a picture; clients give up on a tool after a minute or so."""
GOODBYE = 5.0
"""Seconds to cancel the job of a call that was cancelled."""
PATCH = 16
"""Px of a cell's side where the model is not in the list."""

INSTRUCTIONS = """\
Standee composes one picture from cut-out pictures of subjects: each stands in its rectangle of the canvas and keeps its
looks. A layout is a JSON composition: `canvas` {width, height} in px (multiples of 16), `prompt` for the whole picture,
`layers` from back to front, each with `rect` {x, y, w, h} in px, `picture` and `prompt`, an optional `scene` {picture}
behind them, and `sampling` {model, seed, count, steps}. A picture is named by {NAMES}. `layout_schema` has all fields.
Try a layout with preview_layout, which is quick, before compose, which is not."""
BY_FILE = "a file, relative to {folder}, by its SHA-256 digest or by a data: URL with base64"
BY_DIGEST = "its SHA-256 digest once it was uploaded, or by a data: URL with base64"

LayoutData = Annotated[dict[str, Any], Field(description="A composition; see layout_schema.")]
Seconds = Annotated[
    float, Field(ge=0, le=LONGEST_WAIT, description="How long to wait for the picture.")
]
Job = Annotated[str, Field(description="The id that compose returned.")]


@dataclass(frozen=True)
class Tools:
    """What an agent may call. Pictures are files of `folder`, if there is one."""

    gateway: Gateway
    folder: Path | None = None

    async def list_models(self) -> CallToolResult:
        """List the models that a layout may name in `sampling.model`."""
        with _as_tool_errors():
            models = await self.gateway.link.ask(lambda client: client.begin_models())
        return _told({"models": msgspec.to_builtins(models)})

    async def layout_schema(self) -> CallToolResult:
        """Return the JSON Schema of a layout. Where it asks for a picture's digest, the other names do too."""
        return _told(json_schema())

    async def preview_layout(self, layout: LayoutData) -> CallToolResult:
        """Draw where the subjects of a layout stand and which cells each owns, without making the picture.

        A layer of few cells is too small or hidden: make it larger, or move it in front. It takes a second.
        """
        with _as_tool_errors():
            given = layout_of(layout, None, self.folder)
            pictures = await self._pictures(given)
            patch = await self._patch(given.composition.sampling.model)
            preview = await anyio.to_thread.run_sync(
                preview_layout, given.composition, pictures.__getitem__, patch
            )
        told = msgspec.to_builtins(preview.layers)
        return _told({"patch": preview.patch, "layers": told}, preview.picture)

    async def compose(
        self, layout: LayoutData, context: Context[Any, Any], seconds: Seconds = USUAL_WAIT
    ) -> CallToolResult:
        """Make the picture of a layout and return it. What is not done in `seconds` goes on: ask job_status then."""
        with _as_tool_errors():
            given = layout_of(layout, None, self.folder)
            job = await self.gateway.link.submit(given.composition, given.blobs)
            feed = await self.gateway.link.feed(job)
            try:
                await _follow(feed, seconds, context)
            except anyio.get_cancelled_exc_class():
                with anyio.move_on_after(GOODBYE, shield=True):
                    await self.gateway.link.ask(lambda client: client.begin_cancel(job))
                raise
            return await self._outcome(feed)

    async def job_status(
        self,
        job: Job,
        context: Context[Any, Any],
        seconds: Seconds = 0.0,
        first: Annotated[int, Field(ge=0, description="The first picture to return.")] = 0,
    ) -> CallToolResult:
        """Return how a job stands, after `seconds` at most, with its pictures once it is done: four from `first` on."""
        with _as_tool_errors():
            feed = await self.gateway.link.feed(job)
            await _follow(feed, seconds, context)
            return await self._outcome(feed, first)

    async def cancel_job(self, job: Job) -> CallToolResult:
        """Stop a job within one step. One that has ended stays as it is."""
        with _as_tool_errors():
            feed = await self.gateway.link.feed(job)
            if not feed.status.finished:
                await self.gateway.link.ask(lambda client: client.begin_cancel(job))
                await feed.finished(GOODBYE)
        return _told(msgspec.to_builtins(view_of(feed)))

    async def _outcome(self, feed: JobFeed, first: int = 0) -> CallToolResult:
        """Return how a job stands, with some of its pictures. Raises what it failed of."""
        if feed.status.error is not None:
            raise feed.status.error
        wanted = [one.index for one in feed.results if one.index >= first][:MOST_PICTURES]
        pictures = [await self.gateway.result_of(feed, index) for index in wanted]
        return _told(msgspec.to_builtins(view_of(feed)), *pictures)

    async def _pictures(self, layout: Layout) -> dict[str, bytes]:
        """Return all pictures of a layout; those that did not come with it are the daemon's."""
        found = {}
        for digest in layout.composition.digests():
            given = layout.blobs.get(digest)
            if given is None:
                fetch = partial(Client.begin_get_blob, digest=digest)
                given = await self.gateway.link.ask(fetch)
            found[digest] = given if isinstance(given, bytes) else given.read_bytes()
        return found

    async def _patch(self, model: str) -> int:
        models = await self.gateway.link.ask(lambda client: client.begin_models())
        return next((one.patch for one in models if one.name == model), PATCH)


def mcp_server(gateway: Gateway, folder: Path | None = None) -> MCPServer[Any]:
    """Return a server of the tools; the gateway's link is whoever runs it's to open."""
    names = BY_DIGEST if folder is None else BY_FILE.format(folder=folder)
    server: MCPServer[Any] = MCPServer(
        "standee",
        title="Standee",
        instructions=INSTRUCTIONS.replace("{NAMES}", names),
        version=__version__,
        log_level="WARNING",
    )
    tools = Tools(gateway, folder)
    looks = ToolAnnotations(read_only_hint=True)
    for look in (tools.list_models, tools.layout_schema, tools.preview_layout, tools.job_status):
        server.add_tool(look, annotations=looks, structured_output=False)
    for act in (tools.compose, tools.cancel_job):
        server.add_tool(
            act,
            annotations=ToolAnnotations(
                read_only_hint=False, destructive_hint=act == tools.cancel_job
            ),
            structured_output=False,
        )
    return server


async def _follow(feed: JobFeed, seconds: float, context: Context[Any, Any]) -> None:
    """Tell the progress of a job until it has ended, for `seconds` at most."""
    with anyio.move_on_after(seconds):
        async for event in feed.events(feed.status.last_seq):
            if isinstance(event, Progress):
                said = STAGES.get(event.stage, event.stage)
                await context.report_progress(event.step, event.of or None, said)


@contextmanager
def _as_tool_errors() -> Iterator[None]:
    """Tell the daemon's errors, with their code and fix, as those of a tool."""
    try:
        yield
    except StandeeError as error:
        raise ToolError(f"{error} [{error.code}]") from error


def _told(data: dict[str, Any], *pictures: bytes) -> CallToolResult:
    """Return data as JSON, and pictures behind it."""
    content: list[ContentBlock] = [
        TextContent(type="text", text=msgspec.json.encode(data).decode())
    ]
    for picture in pictures:
        kind = f"image/{kind_of(picture[:HEAD]).lower()}"
        content.append(
            ImageContent(type="image", data=base64.b64encode(picture).decode(), mime_type=kind)
        )
    return CallToolResult(content=content, structured_content=data)
