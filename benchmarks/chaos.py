"""Kills and worse at random moments: `python benchmarks/chaos.py [--cycles 300] [--seed 1]`.

A client hands in jobs without pause, to a daemon with the tests' worker that has no engine, while the daemon, its
worker, both, or another client are killed, the worker and the daemon are stopped for a moment, and the disk is full.
Then no accepted job may be lost, done twice, or have another picture than it should; exit status 1 if one is.

Each cycle is a line of FILE; with the same FILE it goes on after the last one. The seed decides what happens, not when
the system lets it happen.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from standee import Client, Composition, Layer, Rect, Sampling
from standee.errors import StandeeError
from standee.images import digest_of
from standee.wire.events import Cancelled, Failed, Result, ends
from support.daemons import Running

OPEN_JOBS = 6
"""So many jobs of the client are under way at a time."""
RULES = ("ended its worker", "The daemon was ended")
"""What a job may fail of here: so many deaths that it must be thought their cause."""
PATIENCE = 120.0
"""Seconds in which all that was accepted is done after the last cycle."""


@dataclass
class Told:
    """What the client was told of a job."""

    composition: Composition
    accepted: bool = False
    results: Counter[int] = field(default_factory=Counter)
    wrong: int = 0
    end: str = ""
    excused: bool = False


class Handing(threading.Thread):
    """A client that hands in jobs and follows them, over all that happens to the daemon."""

    def __init__(self, daemon: Running, seed: int) -> None:
        super().__init__(daemon=True)
        self.running, self.random = daemon, random.Random(seed)
        self.jobs: dict[str, Told] = {}
        self.errors: Counter[str] = Counter()
        self.enough = threading.Event()
        self.seed = seed

    def run(self) -> None:
        client = Client.begin_connect(connection_file=self.running.file)
        submitting = {}
        while not self.enough.is_set() or submitting or self.open:
            try:
                for event in client.poll(0.01):
                    self._take(event)
            except StandeeError as error:  # such as a connection file that is being written anew
                self.errors[f"client: {error.code}"] += 1
                client.reconnect(connection_file=self.running.file)
            for job, task in list(submitting.items()):
                if task.done:
                    del submitting[job]
                    self._answered(job, task.error)
            if not self.enough.is_set() and len(self.open) < OPEN_JOBS:
                number = len(self.jobs)
                job, data = f"chaos-{self.seed}-{number:06d}", self._picture(number)
                self.jobs[job] = Told(_composition(number, digest_of(data)))
                blobs = {digest_of(data): data}
                submitting[job] = client.begin_submit(self.jobs[job].composition, blobs, job_id=job)
            time.sleep(0.002)
        client.close()

    @property
    def open(self) -> list[str]:
        return [job for job, told in self.jobs.items() if not told.end]

    def _picture(self, number: int) -> bytes:
        return b"\x89PNG\r\n\x1a\n" + random.Random(number).randbytes(3_000)

    def _answered(self, job: str, error: StandeeError | None) -> None:
        if error is None:
            self.jobs[job].accepted = True
        else:  # nothing was promised: a full disk, for example
            self.errors[f"submit: {error.code}"] += 1
            self.jobs[job].end = self.jobs[job].end or "refused"

    def _take(self, event: object) -> None:
        told = self.jobs[event.job]  # type: ignore[attr-defined]
        if isinstance(event, Result):
            told.results[event.index] += 1
            wanted = f"picture of {told.composition.prompt} {event.seed}".encode()
            told.wrong += event.data != wanted or digest_of(event.data) != event.digest
        if isinstance(event, Failed):
            self.errors[f"job: {event.error.code}: {event.error.message[:60]}"] += 1
            told.excused = any(words in event.error.message for words in RULES)
        if isinstance(event, Result | Failed | Cancelled) and ends(event):
            told.end = type(event).__name__.lower()


def _composition(number: int, digest: str) -> Composition:
    layer = Layer(picture=digest, rect=Rect(0, 0, 32, 32), id="one")
    prompt = f"slow {number}" if number % 3 else f"{number}"
    sampling = Sampling(steps=4, seed=number, count=1 + number % 2)
    return Composition(prompt=prompt, layers=(layer,), sampling=sampling)


# -- what happens --------------------------------------------------------------------------------------


class Chaos:
    """What may happen to a daemon."""

    def __init__(self, daemon: Running, rng: random.Random) -> None:
        self.running, self.random = daemon, rng
        self.kinds: dict[str, Callable[[], None]] = {
            "worker killed": self.kill_worker,
            "daemon killed": self.kill_daemon,
            "both killed": self.kill_both,
            "client killed": self.kill_client,
            "worker stopped": lambda: self.pause(self.worker()),
            "daemon stopped": lambda: self.pause(self.running.process.pid),
            "disk full": self.fill_disk,
        }

    def happen(self) -> str:
        """Let something happen; return what."""
        kind = self.random.choices(list(self.kinds), (6, 6, 4, 3, 2, 2, 1))[0]
        self.kinds[kind]()
        if self.running.process.poll() is not None:
            raise SystemExit(f"The daemon ended by itself after: {kind}. {self.running.log}")
        return kind

    def worker(self) -> int | None:
        """Return the number of the worker's process, if there is one."""
        children = Path(f"/proc/{self.running.process.pid}/task").glob("*/children")
        numbers = [int(number) for each in children for number in each.read_text().split()]
        return numbers[0] if numbers else None

    def kill_worker(self) -> None:
        worker = self.worker()
        if worker is not None:
            with suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)

    def kill_daemon(self) -> None:
        self.running.kill()
        self.running.start()

    def kill_both(self) -> None:
        self.kill_worker()
        self.kill_daemon()

    def kill_client(self) -> None:
        """Kill a client that uploads, hands in jobs and never reads to the end."""
        code = (
            "import os, sys; from standee import Client, Composition, Sampling; from pathlib import Path\n"
            "client = Client.connect(connection_file=Path(sys.argv[1]), timeout=20)\n"
            "print('here', flush=True)\n"
            "while True: client.put_blob(os.urandom(300_000)); client.submit(Composition(prompt='slow other'))"
        )
        other = subprocess.Popen(
            [sys.executable, "-c", code, str(self.running.file)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self.running.environment,
        )
        with other:
            assert other.stdout is not None
            other.stdout.readline()
            time.sleep(self.random.uniform(0, 0.2))
            other.kill()

    def pause(self, process: int | None) -> None:
        """Stop a process for a moment."""
        if process is not None:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGSTOP)
                time.sleep(self.random.uniform(0.05, 1.0))
                os.kill(process, signal.SIGCONT)

    def fill_disk(self) -> None:
        """Let no file of the daemon and its worker grow for a moment, as on a full disk."""
        processes = [self.running.process.pid, self.worker()]
        limits = []
        for process in processes:
            if process is not None:
                with suppress(ProcessLookupError):
                    old = resource.prlimit(
                        process, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY)
                    )
                    limits.append((process, old))
        time.sleep(self.random.uniform(0.2, 1.0))
        for process, old in limits:
            with suppress(ProcessLookupError):
                resource.prlimit(process, resource.RLIMIT_FSIZE, old)


