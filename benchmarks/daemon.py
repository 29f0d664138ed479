"""Costs of the daemon: `python benchmarks/daemon.py [--json FILE] [--quick]`.

Starts a daemon of its own in a temporary folder and measures over its real socket: submissions a
second, the time from a submission to its first step, how old an event is when it arrives, how fast
pictures go up and down, what the daemon adds to a job of the bundled model (its client's time
against the engine's own in the same job), and the daemon's resident memory after 10 and after 100
jobs. All but the added time use a worker without an engine, so that they measure the daemon alone.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from standee import Canvas, Client, Composition, Sampling, connection
from standee.wire.events import Progress, Result


class Idle:
    """A worker's runner without an engine: reports the steps that are asked for, and the time, as their `eta`."""

    def run(self, spec, model, read, report, cancelled):
        of = spec.sampling.steps or 1
        for step in range(1, of + 1):
            if of > 1:
                time.sleep(0.01)
            report(Progress(stage="denoising", step=step, of=of, eta=time.time()))
        yield lambda: Result(data=b"picture", width=16, height=16)


@contextmanager
def daemon(folder: Path, worker: str):
    """Run a daemon with the worker "idle" or "engine"; yield its process and a client."""
    command = [sys.executable, str(Path(__file__).resolve()), "--serve", worker, str(folder)]
    with (folder.parent / f"{folder.name}.log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log)
    file = connection.connection_file(folder)
    while not file.exists():
        assert process.poll() is None, "the daemon did not start"
        time.sleep(0.01)
    try:
        with Client.connect(connection_file=file) as client:
            yield process, client
    finally:
        process.terminate()
        process.wait()


def serve(worker: str, folder: Path) -> None:
    from standee_backend import event_log
    from standee_backend.daemon import daemon
    from standee_backend.scheduling import slots

    event_log.set_up("json")
    idle = (sys.executable, str(Path(__file__).resolve()), "--idle-worker")
    command = idle if worker == "idle" else slots.WORKER
    daemon.run(daemon.Config(home=folder, worker=command))


def resident(process: subprocess.Popen) -> int:
    """Return a process's resident memory in bytes."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def submissions(client: Client, count: int) -> float:
    """Return durable submissions a second, one after another, of jobs that wait."""
    blocker = client.submit(Composition(sampling=Sampling(steps=200, count=1)))
    began = time.perf_counter()
    jobs = [client.submit(Composition()) for _ in range(count)]
    rate = count / (time.perf_counter() - began)
    client.cancel(blocker, hard=True)
    for job in jobs:
        client.wait(job)
        client.release(job)
    client.release(blocker)
    return rate


def first_steps(client: Client, count: int) -> list[float]:
    """Return the seconds from `submit` to the arrival of the first step, worker ready."""
    seconds = []
    for _ in range(count):
        began = time.perf_counter()
        job = client.submit(Composition())
        for event in client.events(job):
            if isinstance(event, Progress) and event.step == 1:
                seconds.append(time.perf_counter() - began)
        client.release(job)
    return seconds


def latencies(client: Client, steps: int) -> list[float]:
    """Return how many seconds old progress is when it arrives."""
    job = client.submit(Composition(sampling=Sampling(steps=steps)))
    seconds = [
        time.time() - event.eta
        for event in client.events(job)
        if isinstance(event, Progress) and event.eta
    ]
    client.release(job)
    return seconds


def transfer(client: Client, megabytes: int) -> tuple[float, float]:
    """Return MB/s of one upload, fsynced and verified, and of the download."""
    data = os.urandom(megabytes * 10**6)
    began = time.perf_counter()
    digest = client.put_blob(data)
    up = time.perf_counter()
    assert client.get_blob(digest) == data
    return megabytes / (up - began), megabytes / (time.perf_counter() - up)


def overhead(folder: Path, client: Client, rounds: int, steps: int) -> dict[str, float]:
    """Return what the daemon adds to a job of the engine, within each job.

    A job's time as its client sees it (submit, wait, pull, release) against the engine's own time in
    the same job, as its worker measured it, less what reporting took of that. So the two are taken
    side by side, and whatever else the machine does hits both.
    """
    composition = Composition(
        canvas=Canvas(256, 256), prompt="a beach", sampling=Sampling(steps=steps)
    )
    client.compose(composition)  # loads the model
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        client.compose(composition)
        seconds.append(time.perf_counter() - began)
    log = (folder.parent / f"{folder.name}.log").read_text().splitlines()
    lines = [json.loads(line) for line in log if line.startswith("{")]
    own = [line["engine"] - line["reporting"] for line in lines if line["event"] == "job.computed"][
        1:
    ]
    ratios = [through / bare - 1 for through, bare in zip(seconds, own, strict=True)]
    return {
        "job_seconds_through_daemon": statistics.median(seconds),
        "job_seconds_engine": statistics.median(own),
        "overhead_ratio": statistics.median(ratios),
        "overhead_ratio_worst": max(ratios),
    }


def memory(process: subprocess.Popen, client: Client) -> dict[str, float]:
    """Return the daemon's memory after 10 and after 100 jobs with previews, results and releases."""
    sizes = {}
    for number in range(1, 101):
        client.compose(Composition(prompt=f"job {number}", sampling=Sampling(steps=3)))
        if number in (10, 100):
            sizes[number] = resident(process)
    return {
        "resident_mb_after_10_jobs": sizes[10] / 1e6,
        "resident_mb_after_100_jobs": sizes[100] / 1e6,
        "memory_growth": sizes[100] / sizes[10] - 1,
    }


def measure(quick: bool) -> dict[str, float]:
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with daemon(folder / "idle", "idle") as (process, client):
            client.compose(Composition())
            found |= memory(process, client)
            found["submits_per_second"] = submissions(client, 50 if quick else 200)
            steps = first_steps(client, 20)
            found["submit_to_first_step_ms"] = statistics.median(steps) * 1e3
            ages = latencies(client, 200)
            found["event_latency_ms"] = statistics.median(ages) * 1e3
            found["event_latency_p95_ms"] = sorted(ages)[int(0.95 * len(ages))] * 1e3
            found["upload_mb_per_s"], found["download_mb_per_s"] = transfer(client, 64)
        with daemon(folder / "engine", "engine") as (_, client):
            found |= overhead(folder / "engine", client, 3 if quick else 9, 4 if quick else 20)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter jobs")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--idle-worker", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve[0], Path(given.serve[1]))
    elif given.idle_worker:
        from standee_backend.worker import main as worker

        worker.main(lambda options: Idle())
    else:
        found = measure(given.quick)
        for name, value in found.items():
            print(f"{name:32} {value:10.3f}")
        if given.json:
            given.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
