"""Jobs are durable, belong to their owner, and end exactly once."""

import sqlite3
import time

import pytest

from standee.errors import Conflict, QuotaExceeded, UnknownJob
from standee.wire.events import Cancelled, Failed, Problem, Queued, Result, Started
from standee_backend.storage.blob_ownership import MAX_UPLOADS
from standee_backend.storage.job_store import (
    MAX_ATTEMPTS,
    MAX_CRASHES,
    STRIDE,
    JobStore,
)

ME, YOU = "my key", "your key"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "jobs.sqlite"


@pytest.fixture
def store(path):
    store = JobStore(path)
    yield store
    store.close()


def submit(store, name="job-0001", owner=ME, **more):
    return store.submit(owner, name, "compose", b"{}", **more)[0]


def result(name="job-0001", digest="d" * 64, index=0, of=1):
    return Result(job=name, digest=digest, index=index, of=of)


def test_a_job_goes_through_the_queue_to_its_results(store):
    job = submit(store)
    claimed, started = store.claim()
    assert (claimed.key, claimed.state, started.attempt) == (job.key, "running", 1)
    store.finish(job.key, [result()])
    assert store.find(ME, "job-0001").state == "done"
    assert [type(event) for event in store.events(job.key)] == [Queued, Started, Result]
    assert store.claim() is None


def test_the_number_of_a_job_never_comes_again(store, path):
    first = submit(store)
    store.cancel(ME, "job-0001")
    store.release(ME, "job-0001")
    second = submit(store)
    store.cancel(ME, "job-0001")
    store.release(ME, "job-0001")
    store.close()
    again = JobStore(path)
    third = submit(again)
    again.close()
    assert first.key < second.key < third.key


def test_a_job_keeps_what_its_model_was_when_it_was_handed_in(store):
    submit(store, model=b'{"name":"mini"}')
    assert store.claim()[0].model == b'{"name":"mini"}'


def test_a_job_that_was_tried_before_is_not_claimed_beside_another_one(store):
    first, second = submit(store, "job-0001"), submit(store, "job-0002")
    assert store.claim()[0].key == first.key
    assert store.claim(beside=True)[0].key == second.key
    store.put_back(first.key)
    submit(store, "job-0003")
    assert store.claim(beside=True) is None
    again, _ = store.claim()
    assert (again.key, again.retried) == (first.key, True)


def test_the_same_job_twice_is_one_job(store):
    first, queued, _ = store.submit(ME, "job-0001", "compose", b"{}")
    second, again, _ = store.submit(ME, "job-0001", "compose", b"{}")
    assert (first.key, again) == (second.key, None)
    assert queued is not None
    assert len(store.jobs(ME)) == 1


def test_the_same_id_with_another_specification_is_a_conflict(store):
    submit(store)
    with pytest.raises(Conflict):
        store.submit(ME, "job-0001", "compose", b'{"prompt":"other"}')


def test_owners_do_not_see_each_others_jobs(store):
    submit(store)
    submit(store, owner=YOU)
    assert len(store.jobs(ME)) == 1
    with pytest.raises(UnknownJob):
        store.find("a third", "job-0001")


def test_higher_priorities_go_first_and_equals_in_order(store):
    for name, priority in [("job-000a", 0), ("job-000b", 5), ("job-000c", 0), ("job-000d", 5)]:
        submit(store, name, priority=priority)
    order = [store.claim()[0].id for _ in range(4)]
    assert order == ["job-000b", "job-000d", "job-000a", "job-000c"]


def test_a_position_counts_the_jobs_before_it(store):
    jobs = [submit(store, f"job-000{n}") for n in range(3)]
    urgent = submit(store, "job-000u", priority=1)
    assert [store.position(job) for job in [*jobs, urgent]] == [1, 2, 3, 0]
    store.claim()
    assert store.position(jobs[0]) == 1


def test_everything_accepted_is_there_after_a_restart(store, path):
    submit(store, "job-000a")
    running = submit(store, "job-000b", priority=1)
    store.claim()
    store.close()
    again = JobStore(path)
    assert {info.state for info in again.jobs(ME)} == {"queued", "running"}
    [event] = again.recover()
    assert (event.job, type(event)) == ("job-000b", Queued)
    assert again.claim()[0].key == running.key
    again.close()


def test_a_job_that_ends_its_worker_three_times_fails_with_what_happened(store):
    job = submit(store)
    for attempt in range(MAX_CRASHES):
        store.claim()
        event = store.put_back(job.key, crashed=f"death {attempt + 1}")
    assert isinstance(event, Failed)
    assert "death 3" in event.error.message
    assert store.claim() is None


