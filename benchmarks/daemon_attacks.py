"""Attacks of `daemon_limits.py`: costly messages, clients that never read, documents that swell.

`python daemon_attacks.py open FILE` opens a document and prints the bytes of memory that it took.
"""

from __future__ import annotations

import hashlib
import io
import json
import random
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgpack
import msgspec
import zmq

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from standee import Client, Composition, Document, Layer, Rect, Sampling, connection
from standee.connection import Connection
from standee.document.archive import MAX_TEXTS
from standee.errors import StandeeError
from support.daemons import Running, memory
from support.raw_client import Raw

__all__ = ["MIB", "Raw", "Running"]

MIB = 2**20
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(100)
DIGEST = hashlib.sha256(PICTURE).hexdigest()
WIDE = "\N{GRINNING FACE}"
"""A letter of four bytes."""


# -- messages ----------------------------------------------------------------------------------------


def messages() -> Iterator[tuple[str, list[bytes]]]:
    """Yield messages of at most 1 MiB, each with what it is."""
    for name, leaf in (("numbers", b"\x01"), ("empty maps", b"\x80"), ("empty lists", b"\x90")):
        body = _lists_of(leaf, 1_030_000)
        yield f"a ping with a million {name}", [_map("ping", x=body)]
        yield f"a question with a million {name}", [_map("job.list", x=body)]
        yield f"a job of a million {name}", [_map("job.submit", job=_text("job-00001"), spec=body)]
    yield (
        "a long key over many numbers",
        [_map("models", **{"k" * 500_000: _lists_of(b"\1", 500_000)})],
    )
    yield (
        "a thousand long keys",
        [_map("models", x=_packed({f"{n:01000d}": n for n in range(900)}))],
    )
    texts = {f"key {n}": WIDE * 250 for n in range(900)}
    yield (
        "a job of a thousand texts",
        [_map("job.submit", job=_text("job-00001"), spec=_packed(texts))],
    )
    yield "deep nesting", [_map("models", x=b"\x91" * 1_000_000 + b"\x01")]
    yield "a long type", [_packed({"type": "x" * 1_000_000})]
    yield "a long kind", [_packed(_job({}) | {"kind": "x" * 1_000_000})]
    yield (
        "a thousand pictures",
        [_packed({"type": "blob.has", "digests": [f"{n:064x}" for n in range(1000)]})],
    )
    yield "a megabyte that is no message", [random.Random(1).randbytes(MIB)]
    yield (
        "a chunk of 1 MiB",
        [_packed({"type": "blob.put", "digest": DIGEST, "offset": 0}), bytes(MIB)],
    )
    yield "a job of 100 layers", [_packed(_job(_plain(_layers(WIDE * 1_900))))]
    wrong = _plain(_layers(WIDE * 1_900))
    wrong["layers"][-1]["fit"] = "no such"
    yield "a job whose last layer is wrong", [_packed(_job(wrong))]
    numbers = _plain(_layers("x"))
    numbers["layers"] = [
        one | {f"more {n}": float(n) for n in range(700)} for one in numbers["layers"]
    ]
    yield "a job with fields that are not known", [_packed(_job(numbers))]
    yield (
        "a look at a job with 64 large receipts",
        [_packed({"type": "job.attach", "job": "heavy-job"})],
    )
    yield "a list of 1,000 jobs", [_packed({"type": "job.list"})]


def _map(kind: str, **fields: bytes) -> bytes:
    """Return a message whose other fields are packed already."""
    head = b"\xde" + (len(fields) + 1).to_bytes(2, "big") + _text("type") + _text(kind)
    return head + b"".join(_text(name) + value for name, value in fields.items())


