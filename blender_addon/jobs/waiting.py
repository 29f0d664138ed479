"""Blocking wait for jobs, for scripts and background Blender, where no timer ticks."""

import time
from collections.abc import Callable

from standee.errors import JobFailed, NotConnected

from .daemon_link import BUSY, link
from .job import Job

PATIENCE = 60.0
"""Seconds without a daemon after which that is an error."""


def wait(done: Callable[[], bool]) -> None:
    """Tick until something is so. Raises `NotConnected`, and what ended the search for the daemon."""
    while not done():
        pause = link().tick()
        if link().given_up is not None and link().unfinished:
            raise link().given_up
        if link().alone > PATIENCE and link().unfinished:
            raise NotConnected(
                "No daemon answers.",
                fix="Start it with `standee serve`, or name it in the preferences of Standee.",
            )
        time.sleep(min(BUSY, pause or BUSY))


def wait_for(jobs: list[Job]) -> None:
    """Return when jobs are over and their results kept. Raises the error of the first that failed."""
    wait(lambda: link().idle)
    for job in jobs:
        if job.state == "failed":
            raise JobFailed(job.error, fix=job.fix)
