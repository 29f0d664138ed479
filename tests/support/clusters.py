"""Clusters for tests and benchmarks: several machines of Ray on this one, and a daemon with its slots on them.

Run as a program it is the daemon: `python clusters.py ADDRESS toy|engine HOME`.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

try:
    from support.daemons import ROOTS, Running
except ImportError:
    from daemons import ROOTS, Running

HERE = Path(__file__).resolve().parent


class Machines:
    """Machines that are processes here: a head without slots, and others that come and go, each with a home."""

    def __init__(self, folder: Path) -> None:
        os.environ["RAY_memory_monitor_refresh_ms"] = "0"  # noqa: SIM112
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        os.environ["RAY_AUTH_MODE"] = "disabled"
        from ray.cluster_utils import Cluster

        self.folder, self.nodes = folder, {}
        self._cluster = Cluster(
            initialize_head=True,
            head_node_args=self._how("head")
            | {"num_cpus": 0, "include_dashboard": False, "no_monitor": True},
        )

    @property
    def address(self) -> str:
        return self._cluster.address

    def add(self, name: str, cards: int = 1) -> None:
        """Have a machine join, with cards that are not there."""
        how = self._how(name) | {"num_cpus": 1, "num_gpus": cards}
        self.nodes[name] = self._cluster.add_node(wait=False, **how)

    def kill(self, name: str) -> None:
        """kill -9 all of a machine: raylet, actors and workers, as a power cut does."""
        found, node = self.processes(name), self.nodes.pop(name)
        for process in found:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(found, timeout=5)
        self._cluster.remove_node(node, allow_graceful=False)

    def actors(self, name: str) -> list[psutil.Process]:
        """The processes of a machine's slots."""
        return [
            each for each in self.processes(name) if "ray::NodeSlot" in " ".join(each.cmdline())
        ]

    def workers(self, name: str) -> list[psutil.Process]:
        """The workers of a machine's slots."""
        return [child for actor in self.actors(name) for child in actor.children()]

    @staticmethod
    def children(pid: int) -> list[psutil.Process]:
        return psutil.Process(pid).children()

    def processes(self, name: str) -> list[psutil.Process]:
        """A raylet with all that it has started."""
        node = self.nodes[name]
        raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
        return [raylet, *raylet.children(recursive=True)]

    @contextmanager
    def client_server(self) -> Iterator[tuple[str, psutil.Process]]:
        """Yield the address for Ray's client, and the process that serves it, as `ray start --head` has one."""
        with closing(socket.create_server(("127.0.0.1", 0))) as found:
            port = found.getsockname()[1]
        server = "ray.util.client.server", "--host=127.0.0.1", "--mode=proxy"
        process = psutil.Popen(
            [sys.executable, "-m", *server, f"--address={self.address}", f"--port={port}"],
            env=os.environ | self._how("head")["env_vars"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield f"ray://127.0.0.1:{port}", process
        finally:
            for each in [*process.children(recursive=True), process]:
                each.kill()
            process.wait()

    def stop(self) -> None:
        self._cluster.shutdown()

    def _how(self, name: str) -> dict:
        home = self.folder / "machines" / name
        home.mkdir(parents=True, exist_ok=True)
        paths = os.pathsep.join([*ROOTS, os.environ.get("PYTHONPATH", "")])
        environment = {"STANDEE_HOME": str(home), "PYTHONPATH": paths}
        return {
            "node_name": name,
            "env_vars": environment,
            "include_log_monitor": False,
            "object_store_memory": 100 * 2**20,
        }


class ClusterDaemon(Running):
    """A daemon whose slots are on the machines of a cluster."""

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {"STANDEE_WATCHDOG": "3"}

    def __init__(self, home: Path, address: str, worker: str = "toy", gpus: float = 1.0) -> None:
        program = (str(HERE / "clusters.py"), address, worker, str(gpus))
        super().__init__(home, program=program)

    def wait_for(self, names: Sequence[str], seconds: float = 30) -> None:
        """Wait until the slots of these names can take jobs and have none, and any others are lost."""
        deadline = time.monotonic() + seconds
        with self.client() as client:
            while True:
                found = self.states(client)
                here = {name for name, state in found.items() if state in ("idle", "stopped")}
                if here == set(names) and set(found.values()) <= {"idle", "stopped", "lost"}:
                    return
                assert time.monotonic() < deadline, f"{found}\n{self.log.read_text()[-5000:]}"
                time.sleep(0.05)

    @staticmethod
    def states(client) -> dict[str, str]:
        return {worker.name: worker.state for worker in client.status().workers}


def serve(address: str, worker: str, gpus: float, home: Path) -> None:
    from standee_backend import event_log
    from standee_backend.daemon import daemon
    from standee_backend.scheduling.slots import WORKER

    event_log.set_up("text")
    toy = (sys.executable, str(HERE / "toy_worker.py"), str(home / "deaths"))
    command = toy if worker == "toy" else WORKER
    config = daemon.Config(home=home, worker=command, cluster=address, gpus_per_slot=gpus)
    daemon.run(config)


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], float(sys.argv[3]), Path(sys.argv[4]))
