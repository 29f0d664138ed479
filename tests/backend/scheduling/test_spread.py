"""A job of several pictures over several slots: all with nothing else to do make some, and it stays one job."""

import asyncio
import json

import pytest

from standee.errors import JobCancelled, JobFailed, UnknownModel
from standee.wire import codec
from standee.wire.events import Failed, Progress, Result
from standee.wire.worker_info import WorkerInfo
from standee_backend.daemon.peer import Peer
from standee_backend.scheduling.scheduler import Scheduler
from standee_backend.scheduling.worker_process import NotHere, WorkerDied
from standee_backend.storage.disk_thread import DiskThread
from standee_backend.storage.job_store import JobStore

SPEC = json.dumps({"sampling": {"seed": 7, "count": 6, "model": "mini"}}).encode()
SEEDS = [7, 8, 9, 10, 11, 12]
LACKS = NotHere(UnknownModel("alpha has not got the files.", path="$.sampling.model"))


class Machine:
    """A slot that makes each picture in two steps, or raises, or loads its model until it is cancelled."""

    open = True

    def __init__(self, name, does="paint", seconds=0.02):
        self.name, self.does, self.seconds = name, does, seconds
        self.made, self.cancelled = [], []
        self._here = None

    def info(self):
        return WorkerInfo(name=self.name, state="idle")

    def cancel(self, key, hard):
        self.cancelled.append(hard)
        if self._here:
            self._here.set_exception(JobCancelled("cancelled"))
            self._here = None
        return True

    async def run(self, job, report, free):
        assert self._here is None, "one at a time"
        sampling = json.loads(job.spec)["sampling"]
        assert sampling["model"] == "mini"
        if isinstance(self.does, Exception):
            await asyncio.sleep(self.seconds)
            raise self.does
        self._here = asyncio.get_running_loop().create_future()
        if self.does == "load":
            report(Progress(stage="loading", step=0, of=1))
            await self._here
        first, count = sampling.get("seed", 0), sampling.get("count", 1)
        for seed in range(first, first + count):
            for step in (1, 2):
                done, _ = await asyncio.wait([self._here], timeout=self.seconds)
                if done:
                    await self._here
                report(Progress(stage="denoising", step=step, of=2))
            self.made.append(seed)
        self._here = None
        return [
            Result(seed=seed, digest=f"{seed:064}", size=7, width=16, height=16, index=i, of=count)
            for i, seed in enumerate(range(first, first + count))
        ]


def play(tmp_path, *machines, during=None):
    """Run a job of six pictures on some machines; return how it ended and all that was told of it."""
    told = []

    def hear(identity, frames):
        told.append(codec.answer_or_event(codec.unpack(frames)))
        return True

    async def main():
        store, disk = JobStore(tmp_path / "jobs.sqlite"), DiskThread("store")
        scheduler = Scheduler(store, disk, machines)
        serving = [
            asyncio.create_task(scheduler.serve(machine)) for machine in machines for _ in range(2)
        ]
        await asyncio.sleep(0.05)  # all wait for work
        job, _, _ = store.submit("me", "job-0001", "compose", SPEC)
        scheduler.subscribe(Peer(b"\0id", "me", 3, hear), job)
        try:
            async with asyncio.timeout(10):
                scheduler.wake()
                if during:
                    await during(scheduler)
                while not store.find("me", "job-0001").over:
                    await asyncio.sleep(0.005)
            await asyncio.sleep(0.05)
            assert not [each for each in serving if each.done() and each.exception()]
            return store.find("me", "job-0001"), told
        finally:
            for each in serving:
                each.cancel()
            disk.close()
            store.close()

    return asyncio.run(main())


def results(told):
    return [(one.index, one.of, one.seed) for one in told if isinstance(one, Result)]


WHOLE = [(index, 6, seed) for index, seed in enumerate(SEEDS)]


def test_every_slot_makes_some_of_the_pictures_and_they_come_in_order(tmp_path):
    machines = [Machine(name) for name in "abc"]
    job, told = play(tmp_path, *machines)
    assert job.state == "done"
    assert job.attempts == 1
    assert results(told) == WHOLE
    assert all(machine.made for machine in machines)
    assert sorted(seed for machine in machines for seed in machine.made) == SEEDS


def test_progress_counts_the_steps_of_all_pictures(tmp_path):
    _, told = play(tmp_path, Machine("a"), Machine("b"))
    steps = [one.step for one in told if isinstance(one, Progress)]
    assert {one.of for one in told if isinstance(one, Progress)} == {12}
    assert steps == sorted(steps)
    assert steps[-1] == 12


def opened(late):
    """Let a machine come once another has claimed the job."""

    async def during(scheduler):
        while not scheduler.busy:
            await asyncio.sleep(0.001)
        late.open = True
        scheduler.wake()

    late.open = False
    return during


def test_a_picture_that_waits_for_its_model_elsewhere_is_taken_back(tmp_path):
    paints, loads = Machine("paints"), Machine("loads", "load")
    job, told = play(tmp_path, paints, loads, during=opened(loads))
    assert job.state == "done"
    assert results(told) == WHOLE
    assert sorted(paints.made) == SEEDS
    assert loads.cancelled == [False]


@pytest.mark.parametrize("how", [WorkerDied("the cable was pulled", blamed=False), LACKS])
def test_others_make_what_a_machine_cannot(tmp_path, how):
    paints, cannot = Machine("paints"), Machine("cannot", how)
    job, told = play(tmp_path, paints, cannot, during=opened(cannot))
    assert job.state == "done"
    assert job.crashes == 0
    assert results(told) == WHOLE
    assert sorted(paints.made) == SEEDS


def test_a_picture_that_ends_a_worker_ends_the_job_which_is_tried_again_in_one_slot(tmp_path):
    class Falls(Machine):
        async def run(self, job, report, free):
            if job.attempts == 1:
                await asyncio.sleep(self.seconds)
                raise WorkerDied("it fell")
            return await super().run(job, report, free)

    falls, paints = Falls("falls"), Machine("paints")
    job, told = play(tmp_path, paints, falls, during=opened(falls))
    assert (job.state, job.attempts, job.crashes) == ("done", 2, 1)
    assert results(told) == WHOLE
    assert sorted(falls.made + paints.made[-6:])[-6:] == SEEDS


def test_the_error_of_one_picture_is_that_of_the_job_and_stops_the_others(tmp_path):
    fails, paints = Machine("fails", JobFailed("a surprise")), Machine("paints", seconds=1)
    job, told = play(tmp_path, paints, fails, during=opened(fails))
    assert job.state == "failed"
    assert isinstance(told[-1], Failed)
    assert told[-1].error.message == "a surprise"
    assert paints.made == []
    assert paints.cancelled


@pytest.mark.parametrize("hard", [False, True])
def test_a_cancelled_job_ends_in_all_slots(tmp_path, hard):
    machines = [Machine(name, seconds=1) for name in "abc"]

    async def cancel(scheduler):
        while not all(machine._here for machine in machines):
            await asyncio.sleep(0.005)
        await scheduler.cancel("me", "job-0001", hard)

    job, told = play(tmp_path, *machines, during=cancel)
    assert job.state == "cancelled"
    assert [machine.cancelled for machine in machines] == [[hard]] * 3
    assert results(told) == []
