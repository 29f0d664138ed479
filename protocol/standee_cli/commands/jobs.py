"""`standee jobs` and `standee cancel`: the daemon's queue."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from standee.errors import UnknownJob
from standee.formatting import time_left
from standee.wire.messages import JobInfo

from ..completion import job_ids
from ..console import FILE, Console, answers, common, shows_progress
from ..job_runs import (
    STDIO,
    check_output,
    connect,
    keep_results,
    wait_for_job,
    write_results,
)
from ..options import MARKED

if TYPE_CHECKING:
    from standee.client.client import Client


@click.command()
@click.argument("job", required=False, shell_complete=job_ids())
@click.option(
    "-o", "--output", type=FILE, help="Wait for JOB and write its picture here, - for stdout."
)
@click.option("--clear", is_flag=True, help="Forget the jobs that have ended, and their pictures.")
@shows_progress
@MARKED
@common
@answers
@click.pass_context
def jobs(
    context: click.Context,
    console: Console,
    job: str | None,
    output: Path | None,
    clear: bool,
    marked: bool,
) -> None:
    """List your jobs, or fetch their pictures.

    Jobs go on when a terminal closes or a machine restarts; their pictures wait here.

    \b
    Examples:
      standee jobs
      standee jobs 3f2a -o beach.png
      standee jobs --clear
    """
    client = connect(context)
    if job:
        out = output or Path(f"{job}.png")
        check_output(console, out)
        whole = _whole_id(client, job)
        results = wait_for_job(client, whole, console.progress)
        made = keep_results(client, whole, results, partial(write_results, out=out, marked=marked))
        if out != STDIO:
            console.answer({"results": made}, [picture["path"] for picture in made])
        return
    found = client.jobs()
    if clear:
        ended = [one for one in found if one.state not in ("queued", "running")]
        for one in ended:
            client.release(one.job)
        console.answer({"released": [one.job for one in ended]}, [f"{len(ended)} jobs forgotten."])
        return
    if not found and not console.json:
        console.say("There are no jobs.")
        return
    now = time.time()
    rows = [
        (one.job, one.kind, _state(one), f"{time_left(now - one.created)} ago", one.summary)
        for one in found
    ]
    console.table(found, ("Job", "Kind", "State", "Submitted", ""), rows)


@click.command()
@click.argument("jobs", nargs=-1, metavar="JOB...", shell_complete=job_ids("queued", "running"))
@click.option("--all", "every", is_flag=True, help="Cancel all of your jobs.")
@click.option("--hard", is_flag=True, help="Do not wait for the current step to end.")
@common
@answers
@click.pass_context
def cancel(
    context: click.Context, console: Console, jobs: tuple[str, ...], every: bool, hard: bool
) -> None:
    """Cancel jobs.

    A running one stops within one step. The start of a job's id is enough.
    """
    if not jobs and not every:
        raise click.UsageError("Name a job, or give --all.", context)
    client = connect(context)
    if every:
        chosen = [one.job for one in client.jobs() if one.state in ("queued", "running")]
    else:
        chosen = [_whole_id(client, job) for job in jobs]
    for job in chosen:
        client.cancel(job, hard)
    console.answer({"cancelled": chosen}, [f"Cancelled {job}." for job in chosen])


def _whole_id(client: Client, start: str) -> str:
    """Return the id of the one job that begins with `start`. Raises `UnknownJob`."""
    found = [one.job for one in client.jobs() if one.job.startswith(start)]
    if len(found) == 1 or start in found:
        return start if start in found else found[0]
    raise UnknownJob(
        f"{len(found) or 'No'} jobs of yours begin with {start!r}.", fix="See `standee jobs`."
    )


def _state(job: JobInfo) -> str:
    waits = job.state == "queued" and job.position is not None
    return f"queued, {job.position} ahead" if waits else job.state
