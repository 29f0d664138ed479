"""Jobs on several machines: brought there, followed, cancelled; and what becomes of them when something dies."""

import signal
import sqlite3
import time
from contextlib import closing

import pytest

from standee import Composition, Layer, Rect, Sampling
from standee.errors import JobCancelled, JobFailed
from standee.wire.events import Preview, Progress, Result

LONG = Sampling(steps=200)


def until(true, seconds=20):
    """Wait until something is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def busy(client):
    """The names of the machines that compute."""
    return [worker.name for worker in client.status().workers if worker.state == "busy"]


def started(client, prompt="slow"):
    """Hand in a long job; return its id and the machine that has begun it."""
    job = client.submit(Composition(prompt=prompt, sampling=LONG))
    events = client.events(job)
    next(event for event in events if isinstance(event, Progress))
    [name] = busy(client)
    return job, name


def end(client, job):
    """Cancel a job."""
    client.cancel(job, hard=True)
    with pytest.raises(JobCancelled):
        client.wait(job)


def info(client, job):
    return next(each for each in client.jobs() if each.job == job)


def test_status_names_the_machines(client):
    workers = client.status().workers
    assert {(worker.name, worker.node) for worker in workers} == {
        (name, name) for name in ("alpha", "beta", "gamma")
    }


def test_pictures_go_to_the_machine_once_and_come_back(client, machines):
    data = b"a picture of some size " * 10_000
    digest = client.put_blob(data)
    layer = Layer(id="a", picture=digest, rect=Rect(0, 0, 64, 64))
    composition = Composition(prompt="with a subject", layers=(layer,))
    kept = f"machines/*/cluster/blobs/*/{digest}"
    results = client.compose(composition)
    assert results[0].data == b"picture of with a subject 0"
    [file] = machines.folder.glob(kept)
    before = file.stat().st_ino
    assert client.compose(composition)[0].data == results[0].data
    [file] = machines.folder.glob(kept)  # the slot that holds the subject got the second job too
    assert file.stat().st_ino == before


def test_jobs_spread_over_all_machines(client):
    jobs = [client.submit(Composition(prompt=f"slow {n}", sampling=LONG)) for n in range(3)]
    until(lambda: sorted(busy(client)) == ["alpha", "beta", "gamma"])
    for job in jobs:
        end(client, job)


def test_the_pictures_of_one_job_are_made_on_all_machines(client):
    sampling = Sampling(steps=20, count=7, seed=3)
    job = client.submit(Composition(prompt="slow", sampling=sampling))
    until(lambda: len(busy(client)) == 3)
    made = [(each.index, each.seed, each.data) for each in client.wait(job)]
    assert made == [(n, 3 + n, f"picture of slow {3 + n}".encode()) for n in range(7)]
    assert info(client, job).attempts == 1


def test_steps_and_previews_come_in_their_order(client):
    job = client.submit(Composition(prompt="a cat", sampling=Sampling(steps=20)))
    seen = list(client.events(job))
    steps = [event.step for event in seen if isinstance(event, Progress)]
    assert steps == sorted(steps)
    assert steps[-1] == 20
    assert any(isinstance(event, Preview) and event.data for event in seen)
    assert isinstance(seen[-1], Result)


@pytest.mark.parametrize(("prompt", "hard"), [("slow", False), ("slow deaf", True)])
def test_cancelling_takes_effect_within_a_step(client, prompt, hard):
    job, _ = started(client, prompt)
    began = time.monotonic()
    client.cancel(job, hard=hard)
    with pytest.raises(JobCancelled):
        client.wait(job)
    assert time.monotonic() - began < 1.0


def test_what_ends_its_worker_is_blamed_as_at_home(client, daemon):
    job = client.submit(Composition(prompt="die"))
    with pytest.raises(JobFailed, match=r"ended its worker 3 times.*SIGKILL"):
        client.wait(job)
    assert info(client, job).attempts == 3


def test_an_actor_that_is_killed_is_started_again_and_its_job_goes_on(client, machines):
    job, name = started(client)
    [actor] = machines.actors(name)
    [worker] = machines.workers(name)
    actor.kill()
    until(lambda: info(client, job).attempts == 2)
    until(lambda: busy(client))
    assert not worker.is_running() or worker.status() == "zombie"
    end(client, job)


def test_of_a_machine_without_power_the_job_goes_to_another_and_is_not_blamed(
    client, daemon, machines
):
    job, name = started(client)
    machines.kill(name)
    until(lambda: info(client, job).attempts == 2)
    [other] = until(lambda: busy(client))
    assert other != name
    [lost] = [worker for worker in client.status().workers if worker.name == name]
    assert lost.state == "lost"
    assert name in lost.why
    with closing(sqlite3.connect(daemon.home / "jobs.sqlite")) as stored:
        [crashes] = stored.execute("SELECT crashes FROM jobs WHERE id=?", [job]).fetchone()
    assert crashes == 0
    end(client, job)
    machines.add(name)
    daemon.wait_for(machines.nodes)


def test_a_machine_that_stands_still_is_lost_and_cannot_speak_for_its_job(client, machines):
    job, name = started(client)
    stopped = machines.processes(name)
    for process in stopped:
        process.send_signal(signal.SIGSTOP)
    [other] = until(lambda: [each for each in busy(client) if each != name])
    for process in stopped:
        process.send_signal(signal.SIGCONT)
    time.sleep(0.5)
    assert busy(client) == [other]
    end(client, job)
    machines.kill(name)


def test_the_daemon_outlives_its_bridge(client, daemon, machines):
    job, _ = started(client)
    bridge = next(
        child
        for child in machines.children(daemon.process.pid)
        if "standee_backend.cluster" in child.cmdline()
    )
    bridge.kill()
    until(lambda: {worker.state for worker in client.status().workers} == {"lost"})
    until(lambda: busy(client), 30)
    assert info(client, job).attempts == 2
    end(client, job)
