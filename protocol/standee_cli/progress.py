"""A job's progress on the terminal: a bar with the stage and the time left, or plain lines in a log."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from standee.formatting import how_far, time_left
from standee.wire import events
from standee.wire.events import STAGES, Event


class Watching:
    """Shows the events of one job; use it in a `with` block and call it with each event."""

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._said = self._noted = ""
        self._bar: Progress | None = None
        console = Console(stderr=True)
        if console.is_terminal and not quiet:
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
        if isinstance(event, events.Queued):
            ahead = event.position
            self._show(f"Waiting for {ahead} job{'s' * (ahead > 1)}" if ahead else "Waiting")
        elif isinstance(event, events.Started):
            again = f" (attempt {event.attempt})" if event.attempt > 1 else ""
            self._show(f"Starting{again}")
        elif isinstance(event, events.Progress):
            if event.note and event.note != self._noted:
                self._note(event.note)
            stage = STAGES.get(event.stage, event.stage.capitalize())
            count = how_far(event.stage, event.step, event.of) if event.of else ""
            self._show(stage, event.step, event.of, count, event.eta)

    def _note(self, note: str) -> None:
        self._noted = note
        if self._bar:
            self._bar.console.print(note, style="dim", highlight=False, markup=False)
        elif not self._quiet:
            click.echo(note, err=True)

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
        elif stage != self._said and not self._quiet:
            click.echo(f"{stage} ...", err=True)
        self._said = stage
