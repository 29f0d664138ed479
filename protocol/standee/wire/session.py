"""A client's side of the conversation as pure state: frames in, events and frames out, no socket.

An *operation* is a generator that yields requests and gets their answers; uploads, downloads and
submissions are operations. The session numbers requests, keeps those without an answer, asks them again
after a lost connection (each is safe to ask twice), keeps each job's events in order and without
repetition, and pulls results before it hands them out. `client/transport.py` moves the frames.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

import msgspec

from ..errors import BadMessage, IncompatibleVersion, JobFailed, StandeeError
from . import codec
from .events import AnyEvent, Event, Failed, Problem, Result, ends
from .messages import (
    PROTOCOL,
    Answer,
    AnyAnswer,
    AnyRequest,
    Hello,
    JobAttach,
    JobState,
    JobSubmit,
    Ping,
    Refused,
    Request,
    Welcome,
)
from .operations import Operation, TransferProgress, download

T = TypeVar("T")

IN_FLIGHT = 32
"""How many requests may wait for an answer; the daemon refuses more than its `limits.requests`."""
PING_AFTER = 4.0
"""Seconds of silence after which a sign of life is asked for."""
LOST_AFTER = 12.0
"""Seconds of silence after which the connection counts as lost."""


class Task(Generic[T]):
    """Something begun that the session moves on.

    `done` becomes true; then `result()` returns what came of it or raises the `StandeeError`,
    which `error` holds too. `progress` (0..1) is the part of the bytes sent or received.
    """

    def __init__(self, operation: Operation[T], transfer: TransferProgress | None = None) -> None:
        self.done = False
        self.error: StandeeError | None = None
        self._flow = operation
        self._transfer = transfer or TransferProgress()
        self._value: T | None = None
        self._waiting: list[int] = []
        self._answers: dict[int, AnyAnswer] = {}

    @property
    def progress(self) -> float:
        return 1.0 if self.done else self._transfer.part

    def result(self) -> T:
        """Return what came of it. Raises the task's error, or `RuntimeError` before the end."""
        if self.error is not None:
            raise self.error
        if not self.done:
            raise RuntimeError("The task is not done; poll the client until it is.")
        return cast(T, self._value)


@dataclass
class _Watch:
    """A job whose events the host wants.

    `attached` is true between the answer to an attach (or submit), after which the daemon sends the
    past first, and the loss of that connection. Before it, events could overtake the past.
    """

    job: str
    last_seq: int
    confirmed: bool
    attached: bool = False
    waiting: deque[Event] = field(default_factory=deque)
    pull: Task[bytes] | None = None


