"""Daemons for tests: real processes with real sockets, with a toy worker or the real engine.

Run as a program it is the daemon with such a worker: `python daemons.py HOME LIMITS [WORKER.py]`.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from standee import Client
from standee.connection import Connection, connection_file, read_connection
from standee.wire.messages import Limits

HERE = Path(__file__).resolve().parent
ROOTS = [str(HERE.parents[1] / folder) for folder in ("protocol", "backend")]


def memory(process: int | str, field: str = "VmRSS") -> int:
    """Return bytes of a process's memory as Linux counts it (`VmHWM` is its peak)."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) * 1024
    raise KeyError(field)


class Running:
    """One daemon's home, in which daemons come and go."""

    def __init__(
        self,
        home: Path,
        *,
        toy: bool = True,
        worker: str = "toy_worker.py",
        limits: dict | None = None,
        program: Sequence[str] = (),
    ) -> None:
        self.home, self.toy, self.worker = home, toy, worker
        self.limits, self.program = limits or {}, program
        self.process: subprocess.Popen | None = None
        self.log = home.parent / f"{home.name}.log"

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find Standee in this checkout."""
        paths = os.pathsep.join([*ROOTS, os.environ.get("PYTHONPATH", "")])
        return os.environ | {"PYTHONPATH": paths}

    @property
    def file(self) -> Path:
        return connection_file(self.home)

    @property
    def connection(self) -> Connection:
        return read_connection(self.file)

    def start(self) -> "Running":
        """Start a daemon and wait until it has written its connection file."""
        before = self.file.stat().st_mtime_ns if self.file.exists() else None
        command = [sys.executable, str(HERE / "daemons.py"), str(self.home)]
        command += [json.dumps(self.limits), self.worker]
        if not self.toy:
            command = [sys.executable, "-m", "standee_backend.daemon", "--home", str(self.home)]
            command += ["--device", "cpu"]
        if self.program:
            command = [sys.executable, *self.program, str(self.home)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, stderr=log, env=self.environment)
        atexit.register(self.process.kill)  # of a test or benchmark that failed in between
        deadline = time.monotonic() + 30
        while not self.file.exists() or self.file.stat().st_mtime_ns == before:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.01)
        return self

    def client(self, **how) -> Client:
        return Client.connect(connection_file=self.file, timeout=20, **how)

    def kill(self) -> None:
        """kill -9 the daemon."""
        self.process.kill()
        self.process.wait()

    def kill_worker(self) -> None:
        """kill -9 the worker."""
        with self.client() as client:
            [worker] = client.status().workers
        os.kill(worker.pid, signal.SIGKILL)

    def stop(self) -> None:
        """End the daemon as a system does."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            assert self.process.wait(15) == 0, self.log.read_text()

    def memory(self, field: str = "VmRSS") -> int:
        """Return bytes of the daemon's memory as Linux counts it (`VmHWM` is its peak)."""
        return memory(self.process.pid, field)

    @contextmanager
    def serving(self) -> Iterator["Running"]:
        """Start a daemon, and hold it to its invariants at the end."""
        self.start()
        try:
            yield self
            self.check()
        finally:
            self.stop()

    def check(self) -> None:
        """Hold the daemon to what must be true at any time: alive, and nothing unforeseen."""
        assert self.process.poll() is None, self.log.read_text()
        said = self.log.read_text()
        assert ".broken" not in said, said
        assert "Traceback" not in said or "told to fail" in said, said


if __name__ == "__main__":
    from standee_backend import event_log
    from standee_backend.daemon import daemon

    folder = Path(sys.argv[1])
    event_log.set_up("text")
    worker = HERE / (sys.argv[3] if len(sys.argv) > 3 else "toy_worker.py")
    toy = (sys.executable, str(worker), str(folder / "deaths"))
    given = msgspec.convert(json.loads(sys.argv[2]), Limits)
    daemon.run(daemon.Config(home=folder, worker=toy, limits=given))
