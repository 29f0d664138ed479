"""Slots that come, go and lack what a job names, as machines of a cluster do."""

import asyncio

from standee.errors import UnknownModel
from standee.wire.events import Result
from standee.wire.worker_info import WorkerInfo
from standee_backend.scheduling.scheduler import Scheduler
from standee_backend.scheduling.worker_process import NotHere, WorkerDied
from standee_backend.storage.disk_thread import DiskThread
from standee_backend.storage.job_store import JobStore

MADE = [Result(digest="d" * 64, size=7, width=16, height=16)]
LACKS = NotHere(UnknownModel("alpha has not got the files.", path="$.sampling.model"))


class Machine:
    """A slot that does as it is told: makes a picture, raises, or waits."""

    def __init__(self, name, does=MADE):
        self.name, self.does, self.open, self.came = name, does, True, []
        self.started = asyncio.Event()

    def info(self):
        return WorkerInfo(name=self.name, state="idle")

    async def run(self, job, report, free):
        self.came.append(job.id)
        self.started.set()
        if isinstance(self.does, asyncio.Future):
            return await self.does
        if isinstance(self.does, Exception):
            raise self.does
        return self.does


def play(tmp_path, scene):
    """Play a scene with a scheduler without slots and a store with one job."""

    async def main():
        store, disk = JobStore(tmp_path / "jobs.sqlite"), DiskThread("store")
        scheduler = Scheduler(store, disk, [])
        store.submit("me", "job-0001", "compose", b"{}")
        serving = []

        def come(slot):
            scheduler.add(slot)
            serving.append(asyncio.create_task(scheduler.serve(slot)))
            serving.append(asyncio.create_task(scheduler.serve(slot)))

        async def over():
            while not store.find("me", "job-0001").over:
                await asyncio.sleep(0.005)
            return store.find("me", "job-0001")

        try:
            async with asyncio.timeout(5):
                await scene(scheduler, come, over)
            assert not [each for each in serving if each.done() and each.exception()]
        finally:
            for each in serving:
                each.cancel()
            disk.close()
            store.close()

    asyncio.run(main())


def test_a_job_waits_for_a_slot_to_come(tmp_path):
    async def scene(scheduler, come, over):
        come(Machine("alpha"))
        assert (await over()).state == "done"

    play(tmp_path, scene)


def test_a_slot_that_is_closed_takes_nothing_until_it_opens(tmp_path):
    async def scene(scheduler, come, over):
        slot = Machine("alpha")
        slot.open = False
        come(slot)
        await asyncio.sleep(0.03)
        assert slot.came == []
        slot.open = True
        scheduler.wake()
        assert (await over()).state == "done"

    play(tmp_path, scene)


def test_the_job_of_a_machine_that_is_lost_goes_to_another(tmp_path):
    async def scene(scheduler, come, over):
        lost = Machine("alpha", asyncio.get_running_loop().create_future())
        other = Machine("beta")
        come(lost)
        await lost.started.wait()
        come(other)
        await asyncio.sleep(0.02)
        lost.open = False
        lost.does.set_exception(WorkerDied("alpha is gone", blamed=False))
        job = await over()
        assert (job.state, job.crashes, job.attempts) == ("done", 0, 2)
        assert other.came == [job.id]

    play(tmp_path, scene)


def test_what_serves_a_slot_ends_when_it_is_removed(tmp_path):
    async def scene(scheduler, come, over):
        slot = Machine("alpha")
        slot.open = False
        scheduler.add(slot)
        serving = asyncio.create_task(scheduler.serve(slot))
        await asyncio.sleep(0.01)
        scheduler.remove(slot)
        await serving
        assert scheduler.slots == []

    play(tmp_path, scene)


def test_what_one_machine_lacks_another_computes(tmp_path):
    async def scene(scheduler, come, over):
        lacking, other = Machine("alpha", LACKS), Machine("beta")
        other.open = False
        come(lacking)
        come(other)
        await lacking.started.wait()
        await asyncio.sleep(0.03)
        assert len(lacking.came) == 1
        other.open = True
        scheduler.wake()
        job = await over()
        assert (job.state, job.attempts) == ("done", 1)

    play(tmp_path, scene)


def test_what_all_machines_lack_is_refused_in_a_sentence(tmp_path):
    async def scene(scheduler, come, over):
        come(Machine("alpha", LACKS))
        assert (await over()).state == "failed"

    play(tmp_path, scene)
