"""The spread of a job over slots: its pictures are made wherever there is nothing else to do.

Picture i of a job is the picture of its seed + i, whichever slot makes it. The job stays one: the slot that has claimed
it makes pictures too, waits for the others, and takes back what has not begun elsewhere, where a model is still being
loaded. What ends one picture ends the job, unless a machine is lost or has not got the files: then others make it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from functools import partial

import msgspec

from standee.wire.events import PREPARING, Preview, Progress, Result
from standee.wire.notes import Note

from ..storage.job import Job
from .slots import Slot
from .worker_process import Free, NotHere, Report, WorkerDied


class _Sampling(msgspec.Struct):
    seed: int = 0
    count: int = 1


class _Spec(msgspec.Struct):
    """What counts here of a composition."""

    sampling: _Sampling = msgspec.field(default_factory=_Sampling)


@dataclass(eq=False)
class Part:
    """One picture that a slot is at: whether its model is there, how far it is, and whether it was taken back."""

    index: int
    slot: Slot
    begun: bool = False
    step: int = 0
    of: int = 0
    taken_back: bool = False


class Spread:
    """The pictures of one job: those that are left, those that slots are at, and those that are made."""

    def __init__(self, job: Job, count: int, seed: int, report: Report) -> None:
        self.job = job
        self.shared = False
        self._count, self._seed, self._report = count, seed, report
        self._left = deque(range(count))
        self._parts: list[Part] = []
        self._made: dict[int, Result] = {}
        self._ended: BaseException | None = None
        self._news = asyncio.Event()
        self._began: float | None = None
        self._notes: list[Note] = []
        self._home: Slot | None = None

    @classmethod
    def of(cls, job: Job, report: Report) -> Spread | None:
        """Return the spread of a job that has several pictures."""
        if job.kind != "compose":
            return None
        try:
            sampling = msgspec.json.decode(job.spec, type=_Spec).sampling
        except msgspec.MsgspecError:
            return None
        return cls(job, sampling.count, sampling.seed, report) if sampling.count > 1 else None

    @property
    def slots(self) -> list[Slot]:
        """Those that are at it."""
        return [part.slot for part in self._parts]

    def wants(self, slot: Slot) -> bool:
        """Return whether a picture is left for a slot that is not at this job."""
        return bool(self._left) and self._ended is None and slot not in self.slots

    async def run(self, slot: Slot, free: Free) -> list[Result]:
        """Make the pictures in the slot that has claimed the job, beside those that `help`; see `Slot.run`."""
        self._home = slot
        try:
            while self._ended is None and len(self._made) < self._count:
                index = self._next()
                if index is None:
                    await self._changed()
                else:
                    await self._make(Part(index, slot), _never if self._left else free)
        except Exception as error:
            self.end(error)
        if self._ended is not None:
            while not all(part.taken_back for part in self._parts):
                await self._changed()
            raise self._ended
        return [self._made[index] for index in range(self._count)]

    async def help(self, slot: Slot) -> None:
        """Make one of the pictures in another slot. Raises `WorkerDied` and `NotHere`, which tell of the slot."""
        self.shared = True
        part = Part(self._left.popleft(), slot)
        try:
            await self._make(part, _never)
        except (WorkerDied, NotHere) as error:
            if not part.taken_back:
                if isinstance(error, WorkerDied) and error.blamed:
                    self.end(error)
                else:
                    self._left.append(part.index)
            raise
        except Exception as error:
            if not part.taken_back:
                self.end(error)

    def end(self, how: BaseException, hard: bool = False) -> None:
        """Make no more pictures, and stop those that slots are at."""
        known, self._ended = self._ended is not None, self._ended or how
        self._news.set()
        for part in self._parts:
            if not part.taken_back and (hard or not known):
                part.slot.cancel(self.job.key, hard)

    def _next(self) -> int | None:
        """Return a picture to make at home: one that is left, or one that waits for its model elsewhere."""
        if self._left:
            return self._left.popleft()
        for part in self._parts:
            if not part.begun and not part.taken_back:
                part.taken_back = True
                part.slot.cancel(self.job.key, False)
                return part.index
        return None

    async def _changed(self) -> None:
        await self._news.wait()
        self._news.clear()

    async def _make(self, part: Part, free: Free) -> None:
        self._parts.append(part)
        try:
            job = self._job_of(part.index)
            [made] = await part.slot.run(job, partial(self._take, part), free)
            if not part.taken_back:
                whole = msgspec.structs.replace(made, index=part.index, of=self._count)
                self._made[part.index] = whole
        finally:
            self._parts.remove(part)
            self._news.set()

    def _job_of(self, index: int) -> Job:
        """Return the job of one picture."""
        spec = msgspec.json.decode(self.job.spec)
        spec["sampling"] |= {"seed": self._seed + index, "count": 1}
        return msgspec.structs.replace(self.job, spec=msgspec.json.encode(spec))

    def _take(self, part: Part, happened: Progress | Preview) -> None:
        """Tell of the job what a slot tells of one of its pictures."""
        if part.taken_back or self._ended is not None:
            return
        if isinstance(happened, Preview):
            if part.slot is self._home:  # of one picture, as it comes on
                self._report(msgspec.structs.replace(happened, step=self._done(part.of)))
            return
        self._notes += [note for note in happened.notes if note not in self._notes]
        notes = tuple(self._notes)
        if happened.stage == "denoising":
            part.begun, part.step, part.of = True, happened.step, happened.of
            self._began = self._began or time.monotonic()
            done, of = self._done(happened.of), self._count * happened.of
            left = (time.monotonic() - self._began) / max(done, 1) * (of - done)
            self._report(Progress(stage=happened.stage, step=done, of=of, eta=left, notes=notes))
        else:
            part.begun |= happened.stage not in PREPARING
            if self._began is None:
                self._report(msgspec.structs.replace(happened, notes=notes))

    def _done(self, each: int) -> int:
        """Return how many steps are done, of all pictures, with so many each."""
        going = sum(part.step for part in self._parts if not part.taken_back)
        return len(self._made) * each + going


def _never() -> None:
    """Let no job come beside this one: its next picture may be made here."""
