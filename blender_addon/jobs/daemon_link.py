"""Connection to the daemon: a client that a timer polls, so that Blender never waits.

A tick of about 2 ms moves messages and background tasks; the timer runs while there is any.
"""

import contextlib
import time
from collections.abc import Callable
from typing import Any

import bpy

from standee.client.client import Client
from standee.composition import Composition
from standee.errors import (
    DownloadNeeded,
    InvalidField,
    MissingDependency,
    NotConnected,
    StandeeError,
)
from standee.geometry import PATCH
from standee.wire.events import Event, Preview, Result
from standee.wire.messages import Cutout, Download, ModelInfo
from standee.wire.session import Task

from ..i18n.translations import say
from ..redraw import redraw
from ..scene.composition_io import Blobs, Work
from ..scene.scene_properties import known_models
from . import job as jobbing
from . import preview_icons
from .background_tasks import BackgroundTask, BackgroundTasks
from .begin_client import begin_client
from .downloads import offered
from .job import Job
from .presence import Notice, Presence, no_daemon_notice

BUDGET = 0.002
"""Seconds that one tick may take."""
BUSY, WAITING = 0.01, 0.05
"""Seconds between ticks while bytes or background tasks move, and while a job only has to be waited for."""
PATIENCE = 5.0
"""Seconds without a daemon after which that is said."""


