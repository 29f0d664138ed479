"""LoRAs are laid over a loaded model, switched from job to job, and gone without a trace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from standee import Canvas, Composition, Layer, Rect, Sampling
from standee.errors import InvalidField, MissingDependency
from standee_backend.catalog import catalog
from standee_backend.engine.families.base import Family
from standee_backend.engine.families.lora import adapters
from standee_backend.engine.loading.load import load
from standee_backend.hardware.options import Options
from support import tiny
from support.composing import compose

Paint = Callable[[Family], NDArray[np.uint8]]

TARGETS = {
    "flux": r".*attn\.to_[qkv]",
    "klein": r".*(attn\.to_q|to_qkv_mlp_proj)",
    "z-image": r".*attention\.to_[qkv]",
    "qwen-image": r".*attn\.to_[qkv]",
    "krea2": r".*attn\.to_(q|gate)",
}
"""What LoRAs of each family change: the projections that Standee's own attention calls, too."""


@pytest.fixture(scope="module", params=["flux", "klein", "z-image", "qwen-image", "krea2"])
def kind(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def folders(tiny_flux, tiny_model) -> dict[str, Path]:
    return {kind: tiny_flux if kind == "flux" else tiny_model(kind) for kind in TARGETS}


@pytest.fixture(scope="module")
def make_lora(folders, tmp_path_factory) -> Callable[..., Path]:
    """Return `make(kind, seed)`: a random LoRA for a family's tiny checkpoint, made once."""
    made: dict[tuple[str, int], Path] = {}

    def make(kind: str, seed: int = 0) -> Path:
        if (kind, seed) not in made:
            file = tmp_path_factory.mktemp("loras") / f"{kind}-{seed}.safetensors"
            targets = TARGETS[kind]
            made[kind, seed] = tiny.save_lora(file, folders[kind], seed=seed, targets=targets)
        return made[kind, seed]

    return make


@pytest.fixture(scope="module")
def family(kind: str, folders) -> Family:
    return load(catalog.find(str(folders[kind])), Options(device="cpu"))


@pytest.fixture
def paint(shelf) -> Paint:
    """Compose one subject into a small picture, in steps that replace tokens and steps that share them."""
    composition = Composition(
        canvas=Canvas(64, 48),
        prompt="a cat",
        layers=(Layer(picture=shelf.disc("red", 48), rect=Rect(16, 16, 32, 32)),),
        sampling=Sampling(steps=3),
    )

    def paint(family: Family) -> NDArray[np.uint8]:
        pixels = compose(family, composition, shelf.read, seed=1)
        family.release()
        return pixels

    return paint


def lay(family: Family, *files: tuple[Path, float]) -> None:
    family.adapters.lay(files)


def test_a_lora_changes_the_picture_and_leaves_no_trace(kind, family, make_lora, paint) -> None:
    plain, fingerprint = paint(family), family.fingerprint()
    lay(family, (make_lora(kind), 1.0))
    assert not np.array_equal(paint(family), plain)
    assert family.fingerprint() != fingerprint
    lay(family)
    assert np.array_equal(paint(family), plain)
    assert family.fingerprint() == fingerprint


def test_the_picture_is_that_of_the_weights_with_the_lora_added(
    kind, family, folders, make_lora, paint
) -> None:
    """The oracle adds weight * B A to the layers of a second model by hand."""
    lay(family, (make_lora(kind, 1), 0.7), (make_lora(kind, 2), -0.4))
    summed = load(catalog.find(str(folders[kind])), Options(device="cpu"))
    layers = dict(summed.transformer.named_modules())
    for seed, weight in ((1, 0.7), (2, -0.4)):
        halves = load_file(make_lora(kind, seed))
        for name in halves:
            if "lora_A" in name:
                layer = layers[name.removeprefix("transformer.").removesuffix(".lora_A.weight")]
                up = halves[name.replace("lora_A", "lora_B")]
                layer.weight.data += weight * up @ halves[name]
    difference = paint(family).astype(int) - paint(summed)
    lay(family)
    assert np.abs(difference).max() <= 1


def test_the_fingerprint_tells_which_loras_count_and_how_much(kind, family, make_lora) -> None:
    first, second = make_lora(kind, 1), make_lora(kind, 2)
    seen = set()
    one, half, other = (first, 1.0), (first, 0.5), (second, 1.0)
    for laid in ((), (one,), (half,), (other,), (one, other)):
        lay(family, *laid)
        seen.add(family.fingerprint())
    assert len(seen) == 5
    lay(family, (first, 1.0))
    assert family.fingerprint() in seen


def test_a_lora_that_was_used_before_is_not_read_again(
    kind, family, make_lora, monkeypatch
) -> None:
    lay(family, (make_lora(kind, 1), 1.0))
    lay(family)
    monkeypatch.setattr(adapters, "read", None)
    lay(family, (make_lora(kind, 1), 0.5))
    assert [one.weight for one in family.adapters.active] == [0.5]
    lay(family)


def test_of_many_loras_those_used_longest_ago_are_forgotten(
    family, kind, make_lora, monkeypatch
) -> None:
    monkeypatch.setattr(adapters, "KEPT", 1)
    for seed in (1, 2, 3):
        lay(family, (make_lora(kind, seed), 1.0))
    held = family.pipeline.get_list_adapters()["transformer"]
    assert len(held) == 2
    assert adapters.digest(make_lora(kind, 1)) not in held
    lay(family)


def test_loras_of_earlier_jobs_stay_only_where_there_is_room(
    family, kind, make_lora, paint
) -> None:
    lay(family)
    plain = paint(family)
    used, idle = make_lora(kind, 1), make_lora(kind, 2)
    for file in (idle, used):
        lay(family, (file, 1.0))
    changed = paint(family)
    family.adapters.lay([(used, 1.0)], spare=0)
    assert family.pipeline.get_list_adapters()["transformer"] == [adapters.digest(used)]
    assert np.array_equal(paint(family), changed)
    family.adapters.lay([], spare=0)
    assert not family.pipeline.get_list_adapters()
    assert np.array_equal(paint(family), plain)
    lay(family, (used, 1.0))
    assert np.array_equal(paint(family), changed)
    lay(family)


def test_offloaded_models_take_loras_too(kind, family, folders, make_lora, paint) -> None:
    offload = {
        "flux": "model",
        "klein": "group",
        "z-image": "model",
        "qwen-image": "group",
        "krea2": "model",
    }[kind]
    offloaded = load(catalog.find(str(folders[kind])), Options(device="cpu", offload=offload))
    plain = paint(offloaded)
    lay(offloaded, (make_lora(kind), 1.0))
    lay(family, (make_lora(kind), 1.0))
    assert np.abs(paint(offloaded).astype(int) - paint(family)).max() <= 1
    assert offloaded.fingerprint() == family.fingerprint()
    if offload == "model":
        assert not hasattr(offloaded.pipeline.vae, "_hf_hook"), "placed as it was before"
    lay(offloaded)
    lay(family)
    assert np.array_equal(paint(offloaded), plain)


def test_a_lora_takes_the_precision_of_its_model(folders, make_lora, tmp_path) -> None:
    half = {name: weight.half() for name, weight in load_file(make_lora("flux")).items()}
    save_file(half, tmp_path / "half.safetensors")
    family = load(catalog.find(str(folders["flux"])), Options(device="cpu", dtype="bf16"))
    lay(family, (tmp_path / "half.safetensors", 1.0))
    kinds = {weight.dtype for weight in family.transformer.parameters()}
    assert kinds == {torch.bfloat16}


@pytest.mark.usefixtures("quantize_on_cpu")
@pytest.mark.parametrize("quantization", ["int8", "nf4"])
def test_quantized_models_take_loras_too(folders, make_lora, paint, quantization) -> None:
    """The twin is another load: bitsandbytes' kernels for the CPU do not survive `state_dict()`."""
    twin, packed = (
        load(catalog.find(str(folders["flux"])), Options(quantization=quantization))
        for _ in range(2)
    )
    plain = paint(twin)
    lay(packed, (make_lora("flux"), 1.0))
    assert not np.array_equal(paint(packed), plain)
    lay(packed)
    assert np.array_equal(paint(packed), plain)


# -- what cannot be laid over a model ------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "other"),
    [("flux", "klein"), ("klein", "z-image"), ("z-image", "qwen-image"), ("qwen-image", "flux")],
)
def test_a_lora_of_another_family_is_refused_and_the_model_goes_on(
    folders, make_lora, paint, model: str, other: str
) -> None:
    family = load(catalog.find(str(folders[model])), Options(device="cpu"))
    plain = paint(family)
    lay(family, (make_lora(model), 1.0))
    with pytest.raises(InvalidField, match="another kind of model") as caught:
        lay(family, (make_lora(model), 1.0), (make_lora(other), 1.0))
    assert caught.value.path == "$.sampling.loras[1].path"
    assert caught.value.fix
    lay(family)
    assert np.array_equal(paint(family), plain)


