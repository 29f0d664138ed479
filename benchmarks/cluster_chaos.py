"""Kills on a cluster: `python benchmarks/cluster_chaos.py [--jobs 200] [--seed 1]`.

Jobs of a worker without an engine, every third of three pictures, wait for three machines of Ray's, all on this one,
while a machine, an actor or a worker is killed in mid-job every other second; a killed machine joins again. Then no job
may be lost, done twice or have other pictures than it should. A few pictures of the bundled model are made in the same
way, and must be those that one machine makes, byte for byte. Exit status 1 where something is not as it must be.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "tests"))

import psutil

from standee import Canvas, Client, Composition, Layer, Rect, Sampling
from standee.wire.events import Result
from support.clusters import ClusterDaemon, Machines
from support.daemons import Running

NAMES = ("alpha", "beta", "gamma")
ATTEMPTS = 2
"""A job that has begun so often is not struck again: of three deaths it would be thought the cause."""
SEVERAL = 3
"""Pictures of a job that machines share."""
ROOT = Path(__file__).parents[1]


def strike(machines: Machines, client: Client, chance: random.Random) -> str:
    """Kill something that computes; return what it was, or nothing where all that computes has been struck twice."""
    weary = {each.job for each in client.jobs() if each.attempts >= ATTEMPTS}
    found = [
        worker.name
        for worker in client.status().workers
        if worker.state == "busy" and worker.job not in weary and worker.name in machines.nodes
    ]
    if not found:
        return ""
    name, what = chance.choice(found), chance.choice(("machine", "actor", "worker"))
    if what == "machine":
        machines.kill(name)
        machines.add(name)
        return what
    try:
        for process in machines.actors(name) if what == "actor" else machines.workers(name):
            process.kill()
    except psutil.NoSuchProcess:  # it has ended meanwhile
        return ""
    return what


def run(
    daemon: ClusterDaemon,
    machines: Machines,
    asked: Sequence[Composition],
    every: float,
    chance: random.Random,
) -> tuple[list[list[bytes]], Counter[str]]:
    """Have compositions made while something is killed `every` seconds.

    Returns each one's pictures, and how often what was killed.
    """
    killed: Counter[str] = Counter()
    with daemon.client() as client:
        jobs = [client.submit(composition) for composition in asked]
        while any(not each.finished for each in client.jobs()):
            time.sleep(every)
            killed[strike(machines, client, chance)] += 1
        pictures = [
            [event.data for event in client.events(job) if isinstance(event, Result)]
            for job in jobs
        ]
    killed.pop("", None)
    return pictures, killed


def toys(count: int) -> list[Composition]:
    """Return jobs that sleep for half a second a picture, every third of several pictures."""
    return [
        Composition(prompt=f"slow {n}", sampling=Sampling(steps=10, count=1 if n % 3 else SEVERAL))
        for n in range(count)
    ]


def real(client: Client, count: int) -> list[Composition]:
    """Return small pictures of the bundled model, each with another seed; the last job makes several."""
    robot = client.put_blob(ROOT / "examples" / "subjects" / "robot.png")
    layer = Layer(picture=robot, rect=Rect(32, 48, 64, 64))
    return [
        Composition(
            canvas=Canvas(128, 128),
            prompt="a meadow at noon",
            layers=(layer,),
            sampling=Sampling(seed=seed, steps=8, count=SEVERAL if seed == count - 1 else 1),
        )
        for seed in range(count)
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=200, help="of the worker without an engine")
    parser.add_argument("--pictures", type=int, default=9, help="of the bundled model")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        home = Running(folder / "local", toy=False).start()
        with home.client() as client:
            alone = [
                [made.data for made in client.compose(each)]
                for each in real(client, given.pictures)
            ]
        home.stop()
        machines = Machines(folder)
        faults = 0
        try:
            for name in NAMES:
                machines.add(name)
            for worker in ("toy", "engine"):
                daemon = ClusterDaemon(folder / worker, machines.address, worker).start()
                daemon.wait_for(NAMES)
                if worker == "toy":
                    asked, every = toys(given.jobs), 2.0
                    wanted = [
                        [
                            f"picture of {each.prompt} {seed}".encode()
                            for seed in range(each.sampling.count)
                        ]
                        for each in asked
                    ]
                else:
                    with daemon.client() as client:
                        asked, every, wanted = real(client, given.pictures), 8.0, alone
                pictures, killed = run(daemon, machines, asked, every, chance)
                lost = sum(not each for each in pictures)
                pairs = list(zip(pictures, wanted, strict=True))
                twice = sum(len(each) > len(those) for each, those in pairs)
                other = sum(bool(each) and each != those for each, those in pairs)
                print(
                    f"{worker}: {len(asked)} jobs; killed {dict(killed)}; {lost=} {twice=} {other=}"
                )
                faults += lost + twice + other
                daemon.stop()
        finally:
            machines.stop()
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
