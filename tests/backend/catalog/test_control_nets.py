"""Which model takes which control picture, by whose weights: the daemon's table and models.toml alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from standee import Composition, Control, Sampling
from standee.errors import DownloadNeeded, InvalidField, UnknownModel
from standee_backend.catalog import catalog, control_nets, needed
from standee_backend.catalog.known_models import KNOWN

CONTROLLED = {
    "FLUX.1-dev",
    "FLUX.1-schnell",
    "FLUX.1-Krea-dev",
    "FLUX.1-Depth-dev",
    "FLUX.1-Canny-dev",
    "Qwen-Image-2512",
}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import huggingface_hub.constants as constants

    monkeypatch.setenv("STANDEE_HOME", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path


def model(folder: Path, pipeline: str, **transformer: object) -> Path:
    for name, content in {
        "model_index.json": {"_class_name": pipeline},
        "transformer/config.json": transformer,
        "vae/config.json": {"block_out_channels": [128, 256, 512, 512]},
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(content))
    return folder


def composition(*kinds: str, model: str = "mini") -> Composition:
    control = tuple(Control(kind, "a" * 64) for kind in kinds)
    return Composition(sampling=Sampling(model=model), control=control)


def test_known_models_say_what_they_take_before_they_are_here() -> None:
    assert {name for name, entry in KNOWN.items() if entry.control} == CONTROLLED
    info = catalog.find("FLUX.1-dev")
    assert info.control == ("depth", "lines", "normal", "pose")
    assert catalog.find("FLUX.1-Depth-dev").nets == {"depth": control_nets.OWN}
    assert catalog.find("FLUX.2-dev").control == ()


def test_a_folder_takes_the_published_weights_where_it_has_their_size(tmp_path: Path) -> None:
    large = model(tmp_path / "large", "FluxPipeline", num_attention_heads=24)
    small = model(tmp_path / "small", "FluxPipeline", num_attention_heads=2)
    kontext = model(tmp_path / "kontext", "FluxKontextPipeline", num_attention_heads=24)
    own = model(tmp_path / "own", "FluxControlPipeline", num_attention_heads=24)
    assert catalog.find(str(large)).nets == control_nets.FLUX
    assert catalog.find(str(own)).nets == dict.fromkeys(control_nets.KINDS, control_nets.OWN)
    for folder in (small, kontext):
        assert catalog.find(str(folder)).nets == {}
    assert catalog.find("mini").nets == {}


def test_models_toml_names_weights_and_a_models_own_card_does_not(home: Path) -> None:
    folder = model(home / "m", "FluxPipeline", num_attention_heads=24)
    (folder / "standee.json").write_text('{"control": {"depth": "evil/net"}}')
    (home / "models.toml").write_text(
        f"[models.mine]\npath = '{folder}'\ncontrol = {{ depth = '/nets/depth' }}\n"
    )
    assert catalog.find(str(folder)).nets == control_nets.FLUX
    assert catalog.find("mine").nets == {**control_nets.FLUX, "depth": "/nets/depth"}
    (home / "models.toml").write_text(
        f"[models.a]\npath = '{folder}'\ncontrol = {{ mood = 'x' }}\n"
    )
    with pytest.raises(InvalidField):
        catalog.find("a")


def test_what_a_composition_lacks_are_the_weights_of_its_kinds_once_each(home: Path) -> None:
    info = catalog.find(str(model(home / "m", "FluxPipeline", num_attention_heads=24)))
    lacking = needed.by_composition(info, composition("depth", "pose", "normal", "depth"))
    assert [one.repository for one in lacking] == [control_nets.FLUX_UNION, info.nets["normal"]]
    with pytest.raises(DownloadNeeded):
        needed.check(lacking)
    depth = catalog.find(str(model(home / "own", "FluxControlPipeline")))
    assert needed.by_composition(depth, composition("depth")) == []


def test_a_kind_that_a_model_does_not_take_is_refused_with_models_that_do() -> None:
    with pytest.raises(InvalidField, match="kind pose") as caught:
        needed.by_composition(catalog.find("mini"), composition("pose"))
    assert caught.value.path == "$.control[0].kind"
    assert "FLUX.1" in caught.value.fix
    assert "models.toml" in caught.value.fix


def test_weights_that_are_named_and_not_there_are_told(home: Path) -> None:
    folder = model(home / "m", "ZImagePipeline", n_heads=30)
    (home / "models.toml").write_text(
        f"[models.mine]\npath = '{folder}'\ncontrol = {{ depth = '/no/such/net' }}\n"
    )
    with pytest.raises(UnknownModel, match="/no/such/net") as caught:
        needed.by_composition(catalog.find("mine"), composition("depth"))
    assert caught.value.path == "$.control"
