"""A job's state follows from its events; live mode composes what rests, once."""

from standee.composition import Composition
from standee.errors import OutOfMemory
from standee.wire.events import (
    Cancelled,
    Event,
    Failed,
    Preview,
    Problem,
    Progress,
    Queued,
    Result,
    Started,
)
from standee_desktop.model.jobs import KEPT, Job, Jobs, after, of_json
from standee_desktop.model.live_mode import LONGEST, REST, Live


def told(*events: Event) -> Job:
    job = Job("job-0001", Composition())
    for event in events:
        job = after(job, event)
    return job


def test_a_job_goes_from_queued_to_done() -> None:
    job = told(Queued(job="j", seq=1, position=2))
    assert (job.state, job.position) == ("queued", 2)
    job = after(job, Started(job="j", seq=2))
    job = after(job, Progress(job="j", seq=3, stage="denoising", step=3, of=12, eta=4.5))
    assert (job.state, job.part, job.eta) == ("running", 0.25, 4.5)
    job = after(job, Preview(job="j", seq=4, step=3, data=b"x"))
    assert job.preview == b"x"
    job = after(job, Result(job="j", seq=5, index=0, of=2))
    assert job.state == "running"
    job = after(job, Result(job="j", seq=6, index=1, of=2))
    assert job.finished
    assert job.last_seq == 6


def test_a_failure_keeps_its_error_and_a_cancelled_job_is_finished() -> None:
    failed = told(Failed(job="j", error=Problem.of(OutOfMemory("No room.", fix="Less."))))
    assert isinstance(failed.error, OutOfMemory)
    assert failed.finished
    assert told(Cancelled(job="j")).finished


def test_after_a_restart_progress_begins_anew() -> None:
    job = told(
        Started(job="j", seq=1),
        Progress(job="j", seq=2, stage="denoising", step=9, of=10),
        Started(job="j", seq=3, attempt=2),
    )
    assert job.part == 0.0


def test_what_was_done_for_want_of_memory_stays_in_mind() -> None:
    note = "Too little memory with preset 24 GB; going on with preset 16 GB."
    job = told(
        Progress(job="j", seq=1, stage="loading", of=1, note=note),
        Progress(job="j", seq=2, stage="denoising", step=1, of=10),
    )
    assert job.note == note


def test_a_job_survives_the_recovery_folder() -> None:
    job = Job("job-0001", Composition(prompt="a cat"))
    assert of_json(job.to_json()).composition == job.composition


def test_the_list_drops_the_oldest_finished_jobs_only() -> None:
    jobs = Jobs()
    jobs.put(Job("running", Composition(), state="running"))
    for number in range(KEPT + 5):
        jobs.put(Job(f"done-{number}", Composition(), state="done"))
    assert len(jobs) == KEPT + 1
    assert jobs.get("running") is not None
    assert jobs.get("done-4") is None
    assert jobs.current == jobs.get("running")


def test_live_mode_waits_until_the_hand_rests() -> None:
    live = Live()
    live.switch(True, now=0.0)
    assert live.take(Composition(), now=0.0)
    moved = Composition(prompt="moved")
    live.changed(now=1.0)
    assert not live.take(moved, now=1.0 + REST / 2)
    live.changed(now=1.0 + REST / 2)
    assert not live.take(moved, now=1.0 + REST)
    assert live.take(moved, now=1.0 + 1.5 * REST)
    assert live.due_in(now=5.0) is None


def test_live_mode_does_not_wait_for_a_hand_that_never_rests() -> None:
    live = Live()
    live.switch(True, now=0.0)
    live.take(Composition(), now=0.0)
    now = 1.0
    while now < 1.0 + LONGEST:
        live.changed(now)
        now += REST / 3
    assert live.take(Composition(prompt="on the way"), now=now)


def test_live_mode_does_not_compose_the_same_twice() -> None:
    live = Live()
    live.switch(True, now=0.0)
    assert live.take(Composition(), now=0.0)
    live.changed(now=1.0)
    assert not live.take(Composition(), now=9.0)
