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


@pytest.fixture(scope="module")
def crammed(tmp_path_factory):
    """A daemon whose device holds 60 MiB."""
    program = [str(HERE / "full_device.py"), str(60 * MIB)]
    running = Running(tmp_path_factory.mktemp("crammed") / "home", program=program).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """A daemon that is told to use 110 MiB at most."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STANDEE_MEMORY", str(110 / 1024))
        running = Running(tmp_path_factory.mktemp("limited") / "home", toy=False).start()
    yield running
    running.stop()


def compose(running, side=256, **sampling):
    """Compose a square picture with one subject; return its results, and what its progress noted."""
    notes = []
    with running.client() as client:
        composition = Composition(
            canvas=Canvas(side, side),
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


def test_a_job_says_before_it_runs_how_it_fits_if_not_in_the_best_way_then_in_the_next(limited):
    results, [note] = compose(limited)
    assert note.startswith("Memory: preset 32 bits: weights in 32 bits")
    assert note.endswith("of 110 MiB.")
    assert presets(results) == ["32 bits"]
    assert note in limited.log.read_text()
    results, [note] = compose(limited, side=384, count=2)
    assert note.startswith("Memory: preset 16 bits")
    assert presets(results) == ["16 bits", "16 bits"]


def test_a_job_that_cannot_fit_is_refused_with_what_it_needs(limited):
    with pytest.raises(
        OutOfMemory, match=r"needs at least .* MiB .* 110 MiB can be used"
    ) as caught:
        compose(limited, side=1024)
    assert caught.value.path == "$.canvas"
    assert "smaller canvas" in caught.value.fix


def test_a_job_whose_memory_runs_out_goes_on_with_the_next_preset(crammed):
    results, notes = compose(crammed, count=2)
    assert notes[0].startswith("Memory: preset 32 bits")
    assert notes[1:] == [
        "Too little memory with preset 32 bits; going on with preset 16 bits: weights in 16 bits,"
        " all of it on the device."
    ]
    assert presets(results) == ["16 bits", "16 bits"]
    assert len(results[0].data) > 1000
    assert notes[1] in crammed.log.read_text()


def test_the_last_preset_is_tried_before_a_job_fails_and_the_worker_lives_on(crammed):
    with crammed.client() as client:
        [before] = client.status().workers
    with pytest.raises(OutOfMemory, match="with preset 8 bits too") as caught:
        compose(crammed, side=1024)
    assert caught.value.path == "$.canvas"
    with crammed.client() as client:
        [after] = client.status().workers
    assert (after.pid, after.state) == (before.pid, "idle")
