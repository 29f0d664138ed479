"""A model that is one file: where its other parts are, and what is refused unread."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path

import pytest

from standee.errors import UnknownModel
from standee_backend.catalog import catalog

WEIGHTS = "transformer/diffusion_pytorch_model.safetensors"


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("STANDEE_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def name_it(home: Path, file: Path, base: str) -> None:
    said = f"[models.mine]\npath = {json.dumps(str(file))}\nbase = {json.dumps(base)}\n"
    (home / "models.toml").write_text(said)


@pytest.fixture
def file(tiny_flux: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(tiny_flux / WEIGHTS, tmp_path / "flux1-mine.safetensors"))


def test_models_toml_gives_a_file_its_base(home, file, tiny_flux) -> None:
    name_it(home, file, str(tiny_flux))
    info = catalog.find("mine")
    assert (info.path, info.folder) == (str(file), str(tiny_flux.resolve()))
    assert (info.family, info.patch, info.steps, info.source) == ("flux", 16, 28, "configured")
    assert "mine" in [one.name for one in catalog.models()]


def test_the_folder_that_a_file_lies_in_can_be_its_base(home, tiny_flux, tmp_path) -> None:
    folder = Path(shutil.copytree(tiny_flux, tmp_path / "whole"))
    file = Path(shutil.copy(tiny_flux / WEIGHTS, folder / "flux1-mine.safetensors"))
    info = catalog.find(str(file))
    assert (info.name, info.file, info.folder) == ("flux1-mine", file.resolve(), str(folder))


def test_a_base_may_be_on_the_hub(home, file) -> None:
    name_it(home, file, "black-forest-labs/FLUX.1-dev")
    info = catalog.find("mine")
    assert (info.path, info.folder) == (str(file), "black-forest-labs/FLUX.1-dev")


def test_a_file_alone_says_how_to_name_its_base(home, file) -> None:
    with pytest.raises(UnknownModel, match="where the other parts are") as caught:
        catalog.find(str(file))
    assert caught.value.path == "$.sampling.model"
    assert "base =" in caught.value.fix
    assert str(file) in caught.value.fix


def test_a_base_that_is_nowhere_is_named(home, file) -> None:
    name_it(home, file, "/no/such/folder")
    with pytest.raises(UnknownModel, match="/no/such/folder") as caught:
        catalog.find("mine")
    assert "models.toml" in caught.value.fix


@pytest.mark.parametrize("suffix", [".ckpt", ".pt", ".bin"])
def test_pickles_are_refused_unread(home, tmp_path, suffix) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    file = tmp_path / f"model{suffix}"
    file.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(UnknownModel, match="not of a kind that is read") as caught:
        catalog.find(str(file))
    assert "pickles" in caught.value.fix
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "content", [b"", b"<html>not found</html>", b"\xff" * 64, b"PK\x03\x04" * 9]
)
@pytest.mark.parametrize("suffix", [".safetensors", ".gguf"])
def test_a_file_that_is_not_what_its_name_says_is_refused(home, tmp_path, suffix, content) -> None:
    file = tmp_path / f"model{suffix}"
    file.write_bytes(content)
    with pytest.raises(UnknownModel, match="whatever its name says") as caught:
        catalog.find(str(file))
    assert caught.value.fix == "Get it again."
