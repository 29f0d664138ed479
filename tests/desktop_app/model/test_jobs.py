"""Job list over restarts, and live mode."""

from standee.composition import Composition
from standee_desktop.model.jobs import KEPT, Job, Jobs, of_json
from standee_desktop.model.live_mode import LONGEST, REST, LiveMode


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
    live = LiveMode()
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
    live = LiveMode()
    live.switch(True, now=0.0)
    live.take(Composition(), now=0.0)
    now = 1.0
    while now < 1.0 + LONGEST:
        live.changed(now)
        now += REST / 3
    assert live.take(Composition(prompt="on the way"), now=now)


def test_live_mode_does_not_compose_the_same_twice() -> None:
    live = LiveMode()
    live.switch(True, now=0.0)
    assert live.take(Composition(), now=0.0)
    live.changed(now=1.0)
    assert not live.take(Composition(), now=9.0)
