"""Where a network in an ONNX file is: a file, a folder, a hub id, or one file of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from standee.errors import UnknownModel
from standee_backend.catalog import download, onnx_files

FIELD = "$.model"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        (["u2net.onnx"], "u2net.onnx"),
        (["onnx/model.onnx", "onnx/model_fp16.onnx"], "onnx/model.onnx"),
        (["model.onnx", "other.onnx"], "model.onnx"),
        (["config.json"], ""),
        (["model.safetensors", "model.onnx"], ""),
    ],
)
def test_a_folders_network_is_found(tmp_path: Path, files: list[str], found: str) -> None:
    """A folder of transformers' weights stays one."""
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert download.network(str(tmp_path), FIELD) == tmp_path / found


def test_of_several_networks_one_has_to_be_named(tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(UnknownModel, match=r"a\.onnx, b\.onnx") as caught:
        download.network(str(tmp_path), FIELD)
    assert caught.value.fix == f"Name one: {tmp_path}/a.onnx."
    assert download.network(str(tmp_path / "b.onnx"), FIELD) == tmp_path / "b.onnx"


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("someone/net/onnx/a.onnx", ("someone/net", "onnx/a.onnx")),
        ("someone/a.onnx", ("", "")),
        ("someone/net", ("", "")),
        ("/models/net/a.onnx", ("", "")),
        ("../net/b/a.onnx", ("", "")),
    ],
)
def test_a_file_of_the_hub_is_told_from_a_path(path: str, parts: tuple[str, str]) -> None:
    assert onnx_files.split(path) == parts
