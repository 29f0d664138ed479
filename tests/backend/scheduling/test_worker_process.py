"""A worker process as the daemon sees it, with a toy in the engine's place: two jobs, one of them being finished."""

import asyncio
import os
import signal
import sys
import time
from pathlib import Path

import msgspec
import pytest

from standee.errors import JobCancelled
from standee.wire.events import Result
from standee_backend.scheduling import worker_process
from standee_backend.scheduling.worker_process import Worker, WorkerDied, WorkerProcess
from standee_backend.storage.job import Job
from standee_backend.worker.pipe import Done, Setup

TOY = Path(__file__).resolve().parents[2] / "support" / "toy_worker.py"


def job(key, prompt="a cat", steps=1):
    spec = msgspec.json.encode({"prompt": prompt, "sampling": {"steps": steps}})
    known = dict.fromkeys(Job.__struct_fields__, 0)
    given = {"key": key, "id": f"job {key}", "kind": "compose", "spec": spec, "model": b""}
    return Job(**known | given)


class Doing:
    """A job that a child does; `stepped` and `freed` are set when it says so."""

    def __init__(self, child, what):
        self.stepped, self.freed = asyncio.Event(), asyncio.Event()
        done = child.compute(what, lambda _: self.stepped.set(), self.freed.set)
        self.end = asyncio.ensure_future(done)

    async def failure(self):
        with pytest.raises((WorkerDied, JobCancelled)) as raised:
            await asyncio.wait_for(self.end, 10)
        return raised.value


def with_child(tmp_path, scene):
    """Play a scene with a child."""

    async def play():
        command = [sys.executable, str(TOY), str(tmp_path / "deaths")]
        child = WorkerProcess("toy", command, Setup(str(tmp_path / "blobs"), {}))
        try:
            await asyncio.wait_for(scene(child), 30)
        finally:
            await child.stop()

    asyncio.run(play())


async def finishing_and_computing(child):
    """Return a job that is being finished for good, and one that computes."""
    first = Doing(child, job(1, "finishes at /nowhere"))
    await first.freed.wait()
    second = Doing(child, job(2, "slow, deaf", steps=100))
    await second.stepped.wait()
    assert not first.end.done()
    return first, second


class Far(Worker):
    """A worker that says nothing by itself, and keeps what it is told."""

    def __init__(self):
        super().__init__("far")
        self.told = []

    alive, pid = True, None

    def send(self, message):
        self.told.append(message)

    def kill(self):
        pass


def test_what_an_earlier_run_of_a_job_says_late_is_not_heard():
    async def scene():
        far = Far()
        first = Doing(far, job(1))
        await asyncio.sleep(0)
        far.ended("its machine was lost", lost=True)
        assert isinstance(await first.failure(), WorkerDied)
        again = Doing(far, job(1))
        await asyncio.sleep(0)
        earlier, now = (run.job for run in far.told)
        far.take(Done(earlier, [Result(seed=1)]))
        await asyncio.sleep(0)
        assert not again.end.done()
        far.take(Done(now, [Result(seed=2)]))
        assert [made.seed for made in await again.end] == [2]

    asyncio.run(asyncio.wait_for(scene(), 10))


def test_each_of_two_jobs_gets_its_own_pictures(tmp_path):
    async def scene(child):
        first = Doing(child, job(1, "long to finish"))
        await first.freed.wait()
        second = Doing(child, job(2, "a dog"))
        await second.stepped.wait()
        assert not first.end.done()
        assert child.job.key == 2
        [one], [other] = await asyncio.gather(first.end, second.end)
        assert one.receipt == {"prompt": "long to finish"}
        assert other.receipt == {"prompt": "a dog"}
        assert child.job is None

    with_child(tmp_path, scene)


def test_a_lone_job_is_blamed_for_the_end_of_its_worker(tmp_path):
    async def scene(child):
        death = await Doing(child, job(1, "die")).failure()
        assert death.blamed
        assert "SIGKILL" in str(death)

    with_child(tmp_path, scene)


def test_of_two_jobs_neither_is_blamed(tmp_path):
    async def scene(child):
        both = await finishing_and_computing(child)
        os.kill(child.pid, signal.SIGKILL)
        assert [(await each.failure()).blamed for each in both] == [False, False]

    with_child(tmp_path, scene)


