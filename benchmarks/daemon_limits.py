"""The daemon's limits, whatever is sent to it.

Starts daemons of its own, with the tests' worker that has no engine, and measures over their real sockets:

    loop        how long any message of at most 1 MiB keeps others from their answers
    unread      what 256 connections that never read add to the daemon's memory
    disk        what the disk holds at most, with a quota of 64 MiB, while a client uses it without end
    lists       10,000 finished jobs: listed, left alone by `cancel --all`, forgotten by `jobs --clear`
    cancels     how many jobs 2,000 cancels that come too late take along
    documents   what documents of 2 MB take to open

Exit status 1 when a mark is missed. `--only NAME` measures one of them. Linux only: it reads /proc.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import daemon_attacks as attacks
from daemon_attacks import MIB, Raw, Running

from standee import Client, Composition, Layer, Rect, Sampling, pairing
from standee.errors import MissingBlob, NotConnected, QuotaExceeded
from standee.wire.events import Preview, ends

ROUNDS = 7
"""How often each message is sent: what else the machine does only adds, so the least of them counts."""
QUOTA = 64 * MIB
JOBS = 10_000
LATE = 2_000


@dataclass(frozen=True)
class Mark:
    """A figure and what it may be at most."""

    name: str
    value: float
    most: float
    unit: str

    @property
    def met(self) -> bool:
        return self.value <= self.most


# -- the event loop ----------------------------------------------------------------------------------


def loop(folder: Path, seconds: float) -> Iterator[Mark]:
    """Yield the longest wait of a ping while each of the messages is answered, ms."""
    daemon = Running(folder / "loop").start()
    with daemon.client() as client:
        heavy = attacks.heavy_job(client, count=64)
        client.wait(client.submit(heavy, job_id="heavy-job"))
        fill(daemon, client, 1_000)
    with Raw(daemon.connection) as pinging:
        pinging.hello()
        for name, frames in attacks.messages():
            waits = (hold(daemon, pinging, frames) for _ in range(ROUNDS))
            least = float("inf")
            for wait in waits:
                least = min(least, wait)
                if least < 0.02:
                    break
            yield Mark(f"loop held by {name}", least * 1e3, 50, "ms")
    daemon.check()
    daemon.stop()


def hold(daemon: Running, pinging: Raw, frames: list[bytes]) -> float:
    """Send a message and return the longest that a ping of another connection waits meanwhile, s."""
    with Raw(daemon.connection) as other:
        other.hello()
        time.sleep(0.01)
        other.say(*frames)
        longest, until = 0.0, time.monotonic() + 0.15
        while time.monotonic() < until:
            began = time.perf_counter()
            pinging.say(type="ping", id=2)
            if pinging.hear(30) is None:
                return float("inf")
            longest = max(longest, time.perf_counter() - began)
            time.sleep(0.001)
    return longest


# -- memory ------------------------------------------------------------------------------------------


def unread(folder: Path, seconds: float) -> Iterator[Mark]:
    """Yield what 256 connections that never read add, MiB: half the user's, half of four other keys."""
    daemon = Running(folder / "unread").start()
    keys = [daemon.connection] * 128
    for number in range(4):
        keys += [pairing.pair(daemon.home, f"other-{number}", daemon.connection.endpoint)] * 32
    for index in (0, 128, 160, 192, 224):  # each key has a picture and a job with large receipts
        attacks.prepare(daemon, keys[index])
    time.sleep(1.0)
    before = daemon.memory()
    Path(f"/proc/{daemon.process.pid}/clear_refs").write_text("5")  # the peak counts from now on
    held = attacks.Unread(keys)
    try:
        held.ask_without_reading()
        peak = daemon.memory("VmHWM")
    finally:
        held.close()
    still_serves(daemon)
    yield Mark("256 connections that never read", (peak - before) / MIB, 256, "MiB")
    daemon.check()
    daemon.stop()


