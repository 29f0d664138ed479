"""ONNX network files: the file, a folder with one, or a file of the hub."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from standee.errors import UnknownModel

from . import hub
from .catalog import HUB_ID

SUFFIX = ".onnx"
USUAL = ("onnx/model.onnx", "model.onnx")
"""What the file is called where a repository or folder holds several."""
BESIDE = ("preprocessor_config.json", "config.json")
"""What tells how a network wants its pictures."""


def split(path: str) -> tuple[str, str]:
    """Split `owner/name/folder/file.onnx` into the hub id and the file; both are empty for anything else."""
    owner, _, rest = path.partition("/")
    name, _, file = rest.partition("/")
    named = HUB_ID.fullmatch(f"{owner}/{name}") and file.endswith(SUFFIX)
    return (f"{owner}/{name}", file) if named else ("", "")


def inside(folder: Path, field: str) -> Path | None:
    """Return the ONNX file of a folder that holds no weights for transformers. Raises `UnknownModel`."""
    if any(folder.glob("*.safetensors")):
        return None
    names = [str(one.relative_to(folder).as_posix()) for one in _below(folder)]
    return folder / choose(names, str(folder), field) if names else None


def choose(names: Iterable[str], where: str, field: str) -> str:
    """Return the one network among the files of a folder or repository. Raises `UnknownModel`."""
    found = sorted(name for name in names if name.endswith(SUFFIX))
    for usual in USUAL:
        if usual in found:
            return usual
    if len(found) == 1:
        return found[0]
    listed = ", ".join(found[:8])
    raise UnknownModel(
        f"{where} holds several networks: {listed}." if found else f"{where} holds no ONNX file.",
        path=field,
        fix=f"Name one: {where}/{found[0]}." if found else "Give the path of an .onnx file.",
    )


def of_network(repository: str, file: str, field: str) -> hub.Choose:
    """Return what picks a single network's files: transformers', or else an ONNX file, `file` if it is named."""

    def pick(names: Sequence[str]) -> list[str]:
        weights = [name for name in hub.of_model(names) if name.endswith(".safetensors")]
        if not file and (weights or not any(name.endswith(SUFFIX) for name in names)):
            return hub.of_model(names)
        if file and file not in names:
            raise UnknownModel(
                f"{repository} on the hub has no file {file}.",
                path=field,
                fix=f"See https://huggingface.co/{repository}/tree/main for what it has.",
            )
        found = file or choose(names, repository, field)
        told = [str(PurePosixPath(found).with_name(name)) for name in BESIDE]
        told += [*BESIDE, f"{found}_data", f"{found}.data"]
        return [found, *(name for name in dict.fromkeys(told) if name in names)]

    return pick


def _below(folder: Path) -> list[Path]:
    return [one for place in (folder, folder / "onnx") for one in sorted(place.glob(f"*{SUFFIX}"))]
