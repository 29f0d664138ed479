"""Models are found by name, folder and hub id, and say what suits them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from standee.errors import InvalidField, UnknownModel
from standee_backend.catalog import catalog, hub, lora_files, model_card, sampling_defaults


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user of their own: an empty home for Standee and an empty hub cache."""
    import huggingface_hub.constants as constants

    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("STANDEE_HOME", str(folder))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return folder


def write_model(folder: Path, guided: bool = False, **card: Any) -> Path:
    """Write what the catalogue reads of a FLUX.1 checkpoint, and no weights."""
    parts: dict[str, Any] = {
        "model_index.json": {"_class_name": "FluxPipeline"},
        "transformer/config.json": {"guidance_embeds": guided},
        "vae/config.json": {"block_out_channels": [128, 256, 512, 512]},
    }
    if card:
        parts["standee.json"] = card
    for name, content in parts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    return folder


def write_cached(user: Path, hub_id: str) -> None:
    """Put a model into the hub's cache as huggingface_hub does."""
    repo = user.parent / "hub" / f"models--{hub_id.replace('/', '--')}"
    snapshot = write_model(repo / "snapshots" / "abc", guided=True)
    for part in ("transformer", "vae"):
        (snapshot / part / "diffusion_pytorch_model.safetensors").touch()
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text("abc")


def refusal(name: str) -> UnknownModel:
    with pytest.raises(UnknownModel) as caught:
        catalog.find(name)
    assert caught.value.path == "$.sampling.model"
    assert caught.value.fix
    return caught.value


def test_the_catalogue_is_read_without_torch() -> None:
    script = "import standee_backend.catalog.catalog; import sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_bundled_model_is_always_there_even_beside_a_broken_file(user: Path) -> None:
    (user / "models.toml").write_text("this is not TOML")
    mini = catalog.find("mini")
    assert mini.source == "bundled"
    assert mini.patch == 16
    assert mini.size == 320
    assert mini in catalog.models()


def test_a_folder_says_what_it_prefers_by_how_it_was_distilled(tmp_path: Path) -> None:
    dev = catalog.find(str(write_model(tmp_path / "dev", guided=True)))
    schnell = catalog.find(str(write_model(tmp_path / "schnell")))
    assert (dev.steps, dev.guidance, dev.defaults.get("text_tokens")) == (28, 3.5, None)
    assert (schnell.steps, schnell.guidance, schnell.defaults.get("text_tokens")) == (4, 0.0, 256)
    assert (dev.name, dev.family, dev.patch) == ("dev", "flux", 16)


@pytest.mark.parametrize(
    ("index", "shift", "family", "steps", "guidance", "share_by"),
    [
        (
            {"_class_name": "Flux2KleinPipeline", "is_distilled": True},
            3.0,
            "flux2",
            4,
            1.0,
            "input",
        ),
        ({"_class_name": "Flux2KleinPipeline"}, 3.0, "flux2", 50, 4.0, "input"),
        ({"_class_name": "ZImagePipeline"}, 6.0, "z_image", 50, 4.0, None),
        ({"_class_name": "ZImagePipeline"}, 3.0, "z_image", 8, 0.0, None),
        ({"_class_name": "FluxKontextPipeline"}, 3.0, "flux", 28, 2.5, "input"),
        ({"_class_name": "Flux2Pipeline"}, 3.0, "flux2", 50, 4.0, "input"),
        ({"_class_name": "Krea2Pipeline"}, 3.0, "krea2", 28, 4.5, None),
        ({"_class_name": "Krea2Pipeline", "is_distilled": True}, 3.0, "krea2", 8, 0.0, None),
        ({"_class_name": "QwenImagePipeline"}, 3.0, "qwen_image", 50, 4.0, None),
        ({"_class_name": "QwenImageEditPlusPipeline"}, 3.0, "qwen_image", 40, 4.0, "input"),
    ],
    ids=[
        "klein",
        "klein base",
        "Z-Image",
        "Z-Image-Turbo",
        "Kontext",
        "FLUX.2 dev",
        "Krea 2",
        "Krea 2 Turbo",
        "Qwen-Image",
        "Edit",
    ],
)
def test_a_folder_of_another_family_says_what_its_kind_prefers(
    tmp_path: Path, index, shift, family, steps, guidance, share_by
) -> None:
    folder = write_model(tmp_path / "m")
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "scheduler").mkdir()
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps({"shift": shift}))
    info = catalog.find(str(folder))
    assert (info.family, info.patch) == (family, 16)
    assert (info.steps, info.guidance, info.defaults.get("share_by")) == (steps, guidance, share_by)


