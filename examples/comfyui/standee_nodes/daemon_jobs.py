"""Jobs of a node: handed to the daemon, followed in ComfyUI's progress bar, cancelled by its interrupt."""

from __future__ import annotations

import io
import logging
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.utils
from PIL import Image

from standee import Client, Composition, Result, StandeeError
from standee.client.client import new_job_id
from standee.errors import InvalidField, JobCancelled, NotConnected
from standee.files import NETWORK
from standee.wire.jobs import JobStatus
from standee.wire.notes import note_text

log = logging.getLogger("standee")

PATIENCE = 60.0
"""Seconds that a daemon may be away before the node fails."""
ROUND = 0.02
"""Seconds between two looks at the daemon, and at ComfyUI's interrupt."""
PREVIEW_SIDE = 512
"""The longer side of a preview in ComfyUI, px."""


def run_job(
    composition: Composition, pictures: Mapping[str, bytes], connection: str
) -> list[Result]:
    """Return the results of a composition, in order.

    `connection` is the file of `standee pair`; without one it is that of STANDEE_CONNECTION, or the user's own
    daemon, which is started where none runs. Nothing is downloaded: a workflow, which may be a stranger's, cannot say
    yes to that. Raises the job's error, and ComfyUI's own where it is interrupted.
    """
    named = connection.strip() or os.environ.get("STANDEE_CONNECTION", "")
    file = Path(named).expanduser() if named else None
    if named.startswith(NETWORK):
        raise InvalidField(
            f"{named[:80]} is a file of another computer, which a workflow may not name.",
            fix="Copy it onto this machine.",
        )
    if file is not None and not file.exists():
        raise NotConnected(
            f"There is no file {file}.", fix="Make one with `standee pair` where the daemon is."
        )
    with Client.begin_connect(start=file is None, connection_file=file) as client:
        job = new_job_id()
        try:
            results = _follow(client, job, composition, pictures)
        except BaseException:
            if client.connected:
                with suppress(StandeeError):
                    client.cancel(job)
            raise
        client.release(job)
    for note in dict.fromkeys(note_text(note) for result in results for note in result.notes):
        log.info("Standee: %s", note)
    return results


def _follow(
    client: Client, job: str, composition: Composition, pictures: Mapping[str, bytes]
) -> list[Result]:
    """Hand in a job and move the progress bar until it has ended."""
    task = client.begin_submit(composition, pictures, job_id=job)
    bar = comfy.utils.ProgressBar(1)
    status, results = JobStatus(job), []
    heard = time.monotonic()
    while not status.finished:
        comfy.model_management.throw_exception_if_processing_interrupted()
        for event in client.poll():
            status = status.after(event)
            if isinstance(event, Result):
                results.append(event)
            if status.of:
                bar.update_absolute(status.step, status.of, _preview(status.preview))
        if task.error is not None:
            raise task.error
        heard = time.monotonic() if client.connected else heard
        if time.monotonic() - heard > PATIENCE:
            raise NotConnected("No daemon answers.", fix="Start one with `standee serve`.")
        time.sleep(ROUND)
    if status.error is not None:
        raise status.error
    if status.state == "cancelled":
        raise JobCancelled("The job was cancelled.", fix="Queue it again.")
    return results


def _preview(data: bytes) -> tuple[str, Any, int] | None:
    """Return a small picture as ComfyUI's progress bar takes it."""
    if not data:
        return None
    try:
        return "JPEG", Image.open(io.BytesIO(data)).convert("RGB"), PREVIEW_SIDE
    except OSError:  # no picture that is known here: it is only a preview
        return None
