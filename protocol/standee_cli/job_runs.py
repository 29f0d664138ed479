"""A job from a terminal: hand it in, watch it, cancel it with Ctrl-C, write its pictures."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from standee.composition import Composition
from standee.connection import connection_file
from standee.document.receipt import embed
from standee.errors import JobCancelled, NotConnected, StandeeError, UnknownJob
from standee.files import write_file
from standee.wire.events import Result
from standee.wire.messages import Cutout

from .console import Console

if TYPE_CHECKING:
    from standee.client.client import Client
    from standee.wire.operations import Blobs


def connect(context: click.Context, start: bool = False) -> Client:
    """Return a connection that closes with the command; with `start`, launch the daemon.

    Raises `NotConnected` and the like.
    """
    from standee.client.client import Client

    file = context.ensure_object(Console).connection
    start = start and file is None
    if file is not None and not file.exists():
        raise NotConnected(
            f"There is no file {file}.", fix="Make one with `standee pair` where the daemon is."
        )
    if not start and not (file or connection_file()).exists():
        raise NotConnected("No daemon is running.", fix="Start one with `standee serve`.")
    client = Client.connect(start=start, connection_file=file, timeout=60.0 if start else 5.0)
    return context.with_resource(client)


def run_job(
    client: Client,
    spec: Composition | Cutout,
    blobs: Blobs,
    *,
    priority: int = 0,
    quiet: bool = False,
) -> list[Result]:
    """Submit, show progress, wait and release. Ctrl-C cancels the job and raises `JobCancelled`."""
    from standee.client.client import new_job_id

    job = new_job_id()
    try:
        client.submit(spec, blobs, job_id=job, priority=priority)
        return watch_job(client, job, quiet=quiet)
    except KeyboardInterrupt:
        try:
            client.cancel(job)
        except UnknownJob:  # it had not been handed in yet
            pass
        except (StandeeError, KeyboardInterrupt):
            raise JobCancelled(
                "The daemon did not answer in time, so the job may go on.",
                fix=f"Run `standee cancel {job}`.",
            ) from None
        raise JobCancelled("Cancelled. The daemon has stopped the job.") from None


def watch_job(client: Client, job: str, *, quiet: bool = False) -> list[Result]:
    """Show the progress of a job, wait for its results and release it."""
    from .progress import Watching

    try:
        with Watching(quiet) as watching:
            results = client.wait(job, watching)
    except StandeeError:
        with suppress(StandeeError):
            client.release(job)
        raise
    client.release(job)
    return results


def write_results(results: list[Result], out: Path) -> list[dict[str, Any]]:
    """Write pictures with their receipts, `out.png`, or `out-1.png` and so on; say what was made."""
    made = []
    for result in results:
        path = numbered(out, result.index) if result.of > 1 else out
        write_file(path, embed(result.data, result.receipt))
        made.append(
            {
                "path": str(path),
                "seed": result.seed,
                "width": result.width,
                "height": result.height,
                "digest": result.digest,
                "notes": msgspec.to_builtins(result.notes),
            }
        )
    return made


def numbered(out: Path, index: int) -> Path:
    """Return the path of picture `index`, counted from 0: `cat-1.png` for `cat.png`."""
    return out.with_name(f"{out.stem}-{index + 1}{out.suffix}")