def test_a_lora_of_a_larger_model_is_refused(folders, make_lora, tmp_path) -> None:
    weights = load_file(make_lora("flux"))
    name = next(name for name in weights if "lora_A" in name)
    weights[name] = torch.zeros(2, 96)
    save_file(weights, tmp_path / "large.safetensors")
    family = load(catalog.find(str(folders["flux"])), Options(device="cpu"))
    with pytest.raises(InvalidField, match="96 channels, this model's has 64") as caught:
        lay(family, (tmp_path / "large.safetensors", 1.0))
    assert caught.value.path == "$.sampling.loras[0].path"


def test_half_a_lora_is_one_clear_error_and_can_be_tried_again(
    folders, make_lora, tmp_path, paint
) -> None:
    weights = load_file(make_lora("flux"))
    broken = {name: weight for name, weight in weights.items() if "lora_B" not in name}
    save_file(broken, tmp_path / "broken.safetensors")
    family = load(catalog.find(str(folders["flux"])), Options(device="cpu"))
    plain = paint(family)
    for _ in range(2):
        with pytest.raises(InvalidField, match=r"broken\.safetensors") as caught:
            lay(family, (tmp_path / "broken.safetensors", 1.0))
        assert "\n" not in caught.value.message
    lay(family)
    assert np.array_equal(paint(family), plain)


