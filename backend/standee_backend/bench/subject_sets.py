"""Sets of subjects to measure on: DreamBench, LAMICBench, a model's own, or any folder of cut-outs.

A folder is read by what lies in it. A set of one's own has a `subjects.json`:

    {"subjects": [{"picture": "cat.png", "words": "cat"}], "prompts": ["{} on a beach"]}
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from standee.composition import Rect
from standee.errors import InvalidField, MissingDependency
from standee.validation import convert

REPOSITORIES = {
    "dreambench": "https://github.com/google/dreambooth",
    "lamicbench": "https://github.com/Suchenl/LAMIC",
}
"""Published sets, which `git` brings."""

LIVE = ("cat", "dog")
"""The classes of DreamBench whose prompts are those of live subjects."""


class Subject(Struct, frozen=True):
    """A subject: its picture's file, with alpha if it is a cut-out, and the words for it."""

    picture: str
    words: Annotated[str, Meta(min_length=1)]
    prompts: tuple[str, ...] = ()


class Arranged(Struct, frozen=True):
    """A case that a set arranges itself: subjects and their boxes, in shares of the canvas."""

    prompt: str
    subjects: tuple[Subject, ...]
    boxes: tuple[Rect, ...]


class SubjectSet(Struct, frozen=True):
    """Subjects, prompts with a place for their words (`{}`), and cases that are arranged already."""

    subjects: tuple[Subject, ...] = ()
    prompts: tuple[str, ...] = ()
    arranged: tuple[Arranged, ...] = ()

    def prompts_of(self, subject: Subject) -> tuple[str, ...]:
        """Return the prompts that suit a subject."""
        return subject.prompts or self.prompts or ("{}",)


def read_set(folder: Path) -> SubjectSet:
    """Read the set in a folder. Raises `InvalidField` where there is none, or a picture of it is missing."""
    readers = {
        "subjects.json": _own,
        "dataset/prompts_and_classes.txt": _dreambench,
        "dataset/structured_inputs": _lamicbench,
    }
    for name, read in readers.items():
        if (folder / name).exists():
            found = read(folder, folder / name)
            _check(folder, found)
            return found
    raise InvalidField(
        f"{folder} holds no set of subjects.",
        path="$.set",
        fix=f"Give one with a subjects.json, a checkout of {', '.join(REPOSITORIES.values())}, or their names.",
    )


def bring(name: str, into: Path) -> Path:
    """Bring a published set by `git` and return its folder. Raises `MissingDependency` and `InvalidField`."""
    folder = into / name
    if folder.exists():
        return folder
    git = shutil.which("git")
    if git is None:
        raise MissingDependency("The set is brought by git, which is not here.", fix="Install git.")
    into.mkdir(parents=True, exist_ok=True)
    part = into / f"{name}.part"
    shutil.rmtree(part, ignore_errors=True)
    done = subprocess.run(
        [git, "clone", "--quiet", "--depth", "1", REPOSITORIES[name], str(part)],
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise InvalidField(
            f"{REPOSITORIES[name]} cannot be brought: {done.stderr.strip()}",
            path="$.set",
            fix="Look at the network, or name a folder that holds it.",
        )
    part.rename(folder)
    return folder


def _own(folder: Path, file: Path) -> SubjectSet:
    try:
        said = json.loads(file.read_text("utf-8-sig"))
    except ValueError as error:
        raise InvalidField(
            f"{file} is no JSON: {error}.", path="$.set", fix="Correct it."
        ) from None
    return convert(said, SubjectSet)


def _dreambench(folder: Path, file: Path) -> SubjectSet:
    """The first picture of each subject; its class is its words (arXiv 2208.12242)."""
    text = file.read_text("utf-8")
    classes = re.findall(r"^([\w-]+),([\w ]+)$", text, re.MULTILINE)
    objects, _, live = text.partition("Live Subject Prompts")
    prompts = {
        alive: tuple(
            line.replace("{0} {1}", "{}")
            for line in re.findall(r"^'(.*)'\.format", part, re.MULTILINE)
        )
        for alive, part in ((False, objects), (True, live))
    }
    subjects = []
    for name, words in classes:
        if name == "subject_name":
            continue
        first = sorted((folder / "dataset" / name).glob("*.jpg"))[:1]
        path = first[0].relative_to(folder).as_posix() if first else f"dataset/{name}/00.jpg"
        subjects.append(Subject(path, words.strip(), prompts[words.strip() in LIVE]))
    return SubjectSet(tuple(subjects))


def _lamicbench(folder: Path, inputs: Path) -> SubjectSet:
    """Its cases whose references all have a box (arXiv 2508.00477)."""
    cases = []
    for file in sorted(inputs.glob("*.json")):
        for case in json.loads(file.read_text("utf-8")).values():
            references = [
                value for name, value in sorted(case.items()) if name.startswith("ref_img")
            ]
            if not all("bbox" in reference for reference in references):
                continue
            boxes = []
            for left, top, right, bottom in (reference["bbox"] for reference in references):
                boxes.append(Rect(left, top, right - left, bottom - top))
            subjects = tuple(
                Subject(reference["image_path"].removeprefix("./"), reference["SAD"]["id"])
                for reference in references
            )
            cases.append(Arranged(case["prompt"], subjects, tuple(boxes)))
    return SubjectSet(arranged=tuple(cases))


def _check(folder: Path, found: SubjectSet) -> None:
    everyone = [*found.subjects, *(one for case in found.arranged for one in case.subjects)]
    for subject in everyone:
        if not (folder / subject.picture).is_file():
            raise InvalidField(
                f"The picture {subject.picture} of the set is not in {folder}.",
                path="$.set",
                fix="Bring the whole set.",
            )
    if not everyone:
        raise InvalidField(f"The set in {folder} is empty.", path="$.set", fix="Name another.")