class Session:
    """The state of one client. All methods return at once."""

    def __init__(self, client: str = "") -> None:
        self.welcome: Welcome | None = None
        self.error: StandeeError | None = None
        self._client = client
        self._next_id = 1
        self._queue: deque[Request] = deque()
        self._pending: dict[int, tuple[Request, Task[Any] | None]] = {}
        self._hello: int | None = None
        self._urgent: deque[Request] = deque()
        self._watches: dict[str, _Watch] = {}
        self._events: list[Event] = []
        self._heard = 0.0
        self._pinged = False

    # -- the host's side -------------------------------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether the daemon has greeted back on the present connection."""
        return self.welcome is not None and self._hello is None

    @property
    def busy(self) -> bool:
        """Whether anything waits for the daemon: an answer, or a watched job's end."""
        return bool(self._pending or self._queue or self._watches)

    def begin(self, operation: Operation[T], transfer: TransferProgress | None = None) -> Task[T]:
        """Start an operation."""
        task = Task(operation, transfer)
        self._resume(task, None)
        return task

    def watch(self, job: str, since_seq: int = 0, *, confirmed: bool = True) -> None:
        """Hand out the events of `job` after `since_seq`; a job that is not there comes as failed.

        With `confirmed=False` the job is about to be submitted, which attaches to it by itself.
        """
        self._watches[job] = _Watch(job, since_seq, confirmed)
        if confirmed and self.ready:
            self._attach(job)

    def unwatch(self, job: str) -> None:
        """Want no more events of `job`."""
        self._watches.pop(job, None)

    def confirm(self, job: str) -> None:
        """Take note that the daemon holds `job`: after a lost connection attach to it again."""
        if watch := self._watches.get(job):
            watch.confirmed = True

    def take_events(self, job: str | None = None) -> list[Event]:
        """Return the events (of `job`) that were not taken yet, in order."""
        taken = [event for event in self._events if job in (None, event.job)]
        self._events = [event for event in self._events if job not in (None, event.job)]
        return taken

    # -- the driver's side -----------------------------------------------------------------------

    def connected(self, now: float) -> None:
        """A fresh connection stands: greet, and after the greeting ask all that is open again."""
        self.lost()
        self.error = None
        self._heard = now
        hello = Hello(id=self._number(), client=self._client)
        self._hello = hello.id
        self._urgent.append(hello)

    def lost(self) -> None:
        """The connection is gone; everything without an answer waits for the next."""
        self._urgent.clear()
        self._hello = self._hello or -1
        self._pinged = False
        for watch in self._watches.values():
            watch.attached = False
        for number, (request, task) in list(self._pending.items()):
            if task is None and isinstance(request, JobAttach):
                del self._pending[number]  # the next greeting attaches anew
        self._queue = deque(request for request, _ in self._pending.values())

    def next_frames(self) -> codec.Frames | None:
        """Return the frames of the next message to send, or `None` when there is nothing now."""
        if self._urgent:
            return codec.encode(self._urgent.popleft())
        if not self.ready or not self._queue:
            return None
        unsent = len(self._queue)
        if len(self._pending) - unsent >= IN_FLIGHT:
            return None
        return codec.encode(self._queue.popleft())

    def receive(self, frames: Sequence[bytes], now: float) -> None:
        """Take in one message of the daemon. What cannot be read is dropped."""
        self._heard, self._pinged = now, False
        try:
            message = codec.answer_or_event(codec.unpack(frames))
        except StandeeError:
            return
        if isinstance(message, Answer):
            self._take_answer(message)
        else:
            self._take_event(message)

    def tick(self, now: float) -> bool:
        """Keep the connection alive; return `False` when it has been silent for too long."""
        silence = now - self._heard
        if silence > LOST_AFTER:
            return False
        if self.ready and silence > PING_AFTER and not self._pinged:
            self._pinged = True
            self._urgent.append(Ping(id=0))
        return True

    # -- requests and answers --------------------------------------------------------------------

    def _number(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _take_answer(self, answer: AnyAnswer) -> None:
        if answer.re == self._hello:
            self._take_welcome(answer)
            return
        request, task = self._pending.pop(answer.re, (None, None))
        if isinstance(request, JobAttach) and isinstance(answer, Refused):
            self._finish_watch(request.job, answer.error)
        if isinstance(answer, JobState) and answer.job in self._watches:
            self._watches[answer.job].attached |= isinstance(request, JobAttach | JobSubmit)
        if task is None:
            return
        task._answers[answer.re] = answer
        if len(task._answers) == len(task._waiting):
            answers = [task._answers[number] for number in task._waiting]
            self._resume(task, answers)

    def _take_welcome(self, answer: AnyAnswer) -> None:
        if isinstance(answer, Refused):
            self.error = answer.error.exception()
        elif not isinstance(answer, Welcome) or answer.version[0] != PROTOCOL[0]:
            self.error = IncompatibleVersion(
                "The daemon speaks another version of the protocol.",
                fix="Install the same version of Standee on both sides.",
            )
        else:
            self.welcome = answer
            self._hello = None
            for watch in self._watches.values():
                if watch.confirmed:
                    self._attach(watch.job)

    def _attach(self, job: str) -> None:
        last_seq = self._watches[job].last_seq
        self._ask(JobAttach(job=job, since_seq=last_seq), None)

    def _ask(self, request: Request, task: Task[Any] | None) -> int:
        request = msgspec.structs.replace(request, id=self._number())
        self._pending[request.id] = (request, task)
        self._queue.append(request)
        return request.id

    def _resume(self, task: Task[Any], answers: list[AnyAnswer] | None) -> None:
        refused = next((a for a in answers or () if isinstance(a, Refused)), None)
        operation = cast(Generator[list[AnyRequest], list[AnyAnswer] | None, Any], task._flow)
        try:
            if refused is not None:
                requests = operation.throw(refused.error.exception())
            else:
                requests = operation.send(answers)
        except StopIteration as end:
            task._value, task.done = end.value, True
        except StandeeError as error:
            task.error, task.done = error, True
        except (AttributeError, TypeError, ValueError, KeyError):
            # An operation takes the answers it asked for; what else there is comes from another program.
            task.error = BadMessage(
                "The daemon gave an answer of another kind than it was asked for.",
                fix="Install the same version of Standee on both sides.",
            )
            task.done = True
        except OSError as error:
            task.error = StandeeError(f"A picture cannot be read: {error}.", fix="Check the file.")
            task.done = True
        else:
            task._answers = {}
            task._waiting = [self._ask(request, task) for request in requests]
            return
        for watch in list(self._watches.values()):
            if watch.pull is task:
                self._finish_pull(watch, task)

    # -- events ----------------------------------------------------------------------------------

    def _take_event(self, event: AnyEvent) -> None:
        watch = self._watches.get(event.job)
        if watch is None or not watch.attached or event.seq <= watch.last_seq:
            return
        watch.last_seq = event.seq
        watch.waiting.append(event)
        self._hand_out(watch)

    def _hand_out(self, watch: _Watch) -> None:
        """Emit a job's events up to the first result whose picture has to be pulled."""
        while watch.waiting and watch.pull is None:
            event = watch.waiting[0]
            if isinstance(event, Result) and not event.data:
                watch.pull = self.begin(download(event.digest))
                return
            watch.waiting.popleft()
            self._events.append(event)
            if ends(event):
                self._watches.pop(watch.job, None)

    def _finish_pull(self, watch: _Watch, task: Task[bytes]) -> None:
        event = cast(Result, watch.waiting.popleft())
        watch.pull = None
        if task.error is not None:
            self._finish_watch(watch.job, Problem.of(task.error))
            return
        data = task.result()
        if not data:
            self._finish_watch(watch.job, Problem.of(JobFailed("The result is empty.")))
            return
        watch.waiting.appendleft(msgspec.structs.replace(event, data=data))
        self._hand_out(watch)

    def _finish_watch(self, job: str, problem: Problem) -> None:
        if watch := self._watches.pop(job, None):
            self._events.append(Failed(job=job, seq=watch.last_seq, error=problem))
