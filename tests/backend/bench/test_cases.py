"""Cases of the benchmark: how many, of which kinds, and always the same ones."""

from __future__ import annotations

from collections import Counter
from itertools import combinations

from standee.composition import Rect
from standee_backend.bench.cases import KINDS, Case, make_cases
from standee_backend.bench.subject_sets import Arranged, Subject, SubjectSet

THIRTY = SubjectSet(
    tuple(Subject(f"{n}.png", f"thing{n}") for n in range(30)),
    tuple(f"a {{}} in place {n}" for n in range(25)),
)


def covers(case: Case) -> bool:
    pairs = combinations(case.boxes, 2)
    return any(a.x + a.w > b.x and a.y + a.h > b.y and b.y + b.h > a.y for a, b in pairs)


def test_a_whole_run_has_as_many_cases_as_the_paper() -> None:
    cases = make_cases(THIRTY)
    assert Counter(case.kind for case in cases) == KINDS
    assert len({case.name for case in cases}) == len(cases)
    single = [case for case in cases if case.kind == "single"]
    assert len({(case.subjects, case.prompt) for case in single}) == 750, "each with each prompt"


def test_a_sample_has_every_kind_and_is_always_the_same() -> None:
    sample = make_cases(THIRTY, 8)
    assert Counter(case.kind for case in sample) == dict.fromkeys(KINDS, 2)
    assert sample == make_cases(THIRTY, 8)
    assert set(make_cases(THIRTY, 4)) < set(sample)


def test_subjects_stand_on_the_canvas_and_those_that_shall_overlap_do() -> None:
    for case in make_cases(THIRTY, 400):
        assert all(min(b.x, b.y) >= 0 for b in case.boxes)
        assert all(max(b.x + b.w, b.y + b.h) <= 1 for b in case.boxes)
        assert all(subject.words in case.prompt for subject in case.subjects)
        assert not any(subject.words in case.place for subject in case.subjects)
        if case.kind == "overlap":
            assert covers(case)
        elif case.kind == "several":
            assert not covers(case)


def test_cases_that_a_set_arranges_are_taken_as_they_are() -> None:
    boy, cat = Subject("boy.jpg", "a boy"), Subject("cat.jpg", "a cat")
    beside = Arranged("They meet.", (boy, cat), (Rect(0, 0, 0.5, 1), Rect(0.5, 0, 0.5, 1)))
    crossed = Arranged("They hug.", (boy, cat), (Rect(0, 0, 0.6, 1), Rect(0.4, 0, 0.6, 1)))
    found = make_cases(SubjectSet(arranged=(beside, crossed)))
    assert [(case.kind, case.prompt, case.boxes) for case in found] == [
        ("several", "They meet.", beside.boxes),
        ("overlap", "They hug.", crossed.boxes),
    ]
