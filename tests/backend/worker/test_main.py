"""The worker's process, alone at the other end of its pipe, with a toy in the engine's place."""

import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from standee.wire.events import Cancelled, Failed, Preview, Progress
from standee_backend.storage.blob_files import BlobFiles
from standee_backend.worker.pipe import (
    Cancel,
    DeviceFree,
    Done,
    FromWorker,
    JobEvent,
    Pipe,
    Ready,
    Run,
    Setup,
)

TOY = Path(__file__).resolve().parents[2] / "support" / "toy_worker.py"


@pytest.fixture
def process(tmp_path):
    command = [sys.executable, str(TOY), str(tmp_path / "deaths")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.fixture
def pipe(process, tmp_path):
    """The daemon's end of a worker that is ready."""
    pipe = Pipe(process.stdout, process.stdin, FromWorker)
    pipe.send(Setup(str(tmp_path / "blobs"), {}))
    assert isinstance(pipe.receive(), Ready)
    return pipe


def run(pipe, prompt="a cat", number=1, **sampling):
    spec = msgspec.json.encode({"prompt": prompt, "sampling": sampling})
    pipe.send(Run(number, "compose", spec))


def until(pipe, kind):
    """Return all messages up to the first of `kind`, or that tells an event of it."""
    heard = [pipe.receive()]
    while not isinstance(heard[-1], kind) and not is_of(heard[-1], kind):
        heard.append(pipe.receive())
    return heard


def is_of(message, kind):
    return isinstance(message, JobEvent) and isinstance(message.event, kind)


def test_a_job_reports_its_steps_and_leaves_its_pictures_among_the_blobs(pipe, tmp_path):
    run(pipe, steps=3, count=2, seed=7)
    *reports, done = until(pipe, Done)
    assert [r.event.step for r in reports if is_of(r, Progress)] == [1, 2, 3]
    assert any(is_of(report, Preview) for report in reports)
    assert [made.seed for made in done.results] == [7, 8]
    blobs = BlobFiles(tmp_path / "blobs")
    assert blobs.read(done.results[0].digest) == b"picture of a cat 7"


def test_a_cancelled_job_stops_at_its_next_step(pipe):
    run(pipe, "slow", steps=200)
    until(pipe, Progress)
    pipe.send(Cancel(1))
    began = time.monotonic()
    heard = until(pipe, Cancelled)
    assert time.monotonic() - began < 1
    assert sum(is_of(message, Progress) for message in heard) <= 3


def test_a_cancellation_does_not_hit_the_next_job(pipe):
    run(pipe, "slow", steps=200)
    until(pipe, Progress)
    pipe.send(Cancel(1))
    run(pipe, number=2)
    assert until(pipe, Done)[-1].job == 2


def test_a_cancellation_that_comes_late_is_of_no_job(pipe):
    run(pipe)
    until(pipe, Done)
    pipe.send(Cancel(1))
    run(pipe, number=1)
    assert until(pipe, Done)[-1].job == 1


def test_the_next_job_makes_its_steps_while_the_last_ones_picture_is_being_finished(pipe):
    run(pipe, "long to finish")
    until(pipe, DeviceFree)
    run(pipe, number=2, steps=3)
    *meanwhile, done = until(pipe, Done)
    assert done.job == 1
    assert [m.event.step for m in meanwhile if is_of(m, Progress) and m.job == 2] == [1, 2, 3]
    assert until(pipe, Done)[-1].job == 2


def test_a_job_can_be_cancelled_while_its_picture_is_being_finished(pipe):
    run(pipe, "long to finish")
    until(pipe, DeviceFree)
    pipe.send(Cancel(1))
    run(pipe, number=2)
    assert until(pipe, Cancelled)[-1].job == 1
    assert until(pipe, Done)[-1].job == 2


def test_a_picture_that_cannot_be_finished_fails_its_own_job_only(pipe):
    run(pipe, "long to finish, bad end")
    until(pipe, DeviceFree)
    run(pipe, number=2)
    failed = until(pipe, Failed)[-1]
    assert failed.job == 1
    assert "told to end badly" in failed.event.error.message
    assert until(pipe, Done)[-1].job == 2


def test_no_more_pictures_are_computed_after_one_that_cannot_be_finished(pipe):
    run(pipe, "bad end", count=3)
    heard = until(pipe, Failed)
    assert not any(isinstance(message, DeviceFree) for message in heard)


def test_a_job_ends_only_when_nothing_of_it_is_being_finished_any_more(pipe):
    """What then kills the process would be blamed on another job."""
    began = time.monotonic()
    run(pipe, "break off, long to finish", count=2)
    assert until(pipe, Failed)[-1].job == 1
    assert time.monotonic() - began >= 0.5


def test_an_exception_is_a_failure_in_words_and_the_worker_goes_on(pipe):
    run(pipe, "fail")
    failed = until(pipe, Failed)[-1]
    assert (failed.job, failed.event.error.code) == (1, "job-failed")
    assert "told to fail" in failed.event.error.message
    run(pipe, number=2)
    assert until(pipe, Done)[-1].job == 2


def test_an_error_of_ours_keeps_its_code_and_path(pipe):
    run(pipe, "refuse")
    problem = until(pipe, Failed)[-1].event.error
    assert (problem.code, problem.path) == ("bad-picture", "$.layers[0].picture")


def test_the_worker_ends_when_the_daemon_does(pipe, process):
    run(pipe, "slow", steps=200)
    until(pipe, Progress)
    process.stdin.close()
    assert process.wait(5) == 0


def test_what_a_library_prints_does_not_disturb_the_pipe(tmp_path):
    code = (
        "import os, sys\n"
        "from standee_backend.worker.main import main\n"
        "class Chatty:\n"
        "    def run(self, *a):\n"
        "        print('hello from python'); os.write(1, b'hello from C'); raise ValueError('x')\n"
        "main(lambda options: Chatty())\n"
    )
    done = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    pipe = Pipe(done.stdout, done.stdin, FromWorker)
    pipe.send(Setup(str(tmp_path / "blobs"), {}))
    run(pipe)
    assert isinstance(pipe.receive(), Ready)
    assert is_of(pipe.receive(), Failed)
    _, said = done.communicate()
    assert b"hello from python" in said
    assert b"hello from C" in said


def test_an_engine_that_cannot_be_loaded_is_a_missing_dependency(tmp_path):
    code = (
        "from standee_backend.worker.main import main\n"
        "def make(options): import no_such_engine\n"
        "main(make)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    pipe = Pipe(process.stdout, process.stdin, FromWorker)
    pipe.send(Setup(str(tmp_path / "blobs"), {}))
    problem = pipe.receive().problem
    process.communicate()
    assert problem.code == "missing-dependency"
    assert "no_such_engine" in problem.message
    assert "pip install" in problem.fix
