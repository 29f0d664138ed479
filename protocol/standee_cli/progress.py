"""A job's progress on the terminal: a bar with the stage and the time left, or plain lines in a log."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

import click
import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from standee.formatting import how_far, time_left
from standee.wire.events import STAGES, Event, Preview
from standee.wire.jobs import JobStatus
from standee.wire.notes import Note, note_text

from .console import Shown


class ProgressDisplay:
    """Shows the events of one job; use it in a `with` block and call it with each event."""

    def __init__(self, shown: Shown = "auto") -> None:
        self._shown = shown
        self._status = JobStatus("")
        self._said, self._noted = "", 0
        self._bar: Progress | None = None
        console = Console(stderr=True)
        if console.is_terminal and shown == "auto":
            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[count]}"),
                TextColumn("{task.fields[left]}"),
                console=console,
                transient=True,
            )
            self._task = self._bar.add_task("Connecting", total=None, count="", left="")

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    def __call__(self, event: Event) -> None:
        """Show what an event means."""
        if self._shown == "json":
            click.echo(event_line(event), err=True)
            return
        now = self._status = self._status.after(event)
        for note in now.notes[self._noted :]:
            self._note(note)
        self._noted = max(self._noted, len(now.notes))
        if now.state == "queued":
            ahead = now.position
            self._show(f"Waiting for {ahead} job{'s' * (ahead > 1)}" if ahead else "Waiting")
        elif now.state == "running" and not now.stage:
            self._show(f"Starting (attempt {now.attempt})" if now.attempt > 1 else "Starting")
        elif now.state == "running" and not isinstance(event, Preview):
            stage = STAGES.get(now.stage, now.stage.capitalize())
            count = how_far(now.stage, now.step, now.of) if now.of else ""
            self._show(stage, now.step, now.of, count, now.eta)

    def _note(self, note: Note) -> None:
        said = note_text(note)
        if self._bar:
            self._bar.console.print(said, style="dim", highlight=False, markup=False)
        elif self._shown == "auto":
            click.echo(said, err=True)

    def _show(
        self, stage: str, step: int = 0, of: int = 0, count: str = "", eta: float | None = None
    ) -> None:
        if self._bar:
            left = "" if eta is None else f"{time_left(eta)} left"
            self._bar.update(
                self._task,
                description=stage,
                completed=step,
                total=of or None,
                count=count,
                left=left,
            )
        elif stage != self._said and self._shown == "auto":
            click.echo(f"{stage} ...", err=True)
        self._said = stage


def event_line(event: Event) -> str:
    """Return an event as a line of JSON, with the fields that it has on the wire; a preview without its picture."""
    fields = msgspec.to_builtins(event, builtin_types=(bytes,))
    fields.pop("data", None)
    return json.dumps(fields)


@contextmanager
def counted(title: str) -> Iterator[Callable[[int, int, str], None]]:
    """Show how many of something are done: give what is yielded the number, of how many, and the name of each."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda done, of, name: click.echo(f"{done} of {of}: {name}", err=True)
        return
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, of, name: bar.update(task, completed=done, total=of)
