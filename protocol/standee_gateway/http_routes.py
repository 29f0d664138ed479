"""HTTP requests and answers: what each path does, with what the OpenAPI document says of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from standee import __version__
from standee.composition import Digest
from standee.document.receipt import embed
from standee.errors import (
    BadMessage,
    DownloadNeeded,
    InvalidField,
    MissingBlob,
    UnknownJob,
)
from standee.images import HEAD, check_kind, kind_of
from standee.validation import convert
from standee.wire.events import Event
from standee.wire.messages import JobId

from .daemon_link import DaemonLink
from .http_errors import answer_error
from .http_messages import (
    Cancellation,
    Health,
    Jobs,
    Models,
    StoredPicture,
    Submission,
    Submitted,
    view_of,
)
from .job_feed import JobFeed
from .layouts import Layout, layout_of_json

MOST_PARTS = 300
"""Pictures beside a composition: 100 layers with masks, the scene's two, and the control pictures."""
LARGEST_TEXT = 4 << 20
"""Bytes of a composition that comes as a part of a form."""
TYPES = {"JPEG XL": "image/jxl", "HEIC": "image/heic"}
"""Media types of pictures whose kind does not spell it."""


@dataclass(frozen=True)
class Gateway:
    """The answers. `downloads`: requests may say yes to downloads; `marked`: results say that a model made them."""

    link: DaemonLink
    downloads: bool = False
    marked: bool = True

    async def health(self, request: Request) -> Response:
        """Say whether the daemon answers: status 503 where it does not."""
        there = self.link.connected
        return _json(Health(there, __version__), 200 if there else 503)

    async def status(self, request: Request) -> Response:
        """Return the daemon's state: queue, workers, memory, disk."""
        status = await self.link.ask(lambda client: client.begin_status())
        known = msgspec.to_builtins(status)
        return _json({name: known[name] for name in known if name not in ("type", "re")})

    async def models(self, request: Request) -> Response:
        """Return the models that compositions may name."""
        found = await self.link.ask(lambda client: client.begin_models())
        return _json(Models(tuple(found)))

    async def put_picture(self, request: Request) -> Response:
        """Upload a picture, the body, to name it by its digest later."""
        data = await request.body()
        check_kind(data[:HEAD], "The picture")
        return _json(StoredPicture(await self.link.ask(lambda c: c.begin_put_blob(data))), 201)

    async def picture(self, request: Request) -> Response:
        """Return a picture or result as the daemon holds it."""
        digest = _path(request, "digest", Digest)
        return _picture(await self.link.ask(lambda c: c.begin_get_blob(digest)), digest)

    async def submit(self, request: Request) -> Response:
        """Hand in a composition and return its job at once; the daemon makes the picture.

        The body is the composition in JSON, or a form with it as `composition` and pictures as parts of any other
        name. A picture is named by its digest, by a `data:` URL with base64, or by the name of its part. Paths in
        errors are those of the composition.
        """
        given = _query(request, Submission)
        if given.download and not self.downloads:
            raise DownloadNeeded(
                "This gateway does not say yes to downloads.",
                path="$.download",
                fix="Start it with --yes, or bring the model with `standee models download`.",
            )
        layout = await _layout(request)
        try:
            job = await self.link.submit(
                layout.composition,
                layout.blobs,
                job=given.job or "",
                priority=given.priority,
                download=given.download,
            )
        except MissingBlob as error:  # nothing is wrong with the address
            return answer_error(error, 422)
        return _json(Submitted(job), 202, {"Location": f"/v1/jobs/{job}"})

    async def jobs(self, request: Request) -> Response:
        """Return all jobs of the gateway's key, oldest first."""
        found = await self.link.ask(lambda client: client.begin_jobs())
        return _json(Jobs(tuple(found)))

    async def job(self, request: Request) -> Response:
        """Return how a job stands, and where its pictures are."""
        return _json(view_of(await self.link.feed(_path(request, "job", JobId))))

    async def events(self, request: Request) -> Response:
        """Return what happens to a job as server-sent events, from the first one or after `since`, until it ends.

        An event's `id` is its `seq`, its `data` the event as docs/protocol.md has it, a preview's picture in base64. A
        reader that comes back with `Last-Event-ID` goes on there.
        """
        feed = await self.link.feed(_path(request, "job", JobId))
        since = request.query_params.get("since") or request.headers.get("last-event-id") or "0"
        if not since.isdecimal() or len(since) > 16:
            raise InvalidField("The number of an event is none.", path="$.since", fix="Give a seq.")
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_told(feed, int(since)), 200, headers, "text/event-stream")

    async def cancel(self, request: Request) -> Response:
        """Cancel a job that is under way, within a step. A finished one stays as it is.

        `hard` kills its worker at once. With `release` the job and its pictures are forgotten afterwards.
        """
        job, given = _path(request, "job", JobId), _query(request, Cancellation)
        feed = await self.link.feed(job)
        if not feed.status.finished:
            await self.link.ask(lambda client: client.begin_cancel(job, given.hard))
            await feed.finished(CANCELLED_IN)
        if given.release:
            await self.link.release(job)
        return _json(view_of(feed))

    async def result(self, request: Request) -> Response:
        """Return picture `index` (from 0) of a job, with its receipt, and marked as made by a model."""
        feed = await self.link.feed(_path(request, "job", JobId))
        index = request.path_params["index"]
        return _picture(await self.result_of(feed, index))

    async def result_of(self, feed: JobFeed, index: int) -> bytes:
        """Return the PNG of a result with its receipt. Raises `UnknownJob` where it is not there."""
        found = next((one for one in feed.results if one.index == index), None)
        if found is None:
            raise UnknownJob(
                f"The job {feed.status.id} has no picture {index} (it is {feed.status.state}).",
                fix="Wait until its state is done; pictures count from 0.",
            )
        data = await self.link.ask(lambda client: client.begin_get_blob(found.digest))
        return embed(data, found.receipt, marked=self.marked)