def _lists_of(leaf: bytes, count: int) -> bytes:
    """Return a list of lists of 10,000, as long as the daemon takes them, `count` leaves in all."""
    lists = [b"\xdc" + (10_000).to_bytes(2, "big") + leaf * 10_000] * (count // 10_000)
    return b"\xdc" + len(lists).to_bytes(2, "big") + b"".join(lists)


def _text(text: str) -> bytes:
    return _packed(text)


def _packed(fields: object) -> bytes:
    packed: bytes = msgpack.packb(fields)
    return packed


def _job(spec: dict[str, object]) -> dict[str, object]:
    return {"type": "job.submit", "job": "job-00001", "spec": spec}


def _plain(composition: Composition) -> dict[str, object]:
    plain: dict[str, object] = msgspec.to_builtins(composition)
    return plain


def _layers(words: str) -> Composition:
    """Return a composition as large as the daemon takes it, with `words` in each layer."""
    rect = Rect(0, 0, 9, 9)
    return Composition(
        layers=tuple(
            Layer(picture=DIGEST, rect=rect, id=f"{n}", visible=False, prompt=words)
            for n in range(100)
        )
    )


def heavy_job(client: Client, count: int) -> Composition:
    """Return a composition whose results have receipts of 800 kB each; its picture is sent."""
    client.put_blob(PICTURE)
    layers = _layers(WIDE * 1_900).layers
    sampling = Sampling(steps=1, count=count)
    return Composition(prompt="whole receipt", layers=layers, sampling=sampling)


# -- clients that never read -------------------------------------------------------------------------


def prepare(daemon: Running, key: Connection) -> None:
    """Give a key a picture of 1 MiB and a finished job with large receipts."""
    file = daemon.home.parent / "prepared.json"
    connection.write_connection(file, key)
    with Client.connect(connection_file=file, timeout=20) as client:
        client.put_blob(_megabyte())
        client.wait(client.submit(heavy_job(client, count=16), job_id="heavy-job"), timeout=120)


def _megabyte() -> bytes:
    return b"\x89PNG\r\n\x1a\n" + random.Random(2).randbytes(MIB)


class Unread:
    """Connections that ask for much, give signs of life, and read nothing."""

    def __init__(self, keys: Sequence[Connection]) -> None:
        self.context = zmq.Context()
        self.context.max_sockets = 2 * len(keys) + 16
        self.sockets = [self._connect(key) for key in keys]
        for socket in self.sockets:
            assert socket.poll(30_000), "no welcome"
            socket.recv_multipart()

    def _connect(self, key: Connection) -> zmq.Socket[bytes]:
        socket = self.context.socket(zmq.DEALER)
        socket.linger, socket.rcvhwm, socket.sndhwm = 0, 1, 50
        socket.curve_serverkey = key.server_key.encode()
        socket.curve_publickey = key.client.public.encode()
        socket.curve_secretkey = key.client.secret.encode()
        socket.connect(key.endpoint)
        socket.send(_packed({"type": "hello", "id": 1, "version": [1, 0]}))
        return socket

    def ask_without_reading(self) -> None:
        """Ask for receipts, for pictures, then for what is large to keep; go on giving signs of life."""
        digest = hashlib.sha256(_megabyte()).hexdigest()
        for socket in self.sockets:
            self._say(socket, _packed({"type": "job.attach", "job": "heavy-job"}))
            for _ in range(40):
                self._say(socket, _packed({"type": "blob.get", "digest": digest, "length": MIB}))
        time.sleep(3.0)
        maps = _map("models", x=_lists_of(b"\x80", 1_030_000))
        for _ in range(16):
            for socket in self.sockets:
                self._say(socket, maps)
            for socket in self.sockets:
                self._say(socket, _packed({"type": "ping", "id": 1}))
        time.sleep(5.0)

    def _say(self, socket: zmq.Socket[bytes], frame: bytes) -> None:
        """Send where the daemon takes it; a connection that it shut takes nothing."""
        with suppress(zmq.Again):
            socket.send(frame, zmq.NOBLOCK)

    def close(self) -> None:
        self.context.destroy(linger=0)


def abandon_upload(raw: Raw, rng: random.Random) -> None:
    """Begin an upload that never ends, as large as its first part."""
    size = rng.choice((0, 1, 900_000))
    name = f"{rng.getrandbits(256):064x}"
    raw.say(type="blob.open", id=1, digest=name, size=size)
    raw.hear(20)
    raw.say(
        _packed({"type": "blob.put", "id": 2, "digest": name, "offset": 0}), rng.randbytes(size)
    )
    raw.hear(20)


# -- documents ---------------------------------------------------------------------------------------


def documents(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield documents of at most 2 MB, each with what swells in it."""
    empty = b'{"a": [' + b",".join([b"{}"] * 1_340_000) + b"]}"
    deep = b'{"a": ' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}"
    words = json.dumps({"a": {f"{n}": n for n in range(230_000)}}).encode()
    plain = b'{"version": 2}'
    for name, receipt in (("lists", empty), ("depth", deep), ("names", words)):
        yield f"receipts full of {name}", _zip(folder / f"{name}.standee", plain, [receipt] * 60)
    yield "a composition of empty maps", _zip(folder / "maps.standee", empty, [])
    layers = b'{"layers": [' + b",".join([b"{}"] * 1_340_000) + b"]}"
    yield "a million layers", _zip(folder / "layers.standee", layers, [])
    yield "ten thousand results", _zip(folder / "many.standee", plain, [b"{}"] * 4_900)


def _zip(file: Path, composition: bytes, receipts: Sequence[bytes]) -> Path:
    """Write a document with as many of the receipts as 2 MB hold, packed as tightly as a document may be."""
    composition, swollen = (
        _not_too_tight(composition),
        [_not_too_tight(one) for one in receipts[:1]],
    )
    size = len(zlib.compress(composition, 9)) + 1_000
    each = len(PICTURE) + 400 + sum(len(zlib.compress(one, 9)) for one in swollen)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("composition.json", composition)
        most = (MAX_TEXTS - len(composition)) // max(map(len, swollen), default=1)
        for number, receipt in enumerate(swollen * min(len(receipts), most)):
            size += each
            if size > 2_000_000:
                break
            archive.writestr(f"results/{number:05d}.png", PICTURE, zipfile.ZIP_STORED)
            archive.writestr(f"results/{number:05d}.json", receipt)
    return file


def _not_too_tight(text: bytes) -> bytes:
    """Return a text with words of chance at its end, so that it does not pack suspiciously well."""
    if len(text) < 100_000:
        return text
    noise = random.Random(3).randbytes(len(text) // 160).hex().encode()
    return text[:-1] + b', "noise": "' + noise + b'"}'


def main() -> None:
    """Open a document and say how much the memory grew for it."""
    file = Path(sys.argv[2])
    with io.BytesIO() as warm:  # what the first document ever opened takes is not this one's
        document = Document()
        document.save(file.with_suffix(".warm"))
        document.close()
        Document.open(file.with_suffix(".warm")).close()
        warm.close()
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from now on
    before = memory("self")
    try:
        with Document.open(file) as document:
            for result in document.results.values():
                _ = result.receipt
    except StandeeError as error:
        print(error, file=sys.stderr)
    print(memory("self", "VmHWM") - before)


if __name__ == "__main__":
    main()
