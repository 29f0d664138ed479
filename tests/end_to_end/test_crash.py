"""kill -9 anywhere loses nothing that was accepted, and the client just goes on."""

import os
import signal
import threading
import time

import pytest

from standee import Canvas, Composition, Sampling
from standee.errors import JobCancelled
from standee.images import digest_of
from standee.wire.events import Progress, Queued, Result, Started


class Follower(threading.Thread):
    """A client that submits one job and follows it to its end, whatever happens meanwhile."""

    def __init__(self, daemon, composition):
        super().__init__(daemon=True)
        self.running, self.composition = daemon, composition
        self.events = []
        self.start()

    def run(self):
        with self.running.client() as client:
            job = client.submit(self.composition)
            for event in client.events(job):
                self.events.append(event)

    def wait_for_step(self, attempt, seconds=120.0):
        """Wait until the given attempt has made a step."""
        deadline = time.monotonic() + seconds
        while not self._steps(attempt):
            assert self.is_alive()
            assert time.monotonic() < deadline, self.events
            time.sleep(0.01)

    def _steps(self, attempt):
        events = list(self.events)
        starts = [
            n for n, e in enumerate(events) if isinstance(e, Started) and e.attempt == attempt
        ]
        last = starts[-1] if starts else len(events)
        return [
            e
            for e in events[last:]
            if isinstance(e, Progress) and e.stage == "denoising" and e.step
        ]

    def results(self, seconds=120.0):
        self.join(seconds)
        assert not self.is_alive(), self.events
        return [event for event in self.events if isinstance(event, Result)]


def kill_worker(daemon):
    with daemon.client() as client:
        [worker] = client.status().workers
    os.kill(worker.pid, signal.SIGKILL)


def slow(steps=20, count=1):
    return Composition(prompt="slow", sampling=Sampling(steps=steps, count=count))


def test_a_worker_killed_twice_starts_again_and_the_results_come(daemon):
    follower = Follower(daemon, slow(count=2))
    for attempt in (1, 2):
        follower.wait_for_step(attempt)
        kill_worker(daemon)
    assert [r.data for r in follower.results()] == [b"picture of slow 0", b"picture of slow 1"]
    seqs = [event.seq for event in follower.events]
    assert seqs == sorted(set(seqs))


def test_a_daemon_killed_twice_starts_again_and_the_results_come(daemon):
    follower = Follower(daemon, slow())
    for attempt in (1, 2):
        follower.wait_for_step(attempt)
        daemon.kill()
        daemon.start()
    [result] = follower.results()
    assert result.data == b"picture of slow 0"
    assert [e.attempt for e in follower.events if isinstance(e, Started)] == [1, 2, 3]
    assert sum(isinstance(event, Queued) for event in follower.events) == 3


def test_no_worker_outlives_a_killed_daemon(daemon):
    follower = Follower(daemon, slow())
    follower.wait_for_step(1)
    with daemon.client() as client:
        [worker] = client.status().workers
    daemon.kill()
    deadline = time.monotonic() + 5
    while os.path.exists(f"/proc/{worker.pid}"):  # noqa: PTH110
        assert time.monotonic() < deadline
        time.sleep(0.02)
    daemon.start()
    assert follower.results()


def test_every_accepted_job_outlives_kills_at_any_moment(daemon):
    accepted, stop = [], threading.Event()

    def submit():
        with daemon.client() as client:
            while not stop.is_set():
                accepted.append(client.submit(Composition(prompt=f"job {len(accepted)}")))

    submitter = threading.Thread(target=submit, daemon=True)
    submitter.start()
    for more in (3, 7, 12, 1):
        enough = len(accepted) + more
        while len(accepted) < enough:
            assert submitter.is_alive()
            time.sleep(0.001)
        daemon.kill()
        daemon.start()
    stop.set()
    submitter.join(60)
    assert not submitter.is_alive()
    with daemon.client() as client:
        for number, job in enumerate(accepted):
            [result] = client.wait(job, timeout=60)
            assert result.data == f"picture of job {number} 0".encode()
        assert len(client.jobs()) == len(accepted)


def test_an_upload_goes_on_after_a_kill(daemon):
    data = os.urandom(40_000_000)
    with daemon.client() as client:
        task = client.begin_put_blob(data)
        while task.progress < 0.3:
            client.poll(0.01)
        daemon.kill()
        daemon.start()
        while not task.done:
            client.poll(0.01)
            time.sleep(0.001)
        assert task.result() == digest_of(data)
        assert client.get_blob(digest_of(data)) == data


