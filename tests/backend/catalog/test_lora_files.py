"""A LoRA's path leads to one safetensors file, and a wrong one is refused before any work."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from standee.errors import InvalidField
from standee_backend.catalog import lora_files

FIELD = "$.sampling.loras[0].path"


def save(file: Path, name: str = "transformer.layer.lora_A.weight") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: torch.zeros(2, 2)}, file)
    return file


def refusal(path: object) -> InvalidField:
    with pytest.raises(InvalidField) as caught:
        lora_files.locate(str(path), FIELD)
    assert caught.value.path == FIELD
    assert caught.value.fix
    return caught.value


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub."""
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def test_a_file_and_its_folder_are_the_same_lora(tmp_path: Path) -> None:
    file = save(tmp_path / "toon" / "toon.safetensors")
    assert lora_files.locate(str(file), FIELD) == file
    assert lora_files.locate(str(tmp_path / "toon"), FIELD) == file


def test_of_several_files_the_one_that_diffusers_writes_is_taken(tmp_path: Path) -> None:
    save(tmp_path / "a.safetensors")
    usual = save(tmp_path / lora_files.USUAL)
    assert lora_files.locate(str(tmp_path), FIELD) == usual


def test_of_several_files_one_must_be_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save(tmp_path / f"{name}.safetensors")
    error = refusal(tmp_path)
    assert "a.safetensors, b.safetensors" in error.message
    assert f"{tmp_path}/a.safetensors" in error.fix


@pytest.mark.parametrize("name", ["toon.bin", "toon.pt", "toon.ckpt"])
def test_pickles_are_never_read(tmp_path: Path, name: str) -> None:
    torch.save({"lora_A": torch.zeros(2)}, tmp_path / name)
    assert "pickle" in refusal(tmp_path / name).message
    assert "pickle" in refusal(tmp_path).message, "the folder holds nothing else"
    assert "pickle" in refusal(f"someone/some-lora/{name}").message


def test_what_is_no_safetensors_file_is_refused_by_its_content(tmp_path: Path) -> None:
    for name, data in {"text": b"hello", "empty": b"", "cut": b"\xff" * 100}.items():
        (tmp_path / f"{name}.safetensors").write_bytes(data)
        assert "cannot be read" in refusal(tmp_path / f"{name}.safetensors").message


def test_a_whole_model_is_no_lora(tmp_path: Path) -> None:
    file = save(tmp_path / "flux.safetensors", "transformer.layer.weight")
    assert "$.sampling.model" in refusal(file).fix


@pytest.mark.parametrize(
    "path", ["/no/such.safetensors", "toon.safetensors", "../../nowhere", "a\0b"]
)
def test_a_path_that_is_nowhere_is_refused(path: str) -> None:
    assert "There is no LoRA" in refusal(path).message


@pytest.mark.parametrize(
    "weight",
    [None, 5, [], {}, {"shape": 5}, {"shape": ["x"]}, {"shape": [-1]}, {"shape": [2**60, 2**60]}],
)
def test_a_header_that_says_nonsense_of_a_weight_is_refused(tmp_path: Path, weight: object) -> None:
    header = json.dumps({"to_q.lora_A.weight": weight}).encode()
    file = tmp_path / "odd.safetensors"
    file.write_bytes(len(header).to_bytes(8, "little") + header)
    assert "cannot be read as safetensors" in refusal(str(file)).message


def test_a_hub_id_is_looked_for_in_the_hubs_cache(hub_cache: Path) -> None:
    assert lora_files.locate("someone/some-lora", FIELD) is None
    repository = hub_cache / "models--someone--some-lora"
    file = save(repository / "snapshots" / ("0" * 40) / "ink.safetensors")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("0" * 40)
    assert lora_files.locate("someone/some-lora", FIELD) == file
    assert lora_files.locate("someone/some-lora/ink.safetensors", FIELD) == file
    assert lora_files.locate("someone/some-lora/other.safetensors", FIELD) is None


def test_the_digest_follows_the_bytes(tmp_path: Path) -> None:
    first, second = save(tmp_path / "a.safetensors"), save(tmp_path / "b.safetensors")
    assert lora_files.digest(first) == lora_files.digest(second)
    before = lora_files.digest(first)
    save(first, "transformer.other.lora_A.weight")
    assert lora_files.digest(first) != before
