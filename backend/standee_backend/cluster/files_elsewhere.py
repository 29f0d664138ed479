"""Models and LoRAs on another machine: known there by hub id, or by the same files at the same place.

A hub id is the same model everywhere, and the bundled one comes with the same version of Standee. A folder or a file
is of one machine; another one may compute with it if it has the like at the same path, or by the same name in its
`models.toml`. Whether it is alike tell names, sizes and the first MiB of each file: gigabytes are not read for that.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec
from msgspec.structs import replace

from standee.composition import Composition
from standee.errors import StandeeError, UnknownModel

from ..catalog import catalog, lora_files
from ..catalog.catalog import ModelInfo

SAMPLE = 2**20
"""Bytes of each file that are read."""
MODEL = "$.sampling.model"


class LocalFiles(msgspec.Struct, frozen=True):
    """A folder or file of the daemon's machine that `field` names, and what it is known by."""

    field: str
    path: str
    digest: str


def sample_digest(path: Path) -> str:
    """Return what a file or a folder with all in it is known by. Raises `OSError`."""
    found = hashlib.sha256()
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in files:
        inside = file.relative_to(path).as_posix()
        if not file.is_file() or any(part.startswith(".") for part in file.relative_to(path).parts):
            continue
        with file.open("rb") as opened:
            start = opened.read(SAMPLE)
        found.update(f"{inside}\0{file.stat().st_size}\0".encode() + hashlib.sha256(start).digest())
    return found.hexdigest()


def local_files(info: ModelInfo | None, spec: object) -> list[LocalFiles]:
    """Return what a job names that is of this machine alone."""
    found = []
    if info is not None and info.source != "bundled":
        for path in dict.fromkeys((info.path, info.base)):
            here = catalog.existing(path) if path else None
            if here is not None:
                found.append(LocalFiles(MODEL, path, sample_digest(here)))
    if isinstance(spec, Composition):
        for index, lora in enumerate(spec.sampling.loras):
            here = catalog.existing(lora.path)
            if here is not None:
                found.append(LocalFiles(lora_files.field_of(index), lora.path, sample_digest(here)))
    return found


def on_this_machine(info: ModelInfo, wanted: Iterable[LocalFiles], machine: str) -> ModelInfo:
    """Return a job's model as it lies here, where all that is `wanted` does. Raises `UnknownModel`, in one sentence."""
    if info.source == "bundled":
        info = catalog.find("mini")
    for files in wanted:
        if _alike(files.path, files.digest):
            continue
        named = _named(info.name) if files.field == MODEL and not info.base else None
        if named is None or not _alike(named.path, files.digest):
            raise UnknownModel(
                f"{machine} has not got the files of {files.path} there, or has other ones.",
                path=files.field,
                fix="Copy them to the same place on each machine, or name the model by its hub id.",
            )
        info = replace(info, path=named.path)
    return info


def _alike(path: str, digest: str) -> bool:
    here = catalog.existing(path)
    try:
        return here is not None and sample_digest(here) == digest
    except OSError:
        return False


def _named(name: str) -> ModelInfo | None:
    try:
        return catalog.find(name)
    except StandeeError:
        return None
