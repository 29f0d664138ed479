"""HTTP answers to errors: the same code and words as everywhere, and the status that fits."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from standee.errors import StandeeError
from standee.wire.events import Problem

STATUSES = {
    "bad-message": 400,
    "unauthorised": 502,
    "incompatible-version": 502,
    "download-failed": 502,
    "missing-blob": 404,
    "unknown-job": 404,
    "conflict": 409,
    "download-needed": 409,
    "job-cancelled": 409,
    "too-large": 413,
    "invalid-field": 422,
    "unknown-model": 422,
    "bad-picture": 422,
    "bad-document": 422,
    "quota-exceeded": 429,
    "missing-dependency": 501,
    "not-connected": 503,
    "storage-full": 507,
    "out-of-memory": 507,
}
"""Status by the code of an error; others are 500. `unauthorised` is the gateway's own key at the daemon."""


class Trouble(msgspec.Struct, frozen=True):
    """The body of every answer that is an error."""

    error: Problem


class Refusal(Exception):
    """A request that the gateway itself turns away: an error, with a status of its own."""

    def __init__(self, status: int, error: StandeeError) -> None:
        super().__init__(str(error))
        self.status, self.error = status, error


def answer_error(error: StandeeError, status: int | None = None) -> Response:
    """Return an error as an answer; without a `status`, with that of its code."""
    status = status or STATUSES.get(error.code, 500)
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="standee"'
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    body = msgspec.json.encode(Trouble(Problem.of(error)))
    return Response(body, status, headers, media_type="application/json")
