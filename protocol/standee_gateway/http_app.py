"""HTTP application: every operation with its address, from which the OpenAPI document is made too."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from standee import __version__
from standee.composition import Composition
from standee.errors import BadMessage, StandeeError
from standee.wire.events import AnyEvent
from standee.wire.messages import Status

from .access import Access, AccessMiddleware
from .http_errors import STATUSES, Trouble, answer_error
from .http_messages import (
    Cancellation,
    Health,
    Jobs,
    JobView,
    Models,
    StoredPicture,
    Submission,
    Submitted,
)
from .http_routes import Gateway

PICTURE = "image/*"
EVENTS = "text/event-stream"
COMPONENTS = "#/components/schemas/{name}"
DIGEST = "^[0-9a-f]{64}$"


@dataclass(frozen=True)
class Operation:
    """One thing that can be asked: `answers` are types of JSON bodies, or media types, by status."""

    method: str
    path: str
    answer: Callable[[Request], Awaitable[Response]]
    answers: Mapping[int, Any]
    query: type | None = None
    body: Mapping[str, Any] = field(default_factory=dict)


def operations(gateway: Gateway) -> tuple[Operation, ...]:
    """Return all that can be asked of a gateway."""
    form = {
        "type": "object",
        "required": ["composition"],
        "properties": {"composition": {"type": "string", "contentMediaType": "application/json"}},
        "additionalProperties": {"type": "string", "format": "binary"},
    }
    composition = {"$ref": COMPONENTS.format(name="Composition")}
    bodies = {"application/json": composition, "multipart/form-data": form}
    picture = {PICTURE: {"type": "string", "format": "binary"}}
    job, events = "/v1/jobs/{job}", {200: EVENTS}
    return (
        Operation("GET", "/v1/health", gateway.health, {200: Health, 503: Health}),
        Operation("GET", "/v1/status", gateway.status, {200: Status}),
        Operation("GET", "/v1/models", gateway.models, {200: Models}),
        Operation("POST", "/v1/pictures", gateway.put_picture, {201: StoredPicture}, body=picture),
        Operation("GET", "/v1/pictures/{digest}", gateway.picture, {200: PICTURE}),
        Operation("POST", "/v1/jobs", gateway.submit, {202: Submitted}, Submission, bodies),
        Operation("GET", "/v1/jobs", gateway.jobs, {200: Jobs}),
        Operation("GET", job, gateway.job, {200: JobView}),
        Operation("DELETE", job, gateway.cancel, {200: JobView}, Cancellation),
        Operation("GET", f"{job}/events", gateway.events, events),
        Operation("GET", f"{job}/results/{{index:int}}", gateway.result, {200: PICTURE}),
    )


def application(
    gateway: Gateway,
    access: Access,
    more: Sequence[BaseRoute] = (),
    running: Callable[[], AbstractAsyncContextManager[None]] | None = None,
) -> Starlette:
    """Return the gateway as an ASGI application; `more` routes of other protocols live while `running()` does."""
    offered = operations(gateway)
    document = msgspec.json.encode(openapi(offered))

    async def described(request: Request) -> Response:
        return Response(document, media_type="application/json")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with gateway.link:
            if running is None:
                yield
                return
            async with running():
                yield

    routes = [Route(one.path, one.answer, methods=[one.method]) for one in offered]
    return Starlette(
        routes=[*routes, Route("/openapi.json", described), *more],
        middleware=[Middleware(AccessMiddleware, access=access)],
        exception_handlers={
            StandeeError: _answer_standee_error,
            HTTPException: _answer_http_error,
            Exception: _answer_unforeseen,
        },
        lifespan=lifespan,
    )


async def _answer_standee_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, StandeeError)
    return answer_error(error)


async def _answer_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    fix = "GET /openapi.json says what can be asked." if error.status_code in (404, 405) else ""
    return answer_error(BadMessage(f"{error.detail}.", fix=fix), error.status_code)


async def _answer_unforeseen(request: Request, error: Exception) -> Response:
    """Answer what nobody foresaw; where it came from is in the gateway's log alone."""
    return answer_error(
        StandeeError("Something unforeseen went wrong.", fix="See what the gateway says.")
    )


def openapi(offered: Sequence[Operation]) -> dict[str, Any]:
    """Return the OpenAPI document (3.1) of some operations."""
    types = {kind for one in offered for kind in one.answers.values() if isinstance(kind, type)}
    kinds = sorted([*types, Trouble, Composition], key=lambda kind: kind.__name__)
    _, schemas = msgspec.json.schema_components([*kinds, AnyEvent], ref_template=COMPONENTS)
    for name in ("type", "re"):  # of the daemon's own messages
        schemas["Status"]["properties"].pop(name)
    schemas["Status"]["required"] = [
        name for name in schemas["Status"]["required"] if name not in ("type", "re")
    ]
    for name in ("Layer", "Scene", "Control"):
        schemas[name] = _any_name(schemas[name])
    paths: dict[str, Any] = {}
    for one in offered:
        paths.setdefault(one.path.replace(":int", ""), {})[one.method.lower()] = _described(one)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Standee gateway",
            "version": __version__,
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
            "description": "Every answer that is an error has the body `Trouble`. Its `code` decides the status: "
            + ", ".join(f"{code} {status}" for code, status in STATUSES.items())
            + "; others 500. The token missing is 401, a web page 403, another host's name 421.",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _described(one: Operation) -> dict[str, Any]:
    """Return what the document says of an operation: its summary is the first sentence of its docstring."""
    said = inspect.cleandoc(one.answer.__doc__ or "")
    summary, _, rest = said.partition("\n\n")
    answers: dict[str, Any] = {
        str(status): {
            "description": "Done." if status < 400 else "Not now.",
            "content": _body(kind),
        }
        for status, kind in one.answers.items()
    }
    answers["default"] = {"description": "An error.", "content": _body(Trouble)}
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": kind or "string"}}
        for name, kind in re.findall(r"{(\w+)(?::(int))?}", one.path)
    ]
    for each in parameters:
        each["schema"] = (
            {"type": "integer"} if each["schema"] == {"type": "int"} else each["schema"]
        )
    if one.query is not None:
        schema = msgspec.json.schema(one.query)["$defs"][one.query.__name__]
        parameters += [
            {"name": name, "in": "query", "schema": kind}
            for name, kind in schema["properties"].items()
        ]
    if one.answers.get(200) == EVENTS:
        whole = {"type": "integer", "minimum": 0}
        parameters += [
            {"name": "since", "in": "query", "schema": whole},
            {"name": "Last-Event-ID", "in": "header", "schema": whole},
        ]
    found: dict[str, Any] = {
        "operationId": one.answer.__name__,
        "summary": " ".join(summary.split()),
        "description": " ".join(rest.split()),
        "parameters": parameters,
        "responses": answers,
    }
    if one.body:
        content = {media: {"schema": schema} for media, schema in one.body.items()}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _body(kind: Any) -> dict[str, Any]:
    if isinstance(kind, type):
        return {"application/json": {"schema": {"$ref": COMPONENTS.format(name=kind.__name__)}}}
    return {kind: {"schema": {"type": "string"}}}


def _any_name(schema: Any) -> Any:
    """Return the schema of a part of a composition with pictures named in any way, not by digest alone."""
    if isinstance(schema, dict):
        kept = {name: _any_name(each) for name, each in schema.items()}
        if kept.get("pattern") == DIGEST:
            del kept["pattern"]
        return kept
    return [_any_name(each) for each in schema] if isinstance(schema, list) else schema
