"""Admission of requests: who may ask, from where, and how much a body may hold.

A page in a browser can send requests to any port of the machine that it runs on, and a name that it owns can be made
to lead there (DNS rebinding). So three things are asked of every request, before its body is read: a `Host` that is
an address or the gateway's own name, no sign of another web site, and the token.
"""

from __future__ import annotations

import ipaddress
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from standee.errors import (
    BadMessage,
    InvalidField,
    QuotaExceeded,
    StandeeError,
    TooLarge,
    Unauthorised,
)

from .http_errors import Refusal, answer_error

TOKEN_VARIABLE = "STANDEE_GATEWAY_TOKEN"
SHORTEST_TOKEN = 16


@dataclass(frozen=True)
class Access:
    """What is asked of requests: the `token`, the name that `host` binds to, bodies of `max_body` bytes at most.

    So many are `at_once` under way, those that listen to a job's events counted in.
    """

    token: str = ""
    host: str = "127.0.0.1"
    max_body: int = 64 << 20
    at_once: int = 64


def new_token() -> str:
    """Return a token that nobody guesses."""
    return secrets.token_urlsafe(32)


def check_token(token: str) -> str:
    """Return a token that a person chose. Raises `InvalidField`: easy to guess, or no header can hold it."""
    if (
        len(token) < SHORTEST_TOKEN
        or not token.isascii()
        or not token.isprintable()
        or " " in token
    ):
        raise InvalidField(
            f"{TOKEN_VARIABLE} is no token of at least {SHORTEST_TOKEN} ASCII characters without spaces.",
            fix="Set it to a long random text, or leave it out to have one made.",
        )
    return token


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches what binds to `host`."""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


class AccessMiddleware:
    """An ASGI application that lets in what `Access` allows, and answers the rest."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # web sockets: nothing here speaks them
            raise RuntimeError(f"{scope['type']} is not served")
        try:
            headers = Headers(scope=scope)
            self._check(headers)
            limited = _limited(receive, headers, self._access.max_body)
        except Refusal as refusal:
            await answer_error(refusal.error, refusal.status)(scope, receive, send)
            return
        except StandeeError as error:
            await answer_error(error)(scope, receive, send)
            return
        self._under_way += 1
        try:
            await self._app(scope, limited, send)
        finally:
            self._under_way -= 1

    def _check(self, headers: Headers) -> None:
        """Raise `Refusal` or `QuotaExceeded` for a request that is not to be answered."""
        if not self._is_own_name(_name(headers.get("host", ""))):
            raise Refusal(
                421,
                BadMessage(
                    f"The gateway is not called {headers.get('host', '')[:100]!r}.",
                    fix="Ask it by its address, such as 127.0.0.1.",
                ),
            )
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        own = (None, f"http://{headers['host']}", f"https://{headers['host']}")
        if origin not in own or site not in ("none", "same-origin"):
            raise Refusal(
                403,
                BadMessage(
                    "Requests of web pages are not answered.",
                    fix="Ask from a program, or by way of your own server.",
                ),
            )
        kind, _, token = headers.get("authorization", "").partition(" ")
        given = token.strip().encode() if kind.lower() == "bearer" else b""
        if not secrets.compare_digest(given, self._access.token.encode()):
            raise Refusal(
                401,
                Unauthorised(
                    "The token of the gateway is missing or wrong."
                    if given
                    else "There is no token.",
                    fix="Send the header `Authorization: Bearer TOKEN`, with what the gateway said at its start.",
                ),
            )

        if self._under_way >= self._access.at_once:
            raise QuotaExceeded(
                f"{self._under_way} requests are under way already.",
                fix="Ask again when one of them is answered.",
                retry_after=1.0,
            )

    def _is_own_name(self, name: str) -> bool:
        """Return whether `name` is no name of somebody else's: rebinding needs one, an address cannot be rebound."""
        if name in ("localhost", self._access.host):
            return True
        address = _address(name)
        return address is not None and (address.is_loopback or not is_loopback(self._access.host))


def _name(host: str) -> str:
    """Return the name or address of a `Host` header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _limited(receive: Receive, headers: Headers, most: int) -> Receive:
    """Return `receive` with an end at `most` bytes. Raises `TooLarge`, also later, while the body is read."""
    said = headers.get("content-length", "")
    if said.isdecimal() and int(said) > most:
        raise _too_large(most)
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        if message["type"] == "http.request":
            taken += len(message.get("body", b""))
            if taken > most:
                raise _too_large(most)
        return message

    return limited


def _too_large(most: int) -> TooLarge:
    return TooLarge(
        f"The request has more than {most:,} bytes.",
        fix="Upload the pictures one by one, or start the gateway with a larger --max-body.",
    )