class DaemonLink:
    """The state of this Blender's talk with the daemon. One per Blender."""

    def __init__(self) -> None:
        self.jobs: dict[str, Job] = {}
        self._know(())
        self.notice: Notice | None = None
        self.pause: float | None = BUSY
        self.on_result: Callable[[Job, Result], BackgroundTask] | None = None
        self.on_over: Callable[[Job], None] | None = None
        self._client: Client | None = None
        self.given_up: StandeeError | None = None
        self._followed: set[str] = set()
        self._client_tasks: list[tuple[Task[Any], Callable[[Task[Any]], None]]] = []
        self._background_tasks = BackgroundTasks()
        self._presence = Presence()
        self._cannot_start = False

    # -- what the rest of the extension asks -----------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether the daemon answers."""
        return self.looking and self._client is not None and self._client.connected

    @property
    def looking(self) -> bool:
        """Whether the daemon is looked for, or answers."""
        return self._client is not None and self.given_up is None

    @property
    def alone(self) -> float:
        """Seconds since which the daemon is looked for in vain; 0 while it answers."""
        return self._presence.alone

    @property
    def unfinished(self) -> list[Job]:
        """The jobs that are not over, oldest first."""
        return [job for job in self.jobs.values() if not job.over]

    def status_text(self, job: Job) -> str:
        """Return the status of a job in words; nothing moves while no daemon answers."""
        waits = job.handed_in and not job.over and not self.connected
        return say("Waiting for the daemon") if waits else job.text

    def patch(self, model: str) -> int:
        """Return the side of a token of a model, in px."""
        return next((info.patch for info in self.models if info.name == model), PATCH)

    def connect(self) -> None:
        """Begin to look for the daemon, or look again. Errors become the notice.

        What is under way goes on when one answers; pictures that wait there are asked for again.
        """
        try:
            self._look_anew()
        except StandeeError as error:
            self.show_error(error)

    def disconnect(self) -> None:
        """Let go of the socket; jobs go on at the daemon."""
        if self._client is not None:
            self._client.close()
            self._client = None
        self._followed.clear()
        self._client_tasks.clear()
        self._presence.gone()

    def open(self) -> None:
        """Begin to look for the daemon, unless that is under way. Raises `StandeeError`."""
        if not self.looking:
            self._look_anew()

    def prepare(self, job: Job, work: Work) -> None:
        """List a job at once, and hand it in when `work` has found what it is made of."""
        self.jobs[job.id] = job
        self.run_in_background(self._prepared(job, work))

    def submit(
        self, job: Job, composition: Composition | Cutout, blobs: Blobs, priority: int = 0
    ) -> None:
        """Hand in a job. Raises `StandeeError` if the composition is not valid or nobody answers."""
        self.open()
        if job.state == "preparing":
            job.becomes("sending")
        asked = {"job_id": job.id, "priority": priority, "download": job.download}
        task = self._client.begin_submit(composition, blobs, **asked)
        self._client_tasks.append((task, lambda done: self._submitted(job, composition, done)))
        self._followed.add(job.id)
        self.jobs[job.id] = job
        jobbing.remember(list(self.jobs.values()))
        self.wake()

    def cancel(self, job: Job) -> None:
        """Stop a job within one step."""
        handed_in = job.handed_in
        if not self.looking or job.state in ("preparing", "sending"):
            job.becomes("cancelled")
            self._over(job)
        if self._client is not None and handed_in:
            self._client_tasks.append((self._client.begin_cancel(job.id), lambda done: None))
        self.wake()

    def resume(self) -> None:
        """Watch the jobs of an earlier Blender again."""
        for job in jobbing.remembered():
            self.jobs.setdefault(job.id, job)
        if self.unfinished:
            self.connect()

    def run_in_background(self, task: BackgroundTask) -> None:
        """Have a piece of work done in small steps."""
        self._background_tasks.add(task)
        self.wake()

    def show_error(self, error: StandeeError) -> None:
        """Show an error in the panel."""
        self.notice = Notice(error.message, error.fix)
        redraw()

    def dismiss_notice(self) -> None:
        """Take the notice away; what still holds is shown again."""
        self.notice, self._presence.told = None, False

    def forget(self) -> None:
        """Drop the jobs that are over from the list."""
        self.jobs = {job.id: job for job in self.jobs.values() if not job.over or job.unkept}

    @property
    def idle(self) -> bool:
        """Whether nothing is under way: no job, no result that is being kept."""
        return not (self._client_tasks or self._background_tasks or self.unfinished)

    # -- the timer -------------------------------------------------------------------------------

    def wake(self) -> None:
        """Have the timer run."""
        if not bpy.app.timers.is_registered(_tick):
            bpy.app.timers.register(_tick, first_interval=BUSY, persistent=True)

    def tick(self) -> float | None:
        """Do a little; return the seconds until the next time, `None` if there is nothing to do."""
        self.pause = BUSY  # should it fail
        self.pause = self._work()
        return self.pause

    def _work(self) -> float | None:
        began = time.perf_counter()
        moved = self._talk(began + BUDGET / 2)
        if bpy.app.is_job_running("RENDER"):  # Blender's data must stay as they are
            if moved:
                redraw()
            return WAITING
        while time.perf_counter() - began < BUDGET and self._step():
            moved = True
        if moved:
            redraw()
        if self.idle:
            return None
        return BUSY if moved or (self._client_tasks and self.looking) else WAITING

    def close(self) -> None:
        """Stop all of it; what is under way at the daemon goes on there."""
        if bpy.app.timers.is_registered(_tick):
            bpy.app.timers.unregister(_tick)
        self._background_tasks.clear()
        self.disconnect()

    # -- inside ----------------------------------------------------------------------------------

    def _look_anew(self) -> None:
        """Look for the daemon as if for the first time. Raises `StandeeError`."""
        self.dismiss_notice()
        self._cannot_start = False
        self._open()
        self.wake()

    def _open(self) -> None:
        """Look for the daemon, with the client there is: what it has under way goes on.

        Raises `StandeeError`.
        """
        try:
            self._client = begin_client(self._client, start=not self._cannot_start)
        except StandeeError as error:
            self._give_up(error)
            raise
        self.given_up = None
        self._presence.look()
        for job in self.jobs.values():
            if job.unkept:
                job.begins_again()
                self._followed.discard(job.id)
            if job.handed_in and not job.over and job.id not in self._followed:
                self._followed.add(job.id)
                self._client.begin_watch(job.id)

    def _talk(self, deadline: float) -> bool:
        """Move messages; return whether anything happened."""
        if self._client is None or self.given_up:
            return False
        try:
            events = self._client.poll(max(0.0005, deadline - time.perf_counter()))
        except StandeeError as error:
            self._lost(error)
            return True
        self._check_presence()
        done = [(task, then) for task, then in self._client_tasks if task.done]
        self._client_tasks = [(task, then) for task, then in self._client_tasks if not task.done]
        for task, then in done:
            then(task)
        for event in events:
            self._happened(event)
        return bool(events or done)

    def _know(self, models: tuple[ModelInfo, ...]) -> None:
        """Keep what the daemon says of its models; their names are offered where one is chosen."""
        self.models: tuple[ModelInfo, ...] = models
        known_models[:] = [model.name for model in models]

    def _check_presence(self) -> None:
        """Say so when nobody answers for a while, and take it back when somebody does."""
        if self._client.connected:
            if self._presence.alone and self._client.welcome is not None:
                self._know(self._client.welcome.models)
            if self._presence.answers():
                self.notice = None
        elif self._presence.is_to_be_told(PATIENCE):
            self.notice = no_daemon_notice(len(self.unfinished))
            redraw()

    def _lost(self, error: StandeeError) -> None:
        """There is no way on without a person: say why. Jobs wait for the next connection.

        That a daemon cannot be started is no such end: one may be started by hand.
        """
        if isinstance(error, (MissingDependency, NotConnected)) and not self._cannot_start:
            self._cannot_start = True
            with contextlib.suppress(StandeeError):
                self._open()
                self.show_error(error)
                self._presence.told = True  # so it is taken back when one answers
                return
        self.show_error(error)
        self._give_up(error)

    def _give_up(self, error: StandeeError) -> None:
        """Look no more until somebody asks for it."""
        self.given_up = error
        self._presence.gone()

    def _prepared(self, job: Job, work: Work) -> BackgroundTask:
        try:
            composition, blobs = yield from work
            if not job.over:
                self.submit(job, composition, blobs)
        except StandeeError as error:
            self._failed(job, error)
        except Exception as error:  # such as what undo took away meanwhile
            said = f"The scene could not be taken: {error}."
            self._failed(job, InvalidField(said, fix="Compose again."))

    def _failed(self, job: Job, error: StandeeError, even_if_over: bool = False) -> None:
        if even_if_over or not job.over:
            job.fail(error)
            self.show_error(error)
            self._over(job)

    def _submitted(self, job: Job, composition: Composition | Cutout, task: Task[str]) -> None:
        if task.error is not None:
            self._failed(job, task.error)
            if isinstance(task.error, DownloadNeeded) and self._client is not None:
                asked = self._client.begin_downloads(composition)
                self._client_tasks.append((asked, lambda done: self._ask(job, done)))
        elif job.state == "sending":
            job.becomes("queued")
        elif job.state == "cancelled":  # the daemon did not know it then
            self.cancel(job)

    def _ask(self, job: Job, done: Task[tuple[Download, ...]]) -> None:
        self.notice = offered(done, job)

    def _happened(self, event: Event) -> None:
        job = self.jobs.get(event.job)
        if job is None or (job.over and job.state != "cancelled"):
            return
        job.take(event)
        if isinstance(event, Preview):
            self.run_in_background(preview_icons.decode(job))
        if isinstance(event, Result) and self.on_result is not None:
            self.run_in_background(self._keep(job, event))
        elif job.over:
            if job.state == "failed":
                self.notice = Notice(job.error, job.fix)
            self._over(job)

    def _keep(self, job: Job, event: Result) -> BackgroundTask:
        """Keep a result; when all are safe the daemon forgets the job, and until then has them."""
        try:
            yield from self.on_result(job, event)
        except (OSError, StandeeError) as error:
            self._failed(job, job.not_kept(error), even_if_over=True)
            return
        job.kept += 1
        if job.over and job.kept == job.status.arrived:
            self._over(job)
            if self._client is not None:
                self._client_tasks.append((self._client.begin_release(job.id), lambda done: None))

    def _over(self, job: Job) -> None:
        job.preview = None
        preview_icons.drop(job.id)
        jobbing.remember(list(self.jobs.values()))
        if self.on_over is not None:
            self.on_over(job)
        redraw()

    def _step(self) -> bool:
        """Do one step of a task; return whether there was any. What goes wrong is told."""
        try:
            return self._background_tasks.step()
        except StandeeError as error:
            self.show_error(error)
        except Exception as error:  # whatever it is, the timer must go on
            self.notice = Notice(f"Something could not be finished: {error}.", "Try it again.")
        return True


def _tick() -> float | None:
    """What the timer calls: the tick, within an operator, to which writing is always allowed: a
    render thread can leave Blender refusing that Python writes to scenes, for good."""
    with contextlib.suppress(RuntimeError):  # what goes wrong in a tick is said in the panel
        bpy.ops.standee.tick()
    return link().pause


_link: DaemonLink | None = None


def link() -> DaemonLink:
    """Return the link of this Blender."""
    global _link
    if _link is None:
        _link = DaemonLink()
    return _link


def drop() -> None:
    """Let go of the link."""
    global _link
    if _link is not None:
        _link.close()
        _link = None
