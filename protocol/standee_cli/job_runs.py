"""A job from a terminal: hand it in, watch it, cancel it with Ctrl-C, write its pictures."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from standee.composition import Composition
from standee.connection import connection_file
from standee.document.receipt import embed
from standee.errors import JobCancelled, NotConnected, StandeeError, StorageFull, UnknownJob
from standee.files import check_writable, write_atomically
from standee.wire.events import Result
from standee.wire.messages import Cutout

from .console import Console, Shown

if TYPE_CHECKING:
    from standee.client.client import Client
    from standee.wire.operations import Blobs


Kept = TypeVar("Kept")

STDIO = Path("-")
"""The name of stdin and stdout."""


def connect(context: click.Context, start: bool = False, timeout: float = 5.0) -> Client:
    """Return a connection that closes with the command; with `start`, launch the daemon, in its own time.

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
    client = Client.connect(start=start, connection_file=file, timeout=60.0 if start else timeout)
    return context.with_resource(client)


def run_job(
    client: Client,
    spec: Composition | Cutout,
    blobs: Blobs,
    keep: Callable[[list[Result]], Kept],
    *,
    priority: int = 0,
    download: bool = False,
    shown: Shown = "auto",
) -> Kept:
    """Submit, show progress, wait, `keep` the results, and release the job once they are kept.

    Ctrl-C cancels the job and raises `JobCancelled`.
    """
    from standee.client.client import new_job_id

    job = new_job_id()
    try:
        client.submit(spec, blobs, job_id=job, priority=priority, download=download)
        results = wait_for_job(client, job, shown)
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
    return keep_results(client, job, results, keep)


def wait_for_job(client: Client, job: str, shown: Shown) -> list[Result]:
    """Show the progress of a job and wait for its results; one that ends without any is released."""
    from .progress import ProgressDisplay

    try:
        with ProgressDisplay(shown) as watching:
            return client.wait(job, watching)
    except NotConnected:  # the job goes on
        raise
    except StandeeError:
        with suppress(StandeeError):
            client.release(job)
        raise


def keep_results(
    client: Client, job: str, results: list[Result], keep: Callable[[list[Result]], Kept]
) -> Kept:
    """Put results where they are wanted, then release their job: until then the daemon has them.

    Raises what `keep` raises; a `StorageFull` says where the pictures still are.
    """
    try:
        kept = keep(results)
    except StorageFull as error:
        raise StorageFull(
            error.message,
            fix=f"{error.fix} The daemon keeps the picture: `standee jobs {job} -o FILE` fetches it.",
        ) from error
    client.release(job)
    return kept


def write_results(results: list[Result], out: Path, *, marked: bool = True) -> list[dict[str, Any]]:
    """Write pictures with their receipts, `out.png`, or `out-1.png` and so on; say what was made.

    `-` is stdout, which takes one picture. They are `marked` as a model's work.
    """
    made = []
    for result in results:
        path = numbered_path(out, result.index) if result.of > 1 else out
        write_output(path, embed(result.data, result.receipt, marked=marked))
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


def write_output(path: Path, data: bytes) -> None:
    """Write a file, or to stdout if it is `-`. Raises `StorageFull`."""
    if path == STDIO:
        sys.stdout.buffer.write(data)
    else:
        write_atomically(path, data)


def check_output(console: Console, out: Path, count: int = 1, size: int = 0) -> None:
    """Refuse now what could not be written after minutes of work: `count` pictures of `size` bytes each.

    Raises `StorageFull` and `UsageError`.
    """
    if out != STDIO:
        check_writable(numbered_path(out, count - 1) if count > 1 else out, count * size)
    elif console.json:
        raise click.UsageError("With `-o -` stdout is the picture, so there is no room for --json.")
    elif count > 1:
        raise click.UsageError("Stdout takes one picture. Name a file with -o.")


def numbered_path(out: Path, index: int) -> Path:
    """Return the path of picture `index`, counted from 0: `cat-1.png` for `cat.png`."""
    return out.with_name(f"{out.stem}-{index + 1}{out.suffix}")
