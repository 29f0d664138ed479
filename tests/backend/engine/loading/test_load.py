"""A FLUX.1 checkpoint as diffusers saves it is loaded, placed and quantized, and composes."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import diffusers
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from standee import Canvas, Composition, Layer, Rect, Sampling
from standee.errors import InvalidField, MissingDependency, UnknownModel
from standee_backend.catalog import catalog
from standee_backend.engine.families.base import Family
from standee_backend.engine.loading import load as loading
from standee_backend.engine.loading import quantization as packing
from standee_backend.engine.loading.load import load
from standee_backend.hardware.options import Options
from support.composing import compose

CPU = Options(device="cpu")
Paint = Callable[[Family], NDArray[np.uint8]]


@pytest.fixture
def paint(shelf) -> Paint:
    """Compose one subject into a small picture, in three steps: two that replace, one that shares."""
    layer = Layer(picture=shelf.disc("red", 64), rect=Rect(32, 32, 64, 64))
    composition = Composition(
        canvas=Canvas(128, 96),
        prompt="a cat on the beach",
        layers=(layer,),
        sampling=Sampling(steps=3),
    )

    def compose_it(family: Family) -> NDArray[np.uint8]:
        pixels = compose(family, composition, shelf.read, seed=1)
        family.release()
        return pixels

    return compose_it


@pytest.fixture(scope="module")
def plain(tiny_flux: Path) -> Family:
    """The checkpoint loaded with nothing special."""
    return load_folder(tiny_flux)


def load_folder(folder: Path, options: Options = CPU) -> Family:
    return load(catalog.find(str(folder)), options)


def test_a_checkpoint_is_loaded_with_what_suits_it(tiny_model) -> None:
    dev, schnell = (load_folder(tiny_model(kind)) for kind in ("flux", "schnell"))
    assert (dev.defaults.steps, dev.defaults.guidance, dev.text_limit) == (28, 3.5, 16)
    assert (schnell.defaults.steps, schnell.defaults.text_tokens) == (4, 256)
    assert (dev.patch, dev.channels, len(dev.sites)) == (16, 64, 3)


def test_standee_json_in_the_folder_changes_the_defaults(tiny_flux: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_flux, tmp_path / "mine"))
    card = {"defaults": {"steps": 7, "share_sites": [0, 2]}}
    (folder / "standee.json").write_text(json.dumps(card))
    defaults = load_folder(folder).defaults
    assert (defaults.steps, defaults.share_sites, defaults.tau) == (7, frozenset({0, 2}), 0.5)


@pytest.mark.parametrize("offload", ["text", "model", "group"])
def test_offloading_does_not_change_the_picture(
    tiny_flux: Path, plain: Family, paint: Paint, offload
) -> None:
    offloaded = load_folder(tiny_flux, Options(device="cpu", offload=offload))
    assert np.array_equal(paint(offloaded), paint(plain))
    assert np.array_equal(paint(offloaded), paint(plain)), "again, after its release"
    assert offloaded.fingerprint() == plain.fingerprint()


def test_a_model_is_known_again_in_another_folder(tiny_flux: Path, plain: Family, tmp_path) -> None:
    moved = Path(shutil.copytree(tiny_flux, tmp_path / "moved"))
    assert load_folder(moved).fingerprint() == plain.fingerprint()


def test_of_whole_models_each_sends_the_last_away_and_previews_send_none(
    tiny_flux: Path, paint: Paint
) -> None:
    family = load_folder(tiny_flux, Options(device="cpu", offload="model"))
    paint(family)
    pipeline = family.pipeline
    order = [pipeline.text_encoder, pipeline.text_encoder_2, pipeline.transformer]
    for before, part in zip([order[-1], *order], order, strict=False):
        assert part._hf_hook.prev_module_hook.model is before
    assert not hasattr(pipeline.vae, "_hf_hook")


def test_half_precision_gives_nearly_the_same_picture(
    tiny_flux: Path, plain: Family, paint: Paint
) -> None:
    half = load_folder(tiny_flux, Options(device="cpu", dtype="bf16"))
    assert half.transformer.dtype == torch.bfloat16
    assert half.pipeline.text_encoder_2.dtype == torch.bfloat16
    difference = paint(half).astype(int) - paint(plain)
    assert 0 < np.abs(difference).mean() < 2


@pytest.mark.usefixtures("quantize_on_cpu")
@pytest.mark.parametrize("offload", ["none", "model"])
@pytest.mark.parametrize(("quantization", "tolerance"), [("int8", 1.0), ("nf4", 6.0)])
def test_quantized_weights_are_smaller_and_give_nearly_the_same_picture(
    tiny_flux: Path, plain: Family, paint: Paint, quantization, tolerance: float, offload
) -> None:
    packed = load_folder(tiny_flux, Options(quantization=quantization, offload=offload))
    difference = np.abs(paint(packed).astype(int) - paint(plain))
    assert 0 < difference.mean() < tolerance
    for part in ("transformer", "text_encoder_2"):
        sizes = [getattr(f.pipeline, part).get_memory_footprint() for f in (packed, plain)]
        assert sizes[0] < 0.6 * sizes[1]
    assert packed.fingerprint() != plain.fingerprint()


@pytest.mark.parametrize("offload", ["none", "text", "model", "group"])
def test_fp8_is_half_the_size_and_gives_nearly_the_same_picture(
    tiny_flux: Path, plain: Family, paint: Paint, offload
) -> None:
    options = Options(device="cpu", dtype="bf16", offload=offload, quantization="fp8")
    packed = load_folder(tiny_flux, options)
    for block in packed.transformer.transformer_blocks:
        kinds = {layer.weight.dtype for layer in block.modules() if hasattr(layer, "in_features")}
        assert kinds == {torch.float8_e4m3fn}
    first = paint(packed)
    assert 0 < np.abs(first.astype(int) - paint(plain)).mean() < 4
    assert np.array_equal(paint(packed), first), "casting to and fro loses nothing more"


def test_the_text_encoder_can_be_packed_alone(tiny_flux: Path) -> None:
    options = Options(device="cpu", dtype="bf16", quantization="none", text_quantization="fp8")
    family = load_folder(tiny_flux, options)
    kinds = {weight.dtype for weight in family.transformer.parameters()}
    assert kinds == {torch.bfloat16}
    kinds = {weight.dtype for weight in family.pipeline.text_encoder_2.parameters()}
    assert kinds == {torch.bfloat16, torch.float8_e4m3fn}


def test_quantizing_without_bitsandbytes_says_what_to_install(
    tiny_flux: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "resolve", lambda options: (torch.device("cpu"), torch.float32))
    monkeypatch.setattr(packing, "find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match="bitsandbytes") as caught:
        load_folder(tiny_flux, Options(quantization="nf4"))
    assert "pip install bitsandbytes" in caught.value.fix


def test_compiling_wraps_each_block_of_the_transformer(tiny_flux: Path) -> None:
    transformer = load_folder(tiny_flux, Options(device="cpu", compile=True)).transformer
    blocks = [*transformer.transformer_blocks, *transformer.single_transformer_blocks]
    assert all(block._compiled_call_impl is not None for block in blocks)


def test_nothing_that_is_loaded_can_train(plain: Family) -> None:
    modules = [p for p in plain.pipeline.components.values() if isinstance(p, torch.nn.Module)]
    assert len(modules) == 4
    assert not any(module.training for module in modules)
    assert not any(weight.requires_grad for module in modules for weight in module.parameters())


def test_large_pictures_are_decoded_in_tiles_but_the_bundled_model_is_not(
    plain: Family, mini: Family
) -> None:
    assert plain.pipeline.vae.use_tiling
    assert not mini.pipeline.vae.use_tiling


def test_an_offload_that_a_part_cannot_do_is_refused(
    tiny_flux: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diffusers.FluxTransformer2DModel, "_supports_group_offloading", False)
    with pytest.raises(InvalidField) as caught:
        load_folder(tiny_flux, Options(device="cpu", offload="group"))
    assert caught.value.path == "$.offload"


def damage(folder: Path, how: str) -> None:
    weights = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    config = folder / "transformer" / "config.json"
    if how == "gone":
        weights.unlink()
    elif how == "truncated":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif how == "pickled":
        torch.save({}, weights.with_suffix(".bin"))
        weights.unlink()
    elif how == "of another shape":
        fields = json.loads(config.read_text())
        config.write_text(json.dumps({**fields, "num_attention_heads": 4}))


@pytest.mark.parametrize("how", ["gone", "truncated", "pickled", "of another shape"])
def test_damaged_weights_are_one_clear_error(tiny_flux: Path, tmp_path: Path, how: str) -> None:
    folder = Path(shutil.copytree(tiny_flux, tmp_path / "broken"))
    damage(folder, how)
    with pytest.raises(UnknownModel) as caught:
        load_folder(folder)
    assert caught.value.path == "$.sampling.model"
    assert str(folder) in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.fix


def test_a_hub_model_without_a_network_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import huggingface_hub.constants as constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(UnknownModel, match="works offline") as caught:
        load(catalog.find("nobody/no-flux"), CPU)
    assert caught.value.path == "$.sampling.model"
    assert "standee models download nobody/no-flux" in caught.value.fix
