"""A transformer in one file, with its other parts from a base, composes as the model that it was made from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from standee import Canvas, Composition, Layer, Rect, Sampling
from standee.errors import MissingDependency, UnknownModel
from standee_backend.catalog import catalog
from standee_backend.engine.loading import load as loading
from standee_backend.engine.loading.load import load
from standee_backend.engine.memory.footprint import Blueprint, outline
from standee_backend.engine.memory.workload import workload_of
from standee_backend.hardware import memory_estimate
from standee_backend.hardware.load_presets import CARDS, Preset
from standee_backend.hardware.options import Options
from support import single_files, tiny
from support.composing import compose
from support.ledger import Ledger

CPU = Options(device="cpu")


@pytest.fixture(scope="module")
def klein(tiny_model) -> Path:
    return tiny_model("klein-base")


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Return `name(file, base)`: the model that models.toml then calls so."""
    monkeypatch.setenv("STANDEE_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()

    def name(file: Path, base: Path | str) -> catalog.ModelInfo:
        said = f"[models.mine]\npath = {json.dumps(str(file))}\nbase = {json.dumps(str(base))}\n"
        (tmp_path / "home" / "models.toml").write_text(said)
        return catalog.find("mine")

    return name


@pytest.fixture
def composition(shelf) -> Composition:
    layer = Layer(picture=shelf.flat("red", 64), rect=Rect(32, 32, 64, 64))
    return Composition(
        canvas=Canvas(128, 96),
        prompt="a cat",
        layers=(layer,),
        sampling=Sampling(steps=3),
    )


@pytest.fixture
def paint(shelf, composition):
    def compose_it(family):
        pixels = compose(family, composition, shelf.read, seed=1)
        family.release()
        return pixels.astype(int)

    return compose_it


def close(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether pictures are the same: weights that lie otherwise in memory may round otherwise."""
    return bool(np.abs(one - other).max() <= 1)


def test_the_makers_own_layout_gives_the_same_picture(klein, tmp_path, named, paint) -> None:
    info = named(single_files.save_safetensors(klein, tmp_path / "klein.safetensors"), klein)
    single, whole = load(info, CPU), load(catalog.find(str(klein)), CPU)
    assert close(paint(single), paint(whole))
    assert (single.defaults.steps, info.name) == (50, "mine")


def test_a_file_in_diffusers_layout_gives_the_same_picture(
    tiny_flux, tmp_path, named, paint
) -> None:
    weights = tiny_flux / "transformer" / "diffusion_pytorch_model.safetensors"
    info = named(Path(shutil.copy(weights, tmp_path / "flux.safetensors")), tiny_flux)
    assert close(paint(load(info, CPU)), paint(load(catalog.find(str(tiny_flux)), CPU)))


@pytest.mark.parametrize("preset", [Preset("8 bits", "none", "fp8", "fp8", "fp32"), CARDS[3]])
def test_a_file_is_packed_like_a_folder(klein, tmp_path, named, paint, preset) -> None:
    info = named(single_files.save_safetensors(klein, tmp_path / "klein.safetensors"), klein)
    whole = load(catalog.find(str(klein)), CPU, preset)
    assert close(paint(load(info, CPU, preset)), paint(whole))


@pytest.mark.parametrize("offload", ["none", "text", "model", "group"])
def test_gguf_is_smaller_and_gives_nearly_the_same_picture(
    klein, tmp_path, named, paint, offload
) -> None:
    info = named(single_files.save_gguf(klein, tmp_path / "klein.gguf"), klein)
    packed = load(info, Options(device="cpu", offload=offload))
    whole = load(catalog.find(str(klein)), CPU)
    assert 0 < np.abs(paint(packed) - paint(whole)).mean() < 2
    sizes = [family.transformer.get_memory_footprint() for family in (packed, whole)]
    assert sizes[0] < 0.5 * sizes[1]
    assert packed.fingerprint() != whole.fingerprint()


@pytest.mark.parametrize(
    ("kind", "of"),
    [
        ("flux", single_files.original_flux),
        ("kontext", single_files.original_flux),
        ("flux2-dev", single_files.original),
        ("z-image", single_files.original_z_image),
        ("qwen-image", single_files.as_diffusers),
        ("qwen-edit", single_files.as_diffusers),
        ("krea2", single_files.original_krea2),
    ],
)
def test_gguf_of_every_family_gives_nearly_the_same_picture(
    tiny_model, tmp_path, named, paint, kind, of
) -> None:
    folder = tiny_model(kind)
    info = named(single_files.save_gguf(folder, tmp_path / f"{kind}.gguf", of), folder)
    packed, whole = load(info, CPU), load(catalog.find(str(folder)), CPU)
    assert 0 < np.abs(paint(packed) - paint(whole)).mean() < 2
    sizes = [family.transformer.get_memory_footprint() for family in (packed, whole)]
    assert sizes[0] < 0.6 * sizes[1]


@pytest.mark.parametrize("preset", [CARDS[0], CARDS[3], CARDS[-1]], ids=lambda p: p.name[:2])
def test_what_gguf_takes_is_known_before(
    klein, tmp_path, named, composition, shelf, preset
) -> None:
    info = named(single_files.save_gguf(klein, tmp_path / "klein.gguf"), klein)
    blueprint = Blueprint(outline(klein, torch.bfloat16, torch.device("cpu")))
    footprint = blueprint.footprint(workload_of(composition, blueprint.family))
    footprint = memory_estimate.packed_as(footprint, Path(info.path).stat().st_size)
    family = load(info, CPU, preset)
    with Ledger(family) as ledger:
        compose(family, composition, shelf.read, seed=1)
    assert memory_estimate.peak(footprint, preset, ahead=False) == pytest.approx(
        ledger.peak, rel=0.1
    )


def test_a_base_of_another_kind_is_one_clear_error(klein, tiny_flux, tmp_path, named) -> None:
    info = named(single_files.save_safetensors(klein, tmp_path / "klein.safetensors"), tiny_flux)
    with pytest.raises(UnknownModel, match="cannot be read as a FluxTransformer2DModel") as caught:
        load(info, CPU)
    assert "base" in caught.value.fix
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("name", ["klein.safetensors", "klein.gguf"])
def test_a_file_that_breaks_off_is_one_clear_error(klein, tmp_path, named, name) -> None:
    save = single_files.save_gguf if name.endswith("gguf") else single_files.save_safetensors
    file = save(klein, tmp_path / name)
    file.write_bytes(file.read_bytes()[:-5000])
    with pytest.raises(UnknownModel, match="cannot be read") as caught:
        load(named(file, klein), CPU)
    assert "Get it again" in caught.value.fix


def test_gguf_without_its_package_says_what_to_install(
    klein, tmp_path, named, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = named(single_files.save_gguf(klein, tmp_path / "klein.gguf"), klein)
    monkeypatch.setattr(loading, "find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match="gguf") as caught:
        load(info, CPU)
    assert "pip install gguf" in caught.value.fix


@pytest.mark.parametrize("save", ["save_safetensors", "save_gguf"])
def test_a_lora_counts_over_a_transformer_of_one_file_and_goes_without_a_trace(
    klein, tmp_path, named, paint, save
) -> None:
    suffix = save.removeprefix("save_")
    family = load(named(getattr(single_files, save)(klein, tmp_path / f"k.{suffix}"), klein), CPU)
    lora = tmp_path / "lora.safetensors"
    tiny.save_lora(lora, klein, targets=r".*(attn\.to_q|to_qkv_mlp_proj)")
    plain, fingerprint = paint(family), family.fingerprint()
    family.adapters.lay([(lora, 1.0)])
    assert not close(paint(family), plain)
    family.adapters.lay([])
    assert np.array_equal(paint(family), plain)
    assert family.fingerprint() == fingerprint
