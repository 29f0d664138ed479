"""Job list over restarts."""

from standee.composition import Composition
from standee_desktop.model.jobs import KEPT, Job, Jobs, of_json


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
