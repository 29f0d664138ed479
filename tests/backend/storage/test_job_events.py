"""A job's events are numbered once and for all, and read by pages."""

import itertools

import pytest

from standee.wire.events import Result
from standee_backend.storage.job_store import PAGE_BYTES, STRIDE, JobStore

ME = "my key"


@pytest.fixture
def store(tmp_path):
    store = JobStore(tmp_path / "jobs.sqlite")
    yield store
    store.close()


def submit(store):
    return store.submit(ME, "job-0001", "compose", b"{}")[0]


def test_events_come_by_pages_and_none_is_missed(store):
    job = submit(store)
    store.claim()
    receipts = [f"{number}" * (PAGE_BYTES // 3) for number in range(7)]
    large = [
        Result(job="job-0001", digest="d" * 64, index=number, of=7, receipt={"said": words})
        for number, words in enumerate(receipts)
    ]
    store.finish(job.key, large)
    seen, pages = [], 0
    while page := store.events(job.key, seen[-1].seq if seen else 0):
        seen, pages = seen + page, pages + 1
    assert [event.receipt["said"] for event in seen if isinstance(event, Result)] == receipts
    assert pages == 4


def test_numbers_of_events_leave_room_and_never_repeat_over_crashes(store):
    job = submit(store)
    seen = [event.seq for event in store.events(job.key)]
    for _ in range(3):
        store.claim()
        store.recover()
    seen = [event.seq for event in store.events(job.key)]
    assert all(later - earlier == STRIDE for earlier, later in itertools.pairwise(seen))
