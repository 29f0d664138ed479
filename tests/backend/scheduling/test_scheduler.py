"""Events reach those who follow a job, whoever leaves meanwhile."""

import asyncio
from functools import partialmethod

import pytest

from standee.errors import JobCancelled, StorageFull
from standee.wire import codec
from standee.wire.events import Progress, Result
from standee.wire.worker_info import WorkerInfo
from standee_backend.daemon.peer import Peer
from standee_backend.scheduling import scheduler
from standee_backend.scheduling.scheduler import Scheduler
from standee_backend.scheduling.worker_process import WorkerDied
from standee_backend.storage import job_store
from standee_backend.storage.disk_thread import DiskThread
from standee_backend.storage.job_store import JobStore

ME = "my key"
DIGEST = "d" * 64


class Slot:
    """Runs jobs as the test says: one outcome after another."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.cancelled = []

    open = True

    def warm(self):
        pass

    def info(self):
        return WorkerInfo(name="toy", state="idle")

    async def stop(self):
        pass

    def cancel(self, key, hard):
        self.cancelled.append((key, hard))
        return True

    async def run(self, job, report, free):
        report(Progress(stage="denoising", step=1, of=2))
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


class Follower:
    """A peer that keeps what it is told, and may leave at the first word."""

    def __init__(self, scheduler, leaves=False):
        self.told = []
        self.scheduler, self.leaves = scheduler, leaves
        self.peer = Peer(b"\0id", ME, 3, self.transmit)

    def transmit(self, identity, frames):
        if self.leaves:
            self.peer.leave()
            self.scheduler.forget(self.peer)
        else:
            self.told.append(frames)
        return True


class Shared:
    """Frees itself at once; the first two jobs end when both are there, and take each other down."""

    open = True

    def __init__(self):
        self.here, self.attempts, self.both = [], [], asyncio.Event()

    def info(self):
        return WorkerInfo(name="toy", state="idle")

    async def run(self, job, report, free):
        self.here.append(job.id)
        self.attempts.append((job.id, job.attempts, len(self.here)))
        try:
            free()
            if job.attempts == 1:
                if len(self.here) == 2:
                    self.both.set()
                await self.both.wait()
                raise WorkerDied("it fell", blamed=False)
            await asyncio.sleep(0.02)  # time in which another job could come
            return MADE
        finally:
            self.here.remove(job.id)


def play(tmp_path, outcomes, followers):
    """Run one job with these outcomes before these followers; return its last state and them."""

    async def scene():
        store, disk = JobStore(tmp_path / "jobs.sqlite"), DiskThread("store")
        scheduler = Scheduler(store, disk, [Slot(*outcomes)])
        job, queued, _ = store.submit(ME, "job-0001", "compose", b"{}")
        watching = [Follower(scheduler, leaves) for leaves in followers]
        for follower in watching:
            if not follower.leaves:
                follower.peer.send(queued)
            scheduler.subscribe(follower.peer, job)
        serving = asyncio.create_task(scheduler.serve(*scheduler.slots))
        while not store.find(ME, "job-0001").over:
            await asyncio.sleep(0.01)
            assert not serving.done(), serving.exception()
        await asyncio.sleep(0.01)
        serving.cancel()
        state = store.find(ME, "job-0001").state
        disk.close()
        store.close()
        return state, watching

    return asyncio.run(scene())


MADE = [Result(digest=DIGEST, size=7, width=16, height=16)]


def test_all_followers_hear_the_whole_story(tmp_path):
    state, followers = play(tmp_path, [MADE], [False, False])
    assert state == "done"
    assert [len(follower.told) for follower in followers] == [4, 4]


def test_a_follower_that_leaves_in_mid_sentence_takes_nobody_along(tmp_path):
    state, followers = play(tmp_path, [MADE], [True, False, True, True])
    assert state == "done"
    assert len(followers[1].told) == 4


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ([WorkerDied("it fell"), MADE], "done"),
        ([WorkerDied("it fell")] * 3, "failed"),
        ([JobCancelled("cancelled")], "cancelled"),
        ([ValueError("a surprise")], "failed"),
    ],
)
def test_a_job_ends_as_its_worker_did(tmp_path, outcomes, state):
    assert play(tmp_path, outcomes, [False])[0] == state


def test_jobs_that_share_a_slot_when_it_dies_are_not_blamed_and_then_have_it_alone(tmp_path):
    async def scene():
        store, disk, slot = JobStore(tmp_path / "jobs.sqlite"), DiskThread("store"), Shared()
        scheduler = Scheduler(store, disk, [slot])
        for name in ("job-0001", "job-0002"):
            store.submit(ME, name, "compose", b"{}")
        serving = [asyncio.create_task(scheduler.serve(*scheduler.slots)) for _ in range(2)]
        while not all(store.find(ME, job.job).over for job in store.jobs(ME)):
            await asyncio.sleep(0.01)
            assert not any(one.done() for one in serving)
        for one in serving:
            one.cancel()
        ended = [store.find(ME, job.job) for job in store.jobs(ME)]
        disk.close()
        store.close()
        assert [(job.state, job.crashes) for job in ended] == [("done", 0), ("done", 0)]
        assert slot.attempts == [
            ("job-0001", 1, 1),
            ("job-0002", 1, 2),
            ("job-0001", 2, 1),
            ("job-0002", 2, 1),
        ]

    asyncio.run(asyncio.wait_for(scene(), 20))


class Chatty(Slot):
    """Reports more often than events of a job have numbers in a stride."""

    async def run(self, job, report, free):
        for step in range(25):
            report(Progress(stage="denoising", step=step, of=25))
        return await super().run(job, report, free)


def test_a_result_is_heard_after_progress_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(scheduler, "STRIDE", 10)
    monkeypatch.setattr(job_store, "STRIDE", 10)
    monkeypatch.setitem(globals(), "Slot", Chatty)
    _, [follower] = play(tmp_path, [MADE], [False])
    heard = [codec.answer_or_event(codec.unpack(frames)) for frames in follower.told]
    seqs = [event.seq for event in heard]
    assert isinstance(heard[-1], Result)
    assert seqs == sorted(set(seqs))


class Loading(Slot):
    """Loads a model for a while, and then paints at once."""

    async def run(self, job, report, free):
        report(Progress(stage="loading", step=0, of=1))
        await asyncio.sleep(0.2)
        report(Progress(stage="words", step=0, of=1))
        return await super().run(job, report, free)


def test_what_a_picture_took_is_kept_without_the_loading(tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "Slot", Loading)
    monkeypatch.setattr(JobStore, "submit", partialmethod(JobStore.submit, model=b'{"name":"m"}'))
    play(tmp_path, [MADE], [False])
    store = JobStore(tmp_path / "jobs.sqlite")
    assert 0 < store.speeds.known()["m"] < 0.15
    store.close()


def test_a_full_disk_loses_no_result_and_ends_no_daemon(tmp_path, monkeypatch):
    tries, finish = [], JobStore.finish

    def full_at_first(self, key, results, each=None):
        tries.append(key)
        if len(tries) < 3:
            raise StorageFull("No room.", fix="Make room.")
        return finish(self, key, results, each)

    monkeypatch.setattr(JobStore, "finish", full_at_first)
    monkeypatch.setattr(scheduler, "AGAIN", 0.01)
    assert play(tmp_path, [MADE], [False])[0] == "done"
    assert len(tries) == 3