def still_serves(daemon: Running) -> None:
    """Have a job done, as soon as the daemon has noticed who left."""
    until = time.monotonic() + 60
    while True:
        try:
            with daemon.client() as client:
                client.wait(client.submit(Composition(prompt="still here")), timeout=60)
            return
        except (QuotaExceeded, NotConnected):
            if time.monotonic() > until:
                raise
            time.sleep(1.0)


# -- the disk ----------------------------------------------------------------------------------------


def disk(folder: Path, seconds: float) -> Iterator[Mark]:
    """Yield what the daemon's home takes of the disk at most through a soak, MiB."""
    daemon = Running(folder / "disk", limits={"storage": QUOTA}).start()
    rng, most, jobs, kept = random.Random(1), 0, 0, []
    until, look = time.monotonic() + seconds, 0.0
    with daemon.client() as client, Raw(daemon.connection) as careless:
        careless.hello()
        while time.monotonic() < until:
            data = b"\x89PNG\r\n\x1a\n" + rng.randbytes(rng.choice((2_000, 300_000, 4 * MIB)))
            digest = hashlib.sha256(data).hexdigest()
            layers = [
                Layer(picture=digest, rect=Rect(0, 0, 9, 9), id=f"{number}", name="word " * 30)
                for number in range(rng.choice((1, 90)))
            ]
            prompt = "whole receipt " + "x" * rng.choice((10, 1_900))
            composition = Composition(
                prompt=prompt, layers=tuple(layers), sampling=Sampling(count=2)
            )
            with suppress(QuotaExceeded, MissingBlob):  # finished jobs take all of it
                job = client.submit(composition, {digest: data})
                client.wait(job, timeout=60)
                kept.append(job)
            while len(kept) > rng.choice((3, 30)):
                client.release(kept.pop(0))
            attacks.abandon_upload(careless, rng)
            jobs += 1
            if time.monotonic() - look > 0.2:
                look = time.monotonic()
                most = max(most, size_on_disk(daemon.home))
    yield Mark(f"disk with a quota of 64 MiB, {jobs:,} jobs", most / MIB, 80, "MiB")
    daemon.check()
    daemon.stop()


def size_on_disk(folder: Path) -> int:
    """Return the bytes that a folder's files take of the disk; some may go meanwhile."""
    size = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.lstat(os.path.join(root, name)).st_blocks * 512  # noqa: PTH118
            except OSError:
                continue
    return size


# -- lists -------------------------------------------------------------------------------------------


def lists(folder: Path, seconds: float) -> Iterator[Mark]:
    """Yield the seconds that 10,000 finished jobs take to be listed, and so on."""
    daemon = Running(folder / "lists").start()
    with daemon.client() as client:
        fill(daemon, client, JOBS)
    with daemon.client() as client:
        began = time.monotonic()
        found = client.jobs()
        assert len(found) == len({one.job for one in found}) == JOBS, len(found)
        yield Mark("10,000 jobs listed", time.monotonic() - began, 10, "s")
        client.submit(Composition(prompt="slow", sampling=Sampling(steps=200)))
        for command, most in ((["cancel", "--all"], 10), (["jobs", "--clear"], 300)):
            began = time.monotonic()
            standee(daemon, *command)
            yield Mark(f"standee {' '.join(command)}", time.monotonic() - began, most, "s")
        until = time.monotonic() + 10
        while (
            left := client.jobs()
        ) and time.monotonic() < until:  # the cancelled one may end later
            standee(daemon, "jobs", "--clear")
        yield Mark("jobs left after that", len(left), 0, "")
    daemon.check()
    daemon.stop()


