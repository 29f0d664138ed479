"""The commands that ask the daemon: `standee models`, `status`, `jobs` and `cancel`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from standee.errors import UnknownJob
from standee.wire.messages import JobInfo

from ..console import FILE, Console, answers, common, size, time_left
from ..job_runs import check_writable, connect, watch_job, write_results

if TYPE_CHECKING:
    from standee.client.client import Client


@click.group(invoke_without_command=True)
@common
@answers
@click.pass_context
def models(context: click.Context, console: Console) -> None:
    """List the models that can make pictures, or get one.

    Any FLUX.1, FLUX.2 klein or Z-Image model in a folder, or on the Hugging Face hub, can be used
    besides: `standee compose scene.standee --model black-forest-labs/FLUX.1-schnell`.
    """
    if context.invoked_subcommand is not None:
        return
    found = connect(context, start=True).models()
    rows = [(model.name, model.family, model.description, model.path) for model in found]
    console.table(found, ("Name", "Family", "Description", "Where"), rows)


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
        rows.append((f"Worker {worker.name}", f"{worker.state} {worker.device}{memory}"))
    console.table(now, ("", ""), rows)


@click.command()
@click.argument("job", required=False)
@click.option("-o", "--output", type=FILE, help="Wait for JOB and write its picture here.")
@click.option("--clear", is_flag=True, help="Forget the jobs that have ended, and their pictures.")
@common
@answers
@click.pass_context
def jobs(
    context: click.Context, console: Console, job: str | None, output: Path | None, clear: bool
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
        check_writable(out)
        made = write_results(watch_job(client, _whole_id(client, job)), out)
        console.answer({"results": made}, [picture["path"] for picture in made])
        return
    found = client.jobs()
    if clear:
        ended = [one for one in found if one.state not in ("queued", "running")]
        for one in ended:
            client.release(one.job)
        console.answer({"released": [one.job for one in ended]}, [f"{len(ended)} jobs forgotten."])
        return
    now = time.time()
    rows = [
        (one.job, one.kind, _state(one), f"{time_left(now - one.created)} ago", one.summary)
        for one in found
    ]
    console.table(found, ("Job", "Kind", "State", "Submitted", ""), rows)


@click.command()
@click.argument("jobs", nargs=-1, metavar="JOB...")
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
