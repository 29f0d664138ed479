"""Fuzzing: whatever bytes come, a value or an error of ours.

Valid messages, documents, receipts, headers of weights and pictures are changed by chance, in their structure and in
their bytes, and read by what reads them for people. Every input must end in a value or a `StandeeError`, within 2 s of
processor time and 512 MiB. Exit status 1 if one does not; what is said of it names the input: `--only TARGET --seed S
--input N` reads it again.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import random
import resource
import struct
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgpack
import msgspec
from PIL import Image

from standee import Composition, Document, Layer, Rect, Sampling, Scene, pictures
from standee.composition import validate
from standee.document import receipt
from standee.errors import StandeeError, UnknownModel
from standee.image_metadata import orientation_of, profile_of, without_metadata
from standee.images import check_kind, digest_of
from standee.wire import codec
from standee.wire.events import AnyEvent
from standee.wire.messages import AnyAnswer, AnyRequest, Cutout
from standee_backend.catalog import lora_files, single_file

SECONDS, MEMORY = 2.0, 2**29
"""What one input may take: processor time, and bytes that the process grows by."""

DIGEST = "ab" * 32
NUMBERS = (
    0,
    1,
    -1,
    16,
    2**31,
    2**53 + 1,
    2**63 - 1,
    2**64 - 1,
    0.5,
    -0.0,
    1e308,
    float("nan"),
    float("inf"),
)
TEXTS = (
    "",
    "x",
    "mini",
    "../..",
    "\0",
    "\ud800",
    "\N{GRINNING FACE}" * 3,
    "x" * 3_000,
    DIGEST,
    "job-00001",
    "$.a[0]",
    "%s{}",
)
WORDS = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\1")


# -- changes by chance ---------------------------------------------------------------------------------


def any_value(rng: random.Random, depth: int = 0) -> Any:
    """Return anything that a message may hold."""
    simple = (None, True, rng.choice(NUMBERS), rng.choice(TEXTS), rng.randrange(-100, 10_000))
    kind = rng.randrange(len(simple) + 3)
    if kind < len(simple) or depth > 3:
        return simple[kind % len(simple)]
    if kind == len(simple):
        return rng.randbytes(rng.randrange(8))
    values = [any_value(rng, depth + 1) for _ in range(rng.randrange(4))]
    return values if kind % 2 else {rng.choice(TEXTS): value for value in values}


def spoil(data: Any, rng: random.Random) -> Any:
    """Change a few places of maps and lists, in place."""
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        places: list[tuple[Any, Any]] = []
        rest = [data]
        while rest:
            one = rest.pop()
            names = one if isinstance(one, dict) else range(len(one))
            places += [(one, name) for name in names]
            rest += [one[name] for name in names if isinstance(one[name], dict | list)]
        if not places:
            return data
        one, name = rng.choice(places)
        what = rng.randrange(6)
        if what == 0 and isinstance(one, dict):
            del one[name]
        elif what == 1 and isinstance(one, dict):
            one[rng.choice(TEXTS)] = any_value(rng)
        elif what == 2 and isinstance(one, list):
            one += [one[name]] * rng.choice(
                (1, 3) if isinstance(one[name], dict | list) else (1, 120)
            )
        elif what == 3:
            for _ in range(rng.choice((1, 31, 33, 200))):
                one[name] = [one[name]]
        elif what == 4:
            one[name] = rng.choice(NUMBERS)
        else:
            one[name] = any_value(rng)
    return data


def change(data: bytes, rng: random.Random) -> bytes:
    """Change a few bytes, or cut off the end."""
    changed = bytearray(data)
    for _ in range(rng.choice((0, 1, 1, 2, 5))):
        at = rng.randrange(len(changed) + 1)
        what = rng.randrange(6)
        if what == 0:
            changed[at : at + 1] = rng.randbytes(1)
        elif what == 1:
            del changed[at : at + rng.randrange(1, 9)]
        elif what == 2:
            changed[at:at] = rng.randbytes(rng.randrange(1, 9))
        elif what == 3:
            changed[at : at + 4] = rng.choice(WORDS)
        elif what == 4:
            other = rng.randrange(len(changed) + 1)
            changed[at:at] = changed[other : other + rng.randrange(1, 33)]
        elif rng.random() < 0.3:
            del changed[at:]
    return bytes(changed)


def packed(fields: Any, rng: random.Random) -> bytes:
    """Return changed fields as msgpack, changed."""
    try:
        header: bytes = msgpack.packb(spoil(fields, rng), unicode_errors="surrogatepass")
    except (ValueError, OverflowError, TypeError):
        return rng.randbytes(20)
    return change(header, rng) if rng.random() < 0.5 else header


def text_of(fields: Any, rng: random.Random) -> bytes:
    """Return changed fields as JSON, changed."""
    text = json.dumps(spoil(fields, rng), default=repr).encode("utf-8", "surrogatepass")
    return change(text, rng) if rng.random() < 0.5 else text


# -- what is valid -------------------------------------------------------------------------------------


def composition(rng: random.Random) -> dict[str, Any]:
    layers = tuple(
        Layer(picture=DIGEST, rect=Rect(1.0, 2.0, 30.0, 40.0), id=f"{number}", mask=DIGEST)
        for number in range(rng.randrange(3))
    )
    scene = (
        Scene(DIGEST, rect=Rect(0.0, 0.0, 9.0, 9.0), kept=DIGEST) if rng.random() < 0.5 else None
    )
    made = Composition(layers=layers, scene=scene, prompt="a cat", sampling=Sampling(steps=4))
    fields: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(made))
    return fields | ({"version": 1} if rng.random() < 0.2 else {})


FILLED = {
    "digest": DIGEST,
    "digests": [DIGEST],
    "job": "job-00001",
    "jobs": [],
    "version": [1, 0],
    "error": {"code": "job-failed", "message": "No.", "fix": "", "path": "$", "retryable": False},
    "state": "queued",
}
FILL = {int: 3, float: 1.5, str: "x"}


def messages(kinds: Any) -> list[dict[str, Any]]:
    """Return the fields of one message of each kind, with those that it needs."""
    made = []
    for kind in kinds.__args__:
        fields: dict[str, Any] = {"type": kind.__struct_config__.tag}
        for one in msgspec.structs.fields(kind):
            if one.required or one.name in FILLED:
                fields[one.name] = FILLED.get(one.name, FILL.get(one.type, 3))
        made.append(fields)
    return made


REQUESTS, ANSWERS, EVENTS = (messages(kinds) for kinds in (AnyRequest, AnyAnswer, AnyEvent))
HEADER = {
    "a.lora_A.weight": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
    "a.lora_B.weight": {"dtype": "F32", "shape": [3, 2], "data_offsets": [24, 48]},
    "__metadata__": {"format": "pt"},
}


def _files() -> list[bytes]:
    """Return small pictures of all kinds and modes, some with EXIF and a receipt."""
    found = []
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"):
        for mode in ("RGB", "L", "RGBA", "P", "I;16", "1", "CMYK"):
            with io.BytesIO() as stream:
                try:
                    Image.new(mode, (9, 7)).save(
                        stream, kind, **({"exif": exif} if mode == "RGB" else {})
                    )
                except (OSError, KeyError, ValueError):  # not a mode of this kind
                    continue
                found.append(stream.getvalue())
    return found


FILES = _files()


# -- what reads it -------------------------------------------------------------------------------------


def wire(rng: random.Random, file: Path) -> None:
    fields = json.loads(json.dumps(rng.choice(REQUESTS)))
    if "spec" in fields:
        fields["spec"] = composition(rng) if rng.random() < 0.7 else {"picture": DIGEST}
    frames = [packed(fields, rng)] + [b"bytes"] * rng.choice((0, 0, 0, 1, 1, 2))
    codec.peek(frames)
    codec.number_of(frames)
    request = codec.request(frames)
    if spec := getattr(request, "spec", None):
        validate(spec, Composition if request.kind == "compose" else Cutout)


def answers(rng: random.Random, file: Path) -> None:
    fields = json.loads(json.dumps(rng.choice((*ANSWERS, *EVENTS))))
    frames = [packed(fields, rng)] + [b"bytes"] * rng.choice((0, 0, 0, 1, 2))
    codec.answer_or_event(codec.unpack(frames))


def documents(rng: random.Random, file: Path) -> None:
    picture = FILES[0]
    fields = json.loads(json.dumps(composition(rng)).replace(DIGEST, digest_of(picture)))
    with io.BytesIO() as stream:
        with zipfile.ZipFile(stream, "w", rng.choice((0, 8, 8, 12))) as archive:
            archive.writestr("composition.json", text_of(fields, rng))
            archive.writestr(f"blobs/{digest_of(picture)}", picture)
            archive.writestr("results/001.png", picture)
            archive.writestr("results/001.json", text_of({"composition": fields, "seed": 1}, rng))
            if rng.random() < 0.1:
                archive.writestr(rng.choice(("../x", "/etc/x", "a\0b", "blobs/x", "C:\\x")), b"x")
        data = stream.getvalue()
    file.write_bytes(change(data, rng) if rng.random() < 0.7 else data)
    with Document.open(file) as document:
        for digest in document.blobs:
            _or_error(lambda digest=digest: document.read(digest))
        for result in document.results.values():
            _or_error(lambda result=result: (result.data, result.receipt))
        document.missing()


def receipts(rng: random.Random, file: Path) -> None:
    picture = rng.choice(FILES[:8])
    if rng.random() < 0.8:
        picture = receipt.embed(
            picture, {"composition": composition(rng), "long": "x" * rng.choice((0, 70_000))}
        )
    picture = change(picture, rng)
    _or_error(lambda: receipt.embed(picture, {"seed": 1}))
    found = receipt.extract(picture)
    if "composition" in found:
        validate(found["composition"])


def weights(rng: random.Random, file: Path) -> None:
    header = text_of(json.loads(json.dumps(HEADER)), rng)
    length = rng.choice((len(header), len(header), len(header), 0, 5, 2**26, 2**63))
    data = struct.pack("<Q", length) + header + bytes(48)
    file.with_suffix(".safetensors").write_bytes(change(data, rng) if rng.random() < 0.3 else data)
    _or_error(lambda: single_file.check(file.with_suffix(".safetensors")), UnknownModel)
    found = lora_files.locate(str(file.with_suffix(".safetensors")), "$.sampling.loras[0].path")
    if found is not None:
        lora_files.numbers(found)


def inspection(rng: random.Random, file: Path) -> None:
    data = change(rng.choice(FILES), rng)
    orientation_of(data)
    profile_of(data)
    without_metadata(data)
    check_kind(data[:64])


def decoding(rng: random.Random, file: Path) -> None:
    pictures.decode(change(rng.choice(FILES), rng))


def _or_error(read: Callable[[], Any], kind: type[StandeeError] = StandeeError) -> None:
    with suppress(kind):
        read()


TARGETS: dict[str, tuple[Callable[[random.Random, Path], None], int]] = {
    "wire": (wire, 35),
    "answers": (answers, 20),
    "documents": (documents, 4),
    "receipts": (receipts, 13),
    "weights": (weights, 10),
    "inspection": (inspection, 13),
    "decoding": (decoding, 5),
}
"""What reads each kind of input, and how many of a hundred inputs are of it."""


def attempt(name: str, seed: int, number: int, file: Path) -> str:
    """Read one input; return what is wrong with how it ended, or nothing."""
    rng = random.Random(f"{seed} {name} {number}")
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        TARGETS[name][0](rng, file)
    except StandeeError as error:
        if not error.message or len(error.message) > 5_000 or len(error.path) > 1_000:
            return f"an error without good words: {error!r:.200}"
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return (
            f"{type(error).__name__} in {Path(where.filename).name}:{where.lineno}: {error!s:.100}"
        )
    if time.process_time() - began > SECONDS:
        return f"it took more than {SECONDS:g} s"
    if (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 > MEMORY:
        return f"it took more than {MEMORY >> 20} MiB"
    return ""


def main() -> int:
    """Read the inputs; exit status 1 if one ended otherwise than it should."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=TARGETS, help="read inputs of this kind alone")
    parser.add_argument("--input", type=int, help="read this one alone")
    given = parser.parse_args()
    names = (
        [given.only] if given.only else [name for name, (_, n) in TARGETS.items() for _ in range(n)]
    )
    numbers = range(given.inputs) if given.input is None else [given.input]
    until = time.monotonic() + given.seconds
    read: Counter[str] = Counter()
    faults: dict[str, tuple[str, int]] = {}
    memory = Path("/dev/shm")  # a file for each input would keep a disk busy
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        for number in numbers:
            if time.monotonic() > until:
                break
            name = names[int(hashlib.sha256(b"%d" % number).hexdigest(), 16) % len(names)]
            read[name] += 1
            wrong = attempt(name, given.seed, number, Path(folder) / "input.standee")
            if wrong and f"{name}: {wrong}" not in faults:
                faults[f"{name}: {wrong}"] = (name, number)
                print(
                    f"{name}: {wrong}\n  --only {name} --seed {given.seed} --input {number}",
                    flush=True,
                )
    kinds = ", ".join(f"{many:,} {name}" for name, many in read.items())
    print(f"{sum(read.values()):,} inputs read ({kinds}), {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
