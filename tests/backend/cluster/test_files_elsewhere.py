"""Models of other machines: known by hub id, or by the like files at the same place or name."""

import json
import shutil

import pytest

from standee import Composition, Lora, Sampling
from standee.errors import UnknownModel
from standee_backend.catalog import catalog
from standee_backend.cluster.files_elsewhere import local_files, on_this_machine, sample_digest


@pytest.fixture
def model(tmp_path):
    """A model in a folder of its own."""
    folder = tmp_path / "models" / "mine"
    shutil.copytree(catalog.MINI, folder)
    card = json.loads((folder / "standee.json").read_text())
    (folder / "standee.json").write_text(json.dumps(card | {"name": "mine"}))
    return catalog.find(str(folder))


def test_the_bundled_model_and_the_hubs_need_no_files():
    assert local_files(catalog.find("mini"), Composition()) == []
    assert local_files(catalog.find("someone/some-model"), Composition()) == []


def test_the_bundled_model_is_that_of_each_machine():
    elsewhere = catalog.replace(catalog.find("mini"), path="/elsewhere/mini")
    assert on_this_machine(elsewhere, [], "alpha").path == str(catalog.MINI.resolve())


def test_a_folder_with_the_same_files_will_do(model):
    [wanted] = local_files(model, Composition())
    assert wanted.field == "$.sampling.model"
    assert on_this_machine(model, [wanted], "alpha") == model


@pytest.mark.parametrize("harm", ["gone", "other weights", "one file less"])
def test_a_machine_without_them_refuses_in_one_sentence_that_names_it(model, tmp_path, harm):
    wanted = local_files(model, Composition())
    folder = tmp_path / "models" / "mine"
    weights = next(folder.rglob("*.safetensors"))
    if harm == "gone":
        shutil.rmtree(folder)
    elif harm == "other weights":
        data = bytearray(weights.read_bytes())
        data[1000] ^= 1
        weights.write_bytes(data)
    else:
        weights.unlink()
    with pytest.raises(UnknownModel, match=r"^alpha has not got the files of .*mine there") as said:
        on_this_machine(model, wanted, "alpha")
    assert said.value.path == "$.sampling.model"


def test_a_machine_may_have_it_elsewhere_under_its_name(model, tmp_path, monkeypatch):
    wanted = local_files(model, Composition())
    moved = tmp_path / "there"
    (tmp_path / "models" / "mine").rename(moved)
    monkeypatch.setenv("STANDEE_HOME", str(tmp_path))
    (tmp_path / "models.toml").write_text(f'[models.mine]\npath = "{moved}"\n')
    named = catalog.replace(model, name="mine")
    assert on_this_machine(named, wanted, "alpha").path == str(moved)


def test_loras_are_looked_for_at_the_same_place(tmp_path):
    file = tmp_path / "style.safetensors"
    file.write_bytes(b"weights")
    spec = Composition(sampling=Sampling(loras=(Lora(path=str(file)), Lora(path="someone/lora"))))
    [wanted] = local_files(catalog.find("mini"), spec)
    assert (wanted.field, wanted.digest) == ("$.sampling.loras[0].path", sample_digest(file))
    file.write_bytes(b"others!")
    with pytest.raises(UnknownModel, match="has other ones"):
        on_this_machine(catalog.find("mini"), [wanted], "alpha")
