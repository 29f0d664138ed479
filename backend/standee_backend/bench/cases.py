"""Cases of the benchmark: one subject, several, a subject in a given scene, and two that overlap.

DreamBench has 30 subjects and 25 prompts each; the paper extends it to 750 cases of one subject, 1,000 of several and
100 of a subject in a scene (section 4.1). It leaves the rectangles open: here they follow from the case's number.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from standee.composition import Rect

from .subject_sets import Subject, SubjectSet

Kind = Literal["single", "several", "scene", "overlap"]

KINDS: dict[Kind, int] = {"single": 750, "several": 1000, "scene": 100, "overlap": 100}
"""The kinds, and how many cases each has at most."""

SIDES = 0.45, 0.6
"""A single subject's rectangle, in shares of the canvas."""


@dataclass(frozen=True)
class Case:
    """What is to be composed; `boxes` are in shares of the canvas, later ones in front."""

    name: str
    kind: Kind
    prompt: str
    place: str
    subjects: tuple[Subject, ...]
    boxes: tuple[Rect, ...]


def make_cases(subject_set: SubjectSet, sample: int | None = None) -> list[Case]:
    """Return the cases of a set, or a `sample` of so many, of each kind in turn."""
    kinds = [islice(_CASES[kind](subject_set), most) for kind, most in KINDS.items()]
    cases: list[Case] = []
    while kinds and (sample is None or len(cases) < sample):
        for kind in list(kinds):
            case = next(kind, None)
            if case is None:
                kinds.remove(kind)
            elif sample is None or len(cases) < sample:
                cases.append(case)
    return sorted(cases, key=lambda case: (list(KINDS).index(case.kind), case.name))


def _single(given: SubjectSet) -> Iterator[Case]:
    yield from _each(given, "single")
    yield from _arranged(given, "single", lambda count, overlapping: count == 1)


def _scene(given: SubjectSet) -> Iterator[Case]:
    yield from _each(given, "scene")


def _each(given: SubjectSet, kind: Kind) -> Iterator[Case]:
    """Each subject with each prompt: all subjects once before the first comes again."""
    subjects = random.Random(kind).sample(given.subjects, len(given.subjects))
    most = max((len(given.prompts_of(subject)) for subject in subjects), default=0)
    for turn in range(most):
        for index, subject in enumerate(subjects):
            prompts = given.prompts_of(subject)
            if turn < len(prompts):
                number = turn * len(subjects) + index
                chance = random.Random(number)
                side = chance.uniform(*SIDES)
                left, top = chance.uniform(0.05, 0.95), chance.uniform(0.5, 0.95)
                box = Rect(left * (1 - side), top * (1 - side), side, side)
                prompt = prompts[(turn + index) % len(prompts)]
                yield _case(kind, number, prompt, (subject,), (box,))


def _several(given: SubjectSet) -> Iterator[Case]:
    """Two or three subjects beside each other."""
    for number, chance in _draws(given, 3):
        count = 2 + number % 2
        boxes = []
        for place in range(count):
            side = chance.uniform(0.75, 0.95) / count
            left = (place + chance.uniform(0.1, 0.9) * (1 - side * count)) / count
            boxes.append(Rect(left, 1 - side - chance.uniform(0.05, 0.3), side, side))
        yield _together("several", number, given, chance, tuple(boxes))
    yield from _arranged(given, "several", lambda count, overlapping: count > 1 and not overlapping)


def _overlap(given: SubjectSet) -> Iterator[Case]:
    """Two subjects, one of which covers a good part of the other."""
    for number, chance in _draws(given, 2):
        side, shift = chance.uniform(0.4, 0.5), chance.uniform(0.35, 0.5)
        left, top = chance.uniform(0.05, 0.15), chance.uniform(0.15, 0.3)
        behind = Rect(left, top, side, side)
        front = Rect(left + shift * side, top + 0.3 * side, side, side)
        yield _together("overlap", number, given, chance, (behind, front))
    yield from _arranged(given, "overlap", lambda count, overlapping: overlapping)


_CASES = {"single": _single, "several": _several, "scene": _scene, "overlap": _overlap}


def _draws(given: SubjectSet, least: int) -> Iterator[tuple[int, random.Random]]:
    if len(given.subjects) >= least:
        for number in range(max(KINDS.values())):
            yield number, random.Random(number)


def _together(
    kind: Kind, number: int, given: SubjectSet, chance: random.Random, boxes: tuple[Rect, ...]
) -> Case:
    """Return a case of as many different subjects as there are boxes; the first one's prompt tells the place."""
    subjects = tuple(chance.sample(given.subjects, len(boxes)))
    prompt = chance.choice(given.prompts_of(subjects[0]))
    return _case(kind, number, prompt, subjects, boxes)


def _case(
    kind: Kind, number: int, prompt: str, subjects: tuple[Subject, ...], boxes: tuple[Rect, ...]
) -> Case:
    named = " and a ".join(subject.words for subject in subjects)
    named = named if prompt.startswith(("a {}", "an {}")) else f"a {named}"
    place = " ".join(prompt.replace("a {}", "").replace("{}", "").split())
    return Case(f"{kind}-{number:04d}", kind, prompt.replace("{}", named), place, subjects, boxes)


def _arranged(given: SubjectSet, kind: Kind, suits: Callable[[int, bool], bool]) -> Iterator[Case]:
    """Return the set's own cases that suit: told are the number of their boxes, and whether these overlap."""
    for number, one in enumerate(given.arranged):
        boxes = one.boxes
        overlapping = any(_cross(a, b) for i, a in enumerate(boxes) for b in boxes[:i])
        if suits(len(boxes), overlapping):
            yield Case(
                f"{kind}-set-{number:04d}", kind, one.prompt, one.prompt, one.subjects, boxes
            )


def _cross(a: Rect, b: Rect) -> bool:
    return a.x < b.x + b.w and b.x < a.x + a.w and a.y < b.y + b.h and b.y < a.y + a.h