def test_one_lora_under_two_names_is_refused(folders, make_lora, tmp_path) -> None:
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(make_lora("flux").read_bytes())
    family = load(catalog.find(str(folders["flux"])), Options(device="cpu"))
    with pytest.raises(InvalidField, match="by another name") as caught:
        lay(family, (make_lora("flux"), 1.0), (copy, 0.5))
    assert caught.value.path == "$.sampling.loras[1].path"


def test_without_peft_it_says_what_to_install(folders, make_lora, monkeypatch) -> None:
    monkeypatch.setattr(adapters, "find_spec", lambda name: None)
    family = load(catalog.find(str(folders["flux"])), Options(device="cpu"))
    with pytest.raises(MissingDependency) as caught:
        lay(family, (make_lora("flux"), 1.0))
    assert "pip install peft" in caught.value.fix


# -- how other programs save LoRAs ---------------------------------------------------------------

RENAMED = {
    "flux": (
        "transformer.transformer_blocks.0.attn.to_out.0",
        "lora_unet_double_blocks_0_img_attn_proj",
    ),
    "klein": (
        "transformer.transformer_blocks.0.attn.to_out.0",
        "diffusion_model.double_blocks.0.img_attn.proj",
    ),
    "z-image": ("transformer.layers.0.attention.to_q", "diffusion_model.layers.0.attention.to_q"),
    "qwen-image": (
        "transformer.transformer_blocks.0.attn.to_q",
        "lora_unet_transformer_blocks_0_attn_to_q",
    ),
    "krea2": ("transformer.transformer_blocks.0.attn.to_q", "diffusion_model.blocks.0.attn.wq"),
}
"""The name of a layer in diffusers, and in kohya's scripts (FLUX.1, Qwen-Image) or ai-toolkit (the others)."""


def test_loras_saved_by_other_programs_mean_the_same(kind, family, paint, tmp_path) -> None:
    ours, theirs = RENAMED[kind]
    chance = torch.Generator().manual_seed(3)
    down, up = (torch.randn(shape, generator=chance) for shape in ((2, 64), (64, 2)))
    named = {f"{ours}.lora_A.weight": down, f"{ours}.lora_B.weight": up}
    other = {f"{theirs}.lora_A.weight": down, f"{theirs}.lora_B.weight": up}
    if kind == "flux":
        # kohya keeps a strength beside the weights: alpha / rank = 1 / 2
        other = {f"{theirs}.lora_down.weight": down, f"{theirs}.lora_up.weight": 2 * up}
        other[f"{theirs}.alpha"] = torch.tensor(1.0)
    save_file(named, tmp_path / "ours.safetensors")
    save_file(other, tmp_path / "theirs.safetensors")
    plain = paint(family)
    lay(family, (tmp_path / "ours.safetensors", 1.0))
    expected = paint(family)
    lay(family, (tmp_path / "theirs.safetensors", 1.0))
    made = paint(family)
    lay(family)
    assert not np.array_equal(expected, plain)
    assert np.abs(made.astype(int) - expected).max() <= 1
