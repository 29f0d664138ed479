"""Launching of the daemon on demand, detached from this process."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ..errors import MissingDependency, NotConnected
from ..files import private_folder
from .packages import missing_packages

IDLE_MINUTES = 30
"""A daemon that was started on demand leaves after so long without jobs and clients."""
ALREADY_RUNNING = 75
"""The exit status of a daemon that finds another one at work."""

LOG = "daemon.log"
LARGEST_LOG = 2**24
"""Bytes after which a log is put aside, in the place of the last one, and another is begun."""


def command(python: str | None = None) -> list[str]:
    """Return the command that runs the daemon. Raises `MissingDependency`."""
    python = python or os.environ.get("STANDEE_PYTHON")
    if python:
        return [_absolute(python), "-P", "-m", "standee_backend.daemon"]
    here = importlib.util.find_spec("standee_backend") is not None
    missing = missing_packages("backend")
    if here and not missing:
        return [sys.executable, "-P", "-m", "standee_backend.daemon"]
    installed = shutil.which("standee")
    if installed and not (here and Path(installed).parent == Path(sys.executable).parent):
        return [installed, "serve"]  # of another Python, which may have it all
    raise MissingDependency(
        "No daemon is running, and the backend is not installed here"
        + (f": {', '.join(missing)} missing." if here else "."),
        fix="Run `standee doctor --fix backend`, or start `standee serve` where it is installed."
        if here
        else 'Run `pip install "standee[backend]"`, or start `standee serve` where it is installed.',
    )


def _absolute(program: str) -> str:
    """Return a program as it is found from any folder."""
    return str(Path(program).absolute()) if Path(program).name != program else program


def environment(folder: Path) -> dict[str, str]:
    """Return what a daemon of `folder` inherits: nothing that has it import from where it is started.

    An entry of PYTHONPATH that means a folder relative to the caller's is the caller's alone.
    """
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    kept = os.pathsep.join(path for path in paths if Path(path).is_absolute())
    mine = {"STANDEE_HOME": str(folder), "PYTHONSAFEPATH": "1", "PYTHONPATH": kept}
    return os.environ | mine


class LaunchedDaemon:
    """A daemon that this process started. It outlives this process."""

    def __init__(self, folder: Path, python: str | None = None) -> None:
        self._log = private_folder(folder) / LOG
        arguments = [*command(python), "--idle-exit", str(IDLE_MINUTES), "--log", "json"]
        detached = 0
        if sys.platform == "win32":
            detached = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
        try:
            with contextlib.suppress(OSError):  # a daemon may have it open, or there is none yet
                if self._log.stat().st_size > LARGEST_LOG:
                    self._log.replace(self._log.with_suffix(".log.1"))
            with self._log.open("ab") as log:
                self._size = log.tell()
                self._process = subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment(folder.absolute()),
                    cwd=folder.absolute(),  # the caller's may hold modules, and may go
                    start_new_session=True,
                    creationflags=detached,
                )
        except OSError as error:
            raise MissingDependency(
                f"The daemon cannot be started: {error}.", fix="Check the Python it should run on."
            ) from None
        _ours.append(self)

    def check(self) -> None:
        """Raise `NotConnected` if the daemon has ended already, with the last it said."""
        status = self._process.poll()
        if status in (None, 0, ALREADY_RUNNING):
            return
        with self._log.open("rb") as log:
            log.seek(self._size)
            said = log.read()[-2000:].decode(errors="replace").strip().splitlines()
        raise NotConnected(
            f"The daemon did not start (exit status {status}): {said[-1] if said else 'silently'}",
            fix=f"Read {self._log}, or run `standee serve` to see it start.",
        )


_ours: list[LaunchedDaemon] = []
"""Kept, so that Python does not complain about children that outlive it."""