@pytest.mark.parametrize("key", [1, 2])
def test_a_hard_cancellation_takes_the_other_job_along_without_blame(tmp_path, key):
    async def scene(child):
        both = await finishing_and_computing(child)
        assert child.cancel(key, hard=True)
        other, cancelled = both[2 - key], both[key - 1]
        assert isinstance(await cancelled.failure(), JobCancelled)
        assert not (await other.failure()).blamed

    with_child(tmp_path, scene)


def test_a_hard_cancellation_blames_nobody_though_its_job_is_done_just_before(tmp_path):
    async def scene(child):
        first, second = await finishing_and_computing(child)
        os.kill(child.pid, signal.SIGSTOP)  # nothing is said from here on
        assert child.cancel(1, hard=True)
        first.end.cancel()  # as if its end were heard before that of the process
        assert not (await second.failure()).blamed

    with_child(tmp_path, scene)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_that_does_not_listen_is_killed_after_its_job_is_cancelled(tmp_path, monkeypatch):
    monkeypatch.setattr(worker_process, "CANCEL_HEARD_WITHIN", 0.2)

    async def scene(child):
        doing = Doing(child, job(1, "slow", steps=200))
        await doing.stepped.wait()
        stop(child)
        assert child.cancel(1, hard=False)
        assert isinstance(await doing.failure(), JobCancelled)
        assert not child.alive

    with_child(tmp_path, scene)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_that_does_not_read_stops_nobody_and_is_killed_when_told(tmp_path):
    async def scene(child):
        doing = Doing(child, job(1, "slow", steps=200))
        await doing.stepped.wait()
        stop(child)
        began = asyncio.get_running_loop().time()
        large = Doing(child, job(2, "x" * 500_000))  # more than a pipe holds
        await asyncio.sleep(0)
        assert asyncio.get_running_loop().time() - began < 1
        assert child.cancel(1, hard=True)
        assert isinstance(await doing.failure(), JobCancelled)
        assert isinstance(await large.failure(), WorkerDied)

    with_child(tmp_path, scene)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are of POSIX")
def test_a_signal_without_a_name_ends_the_job_too(tmp_path):
    async def scene(child):
        doing = Doing(child, job(1, "slow", steps=200))
        await doing.stepped.wait()
        os.kill(child.pid, signal.SIGRTMIN + 6)
        assert "signal" in str(await doing.failure())

    with_child(tmp_path, scene)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_what_a_worker_has_started_ends_with_it(tmp_path):
    async def scene(child):
        doing = Doing(child, job(1, f"slow, starts {tmp_path / 'started'}", steps=200))
        await doing.stepped.wait()
        started = int((tmp_path / "started").read_text())
        assert child.cancel(1, hard=True)
        await doing.failure()
        for _ in range(200):
            if not alive(started):
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it outlived its worker")

    with_child(tmp_path, scene)


def stop(child):
    """Stop a process, and wait until it stands."""
    os.kill(child.pid, signal.SIGSTOP)
    while state_of(child.pid) != "T":
        time.sleep(0.01)


def alive(pid):
    return state_of(pid) not in ("", "Z")


def state_of(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def test_a_job_that_is_not_here_cannot_be_cancelled(tmp_path):
    async def scene(child):
        done = Doing(child, job(1))
        await done.end
        assert not child.cancel(1, hard=True)
        assert child.alive

    with_child(tmp_path, scene)


def test_what_a_worker_says_is_logged_and_a_stopped_one_did_not_die(tmp_path, caplog):
    caplog.set_level("INFO", logger="standee")

    def logged(name):
        return [one.fields for one in caplog.records if one.getMessage() == name]

    async def scene(child):
        await Doing(child, job(1, "says much")).end
        while len(logged("worker.says")) < 1000:
            await asyncio.sleep(0.01)
        await child.stop()
        while not logged("worker.stopped"):
            await asyncio.sleep(0.01)

    with_child(tmp_path, scene)
    lines = [fields["line"] for fields in logged("worker.says")]
    assert lines.count(("a word " * 100).rstrip()) == 1000
    assert not logged("worker.died")