def test_a_job_that_no_daemon_survives_fails_at_last(store):
    submit(store)
    for _ in range(MAX_ATTEMPTS):
        store.claim()
        [event] = store.recover()
    assert isinstance(event, Failed)


def test_polite_restarts_do_not_count(store):
    submit(store)
    for _ in range(2 * MAX_ATTEMPTS):
        assert store.claim() is not None
        store.recover(polite=True)
    assert store.claim()[0].attempts == 1


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_by_its_worker(store):
    submit(store, "job-000a")
    submit(store, "job-000b")
    store.claim()
    assert store.cancel(ME, "job-000a")[1] is None
    assert isinstance(store.cancel(ME, "job-000b")[1], Cancelled)
    assert store.find(ME, "job-000a").state == "running"
    assert store.find(ME, "job-000b").state == "cancelled"


def test_a_cancellation_outlives_a_crash(store):
    submit(store)
    store.claim()
    store.cancel(ME, "job-0001")
    [event] = store.recover()
    assert isinstance(event, Cancelled)


def test_a_finished_job_is_not_cancelled_any_more(store):
    job = submit(store)
    store.claim()
    store.finish(job.key, [result()])
    assert store.cancel(ME, "job-0001")[1] is None
    assert store.find(ME, "job-0001").state == "done"


def test_releasing_frees_the_results_and_may_be_done_twice(store):
    job = submit(store)
    store.claim()
    store.finish(job.key, [result()])
    assert store.ownership.holds(ME, "d" * 64)
    assert store.release(ME, "job-0001") == ["d" * 64]
    assert not store.ownership.holds(ME, "d" * 64)
    assert store.release(ME, "job-0001") == []


def test_released_jobs_give_their_room_on_the_disk_back(store, path):
    def size():
        return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*"))

    names = [f"job-{number:04d}" for number in range(24)]
    for name in names:
        store.submit(ME, name, "compose", b"x" * 900_000)
        store.cancel(ME, name)
    assert size() > 20_000_000
    for name in names:
        store.release(ME, name)
    submit(store)
    assert size() < 10_000_000


def test_an_unfinished_job_is_not_released(store):
    submit(store)
    with pytest.raises(Conflict):
        store.release(ME, "job-0001")


def test_a_picture_that_two_owners_hold_stays_until_both_let_go(store):
    for owner in (ME, YOU):
        job = submit(store, owner=owner)
        store.claim()
        store.finish(job.key, [result()])
    assert store.release(ME, "job-0001") == []
    assert store.release(YOU, "job-0001") == ["d" * 64]


def test_there_is_a_limit_to_unfinished_jobs(store):
    submit(store, "job-000a", limit=1)
    with pytest.raises(QuotaExceeded):
        submit(store, "job-000b", limit=1)
    store.claim()
    store.fail(store.find(ME, "job-000a").key, Problem(code="job-failed", message="No."))
    submit(store, "job-000b", limit=1)


def test_old_finished_jobs_expire(store):
    job = submit(store)
    store.claim()
    store.finish(job.key, [result()])
    now = time.time() + 60
    assert store.expire(now, 86400) == []
    assert store.expire(now + 86401, 86400) == [(ME, "d" * 64)]
    assert store.jobs(ME) == []


# -- pictures ------------------------------------------------------------------------------------


UNIT = 4096
"""Bytes; what is smaller counts as much."""


def hold(store, name, size, owner=ME):
    digest = name * 64
    store.ownership.expect(owner, digest, size, quota=100 * UNIT)
    store.ownership.hold(owner, digest, size)
    return digest


def test_an_owner_holds_what_was_uploaded_in_whole(store):
    store.ownership.expect(ME, "a" * 64, 10 * UNIT, quota=100 * UNIT)
    assert not store.ownership.holds(ME, "a" * 64)
    assert store.ownership.expected(ME, "a" * 64) == 10 * UNIT
    store.ownership.hold(ME, "a" * 64, 10 * UNIT)
    assert store.ownership.holds(ME, "a" * 64)
    assert not store.ownership.holds(YOU, "a" * 64)
    assert store.ownership.lacks(ME, ["a" * 64, "b" * 64]) == ["b" * 64]


def test_over_the_quota_what_was_used_longest_ago_gives_way(store):
    for name in "abc":
        hold(store, name, 30 * UNIT)
    store.ownership.lacks(ME, ["a" * 64])
    assert store.ownership.expect(ME, "e" * 64, 40 * UNIT, quota=100 * UNIT) == ["b" * 64]
    assert store.ownership.stored(ME) == 100 * UNIT


