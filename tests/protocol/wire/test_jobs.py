"""How a job stands after its events, and its notes in words of any language."""

import pytest

from standee.errors import JobFailed
from standee.wire import codec
from standee.wire.events import (
    Cancelled,
    Failed,
    Preview,
    Problem,
    Progress,
    Queued,
    Result,
    Started,
)
from standee.wire.jobs import JobStatus
from standee.wire.notes import FORMS, MEMORY_PLAN, MEMORY_SHORT, Note, note, note_text

PLAN = {
    "preset": "24 GB",
    "offload": "text",
    "quantization": "fp8",
    "text_quantization": "nf4",
    "dtype": "bf16",
    "need": 3 * 2**30,
    "room": 15 * 2**30,
}
JOB = {"job": "job-0001"}


def after(*events):
    status = JobStatus("job-0001")
    for event in events:
        status = status.after(event)
    return status


def test_a_job_goes_from_the_queue_to_its_last_picture():
    assert after(Queued(**JOB, seq=1, position=3)).position == 3
    halfway = after(Started(**JOB, seq=2), Progress(**JOB, seq=3, stage="denoising", step=2, of=4))
    assert (halfway.state, halfway.part, halfway.finished) == ("running", 0.5, False)
    first = halfway.after(Preview(**JOB, seq=4, data=b"x")).after(Result(**JOB, seq=5, of=2))
    assert (first.state, first.arrived, first.preview) == ("running", 1, b"x")
    done = first.after(Result(**JOB, seq=6, index=1, of=2))
    assert (done.state, done.part, done.finished, done.last_seq) == ("done", 1.0, True, 6)


def test_a_stage_that_only_prepares_is_no_part_of_the_way():
    assert after(Progress(**JOB, stage="loading", step=9, of=10)).part == 0
    assert after(Progress(**JOB, stage="downloading", step=9, of=10)).part == 0.9


def test_a_job_that_starts_anew_counts_from_the_start():
    status = after(Progress(**JOB, stage="denoising", step=9, of=10), Started(**JOB, attempt=2))
    assert (status.part, status.attempt) == (0, 2)


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (Cancelled(**JOB), "cancelled"),
        (Failed(**JOB, error=Problem.of(JobFailed("No."))), "failed"),
    ],
)
def test_a_job_that_ends_without_a_picture_says_how(event, state):
    status = after(event)
    assert (status.state, status.finished) == (state, True)
    assert (status.error is None) == (state == "cancelled")


def test_what_a_job_notes_stays_with_it_over_the_wire_and_to_its_end():
    plan = note(MEMORY_PLAN, **PLAN)
    sent = Progress(**JOB, seq=1, stage="fitting", notes=(plan,))
    [frame] = codec.encode(sent)
    status = after(codec.answer_or_event(codec.unpack([frame])), Progress(**JOB, seq=2))
    assert status.notes == (plan,)
    [kept] = status.after(Result(**JOB, seq=3)).notes
    assert (kept.code, kept.values["need"]) == ("memory-plan", 3 * 2**30)


def test_a_note_is_put_into_the_words_of_the_reader():
    about = note(MEMORY_PLAN, "$.sampling.model", **PLAN)
    assert about.words == (
        "Memory: preset 24 GB: weights in 8 bits (fp8), text encoder in 4 bits, text encoders only"
        " while they encode; about 3.0 GiB of 15.0 GiB."
    )
    spoken = {FORMS[MEMORY_PLAN]: "Speicher {need}: {meaning}", "4 bits": "4 Bit"}
    said = note_text(about, lambda phrase: spoken.get(phrase, phrase))
    assert said.startswith("Speicher 3.0 GiB: ")
    assert "text encoder in 4 Bit" in said


def test_a_note_of_another_version_keeps_its_english_words():
    assert note_text(Note("of-the-future", words="All is well."), str.upper) == "ALL IS WELL."
    assert note_text(Note(MEMORY_SHORT, words="Short.", values={"preset": 3})) == "Short."
    odd = {"preset": 4, "offload": ["list"], "quantization": 1, "text_quantization": 2}
    assert note_text(Note(MEMORY_PLAN, words="Odd.", values=odd | {"need": "much"})) == "Odd."