def test_the_engines_own_defaults_are_those_of_a_guided_model() -> None:
    known = sampling_defaults.SamplingDefaults()
    assert known.having(sampling_defaults.GUIDED) == known


def test_a_model_describes_itself_in_standee_json(tmp_path: Path) -> None:
    card = {"name": "fine", "description": "My tune.", "defaults": {"steps": 9}, "colour": "red"}
    info = catalog.find(str(write_model(tmp_path / "m", guided=True, **card)))
    assert (info.name, info.description, info.steps, info.guidance) == ("fine", "My tune.", 9, 3.5)


def test_models_toml_names_models_and_beats_what_they_say(user: Path, tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", defaults={"steps": 9, "tau": 0.4})
    (user / "models.toml").write_text(
        f"[models.tuned]\npath = '{folder}'\ndefaults = {{ steps = 12 }}\n"
    )
    info = catalog.find("tuned")
    assert (info.name, info.steps, info.defaults["tau"]) == ("tuned", 12, 0.4)
    assert info.source == "configured"
    assert [model.name for model in catalog.models()] == ["mini", "tuned"]


def test_models_toml_says_how_models_are_loaded(user: Path) -> None:
    (user / "models.toml").write_text('[hardware]\noffload = "model"\n')
    assert model_card.configuration().hardware.offload == "model"


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("[models.a]\npath = 3\n", "$.models.a.path"),
        ("[models.a]\npath = 'x'\ndefaults = { steps = 0 }\n", "$.models.a.defaults.steps"),
        ("[hardware]\noffload = 'some'\n", "$.hardware.offload"),
        ("[cutout]\nmodel = 3\n", "$.cutout.model"),
        ("[hardware]\ndtype = 'fp16'\n", "$.hardware.dtype"),
        ("[models", ""),
    ],
)
def test_a_wrong_models_toml_is_refused_with_the_field(user: Path, text: str, path: str) -> None:
    (user / "models.toml").write_text(text)
    with pytest.raises(InvalidField, match=r"models\.toml") as caught:
        model_card.configuration()
    assert caught.value.path == path


def test_a_configured_model_that_is_gone_is_not_listed(user: Path) -> None:
    (user / "models.toml").write_text("[models.gone]\npath = '/no/such/folder'\n")
    assert [model.name for model in catalog.models()] == ["mini"]
    assert "/no/such/folder" in refusal("gone").message


def test_flux_in_the_hubs_cache_is_listed_and_found_by_either_name(user: Path) -> None:
    write_cached(user, "black-forest-labs/FLUX.1-dev")
    assert [model.name for model in catalog.models()] == ["mini", "FLUX.1-dev"]
    for name in ("FLUX.1-dev", "black-forest-labs/FLUX.1-dev"):
        info = catalog.find(name)
        assert (info.path, info.source, info.steps) == ("black-forest-labs/FLUX.1-dev", "hub", 28)