CANCELLED_IN = 5.0
"""Seconds that the answer waits for a cancelled job to end."""


async def _told(feed: JobFeed, since: int) -> AsyncIterator[bytes]:
    """Yield a job's events in the form of server-sent events."""
    async for event in feed.events(since):
        yield b": alive\n\n" if event is None else _server_sent(event)


def _server_sent(event: Event) -> bytes:
    kind = str(type(event).__struct_config__.tag)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (
        event.seq,
        kind.encode(),
        msgspec.json.encode(event),
    )


async def _layout(request: Request) -> Layout:
    """Read the composition of a request, and the pictures that came with it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        return layout_of_json(await request.body())
    if kind != "multipart/form-data":
        raise BadMessage(
            f"A body of type {kind[:80] or 'nothing'} is not read.",
            fix="Send application/json, or multipart/form-data with a part `composition`.",
        )
    limits: Any = {"max_files": MOST_PARTS, "max_fields": MOST_PARTS, "max_part_size": LARGEST_TEXT}
    async with request.form(**limits) as form:
        parts = {
            name: await part.read() if isinstance(part, UploadFile) else part.encode()
            for name, part in form.items()
        }
    if "composition" not in parts:
        raise InvalidField(
            "The form has no part `composition`.", path="$", fix="Add the composition in JSON."
        )
    return layout_of_json(parts.pop("composition"), parts)


def _query(request: Request, kind: type[Any]) -> Any:
    """Return what stands behind the `?` of an address as a `kind`. Raises `InvalidField`."""
    given: dict[str, Any] = dict(request.query_params)
    for name, text in given.items():
        if name in ("download", "hard", "release"):
            given[name] = {"true": True, "1": True, "false": False, "0": False}.get(text, text)
        elif name == "priority" and text.removeprefix("-").isdecimal() and len(text) < 9:
            given[name] = int(text)
    return convert(given, kind)


def _path(request: Request, name: str, kind: Any) -> Any:
    """Return a part of the address as a `kind`. Raises `InvalidField`."""
    holder = msgspec.defstruct("Address", [(name, kind)], frozen=True)
    return getattr(convert({name: request.path_params[name]}, holder), name)


def _json(what: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    more = {"Cache-Control": "no-store"} | (headers or {})
    return Response(msgspec.json.encode(what), status, more, "application/json")


def _picture(data: bytes, digest: str = "") -> Response:
    kind = kind_of(data[:HEAD])
    media = TYPES.get(kind) or (f"image/{kind.lower()}" if kind else "application/octet-stream")
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-cache"}
    if digest:
        headers |= {"ETag": f'"{digest}"', "Cache-Control": "private, immutable, max-age=604800"}
    return Response(data, 200, headers, media)
