"""Where the daemon is and who may talk to it: the home folder, connection files and keys.

Everything secret is a file of mode 0600 in a folder of mode 0700, written whole under another name
and then renamed. The daemon's own key outlives its restarts. A client is known by its public key:
the user's own one is in the connection file, others come by `pair`.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from .errors import IncompatibleVersion, InvalidField, NotConnected, StorageFull, Unauthorised
from .wire.messages import PROTOCOL

LOCAL = "local"
"""The name of the user's own client key."""


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


class Paired(Struct, frozen=True):
    """A client that the daemon lets in."""

    name: str
    public: str


def home() -> Path:
    """Return the folder of the user's daemon: `$STANDEE_HOME`, or the platform's place for data."""
    if given := os.environ.get("STANDEE_HOME"):
        return Path(given).expanduser().absolute()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
        return base / "Standee"
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/Standee"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "standee"


def connection_file(folder: Path | None = None) -> Path:
    """Return where the daemon of `folder` (the user's home) writes its connection file."""
    return (folder or home()) / "connection.json"


def private_folder(folder: Path) -> Path:
    """Make `folder` one that only its user can enter, and return it. Raises `StorageFull`."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if sys.platform == "win32":
            user = f"{os.environ.get('USERDOMAIN', '.')}\\{os.environ.get('USERNAME', '')}"
            only_me = ["/inheritance:r", "/grant:r", f"{user}:(OI)(CI)F"]
            subprocess.run(["icacls", str(folder), *only_me], check=True, capture_output=True)
        elif stat.S_IMODE(folder.stat().st_mode) & 0o077:
            folder.chmod(0o700)
    except (OSError, subprocess.CalledProcessError) as error:
        raise StorageFull(
            f"The folder {folder} cannot be made private: {error}.",
            fix="Set STANDEE_HOME to a folder of your own.",
        ) from None
    return folder


def write_private(path: Path, data: bytes) -> None:
    """Write a file of mode 0600 so that others see the old one or the new one, never a part."""
    private_folder(path.parent)
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        with os.fdopen(os.open(part, flags, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise StorageFull(
            f"{path} cannot be written: {error}.", fix="Make room, or check the folder."
        ) from None


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
        connection = msgspec.json.decode(data, type=Connection)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
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
    entry = msgspec.json.encode(Paired(name, public))
    write_private(folder / "clients" / f"{name}.json", entry)


def allowed(folder: Path) -> dict[str, str]:
    """Return the names of the clients that may talk to the daemon, by public key."""
    names: dict[str, str] = {}
    for path in sorted((folder / "clients").glob("*.json")):
        with contextlib.suppress(OSError, msgspec.DecodeError):
            paired = msgspec.json.decode(path.read_bytes(), type=Paired)
            names[paired.public] = paired.name
    return names


def pair(folder: Path, name: str, endpoint: str) -> Connection:
    """Let another machine in: return the connection file's content to carry there.

    `endpoint` is where that machine reaches the daemon (`tcp://HOST:PORT`, as given to
    `--listen`). The secret is in the returned value only. Raises `InvalidField`.
    """
    if not re.fullmatch(r"tcp://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):\d{1,5}", endpoint):
        raise InvalidField(
            f"{endpoint!r} is not an endpoint.", path="endpoint", fix="Write tcp://HOST:PORT."
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
