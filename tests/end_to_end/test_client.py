"""The client against a real daemon: jobs, events, pictures, polling, starting on demand."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from standee import Canvas, Client, Composition, Layer, Rect, Sampling
from standee.connection import write_connection
from standee.errors import (
    BadPicture,
    Conflict,
    JobCancelled,
    JobFailed,
    MissingBlob,
    NotConnected,
    QuotaExceeded,
    StandeeError,
    Unauthorised,
    UnknownJob,
    UnknownModel,
)
from standee.images import digest_of
from standee.pairing import new_keys, pair
from standee.wire.events import Cancelled, Failed, Preview, Progress, Queued, Result, Started
from support.daemons import Running

ROOT = Path(__file__).resolve().parents[2]
CAT = b"a picture of a cat " * 50_000


def slow(steps=200):
    return Composition(prompt="slow", sampling=Sampling(steps=steps))


def layered(*digests):
    return Composition(layers=tuple(Layer(picture=d, rect=Rect(0, 0, 9, 9)) for d in digests))


def wait_until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_client_goes_on_with_what_it_has_under_way_after_an_error(daemon, tmp_path):
    file = tmp_path / "elsewhere" / "connection.json"
    write_connection(file, msgspec.structs.replace(daemon.connection, client=new_keys()))
    with Client.begin_connect(connection_file=file) as client:
        task = client.begin_submit(Composition(prompt="kept"), job_id="kept-job")
        with pytest.raises(Unauthorised):
            poll_until(client, lambda events: task.done)
        write_connection(file, daemon.connection)
        client.reconnect()
        poll_until(client, lambda events: any(isinstance(event, Result) for event in events))
        assert task.result() == "kept-job"


def test_composing_gives_pictures_with_their_seeds_and_receipts(guest):
    results = guest.compose(Composition(prompt="a cat", sampling=Sampling(seed=5, count=2)))
    assert [result.data for result in results] == [b"picture of a cat 5", b"picture of a cat 6"]
    assert [result.seed for result in results] == [5, 6]
    assert results[0].receipt == {"prompt": "a cat"}
    assert guest.jobs() == []


def test_events_tell_the_story_in_order(guest):
    events = list(guest.events(guest.submit(slow(4))))
    kinds = [type(event) for event in events]
    assert kinds[:2] == [Queued, Started]
    assert kinds[-1] is Result
    assert {Progress, Preview} <= set(kinds)
    assert [event.seq for event in events] == sorted({event.seq for event in events})


def test_events_can_be_read_again_from_any_point(guest):
    job = guest.submit(Composition())
    guest.wait(job)
    again = list(guest.events(job))
    assert [type(event) for event in again] == [Queued, Started, Result]
    assert [event.seq for event in guest.events(job, again[1].seq)] == [again[2].seq]


def test_pictures_are_uploaded_once(guest):
    digest = digest_of(CAT)
    job = guest.submit(layered(digest), {digest: CAT})
    guest.wait(job)
    guest.wait(guest.submit(layered(digest)))
    assert guest.get_blob(digest) == CAT
    assert guest.put_blob(CAT) == digest


def test_a_missing_picture_is_named_by_its_place(guest):
    held = guest.put_blob(CAT)
    with pytest.raises(MissingBlob) as caught:
        guest.submit(layered(held, "0" * 64))
    assert caught.value.path == "$.layers[1].picture"
    assert caught.value.fix


def test_an_unknown_model_is_named_by_its_place(guest):
    with pytest.raises(UnknownModel) as caught:
        guest.submit(Composition(sampling=Sampling(model="no such model")))
    assert caught.value.path == "$.sampling.model"


def test_a_cutout_is_a_job_like_any_other(guest):
    assert guest.cutout(b"cat", box=Rect(0, 0, 5, 5)) == b"mask of cat"
    assert guest.cutout(b"cat", mask=b"what was painted") == b"mask of cat over what was painted"


def test_a_failing_job_says_of_what(guest):
    with pytest.raises(JobFailed, match="told to fail"):
        guest.compose(Composition(prompt="fail"))
    with pytest.raises(BadPicture) as caught:
        guest.compose(Composition(prompt="refuse"))
    assert caught.value.path == "$.layers[0].picture"


def test_a_running_job_is_cancelled_within_a_step(guest):
    job = guest.submit(slow())
    seconds = []
    for event in guest.events(job):
        if isinstance(event, Progress) and not seconds:
            guest.cancel(job)
            seconds.append(time.monotonic())
    assert isinstance(event, Cancelled)
    assert time.monotonic() - seconds[0] < 1
    with pytest.raises(JobCancelled):
        guest.wait(job)


def test_a_deaf_job_is_cancelled_hard_and_the_next_one_runs(guest):
    job = guest.submit(Composition(prompt="slow deaf", sampling=Sampling(steps=200)))
    for event in guest.events(job):
        if isinstance(event, Progress):
            guest.cancel(job)
            guest.cancel(job, hard=True)
    assert isinstance(event, Cancelled)
    assert guest.compose(Composition(prompt="next"))


def test_a_waiting_job_knows_its_place_and_can_be_cancelled(client):
    first, second, third = (client.submit(slow()) for _ in range(3))
    wait_until(lambda: client.status().running == 1)
    assert [info.position for info in client.jobs()] == [None, 1, 2]
    client.cancel(second)
    assert [info.position for info in client.jobs()] == [None, None, 1]
    urgent = client.submit(Composition(prompt="urgent"), priority=10)
    client.cancel(first)
    assert client.wait(urgent)
    client.cancel(third)


def test_who_comes_back_to_a_waiting_job_is_told_its_place_of_now(client, daemon):
    first, second, third = (client.submit(slow()) for _ in range(3))
    client.cancel(second)
    wait_until(lambda: {job.state for job in client.jobs()} == {"running", "queued", "cancelled"})
    for again in (
        lambda late: late.begin_watch(third),
        lambda late: late.begin_submit(slow(), {}, job_id=third),
    ):
        with daemon.client() as late:
            again(late)
            told, deadline = [], time.monotonic() + 5
            while told[-1:] != [1] and time.monotonic() < deadline:
                told += [event.position for event in late.poll(0.05) if isinstance(event, Queued)]
            assert told[-1] == 1
    for job in (first, third):
        client.cancel(job)


def test_the_same_job_id_is_the_same_job(guest):
    for _ in range(2):
        assert guest.submit(Composition(), job_id="my-job-01") == "my-job-01"
    with pytest.raises(Conflict):
        guest.submit(Composition(prompt="other"), job_id="my-job-01")


def test_an_unknown_job_is_an_error(guest):
    for ask in (guest.cancel, guest.wait):
        with pytest.raises(UnknownJob):
            ask("no-such-job")
    guest.release("no-such-job")


def test_waiting_can_be_limited_and_taken_up_again(guest):
    job = guest.submit(slow(20))
    with pytest.raises(TimeoutError):
        guest.wait(job, timeout=0.2)
    assert guest.wait(job)


def test_several_clients_follow_one_job(daemon, client):
    job = client.submit(slow(10))
    stories = []

    def follow():
        with daemon.client() as other:
            stories.append([e.seq for e in other.events(job) if not isinstance(e, Progress)])

    threads = [threading.Thread(target=follow) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(stories) == 3
    assert all(story[-1] == stories[0][-1] for story in stories)


def test_a_chatty_job_does_not_drown_its_client(guest):
    job = guest.submit(Composition(prompt="chatty"))
    time.sleep(1)
    [result] = guest.wait(job)
    assert result.data == b"picture of chatty 0"


def test_status_and_models_say_what_is_there(client):
    status = client.status()
    assert status.clients == 1
    assert status.versions["standee"]
    assert "mini" in [model.name for model in client.models()]
    assert client.welcome.limits.chunk == 2**20


# -- polling -------------------------------------------------------------------------------------


def poll_until(client, condition, seconds=20.0):
    events, longest = [], 0.0
    deadline = time.monotonic() + seconds
    while not condition(events):
        assert time.monotonic() < deadline
        began = time.monotonic()
        events += client.poll(0.002)
        longest = max(longest, time.monotonic() - began)
        time.sleep(0.002)
    return events, longest


def test_a_host_with_its_own_loop_submits_and_gets_results_in_small_slices(daemon):
    pictures = {digest_of(data): data for data in (CAT * 4, CAT[::-1] * 4)}
    with Client.begin_connect(connection_file=daemon.file) as client:
        task = client.begin_submit(layered(*pictures), pictures, job_id="my-job-01")
        seen = set()

        def over(events):
            seen.add(round(task.progress, 1))
            return any(isinstance(event, Result) for event in events)

        events, longest = poll_until(client, over)
        assert task.result() == "my-job-01"
        assert events[-1].data == b"picture of  0"
        assert len(seen) > 2
        assert longest < 0.1


def test_polling_reports_a_refused_submission_in_its_task(guest):
    task = guest.begin_submit(layered("0" * 64))
    poll_until(guest, lambda _: task.done)
    assert isinstance(task.error, MissingBlob)
    assert not guest.poll()


def test_polling_watches_a_job_of_before(guest):
    job = guest.submit(Composition())
    guest.begin_watch(job)
    events, _ = poll_until(guest, lambda events: any(isinstance(e, Result) for e in events))
    guest.begin_watch("no-such-job")
    events, _ = poll_until(guest, lambda events: bool(events))
    assert isinstance(events[0], Failed)


def test_everything_can_be_asked_without_waiting(guest):
    digest = guest.put_blob(CAT)
    job = guest.submit(slow())
    tasks = [
        guest.begin_jobs(),
        guest.begin_models(),
        guest.begin_status(),
        guest.begin_get_blob(digest),
        guest.begin_put_blob(CAT),
        guest.begin_cancel(job),
    ]
    poll_until(guest, lambda _: all(task.done for task in tasks))
    jobs, models, status, data, again, _ = (task.result() for task in tasks)
    assert jobs[0].job == job
    assert models
    assert status.pid
    assert data == CAT
    assert again == digest


# -- coming and going ----------------------------------------------------------------------------


def test_a_client_starts_a_daemon_on_demand_once_and_stops_it(tmp_path):
    file = tmp_path / "home" / "connection.json"
    with Client.connect(start=True, connection_file=file, timeout=30) as one:
        with Client.connect(start=True, connection_file=file, timeout=30) as two:
            assert one.status().pid == two.status().pid
        one.shutdown()
    wait_until(lambda: not file.exists())
    with pytest.raises(NotConnected):
        Client.connect(connection_file=file, timeout=0.3)


def test_after_a_shutdown_unfinished_jobs_go_on_in_the_next_daemon(daemon):
    with daemon.client() as client:
        running, waiting = client.submit(slow(20)), client.submit(Composition(prompt="waiting"))
        wait_until(lambda: client.status().running == 1)
        client.shutdown()
        daemon.process.wait(10)
        daemon.start()
        assert client.wait(running)
        assert client.wait(waiting)


def test_a_quota_is_kept_and_what_is_not_needed_gives_way(tmp_path):
    daemon = Running(tmp_path / "home", limits={"storage": 3 * len(CAT), "jobs": 2}).start()
    with daemon.client() as client:
        first = client.put_blob(CAT)
        for byte in b"abc":
            client.put_blob(bytes([byte]) * len(CAT))
        with pytest.raises(MissingBlob):
            client.get_blob(first)
        with pytest.raises(QuotaExceeded) as caught:
            client.put_blob(CAT * 4)
        assert caught.value.fix
        client.submit(slow())
        client.submit(slow())
        with pytest.raises(StandeeError, match="unfinished"):
            client.submit(slow())
    daemon.check()
    daemon.stop()


def test_owners_do_not_see_each_others_pictures_and_jobs(daemon, client):
    digest = client.put_blob(CAT)
    job = client.submit(Composition(), job_id="my-job-01")
    client.wait(job)
    other = pair(daemon.home, "laptop", daemon.connection.endpoint)
    file = daemon.home.parent / "laptop.json"
    write_connection(file, other)
    with Client.connect(connection_file=file) as stranger:
        assert stranger.jobs() == []
        with pytest.raises(MissingBlob):
            stranger.get_blob(digest)
        with pytest.raises(UnknownJob):
            stranger.wait(job)
        with pytest.raises(StandeeError, match="own user"):
            stranger.shutdown()
        stranger.submit(Composition(prompt="mine", canvas=Canvas(64, 64)), job_id="my-job-01")
    assert len(client.jobs()) == 1


def test_a_second_daemon_of_the_same_home_declines(daemon):
    again = subprocess.run(
        [sys.executable, str(ROOT / "tests/support/daemons.py"), str(daemon.home), "{}"],
        capture_output=True,
        env=daemon.environment,
        timeout=20,
    )
    assert again.returncode != 0
    assert b"AlreadyRunning" in again.stderr


def test_a_client_of_fifty_lines_gets_its_picture(daemon, tmp_path):
    example = ROOT / "examples" / "raw_socket.py"
    assert len(example.read_text().splitlines()) <= 50
    picture = tmp_path / "out.png"
    subprocess.run(
        [sys.executable, str(example), "a robot", str(picture)],
        env=daemon.environment | {"STANDEE_HOME": str(daemon.home)},
        check=True,
        timeout=30,
    )
    assert picture.read_bytes() == b"picture of a robot 0"


def test_clients_that_leave_at_once_leave_their_jobs_and_the_daemon_running(daemon, client):
    for number in range(20):
        with daemon.client() as hasty:
            hasty.submit(Composition(), job_id=f"hasty-{number:03}")
    for number in range(20):
        assert client.wait(f"hasty-{number:03}")
