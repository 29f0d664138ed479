"""Pairing: the lasting keys of a daemon, and the clients that it lets in."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import msgspec
from msgspec import Struct

from .connection import Connection, Keys
from .errors import InvalidField
from .files import write_private

LOCAL = "local"
"""The name of the user's own client key."""


class PairedClient(Struct, frozen=True):
    """A client that the daemon lets in."""

    name: str
    public: str


def new_keys() -> Keys:
    """Make a key pair."""
    import zmq  # here, so that reading a connection file needs no sockets

    public, secret = zmq.curve_keypair()
    return Keys(public.decode(), secret.decode())


def lasting_keys(path: Path) -> Keys:
    """Return the key pair kept in `path`, made at the first call. Raises `InvalidField`."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Keys)
    except FileNotFoundError:
        keys = new_keys()
        write_private(path, msgspec.json.encode(keys))
        return keys
    except (OSError, msgspec.DecodeError) as error:
        raise InvalidField(
            f"The key in {path} cannot be read: {error}.",
            fix="Delete the file; clients of other machines must then be paired again.",
        ) from None


def server_keys(folder: Path) -> Keys:
    """Return the lasting keys of the daemon of `folder`."""
    return lasting_keys(folder / "keys" / "server.json")


def local_keys(folder: Path) -> Keys:
    """Return the lasting keys of the user's own client."""
    return lasting_keys(folder / "keys" / f"{LOCAL}.json")


def allow(folder: Path, name: str, public: str) -> None:
    """Let the client with the key `public` in, from now on. Raises `InvalidField`."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", name) or name.startswith("."):
        raise InvalidField(
            f"{name!r} is not a name for a client.", path="name", fix="Use letters and digits."
        )
    entry = msgspec.json.encode(PairedClient(name, public))
    write_private(folder / "clients" / f"{name}.json", entry)


def allowed(folder: Path) -> dict[str, str]:
    """Return the names of the clients that may talk to the daemon, by public key."""
    names: dict[str, str] = {}
    for path in sorted((folder / "clients").glob("*.json")):
        with contextlib.suppress(OSError, msgspec.DecodeError):
            paired = msgspec.json.decode(path.read_bytes(), type=PairedClient)
            names[paired.public] = paired.name
    return names


def pair(folder: Path, name: str, endpoint: str) -> Connection:
    """Let another machine in: return the connection file's content to carry there.

    `endpoint` is where that machine reaches the daemon: HOST:PORT, as given to `--listen`, with
    tcp:// before it or not. The secret is in the returned value only. Raises `InvalidField`.
    """
    endpoint = endpoint if endpoint.startswith("tcp://") else f"tcp://{endpoint}"
    if not re.fullmatch(r"tcp://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}", endpoint):
        raise InvalidField(
            f"{endpoint!r} is not an endpoint.", path="endpoint", fix="Write HOST:PORT."
        )
    if name == LOCAL:
        raise InvalidField(f"{LOCAL!r} is this machine.", path="name", fix="Use another name.")
    keys = new_keys()
    allow(folder, name, keys.public)
    return Connection(endpoint, server_keys(folder).public, keys)


def unpair(folder: Path, name: str) -> bool:
    """Let a client in no more; return whether it was known."""
    path = folder / "clients" / f"{name}.json"
    known = path.name in {entry.name for entry in path.parent.glob("*.json")}
    if known:
        path.unlink(missing_ok=True)
    return known
