"""Cancellation of cut-outs: by a button, with their layer, by a timeout."""

from __future__ import annotations

import pytest
from PIL import Image
from PySide6.QtWidgets import QPushButton

from standee.wire.events import Failed, Progress, Queued, Started
from standee_desktop.services.job_timeouts import JobTimeouts
from support.desktop.person import Person


@pytest.fixture
def cutting(person: Person, assembly, settle, tmp_path):  # type: ignore[no-untyped-def]
    """Two photographs that wait to be cut out, and what was cancelled at the daemon."""
    for name in ("cat", "dog"):
        Image.new("RGB", (32, 32), "teal").save(tmp_path / f"{name}.png")
    assembly.importer.add_files([tmp_path / "cat.png", tmp_path / "dog.png"])
    settle(lambda: len(assembly.cutouts.running) == 2)
    return assembly.cutouts


def test_the_notice_of_a_cut_out_stops_it(person: Person, assembly, cutting) -> None:  # type: ignore[no-untyped-def]
    [row] = assembly.notice_bar.rows()
    button = row.findChild(QPushButton, "fix-cancel")
    assert button.text() == "Cancel"
    button.click()
    person.settle(lambda: not assembly.link._listeners)
    assert cutting.running == ()
    assert len(assembly.notices) == 0


def test_cancel_all_stops_cut_outs_too(person: Person, assembly, cutting) -> None:  # type: ignore[no-untyped-def]
    person.chooses("cancel-all")
    person.settle(lambda: not assembly.link._listeners)
    assert cutting.running == ()


def test_a_cut_out_ends_with_its_layer_and_with_its_document(  # type: ignore[no-untyped-def]
    person: Person, assembly, cutting, settle
) -> None:
    first, second = (layer.id for layer in person.document.composition.layers)
    person.selects(first)
    person.chooses("delete")
    assert cutting.running == (second,)
    [notice] = assembly.notices
    assert notice.text == "Cutting out dog…"
    from standee.document.document import Document

    person.document.open(Document())
    settle(lambda: not assembly.link._listeners)
    assert cutting.running == ()
    assert len(assembly.notices) == 0


def test_a_failed_cut_out_offers_what_the_editor_has(person: Person, assembly, cutting) -> None:  # type: ignore[no-untyped-def]
    from standee.errors import BadPicture
    from standee.wire.events import Problem

    job = next(iter(assembly.link._listeners))
    error = BadPicture("Nothing was found.", fix="Draw the box a little larger, or mark points.")
    assembly.link._deliver(Failed(job=job, seq=1, error=Problem.of(error)))
    [notice] = [one for one in assembly.notices if one.level == "error"]
    assert "brush" in notice.hint
    assert "box" not in notice.hint


def test_a_job_that_gives_no_sign_is_given_up_and_a_waiting_one_is_not(app, settle) -> None:  # type: ignore[no-untyped-def]
    over: list[str] = []
    patience = JobTimeouts(lambda job, _: over.append(job))
    for job in ("silent", "waiting", "busy", "done"):
        patience.have(job, 0.15)
    patience.hear(Queued(job="waiting", seq=1, position=1))
    for job in ("silent", "busy", "done"):
        patience.hear(Started(job=job, seq=1))
    problem = Failed(job="done", seq=2, error=_problem())
    patience.hear(problem)
    for _ in range(4):
        settle(lambda: True)
        _wait(settle, 0.06)
        patience.hear(Progress(job="busy", seq=2))
    assert over == ["silent"]


def _problem():  # type: ignore[no-untyped-def]
    from standee.errors import JobFailed
    from standee.wire.events import Problem

    return Problem.of(JobFailed("no"))


def _wait(settle, seconds: float) -> None:  # type: ignore[no-untyped-def]
    import time

    end = time.monotonic() + seconds
    settle(lambda: time.monotonic() > end)


def test_a_job_that_is_given_up_fails_with_a_word(person: Person, assembly, cutting) -> None:  # type: ignore[no-untyped-def]
    from dataclasses import replace

    job = next(iter(assembly.link._listeners))
    assembly.link._run_out(job, 120)
    assert len(cutting.running) == 2  # nobody can be heard: it waits on
    assembly.link.contact = replace(assembly.link.contact, state="connected")
    assembly.link._run_out(job, 120)
    assert len(cutting.running) == 1
    assert any("2 minutes without a sign" in notice.text for notice in assembly.notices)