def fill(daemon: Running, client: Client, count: int) -> None:
    """Give the daemon's store `count` finished jobs: copies of one that ran, made while the daemon is away."""
    job = client.submit(Composition(prompt="x" * 80))
    client.wait(job)
    daemon.stop()
    with sqlite3.connect(daemon.home / "jobs.sqlite") as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(jobs)")][2:]
        rest = ", ".join(name for name in columns if name != "id")
        [[key]] = db.execute("SELECT key FROM jobs WHERE id=?", (job,))
        for number in range(1, count):
            new = 1_000 + number
            db.execute(
                f"INSERT INTO jobs (key, owner, id, {rest})"
                f" SELECT ?, owner, ?, {rest} FROM jobs WHERE key=?",
                (new, f"copied-{number:08d}", key),
            )
            db.execute("INSERT INTO events SELECT ?, seq, body FROM events WHERE job=?", (new, key))
            db.execute("INSERT INTO uses SELECT ?, digest FROM uses WHERE job=?", (new, key))
    db.close()
    daemon.start()


def standee(daemon: Running, *arguments: str) -> None:
    """Run the command line against a daemon."""
    command = [sys.executable, "-m", "standee_cli.main", *arguments]
    environment = daemon.environment | {"STANDEE_HOME": str(daemon.home)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr


# -- cancels -----------------------------------------------------------------------------------------


def cancels(folder: Path, seconds: float) -> Iterator[Mark]:
    """Yield how many jobs that nobody cancelled ended so, beside cancels that came too late."""
    daemon = Running(folder / "cancels").start()
    rng, late, taken = random.Random(3), 0, 0
    one_step = Composition(prompt="quick", sampling=Sampling(steps=1))
    with daemon.client() as mine, daemon.client() as other:
        until = time.monotonic() + 900
        while late < LATE and time.monotonic() < until:
            job, ended, asked = mine.submit(one_step), "", False
            for event in mine.events(job):
                if isinstance(event, Preview) and not asked and rng.random() < 0.5:
                    time.sleep(rng.uniform(0, 0.004))
                    asked = True
                    mine.cancel(job)
                ended = type(event).__name__ if ends(event) else ended
            mine.cancel(job)  # it is over: late for certain
            late += ended == "Result"
            mine.release(job)
            innocent = other.submit(one_step)
            taken += [type(event).__name__ for event in other.events(innocent)][-1] != "Result"
            other.release(innocent)
    assert late >= LATE, f"only {late} cancels came late"
    yield Mark(f"jobs that {late:,} late cancels took along", taken, 0, "")
    daemon.check()
    daemon.stop()


# -- documents ---------------------------------------------------------------------------------------


def documents(folder: Path, seconds: float) -> Iterator[Mark]:
    """Yield what each of some documents of 2 MB takes to open, or to refuse, MiB of a fresh process."""
    for name, file in attacks.documents(folder):
        assert file.stat().st_size <= 2_000_000, name
        ran = subprocess.run(
            [sys.executable, str(Path(attacks.__file__)), "open", str(file)],
            capture_output=True,
            text=True,
            timeout=120,
            env=Running(folder / "none").environment,
        )
        assert ran.returncode == 0, ran.stderr
        yield Mark(f"a document with {name}", int(ran.stdout) / MIB, 256, "MiB")


MEASURES: dict[str, Callable[[Path, float], Iterator[Mark]]] = {
    "loop": loop,
    "unread": unread,
    "disk": disk,
    "lists": lists,
    "cancels": cancels,
    "documents": documents,
}


def main() -> int:
    """Run the benchmark; exit status 1 when a mark is missed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--only", choices=MEASURES, action="append", help="measure this alone")
    parser.add_argument(
        "--seconds", type=float, default=600, help="how long the disk is soaked (default 600)"
    )
    given = parser.parse_args()
    marks: list[Mark] = []
    for name in given.only or MEASURES:
        with tempfile.TemporaryDirectory() as folder:
            for mark in MEASURES[name](Path(folder), given.seconds):
                marks.append(mark)
                said = "met" if mark.met else "MISSED"
                print(
                    f"{mark.name:60} {mark.value:10.1f} of {mark.most:g} {mark.unit:4} {said}",
                    flush=True,
                )
    if given.json:
        rows = [asdict(mark) | {"met": mark.met} for mark in marks]
        given.json.write_text(json.dumps(rows, indent=2) + "\n")
    return 0 if all(mark.met for mark in marks) else 1


if __name__ == "__main__":
    sys.exit(main())
