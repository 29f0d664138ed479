"""`standee bench` from end to end: choose a set, its cases and what scores them; compose; report."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from standee.client.client import Client
from standee.errors import InvalidField, MissingDependency
from standee.files import home

from ..catalog import catalog
from .cases import make_cases
from .networks import CLIP, DINO, Clip, Dino, DreamSim
from .report import write_report
from .run import Run
from .scores import Judges
from .subject_sets import REPOSITORIES, bring, read_set

OWN = "subjects"
"""The folder of a model with subjects of its own to be measured with."""

USUAL_SIZE = 1024
"""The canvas of models that name none, px."""

Network = TypeVar("Network")


def main(
    folder: Path,
    client: Client,
    *,
    model: str = "mini",
    subjects: str | None = None,
    sample: int | None = None,
    size: int | None = None,
    steps: int | None = None,
    clip: str = CLIP,
    dino: str = DINO,
    finder: str | None = None,
    download: bool = False,
    on_picture: Callable[[int, int, str], None] | None = None,
) -> tuple[Path, dict[str, Any]]:
    """Run the benchmark in `folder`, going on where it was; return the report's page and its figures.

    `subjects` is a folder, or the name of a published set; without it the model's own, or DreamBench. `on_picture` is
    told how many pictures are done, of how many, and which one it was. Nothing is brought from a network unless
    `download`. Raises `StandeeError`.
    """
    info = catalog.find(model)
    pictures = _folder(subjects, Path(info.path), download)
    cases = make_cases(read_set(pictures), sample)
    if not cases:
        raise InvalidField("There is nothing to measure.", path="$.sample", fix="Give 1 at least.")
    unmeasured: list[str] = []
    judges = Judges(
        clip=_had("CLIP-T, CLIP-I, SegCLIP-I", partial(Clip, clip, download=download), unmeasured),
        dino=_had("DINO", partial(Dino, dino, download=download), unmeasured),
        dreamsim=_had("DreamSim", DreamSim, unmeasured) if download else None,
        find=partial(_found, client, finder, download) if finder else None,
    )
    if not download:
        unmeasured.append("DreamSim: its package downloads its weights; agree with --yes.")
    if not finder:
        unmeasured.append("box IoU: name a detection model with --finder.")
    run = Run(
        folder,
        client,
        pictures,
        cases,
        model,
        size or info.size or USUAL_SIZE,
        info.patch,
        judges,
        steps,
    )
    run.begin()
    for done, name in enumerate(run, 1):
        if on_picture:
            on_picture(done, len(run), name)
    return write_report(run, unmeasured)


def _folder(subjects: str | None, model: Path, download: bool) -> Path:
    """Return the folder of the set that is wanted."""
    if subjects is None and (model / OWN / "subjects.json").exists():
        return model / OWN
    name = subjects or "dreambench"
    if name not in REPOSITORIES:
        return Path(name).expanduser()
    into = home() / "bench"
    if not download and not (into / name).exists():
        raise MissingDependency(
            f"The set {name} is not on this machine.",
            fix=f"Agree to the download of {REPOSITORIES[name]} with --yes, or name a folder.",
        )
    return bring(name, into)


def _had(names: str, make: Callable[[], Network], unmeasured: list[str]) -> Network | None:
    """Return a network, or `None` and a word about it where it is not here."""
    try:
        return make()
    except MissingDependency as error:
        unmeasured.append(f"{names}: {error.message} {error.fix}")
        return None


def _found(client: Client, finder: str, download: bool, picture: bytes, words: str) -> bytes:
    return client.cutout(picture, words=words, finder=finder, download=download)
