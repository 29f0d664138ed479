"""Connection files: where the daemon is, and the keys to talk to it.

Everything secret is a file of mode 0600 in a folder of mode 0700, written whole under another name
and then renamed. The daemon's own key outlives its restarts. A client is known by its public key:
the user's own one is in the connection file, others come by `pair`.
"""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from .errors import IncompatibleVersion, InvalidField, NotConnected, Unauthorised
from .files import home, text_of, write_private
from .wire.messages import PROTOCOL


class Keys(Struct, frozen=True):
    """A CURVE key pair as Z85 text."""

    public: str
    secret: str


class Connection(Struct, frozen=True):
    """All that a client needs to reach a daemon."""

    endpoint: str
    server_key: str
    client: Keys
    protocol: tuple[int, int] = PROTOCOL
    pid: int | None = None


def connection_file(folder: Path | None = None) -> Path:
    """Return where the daemon of `folder` (the user's home) writes its connection file."""
    return (folder or home()) / "connection.json"


def write_connection(path: Path, connection: Connection) -> None:
    """Write a connection file. Raises `StorageFull`."""
    write_private(path, msgspec.json.format(msgspec.json.encode(connection)))


def read_connection(path: Path) -> Connection:
    """Read a connection file.

    Raises `NotConnected` (there is none), `Unauthorised` (others can read it), `InvalidField` and
    `IncompatibleVersion`.
    """
    try:
        data = path.read_bytes()
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise NotConnected(
            f"No daemon has written {path}.", fix="Start one with `standee serve`."
        ) from None
    except OSError as error:
        raise NotConnected(
            f"{path} cannot be read: {error}.", fix="Check whose file it is."
        ) from None
    if sys.platform != "win32" and stat.S_IMODE(mode) & 0o077:
        raise Unauthorised(
            f"Other users can read the key in {path}.", fix=f"Run `chmod 600 '{path}'`."
        )
    try:
        connection = msgspec.json.decode(text_of(data), type=Connection)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InvalidField(
            f"{path} is not a connection file: {error}.",
            path="$",
            fix="Delete it and start the daemon again, or pair again.",
        ) from None
    if connection.protocol[0] != PROTOCOL[0]:
        raise IncompatibleVersion(
            f"The daemon speaks protocol {connection.protocol[0]}, this client {PROTOCOL[0]}.",
            fix="Install the same version of Standee on both sides.",
        )
    return connection
