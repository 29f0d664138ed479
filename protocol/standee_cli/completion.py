"""Completion of names that only a daemon knows: models and jobs.

Nothing is started for the Tab key; without a daemon that answers at once there is nothing to offer.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import click
from click.shell_completion import CompletionItem

from standee.errors import StandeeError

from .job_runs import connect

PATIENCE = 1.0
"""Seconds that the Tab key waits for the daemon."""

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def model_names(
    context: click.Context, parameter: click.Parameter, start: str
) -> list[CompletionItem]:
    """Return the models that a name begins, or folders where it is a path."""
    if os.sep in start or start in (".", "~"):
        return [CompletionItem(start, type="dir")]
    try:
        found = connect(context, timeout=PATIENCE).models()
    except StandeeError:
        return []
    return [
        CompletionItem(model.name, help=model.family)
        for model in found
        if model.name.startswith(start)
    ]


def job_ids(*states: str) -> Complete:
    """Return a completion of the ids of jobs in one of these states, of all without any."""

    def complete(
        context: click.Context, parameter: click.Parameter, start: str
    ) -> list[CompletionItem]:
        try:
            found = connect(context, timeout=PATIENCE).jobs()
        except StandeeError:
            return []
        return [
            CompletionItem(job.job, help=f"{job.state}: {job.summary}")
            for job in found
            if job.job.startswith(start) and (not states or job.state in states)
        ]

    return complete
