"""Compose button and progress, visible whichever panel is in front."""

from __future__ import annotations

from dataclasses import replace

from standee_desktop.model.jobs import Job
from standee_desktop.panels.job_list import status_text
from support.desktop.person import Person


def job(person: Person, **fields: object) -> Job:
    """Return a running job."""
    made = Job("one", person.document.composition, state="running")
    return replace(made, **fields)  # type: ignore[arg-type]


def test_compose_and_its_progress_are_seen_beside_the_scene_panel(  # type: ignore[no-untyped-def]
    person: Person, assembly, settle
) -> None:
    person.window.resize(1024, 640)
    person.window.panel("scene").raise_()
    assembly.composer.jobs.put(job(person, stage="reading", step=2, of=3))
    settle()
    bar = assembly.compose_bar
    for part in (bar.button, bar.bar, bar.stop, bar.state):
        assert part.isVisible()
        assert person.window.rect().contains(part.mapTo(person.window, part.rect().bottomRight()))
    assert bar.state.text() == "Reading subject 2 of 3"
    assembly.composer.jobs.put(job(person, state="cancelled"))
    assert not bar.stop.isVisible()


def test_its_button_composes(person: Person, assembly, settle) -> None:  # type: ignore[no-untyped-def]
    assembly.compose_bar.button.click()
    settle(lambda: len(assembly.composer.jobs) == 1)


def test_stages_have_names_and_the_time_left_comes_with_the_steps(person: Person, assembly) -> None:  # type: ignore[no-untyped-def]
    said = [
        status_text(job(person, stage=stage, step=step, of=of, eta=eta))
        for stage, step, of, eta in (
            ("", 0, 0, None),
            ("fitting", 0, 1, None),
            ("loading", 0, 1, None),
            ("denoising", 1, 20, None),
            ("denoising", 5, 20, 30.0),
        )
    ]
    assert said == [
        "Starting…",
        "Seeing what fits into the memory…",
        "Loading the model…",
        "Step 1 of 20",
        "Step 5 of 20 · 30 s",
    ]


def test_a_cancelled_job_says_that_its_model_is_loaded_first(person: Person) -> None:
    def said(stage: str) -> str:
        return status_text(job(person, stage=stage, of=1, cancelling=True))

    assert said("loading") == "Stopping once the model is loaded…"
    assert said("words") == "Stopping…"
