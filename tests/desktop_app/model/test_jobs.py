"""Job list over restarts, and the time left by the pace of steps."""

from dataclasses import replace

from standee.composition import Composition
from standee.wire.events import Progress, Started
from standee_desktop.model.jobs import KEPT, Job, Jobs, Pace, of_json

JOB = Job("j", Composition(), state="running", of=20, eta=1710.0)


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


def step(number: int) -> Progress:
    """Return what the daemon tells after a step."""
    return Progress(job="j", seq=number, stage="denoising", step=number, of=20)


def test_the_time_left_is_that_of_the_steps_and_not_of_loading() -> None:
    pace = Pace()
    pace.timed(JOB, Started(job="j", seq=0), 0.0)
    pace.timed(JOB, Progress(job="j", seq=0, stage="loading", of=1), 1.0)
    assert pace.timed(replace(JOB, step=1), step(1), 90.0).eta is None  # one step tells no pace
    assert pace.timed(replace(JOB, step=3), step(3), 100.0).eta == 5.0 * 17


def test_after_a_restart_the_pace_is_measured_anew() -> None:
    pace = Pace()
    pace.timed(replace(JOB, step=1), step(1), 0.0)
    pace.timed(JOB, Started(job="j", seq=3, attempt=2), 500.0)
    assert pace.timed(replace(JOB, step=1), step(1), 600.0).eta is None
    assert pace.timed(replace(JOB, step=2), step(2), 602.0).eta == 2.0 * 18