# -- what must be true ---------------------------------------------------------------------------------


def verdict(daemon: Running, jobs: dict[str, Told]) -> dict[str, list[str]]:
    """Return the jobs with which something is wrong, by what it is; also what the files say."""
    accepted = {job: told for job, told in jobs.items() if told.accepted}
    found = {
        "lost": [
            job for job, told in accepted.items() if told.end != "result" and not told.excused
        ],
        "twice": [job for job, told in jobs.items() if max(told.results.values(), default=0) > 1],
        "corrupt": [job for job, told in jobs.items() if told.wrong],
        "too few": [
            job
            for job, told in jobs.items()
            if told.end == "result" and len(told.results) != told.composition.sampling.count
        ],
    }
    with closing(sqlite3.connect(daemon.home / "jobs.sqlite")) as db:
        if db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            found["corrupt"].append("jobs.sqlite")
        rows = db.execute(
            "SELECT id, count(*) FROM jobs JOIN events ON key=job"
            """ WHERE json_extract(CAST(body AS TEXT), '$.type')='result' GROUP BY key"""
        ).fetchall()
    many = {job: told.composition.sampling.count for job, told in jobs.items()}
    found["twice"] += [f"{job}, stored" for job, count in rows if count > many.get(job, count)]
    for file in (daemon.home / "blobs").glob("[0-9a-f][0-9a-f]/*"):
        if digest_of(file) != file.name:
            found["corrupt"].append(file.name)
    return found


def main() -> int:
    """Run the cycles; exit status 1 when a job was lost, done twice or damaged."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cycles", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--log", type=Path, metavar="FILE", help="a line for each cycle; go on from it"
    )
    given = parser.parse_args()
    done = given.log.read_text().splitlines() if given.log and given.log.exists() else []
    with tempfile.TemporaryDirectory() as folder:
        daemon = Running(Path(folder) / "home").start()
        handing = Handing(daemon, given.seed + len(done))
        handing.start()
        kinds: Counter[str] = Counter()
        for cycle in range(len(done), given.cycles):
            rng = random.Random(f"{given.seed} {cycle}")
            time.sleep(rng.uniform(0, 0.3))
            began = time.monotonic()
            kind = Chaos(daemon, rng).happen()
            kinds[kind] += 1
            line = {"cycle": cycle, "kind": kind, "seconds": round(time.monotonic() - began, 2)}
            line |= {"jobs": len(handing.jobs), "open": len(handing.open)}
            if given.log:
                with given.log.open("a") as log:
                    log.write(json.dumps(line) + "\n")
            if sys.stderr.isatty():
                print(f"\r{cycle + 1} of {given.cycles}: {kind:20}", end="", file=sys.stderr)
        handing.enough.set()
        handing.join(PATIENCE)
        traces = daemon.log.read_text().count("Traceback")
        daemon.stop()
        found = verdict(daemon, handing.jobs)
    accepted = sum(told.accepted for told in handing.jobs.values())
    print(f"{sum(kinds.values())} cycles: " + ", ".join(f"{n} {kind}" for kind, n in kinds.items()))
    print(
        f"{accepted} jobs accepted; " + ", ".join(f"{len(v)} {name}" for name, v in found.items())
    )
    for name, jobs in found.items():
        if jobs:
            print(f"  {name}: {', '.join(jobs[:10])}")
    for error, times in handing.errors.most_common():
        print(f"  {times} x {error}")
    print(f"{traces} tracebacks in the daemon's log")
    return 1 if any(found.values()) or traces else 0


if __name__ == "__main__":
    sys.exit(main())