def test_a_small_picture_counts_as_much_as_its_file_takes(store):
    for number in range(3):
        store.ownership.expect(ME, f"{number:064}", 0, quota=2 * UNIT)
    assert store.ownership.stored(ME) == 2 * UNIT


def test_only_so_many_uploads_are_under_way(store):
    for number in range(MAX_UPLOADS + 1):
        gone = store.ownership.expect(ME, f"{number:064}", 0, quota=1000 * UNIT)
    assert gone == [f"{0:064}"]


def test_what_a_job_needs_never_gives_way(store):
    digest = hold(store, "a", 80 * UNIT)
    submit(store, digests=[digest])
    with pytest.raises(QuotaExceeded) as caught:
        store.ownership.expect(ME, "b" * 64, 40 * UNIT, quota=100 * UNIT)
    assert caught.value.path == "$.size"
    assert store.ownership.holds(ME, digest)


def test_quotas_are_each_owners_own(store):
    hold(store, "a", 90 * UNIT)
    store.ownership.expect(YOU, "b" * 64, 90 * UNIT, quota=100 * UNIT)
    assert store.ownership.stored() == 180 * UNIT


def test_the_file_is_synchronised_in_full(store, path):
    store.close()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    reopened = JobStore(path)
    assert reopened._db.number("PRAGMA synchronous") == 2
    reopened.close()


def test_owners_take_turns_within_a_priority(store):
    for number in range(3):
        submit(store, f"job-me-{number}")
    submit(store, "job-you-0", owner=YOU)
    submit(store, "job-you-1", owner=YOU)
    order = [store.claim()[0].id for _ in range(5)]
    assert order == ["job-me-0", "job-you-0", "job-me-1", "job-you-1", "job-me-2"]


def test_places_are_those_in_which_jobs_are_claimed(store):
    for number in range(3):
        submit(store, f"job-me-{number}")
    submit(store, "job-you-0", owner=YOU)
    places = {info.job: info.position for info in store.jobs(None)}
    assert [store.claim()[0].id for _ in range(4)] == sorted(places, key=places.get)


def test_jobs_are_listed_in_pages(store):
    for number in range(5):
        submit(store, f"job-000{number}")
    first = store.jobs(ME, limit=3)
    rest = store.jobs(ME, after=first[-1].number, limit=3)
    assert [info.job for info in (*first, *rest)] == [f"job-000{number}" for number in range(5)]


def test_specifications_count_towards_the_quota(store):
    store.submit(ME, "job-000a", "compose", bytes(5000), quota=10_000)
    with pytest.raises(QuotaExceeded):
        store.submit(ME, "job-000b", "compose", bytes(6000), quota=10_000)
    store.submit(YOU, "job-000b", "compose", bytes(6000), quota=10_000)


def test_a_job_that_ended_under_a_wrong_clock_is_kept_for_its_week(store, monkeypatch):
    now, week = 1_800_000_000.0, 7 * 86400
    job = submit(store)
    monkeypatch.setattr("time.time", lambda: now - 10 * 365 * 86400)
    store.claim()
    store.finish(job.key, [result()])
    assert store.expire(now, week) == []
    assert store.expire(now + week - 60, week) == []
    assert store.find(ME, "job-0001").over
    assert store.expire(now + week + 60, week) == [(ME, "d" * 64)]


def test_a_result_is_numbered_above_all_that_was_sent_of_its_job(store):
    job = submit(store)
    store.claim()
    store.reserve(job.key, 5 * STRIDE)
    [recorded] = store.finish(job.key, [result()])
    assert recorded.seq > 5 * STRIDE


def test_a_file_of_an_earlier_version_opens_and_its_jobs_go_on(path):
    store = JobStore(path)
    submit(store)
    store.close()
    with sqlite3.connect(path) as db:
        for later in ("models", "seen", "numbers"):
            db.execute(f"DROP TABLE {later}")
    again = JobStore(path)
    claimed, _ = again.claim()
    assert (claimed.id, claimed.model) == ("job-0001", b"")
    assert submit(again, "job-0002").key > claimed.key
    again.close()


def test_what_a_picture_took_is_kept_by_its_model_until_the_next(store, path):
    for name, seconds in (("job-0001", 40.0), ("job-0002", 29.0), ("job-0003", None)):
        job = submit(store, name, model=b'{"name": "mini", "path": "/models/mini"}')
        store.claim()
        store.finish(job.key, [result(name)], seconds)
    assert store.speeds.known() == {"mini": 29.0}
    store.release(ME, "job-0001")
    store.close()
    again = JobStore(path)
    assert again.speeds.known() == {"mini": 29.0}
    again.close()
