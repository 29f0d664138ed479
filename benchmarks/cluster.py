"""Costs of a cluster: `python benchmarks/cluster.py [--json FILE] [--seconds S] [--slots 1,2,4,8]`.

Jobs a second against one slot, with a worker that only sleeps, at 1, 2, 4 and 8 slots of a machine of Ray's here; what
a job takes longer than in a local slot; and how fast a subject's bytes come to a machine. Ends with 1 where the jobs a
second are less than 0.9 times the slots.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

from standee import Client, Composition, Layer, Rect, Sampling
from support.clusters import ClusterDaemon, Machines
from support.daemons import Running

ENOUGH = 0.9
STEP = 0.05
"""Seconds that the toy worker sleeps a step."""
MEGABYTES = 16


def rate(client: Client, slots: int, seconds: float, rounds: int) -> float:
    """Return jobs a second while every slot has `rounds` of them to do."""
    steps = Sampling(steps=round(seconds / STEP))
    began = time.perf_counter()
    jobs = [
        client.submit(Composition(prompt=f"slow {n}", sampling=steps))
        for n in range(slots * rounds)
    ]
    for job in jobs:
        client.wait(job)
    elapsed = time.perf_counter() - began
    for job in jobs:
        client.release(job)
    return len(jobs) / elapsed


def latency(client: Client, count: int = 30) -> float:
    """Return the median seconds of a job that needs none."""
    seconds = []
    for number in range(count + 3):
        began = time.perf_counter()
        client.compose(Composition(prompt=f"job {number}"))
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[3:])


def first_use(client: Client) -> tuple[float, float]:
    """Return seconds of a job with a subject that is new to its machine, and of one with it there."""
    digest = client.put_blob(os.urandom(MEGABYTES * 10**6))
    layer = Layer(id="subject", picture=digest, rect=Rect(0, 0, 64, 64))
    seconds = []
    for _ in range(2):
        began = time.perf_counter()
        client.compose(Composition(layers=(layer,)))
        seconds.append(time.perf_counter() - began)
    return seconds[0], seconds[1]


def measure(slots: list[int], seconds: float, rounds: int) -> dict[str, float]:
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        local = Running(folder / "local").start()
        with local.client() as client:
            found["local_job_ms"] = latency(client) * 1e3
        local.stop()
        machines = Machines(folder)
        try:
            for count in slots:
                name = f"cards-{count}"
                machines.add(name, count)
                names = [name] if count == 1 else [f"{name}-{index}" for index in range(count)]
                daemon = ClusterDaemon(folder / f"home-{count}", machines.address).start()
                daemon.wait_for(names)
                with daemon.client() as client:
                    rate(client, count, STEP, 1)
                    found[f"jobs_per_second_{count}"] = rate(client, count, seconds, rounds)
                    if count == slots[0]:
                        found["cluster_job_ms"] = latency(client) * 1e3
                        new, known = first_use(client)
                        found["subject_mb"] = MEGABYTES
                        found["subject_new_ms"], found["subject_known_ms"] = new * 1e3, known * 1e3
                daemon.stop()
                machines.kill(name)
        finally:
            machines.stop()
    found["overhead_ms"] = found["cluster_job_ms"] - found["local_job_ms"]
    one = found[f"jobs_per_second_{slots[0]}"] / slots[0]
    for count in slots:
        found[f"scaling_{count}"] = found[f"jobs_per_second_{count}"] / (one * count)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--seconds", type=float, default=1.0, help="that a job sleeps")
    parser.add_argument("--rounds", type=int, default=4, help="jobs of each slot")
    parser.add_argument("--slots", default="1,2,4,8")
    given = parser.parse_args()
    slots = [int(count) for count in given.slots.split(",")]
    found = measure(slots, given.seconds, given.rounds)
    for name, value in found.items():
        print(f"{name:24} {value:10.3f}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n")
    missed = [name for name in found if name.startswith("scaling") and found[name] < ENOUGH]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