@pytest.mark.parametrize("lacks", ["the autoencoder", "a shard"])
def test_a_download_that_stopped_in_between_does_not_count_as_here(user: Path, lacks: str) -> None:
    write_cached(user, "black-forest-labs/FLUX.1-dev")
    snapshot = catalog.cached("black-forest-labs/FLUX.1-dev")
    assert snapshot is not None
    if lacks == "a shard":
        index = {"weight_map": {"x.weight": "diffusion_pytorch_model-00002-of-00002.safetensors"}}
        name = "diffusion_pytorch_model.safetensors.index.json"
        (snapshot / "transformer" / name).write_text(json.dumps(index))
    else:
        (snapshot / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    assert catalog.cached("black-forest-labs/FLUX.1-dev") is None
    assert [model.name for model in catalog.models()] == ["mini"]


def test_a_hub_model_that_is_not_here_yet_is_found_but_not_described() -> None:
    info = catalog.find("someone/some-flux")
    assert (info.path, info.source, info.steps) == ("someone/some-flux", "hub", None)


def test_an_unknown_name_is_refused_with_what_there_is(user: Path) -> None:
    write_cached(user, "black-forest-labs/FLUX.1-schnell")
    assert "mini, FLUX.1-schnell" in refusal("minni").fix


@pytest.mark.parametrize(
    "name", ["", "..", "a\0b", "~nobody/x", "/" + "x" * 5000, "a/b/c", "x" * 999]
)
def test_no_name_breaks_the_search(name: str) -> None:
    refusal(name)


def test_a_folder_that_is_no_model_is_refused_with_what_it_lacks(tmp_path: Path) -> None:
    assert "model_index.json" in refusal(str(tmp_path)).message
    folder = write_model(tmp_path / "half")
    (folder / "vae" / "config.json").unlink()
    assert "vae/config.json" in refusal(str(folder)).message


def test_another_kind_of_pipeline_is_refused_by_its_name(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "sd")
    (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}')
    error = refusal(str(folder))
    assert "StableDiffusionPipeline" in error.message
    assert "FluxPipeline" in error.fix


@pytest.mark.parametrize("text", ["{", "[]", '{"defaults": {"tau": 7}}'])
def test_a_broken_standee_json_is_refused(tmp_path: Path, text: str) -> None:
    folder = write_model(tmp_path / "m")
    (folder / "standee.json").write_text(text)
    assert "standee.json" in refusal(str(folder)).message


@pytest.mark.parametrize("path", ["//evil/share/model", "\\\\evil\\share\\model"])
def test_no_other_computer_is_asked_for_a_model_or_lora(path: str) -> None:
    with pytest.raises(UnknownModel, match="another computer") as caught:
        catalog.find(path)
    assert caught.value.path == "$.sampling.model"
    with pytest.raises(InvalidField, match="another computer"):
        lora_files.locate(path, "$.sampling.loras[0].path")


@pytest.mark.parametrize(
    ("proxy", "way"), [("", "Connect to the network"), ("socks5://x", "proxy")]
)
def test_a_hub_out_of_reach_says_what_lies_between(
    proxy: str, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("huggingface_hub")
    for name in hub.PROXIES:
        monkeypatch.delenv(name, raising=False)
    if proxy:
        monkeypatch.setenv("ALL_PROXY", proxy)
    said = hub.refusal("someone/flux", OSError("No route to host"), "$.sampling.model")
    assert way in said.fix


def test_a_model_of_endless_layers_is_refused_before_it_is_built(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "endless")
    config = folder / "transformer" / "config.json"
    config.write_text(json.dumps({"num_single_layers": 100_000}))
    with pytest.raises(UnknownModel, match="100,000 layers"):
        catalog.find(str(folder))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_a_pipe_in_place_of_a_file_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "piped")
    (folder / "model_index.json").unlink()
    os.mkfifo(folder / "model_index.json")
    with pytest.raises(UnknownModel, match="not a regular file"):
        catalog.find(str(folder))
    os.mkfifo(tmp_path / "toon.safetensors")
    with pytest.raises(InvalidField, match="cannot be read"):
        lora_files.locate(str(tmp_path / "toon.safetensors"), "$.sampling.loras[0].path")


@pytest.mark.parametrize("said", [{"lora_A": 1}, {"lora_A": {}}, {"lora_A": {"shape": ["x"]}}])
def test_a_header_that_says_nothing_of_its_weights_is_refused(said: Any, tmp_path: Path) -> None:
    text = json.dumps(said).encode()
    path = tmp_path / "odd.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    with pytest.raises(InvalidField, match="cannot be read as safetensors"):
        lora_files.locate(str(path), "$.sampling.loras[0].path")
