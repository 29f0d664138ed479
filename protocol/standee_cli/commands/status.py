"""`standee status`: the daemon's state."""

from __future__ import annotations

import click

from standee.formatting import size, time_left

from ..console import Console, answers, common
from ..job_runs import connect


@click.command()
@common
@answers
@click.pass_context
def status(context: click.Context, console: Console) -> None:
    """Say how the daemon is.

    It shows the queue, the workers, and the memory and disk in use.
    """
    now = connect(context).status()
    rows = [
        ("Daemon", f"{now.server}, up {time_left(now.uptime)}, process {now.pid}"),
        ("Jobs", f"{now.running} running, {now.queued} waiting"),
        ("Memory", size(now.memory)),
        ("Pictures", f"{size(now.stored)} of {size(now.storage_limit)} in {now.home}"),
    ]
    for worker in now.workers:
        memory = ""
        if worker.memory_used is not None and worker.memory_total:
            memory = f", {size(worker.memory_used)} of {size(worker.memory_total)} used"
        place = f" on {worker.node}" if worker.node not in ("", worker.name) else ""
        why = f": {worker.why}" if worker.why else ""
        state = f"{worker.state} {worker.device}".rstrip()
        rows.append((f"Worker {worker.name}", f"{state}{place}{memory}{why}"))
    console.table(now, ("", ""), rows)
