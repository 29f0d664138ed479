"""A job that does not fit is told so before it runs, and none is lost to an exhausted memory."""

import sys
from pathlib import Path

import pytest

from standee import Canvas, Composition, Layer, Rect, Sampling
from standee.errors import OutOfMemory
from standee.wire.notes import note_text

sys.path.insert(0, str(Path(__file__).resolve().parent))

from test_families import disc

from support.daemons import HERE, Running

MIB = 2**20


@pytest.fixture
def crammed(tmp_path):
    """Return `start(mib)`: a daemon whose device holds so many MiB."""
    started = []

    def start(mib):
        program = [str(HERE / "full_device.py"), str(int(mib * MIB))]
        started.append(Running(tmp_path / "home", program=program).start())
        return started[-1]

    yield start
    for running in started:
        running.stop()


@pytest.fixture
def limited(tmp_path, monkeypatch):
    """Return `start(mib)`: a daemon that is told to use so many MiB at most."""
    started = []

    def start(mib):
        monkeypatch.setenv("STANDEE_MEMORY", str(mib / 1024))
        started.append(Running(tmp_path / "home", toy=False).start())
        return started[-1]

    yield start
    for running in started:
        running.stop()


def compose(running, **sampling):
    """Compose a picture of 256 px with one subject; return its results, and what its progress noted."""
    notes = []
    with running.client() as client:
        composition = Composition(
            canvas=Canvas(256, 256),
            prompt="a meadow",
            layers=(Layer(picture=client.put_blob(disc()), rect=Rect(64, 64, 96, 96)),),
            sampling=Sampling(steps=3, **sampling),
        )
        results = client.compose(
            composition, on_event=lambda event: notes.extend(getattr(event, "notes", ()))
        )
    return results, list(dict.fromkeys(note_text(note) for note in notes))


def presets(results):
    return [result.receipt["model"]["preset"] for result in results]


def test_a_job_says_before_it_runs_how_it_fits(limited):
    running = limited(150)
    results, [note] = compose(running)
    assert note.startswith("Memory: preset 32 bits: weights in 32 bits")
    assert note.endswith("of 150 MiB.")
    assert presets(results) == ["32 bits"]
    assert note in running.log.read_text()


def test_where_the_best_preset_does_not_fit_the_next_one_is_taken(limited):
    results, [note] = compose(limited(60), count=2)
    assert note.startswith("Memory: preset 16 bits")
    assert presets(results) == ["16 bits", "16 bits"]


def test_a_job_that_cannot_fit_is_refused_with_what_it_needs(limited):
    running = limited(10)
    with pytest.raises(OutOfMemory, match=r"needs at least .* MiB .* 10 MiB can be used") as caught:
        compose(running)
    assert caught.value.path == "$.canvas"
    assert "smaller canvas" in caught.value.fix


def test_a_job_whose_memory_runs_out_goes_on_with_the_next_preset(crammed):
    running = crammed(60)
    results, notes = compose(running, count=2)
    assert notes[0].startswith("Memory: preset 32 bits")
    assert notes[1:] == [
        "Too little memory with preset 32 bits; going on with preset 16 bits: weights in 16 bits,"
        " all of it on the device."
    ]
    assert presets(results) == ["16 bits", "16 bits"]
    assert len(results[0].data) > 1000
    assert notes[1] in running.log.read_text()


def test_the_last_preset_is_tried_before_a_job_fails_and_the_worker_lives_on(crammed):
    running = crammed(5)
    with running.client() as client:
        [before] = client.status().workers
    with pytest.raises(OutOfMemory, match="with preset 8 bits too") as caught:
        compose(running)
    assert caught.value.path == "$.canvas"
    with running.client() as client:
        [after] = client.status().workers
    assert (after.pid, after.state) == (before.pid, "idle")