def test_a_job_that_kills_its_worker_three_times_fails_and_the_next_one_runs(daemon, client):
    with pytest.raises(Exception, match=r"ended its worker 3 times.*SIGKILL"):
        client.compose(Composition(prompt="die"))
    assert client.compose(Composition(prompt="next"))


def test_a_job_that_kills_its_worker_twice_still_gets_through(client):
    assert client.compose(Composition(prompt="die twice"))


class BothRunning:
    """Two jobs of one worker: the first is being finished until `finish`, the second makes steps."""

    def __init__(self, daemon):
        self.may_finish = daemon.home / "may-finish"
        self.first = Follower(daemon, Composition(prompt=f"finishes at {self.may_finish}"))
        self.first.wait_for_step(1)
        self.second = Follower(daemon, slow(10))
        self.second.wait_for_step(1)
        assert self.first.is_alive()

    def finish(self):
        self.may_finish.touch()


def attempts(follower):
    return [event.attempt for event in follower.events if isinstance(event, Started)]


def test_two_jobs_of_one_worker_are_told_apart_from_those_that_wait(daemon, client):
    both = BothRunning(daemon)
    third = client.submit(Composition(prompt="third"))
    assert [job.position for job in client.jobs()] == [None, None, 2]
    status = client.status()
    assert (status.running, status.queued) == (2, 1)
    assert [(w.state, w.job) for w in status.workers] == [("busy", client.jobs()[1].job)]
    both.finish()
    assert [r.data for r in both.first.results()] == [
        f"picture of finishes at {both.may_finish} 0".encode()
    ]
    assert [r.data for r in both.second.results()] == [b"picture of slow 0"]
    assert client.wait(third)


@pytest.mark.parametrize(
    ("end", "tried"),
    [
        (kill_worker, [1, 2]),
        (lambda daemon: (daemon.kill(), daemon.start()), [1, 2]),
        (lambda daemon: (daemon.stop(), daemon.start()), [1, 1]),
    ],
    ids=["worker killed", "daemon killed", "daemon stopped"],
)
def test_both_jobs_of_a_worker_outlive_it(daemon, end, tried):
    both = BothRunning(daemon)
    end(daemon)
    both.finish()
    for follower in (both.first, both.second):
        assert len(follower.results()) == 1
        assert attempts(follower) == tried
        seqs = [event.seq for event in follower.events]
        assert seqs == sorted(set(seqs))


@pytest.mark.parametrize(("hard", "tried"), [(False, [1]), (True, [1, 2])])
def test_a_job_that_is_cancelled_while_it_is_finished_leaves_the_other_one(
    daemon, client, hard, tried
):
    both = BothRunning(daemon)
    job = client.jobs()[0].job
    client.cancel(job, hard=hard)
    both.finish()
    with pytest.raises(JobCancelled):
        client.wait(job)
    assert both.first.results() == []
    assert len(both.second.results()) == 1
    assert attempts(both.second) == tried


@pytest.mark.parametrize("bad", ["die", "long to finish, dead end"])
def test_a_job_that_kills_its_worker_fails_alone(client, bad):
    prompts = ["long to finish", bad, "slow"]
    before, fatal, after = (client.submit(Composition(prompt=prompt)) for prompt in prompts)
    with pytest.raises(Exception, match=r"ended its worker 3 times.*SIGKILL"):
        client.wait(fatal)
    assert client.wait(before)
    assert client.wait(after)


@pytest.mark.slow
def test_the_real_engine_killed_with_and_without_its_daemon_still_gives_its_picture(studio):
    composition = Composition(
        canvas=Canvas(128, 128), prompt="a beach", sampling=Sampling(steps=8, seed=3)
    )
    follower = Follower(studio, composition)
    follower.wait_for_step(1)
    kill_worker(studio)
    follower.wait_for_step(2)
    studio.kill()
    studio.start()
    [result] = follower.results()
    assert result.data.startswith(b"\x89PNG")
    assert (result.width, result.height) == (128, 128)
    with studio.client() as client:
        [again] = client.compose(composition)
    assert again.data == result.data
    studio.check()
