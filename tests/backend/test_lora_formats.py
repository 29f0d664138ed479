"""Every kind of LoRA file changes each layer by what its weights say, or is refused for the true reason.

The oracle is the change of the layer's matrix, computed here from the file's tensors; what lies over the model is
found by running its layers on the unit matrix.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from standee.errors import InvalidField
from standee_backend.catalog import catalog, lora_files
from standee_backend.engine.families.base import Family
from standee_backend.engine.loading.load import load
from standee_backend.hardware.options import Options
from support import single_files

CASES = Path(__file__).parents[3] / "shared" / "cases"

LAYERS = {
    "flux": {
        "double_blocks.0.img_attn.proj": ["transformer_blocks.0.attn.to_out.0"],
        "double_blocks.0.img_attn.qkv": [f"transformer_blocks.0.attn.to_{one}" for one in "qkv"],
        "single_blocks.1.linear1": [
            *(f"single_transformer_blocks.1.attn.to_{one}" for one in "qkv"),
            "single_transformer_blocks.1.proj_mlp",
        ],
    },
    "klein": {
        "single_blocks.1.linear2": ["single_transformer_blocks.1.attn.to_out"],
        "double_blocks.0.txt_attn.qkv": [
            f"transformer_blocks.0.attn.add_{one}_proj" for one in "qkv"
        ],
    },
    "z-image": {
        "layers.1.attention.out": ["layers.1.attention.to_out.0"],
        "context_refiner.0.attention.qkv": [
            f"context_refiner.0.attention.to_{one}" for one in "qkv"
        ],
    },
}
"""Layers as the makers call them, and those of diffusers whose rows they are."""

SPELLINGS: dict[str, Callable[[str], str]] = {
    "kohya": lambda name: "lora_unet_" + name.replace(".", "_"),
    "lycoris": lambda name: "lycoris_" + name.replace(".", "_"),
    "ai-toolkit": lambda name: f"diffusion_model.{name}",
    "all in one": lambda name: f"model.diffusion_model.{name}",
    "peft": lambda name: f"base_model.model.{name}",
    "bare": lambda name: name,
    "unknown": lambda name: f"someones.net.{name}",
}

Changes = dict[str, Tensor]
"""What is added to the matrices (outputs, inputs) of layers, by diffusers' names."""


@pytest.fixture(scope="module", params=["flux", "klein", "z-image"])
def kind(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def families(tiny_flux, tiny_model) -> Callable[[str], Family]:
    loaded: dict[str, Family] = {}

    def family(kind: str) -> Family:
        folder = tiny_flux if kind == "flux" else tiny_model(kind)
        if kind not in loaded:
            loaded[kind] = load(catalog.find(str(folder)), Options(device="cpu"))
        return loaded[kind]

    return family


@pytest.fixture(scope="module")
def family(kind, families) -> Family:
    return families(kind)


def base(layer: torch.nn.Module) -> torch.nn.Linear:
    return layer.get_base_layer() if hasattr(layer, "get_base_layer") else layer


def laid_over(family: Family, part: str = "transformer") -> Changes:
    """Run every layer that a LoRA lies over on the unit matrix; return what it gives beyond the layer beneath."""
    found = {}
    model = getattr(family.pipeline, part)
    for name, layer in model.named_modules():
        if hasattr(layer, "lora_A"):
            x = torch.eye(layer.in_features, dtype=model.dtype)
            bias = layer(x[:1] * 0) - base(layer)(x[:1] * 0)
            change = layer(x) - base(layer)(x) - bias
            if change.abs().max() > 1e-6:
                found[name] = change.T
    return found


def over(family: Family, tensors: Changes, tmp_path: Path, metadata=None, weight=1.0) -> Changes:
    """Save a LoRA, lay it, and return what then lies over the transformer; it is off again afterwards."""
    file = tmp_path / "lora.safetensors"
    save_file({name: one.contiguous() for name, one in tensors.items()}, file, metadata)
    assert lora_files.locate(str(file), lora_files.field_of(0)) == file
    family.adapters.lay([(file, weight)])
    found = laid_over(family)
    family.adapters.lay([], spare=0)
    return found


def agree(found: Changes, expected: Changes) -> None:
    assert found.keys() == expected.keys()
    for name, change in expected.items():
        assert torch.allclose(found[name], change, rtol=2e-3, atol=2e-4), name


def matrices(family: Family, layers: list[str]) -> Tensor:
    return torch.cat(
        [base(family.transformer.get_submodule(one)).weight for one in layers]
    ).detach()


def split(change: Tensor, family: Family, layers: list[str]) -> Changes:
    heights = [base(family.transformer.get_submodule(one)).out_features for one in layers]
    return dict(zip(layers, change.split(heights), strict=True))


chance = torch.Generator().manual_seed(5)


def random(*shape: int) -> Tensor:
    return torch.randn(shape, generator=chance) * 0.3


# -- methods: each returns the parts of a change, as they stand in a file, and the change -----------


def plain(weight: Tensor) -> tuple[Changes, Tensor]:
    down, up = random(3, weight.shape[1]), random(len(weight), 3)
    return {"lora_A.weight": down, "lora_B.weight": up}, up @ down


def adapter(weight: Tensor) -> tuple[Changes, Tensor]:
    parts, change = plain(weight)
    return {name.replace(".weight", ".default.weight"): one for name, one in parts.items()}, change


def kohya(weight: Tensor) -> tuple[Changes, Tensor]:
    down, up = random(4, weight.shape[1]), random(len(weight), 4)
    parts = {"lora_down.weight": down, "lora_up.weight": up, "alpha": torch.tensor(2.0)}
    return parts, up @ down * 2 / 4


def fp8(weight: Tensor) -> tuple[Changes, Tensor]:
    parts, _ = kohya(weight)
    parts = {name: one.to(torch.float8_e4m3fn) for name, one in parts.items()}
    down, up = (parts[f"lora_{half}.weight"].float() for half in ("down", "up"))
    return parts, up @ down / 2


def dora(weight: Tensor) -> tuple[Changes, Tensor]:
    parts, change = kohya(weight)
    lengths = random(len(weight), 1).abs() + 0.5
    changed = weight + change
    rows = changed / changed.norm(dim=1, keepdim=True) * lengths
    return parts | {"dora_scale": lengths}, rows - weight


def peft_dora(weight: Tensor) -> tuple[Changes, Tensor]:
    parts, change = plain(weight)
    lengths = random(len(weight)).abs() + 0.5
    changed = weight + change
    rows = changed / changed.norm(dim=1, keepdim=True) * lengths[:, None]
    return parts | {"lora_magnitude_vector": lengths}, rows - weight


def lokr(weight: Tensor) -> tuple[Changes, Tensor]:
    """Both factors whole: alpha does not count. Fused rows are cut within a piece where 4 is no multiple of them."""
    first, second = random(4, 8), random(len(weight) // 4, weight.shape[1] // 8)
    parts = {"lokr_w1": first, "lokr_w2": second, "alpha": torch.tensor(1e9)}
    return parts, torch.kron(first, second)


def lokr_products(weight: Tensor) -> tuple[Changes, Tensor]:
    first = random(8, 2), random(2, 4)
    second = random(len(weight) // 8, 2), random(2, weight.shape[1] // 4)
    halves = (("lokr_w1_a", "lokr_w1_b"), ("lokr_w2_a", "lokr_w2_b"))
    parts = {
        name: one
        for names, pair in zip(halves, (first, second), strict=True)
        for name, one in zip(names, pair, strict=True)
    }
    change = torch.kron(first[0] @ first[1], second[0] @ second[1]) * 3 / 2
    return parts | {"alpha": torch.tensor(3.0)}, change


def loha(weight: Tensor, rank: int = 3) -> tuple[Changes, Tensor]:
    out, width = weight.shape
    parts = {
        "hada_w1_a": random(out, rank),
        "hada_w1_b": random(rank, width),
        "hada_w2_a": random(out, rank),
        "hada_w2_b": random(rank, width),
    }
    a1, b1, a2, b2 = parts.values()
    change = (a1 @ b1) * (a2 @ b2) * 6 / rank
    return parts | {"alpha": torch.tensor(6.0)}, change


def loha_of_high_rank(weight: Tensor) -> tuple[Changes, Tensor]:
    return loha(weight, rank=9)


def difference(weight: Tensor) -> tuple[Changes, Tensor]:
    change = random(*weight.shape)
    return {"diff": change}, change


def lokr_dora(weight: Tensor) -> tuple[Changes, Tensor]:
    parts, change = lokr(weight)
    lengths = random(len(weight), 1).abs() + 0.5
    changed = weight + change
    return parts | {"dora_scale": lengths}, changed / changed.norm(
        dim=1, keepdim=True
    ) * lengths - weight


METHODS = [
    plain,
    adapter,
    kohya,
    fp8,
    dora,
    peft_dora,
    lokr,
    lokr_products,
    lokr_dora,
    loha,
    loha_of_high_rank,
    difference,
]


def make(family: Family, kind: str, method, spell) -> tuple[Changes, Changes]:
    """Return a file's tensors over a family's layers, and what they must change."""
    tensors, expected = {}, {}
    for name, layers in LAYERS[kind].items():
        parts, change = method(matrices(family, layers))
        tensors |= {f"{spell(name)}.{part}": one for part, one in parts.items()}
        expected |= split(change, family, layers)
    return tensors, expected


@pytest.mark.parametrize("method", METHODS, ids=lambda one: one.__name__)
def test_every_method_changes_layers_by_what_its_weights_say(
    kind, family, tmp_path, method
) -> None:
    tensors, expected = make(family, kind, method, SPELLINGS["ai-toolkit"])
    agree(over(family, tensors, tmp_path), expected)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_layers_are_found_under_every_programs_names(kind, family, tmp_path, spelling) -> None:
    tensors, expected = make(family, kind, kohya, SPELLINGS[spelling])
    agree(over(family, tensors, tmp_path), expected)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_layers_are_found_by_diffusers_names_too(kind, family, tmp_path, spelling) -> None:
    tensors, expected = {}, {}
    for layer in (layer for layers in LAYERS[kind].values() for layer in layers):
        parts, expected[layer] = plain(matrices(family, [layer]))
        tensors |= {f"{SPELLINGS[spelling](layer)}.{part}": one for part, one in parts.items()}
    agree(over(family, tensors, tmp_path), expected)


@pytest.mark.parametrize("method", [kohya, dora, lokr])
def test_half_a_weight_is_half_of_the_change(kind, family, tmp_path, method) -> None:
    tensors, expected = make(family, kind, method, SPELLINGS["kohya"])
    halves = {layer: change / 2 for layer, change in expected.items()}
    agree(over(family, tensors, tmp_path, weight=0.5), halves)
    assert not over(family, tensors, tmp_path, weight=0.0)


def test_a_dora_beside_another_lora_counts_from_the_models_own_weights(
    kind, family, tmp_path
) -> None:
    files, expected = [], {}
    for index, method in enumerate((kohya, dora)):
        tensors, changes = make(family, kind, method, SPELLINGS["kohya"])
        files.append((tmp_path / f"{index}.safetensors", 1.0))
        save_file(tensors, files[-1][0])
        for layer, change in changes.items():
            expected[layer] = expected.get(layer, 0) + change
    family.adapters.lay(files)
    found = laid_over(family)
    family.adapters.lay([], spare=0)
    agree(found, expected)


def test_rows_that_lie_the_other_way_round_are_swapped(families, tmp_path) -> None:
    family = families("flux")
    weight = base(family.transformer.norm_out.linear).weight
    for method in (kohya, lokr, difference):
        parts, change = method(weight)
        tensors = {
            f"diffusion_model.final_layer.adaLN_modulation.1.{k}": v for k, v in parts.items()
        }
        found = over(family, tensors, tmp_path)
        agree(found, {"norm_out.linear": torch.cat(change.chunk(2)[::-1])})


def test_a_dora_may_scale_the_inputs(families, tmp_path) -> None:
    family = families("flux")
    name, [layer] = next(iter(LAYERS["flux"].items()))
    weight = matrices(family, [layer])
    parts, change = kohya(weight)
    lengths = random(1, weight.shape[1]).abs() + 0.5
    changed = weight + change
    columns = changed / changed.norm(dim=0, keepdim=True) * lengths
    spelled = "lora_unet_" + name.replace(".", "_")
    tensors = {f"{spelled}.{k}": v for k, v in (parts | {"dora_scale": lengths}).items()}
    agree(over(family, tensors, tmp_path), {layer: columns - weight})


def test_xlabs_files_mean_the_double_blocks_attention(families, tmp_path) -> None:
    family = families("flux")
    names = {
        "double_blocks.0.processor.qkv_lora1": [
            f"transformer_blocks.0.attn.to_{one}" for one in "qkv"
        ],
        "double_blocks.0.processor.qkv_lora2": [
            f"transformer_blocks.0.attn.add_{one}_proj" for one in "qkv"
        ],
        "double_blocks.0.processor.proj_lora1": ["transformer_blocks.0.attn.to_out.0"],
        "double_blocks.0.processor.proj_lora2": ["transformer_blocks.0.attn.to_add_out"],
        "single_blocks.1.processor.qkv_lora": [
            f"single_transformer_blocks.1.attn.to_{one}" for one in "qkv"
        ],
    }
    tensors, expected = {}, {}
    for name, layers in names.items():
        down, up = random(3, 64), random(64 * len(layers), 3)
        tensors |= {f"{name}.down.weight": down, f"{name}.up.weight": up}
        expected |= split(up @ down, family, layers)
    agree(over(family, tensors, tmp_path), expected)


def test_the_first_diffusers_layout_is_read(families, tmp_path) -> None:
    family = families("flux")
    layer = "transformer_blocks.0.attn"
    down, up, down2, up2 = random(3, 64), random(64, 3), random(3, 64), random(64, 3)
    tensors = {
        f"transformer.{layer}.processor.to_q_lora.down.weight": down,
        f"transformer.{layer}.processor.to_q_lora.up.weight": up,
        f"transformer.{layer}.to_out.lora_linear_layer.down.weight": down2,
        f"transformer.{layer}.to_out.lora_linear_layer.up.weight": up2,
    }
    expected = {f"{layer}.to_q": up @ down, f"{layer}.to_out.0": up2 @ down2}
    agree(over(family, tensors, tmp_path), expected)


def test_a_bias_is_changed_with_its_layer(families, tmp_path) -> None:
    family = families("flux")
    down, up, bias = random(3, 64), random(64, 3), random(64)
    name = "transformer.transformer_blocks.0.attn.to_q"
    tensors = {
        f"{name}.lora_A.weight": down,
        f"{name}.lora_B.weight": up,
        f"{name}.lora_B.bias": bias,
    }
    file = tmp_path / "bias.safetensors"
    save_file(tensors, file)
    family.adapters.lay([(file, 0.5)])
    layer = family.transformer.transformer_blocks[0].attn.to_q
    x = random(2, 64)
    expected = base(layer)(x) + 0.5 * (x @ down.T @ up.T + bias)
    torch.testing.assert_close(layer(x), expected)
    family.adapters.lay([], spare=0)


@pytest.mark.parametrize("where", ["header", "beside"])
def test_strengths_that_stand_apart_from_the_weights_count(families, tmp_path, where) -> None:
    """alpha / rank is 6 / 3, of the second layer 12 / 3."""
    family = families("flux")
    layers = [f"transformer_blocks.0.attn.to_{one}" for one in "qk"]
    tensors, expected = {}, {}
    prefix = "transformer" if where == "header" else "base_model.model"
    for layer, scale in zip(layers, (2, 4), strict=True):
        parts, change = plain(matrices(family, [layer]))
        tensors |= {f"{prefix}.{layer}.{part}": one for part, one in parts.items()}
        expected[layer] = change * scale
    config = {"r": 3, "lora_alpha": 6, "alpha_pattern": {"to_k": 12}, "use_rslora": False}
    metadata = None
    if where == "header":
        said = {f"transformer.{name}": value for name, value in config.items()}
        metadata = {"lora_adapter_metadata": json.dumps(said)}
    else:
        (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    agree(over(family, tensors, tmp_path, metadata), expected)


@pytest.mark.parametrize("method", [lokr, lokr_products, loha])
def test_pefts_lokr_and_loha_count_with_its_own_alpha(families, tmp_path, method) -> None:
    """It has no alpha beside the weights: alpha / r is 6 / 4, by the matrices' rank where they have one."""
    family = families("z-image")
    layer = "layers.0.attention.to_q"
    parts, change = method(matrices(family, [layer]))
    alpha = parts.pop("alpha")
    rank = {lokr: 4, lokr_products: 2, loha: 3}[method]
    without = change if method is lokr else change / (alpha / rank)
    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": 4, "alpha": 6}))
    tensors = {f"base_model.model.{layer}.{part}": one for part, one in parts.items()}
    agree(over(family, tensors, tmp_path), {layer: without * 6 / rank})


def test_a_strength_that_nothing_tells_is_taken_as_one_and_told(families, tmp_path) -> None:
    family = families("klein")
    tensors, expected = make(family, "klein", plain, SPELLINGS["peft"])
    save_file(tensors, tmp_path / "peft.safetensors")
    family.adapters.lay([(tmp_path / "peft.safetensors", 1.0)])
    agree(laid_over(family), expected)
    [note] = family.adapters.notes
    assert (note.code, note.path) == ("lora-strength-unknown", "$.sampling.loras[0].path")
    assert "adapter_config.json" in note.fix
    family.adapters.lay([], spare=0)


def test_text_encoders_are_changed_too(families, tmp_path) -> None:
    """kohya's te1 is CLIP and te3 T5, where others call T5 the second."""
    family = families("flux")
    clip, t5 = "encoder.layers.0.self_attn.q_proj", "encoder.block.0.layer.0.SelfAttention.k"
    file = tmp_path / "lora.safetensors"
    for prefixes in (
        ("lora_te1_text_model_", "lora_te3_"),
        ("text_encoder.text_model.", "text_encoder_2."),
    ):
        tensors, expected = {}, []
        for prefix, layer in zip(prefixes, (clip, t5), strict=True):
            down, up = random(2, 64), random(64, 2)
            name = prefix + (layer.replace(".", "_") if prefix.endswith("_") else layer)
            tensors |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}
            expected.append({layer: up @ down})
        save_file(tensors, file)
        family.adapters.lay([(file, 1.0)])
        agree(laid_over(family, "text_encoder"), expected[0])
        agree(laid_over(family, "text_encoder_2"), expected[1])
        assert not family.adapters.notes
        family.adapters.lay([], spare=0)


@pytest.mark.parametrize("other", ["klein", "z-image"])
def test_what_cannot_be_laid_is_told_and_the_rest_counts(families, tmp_path, other) -> None:
    family = families(other)
    tensors, expected = make(family, other, kohya, SPELLINGS["kohya"])
    for index in range(4):
        name = f"lora_te1_text_model_encoder_layers_{index}_mlp_fc1"
        tensors |= {
            f"{name}.lora_down.weight": random(2, 64),
            f"{name}.lora_up.weight": random(64, 2),
        }
    file = tmp_path / "both.safetensors"
    save_file(tensors, file)
    first = tmp_path / "first.safetensors"
    save_file(make(family, other, kohya, SPELLINGS["kohya"])[0], first)
    family.adapters.lay([(first, 0.0), (file, 1.0)])
    agree(laid_over(family), expected)
    [note] = family.adapters.notes
    assert (note.code, note.path) == ("lora-part-left-out", "$.sampling.loras[1].path")
    assert note.values["count"] == 4
    assert "lora_te1_text_model_encoder_layers_0_mlp_fc1" in note.values["names"]
    assert note.fix
    family.adapters.lay([(first, 1.0)])
    assert not family.adapters.notes
    family.adapters.lay([], spare=0)


@pytest.fixture(params=["fp8", "gguf", "int8"])
def packed(request, tiny_model, tmp_path, monkeypatch) -> Family:
    """A klein whose weights are packed."""
    klein = tiny_model("klein")
    if request.param == "fp8":
        options = Options(device="cpu", dtype="bf16", quantization="fp8")
        return load(catalog.find(str(klein)), options)
    if request.param == "int8":
        request.getfixturevalue("quantize_on_cpu")
        return load(catalog.find(str(klein)), Options(quantization="int8"))
    file = single_files.save_gguf(klein, tmp_path / "klein.gguf")
    said = f"[models.packed]\npath = {json.dumps(str(file))}\nbase = {json.dumps(str(klein))}\n"
    (tmp_path / "models.toml").write_text(said)
    monkeypatch.setenv("STANDEE_HOME", str(tmp_path))
    return load(catalog.find("packed"), Options(device="cpu"))


@pytest.mark.parametrize("method", [dora, lokr])
def test_packed_layers_are_changed_alike(packed, tmp_path, method) -> None:
    """What a packed layer's weight is, it says itself on the unit matrix."""
    dtype = packed.transformer.dtype
    tensors, expected = {}, {}
    for name, layers in LAYERS["klein"].items():
        modules = [packed.transformer.get_submodule(one) for one in layers]
        x = torch.eye(modules[0].in_features, dtype=dtype)
        weight = torch.cat([module(x).T for module in modules]).float()
        parts, change = method(weight)
        tensors |= {f"{name}.{part}": one for part, one in parts.items()}
        heights = [module.out_features for module in modules]
        expected |= dict(zip(layers, change.split(heights), strict=True))
    found = over(packed, tensors, tmp_path)
    assert found.keys() == expected.keys()
    for layer, change in expected.items():
        torch.testing.assert_close(found[layer].float(), change, rtol=0.05, atol=0.03)


# -- what is refused -------------------------------------------------------------------------------


def refusal(family: Family, tensors: Changes, tmp_path: Path) -> InvalidField:
    with pytest.raises(InvalidField) as caught:
        over(family, tensors, tmp_path)
    family.adapters.lay([], spare=0)
    assert not laid_over(family)
    assert caught.value.path == "$.sampling.loras[0].path"
    assert caught.value.fix
    assert "lora.safetensors" in caught.value.message
    return caught.value


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_no_numbers_are_refused_by_name(kind, family, tmp_path, value) -> None:
    tensors, _ = make(family, kind, plain, SPELLINGS["ai-toolkit"])
    name = list(tensors)[-1]
    tensors[name][1, 1] = value
    error = refusal(family, tensors, tmp_path)
    assert name in error.message
    assert "no numbers" in error.message


@pytest.mark.parametrize(
    ("made_for", "model", "said"),
    [("klein", "flux", "FLUX.2"), ("flux", "z-image", "FLUX.1"), ("z-image", "klein", "Z-Image")],
)
def test_another_kind_of_model_is_named(families, tmp_path, made_for, model, said) -> None:
    layers = {
        "klein": "transformer.single_transformer_blocks.0.attn.to_qkv_mlp_proj",
        "flux": "transformer.single_transformer_blocks.0.proj_mlp",
        "z-image": "diffusion_model.layers.0.attention.qkv",
    }
    name = layers[made_for]
    tensors = {f"{name}.lora_A.weight": random(2, 64), f"{name}.lora_B.weight": random(64, 2)}
    error = refusal(families(model), tensors, tmp_path)
    assert f"another kind of model, {said}" in error.message
    assert name in error.message


def test_a_larger_model_of_the_same_kind_is_no_other_kind(families, tmp_path) -> None:
    """The layer of that name outside of the blocks is not meant."""
    name = "transformer.single_transformer_blocks.37.proj_out"
    tensors = {f"{name}.lora_A.weight": random(2, 64), f"{name}.lora_B.weight": random(64, 2)}
    error = refusal(families("flux"), tensors, tmp_path)
    assert "a larger FLUX.1" in error.message


BROKEN = {
    "only one half": ({"lora_A.weight": (2, 64)}, "only one half"),
    "ranks": ({"lora_A.weight": (2, 64), "lora_B.weight": (64, 3)}, "unequal rank, 2 and 3"),
    "inputs": (
        {"lora_A.weight": (2, 96), "lora_B.weight": (64, 2)},
        "96 channels, this model's has 64",
    ),
    "outputs": (
        {"lora_A.weight": (2, 64), "lora_B.weight": (32, 2)},
        "32 channels, this model's has 64",
    ),
    "rank 0": ({"lora_A.weight": (0, 64), "lora_B.weight": (64, 0)}, "rank 0"),
    "alpha": (
        {"lora_A.weight": (2, 64), "lora_B.weight": (64, 2), "alpha": (2,)},
        "2 numbers as its alpha",
    ),
    "products": (
        {"lokr_w1": (4, 4), "lokr_w2_a": (16, 2), "lokr_w2_b": (3, 16)},
        "do not fit each other",
    ),
    "lokr": ({"lokr_w1": (4, 4)}, "lacks lokr_w2"),
    "lokr size": (
        {"lokr_w1": (4, 4), "lokr_w2": (4, 4)},
        "16 x 16 change, this model's has 64 x 64",
    ),
    "loha": ({"hada_w1_a": (64, 2), "hada_w1_b": (2, 64)}, "lacks hada_w2_a"),
    "two methods": (
        {"lora_A.weight": (2, 64), "lora_B.weight": (64, 2), "diff": (64, 64)},
        "belong together",
    ),
    "oft": (
        {"oft_blocks": (4, 16, 16), "lora_A.weight": (2, 64), "lora_B.weight": (64, 2)},
        "a method that is not read",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_changes_are_refused_with_the_layer_and_the_reason(families, tmp_path, case) -> None:
    shapes, said = BROKEN[case]
    name = "transformer.transformer_blocks.0.attn.to_q"
    tensors = {f"{name}.{part}": random(*shape) for part, shape in shapes.items()}
    error = refusal(families("flux"), tensors, tmp_path)
    assert said in error.message
    assert name in error.message


def test_a_layer_that_is_changed_twice_is_refused(families, tmp_path) -> None:
    tensors = {}
    for name in (
        "transformer.transformer_blocks.0.attn.to_q",
        "lora_unet_double_blocks_0_img_attn_qkv",
    ):
        out = 64 if "to_q" in name else 192
        tensors |= {f"{name}.lora_A.weight": random(2, 64), f"{name}.lora_B.weight": random(out, 2)}
    assert "once more" in refusal(families("flux"), tensors, tmp_path).message


def test_a_control_lora_is_called_so(families, tmp_path) -> None:
    tensors = {"img_in.lora_A.weight": random(2, 128), "img_in.lora_B.weight": random(64, 2)}
    assert "control LoRA" in refusal(families("flux"), tensors, tmp_path).message


def test_xlabs_changes_of_what_single_blocks_give_are_refused(families, tmp_path) -> None:
    name = "single_blocks.0.processor.proj_lora"
    tensors = {f"{name}.down.weight": random(2, 64), f"{name}.up.weight": random(64, 2)}
    error = refusal(families("flux"), tensors, tmp_path)
    assert "what blocks give out" in error.message


def test_names_that_nobody_knows_are_told(families, tmp_path) -> None:
    tensors = {"foo.bar.lora_A.weight": random(2, 64), "foo.bar.lora_B.weight": random(64, 2)}
    error = refusal(families("flux"), tensors, tmp_path)
    assert "a way that is not known" in error.message
    assert "foo.bar" in error.message


def test_a_lora_of_a_text_encoder_alone_is_refused_where_there_is_none(families, tmp_path) -> None:
    name = "lora_te1_text_model_encoder_layers_0_mlp_fc1"
    tensors = {f"{name}.lora_down.weight": random(2, 64), f"{name}.lora_up.weight": random(64, 2)}
    assert "a text encoder" in refusal(families("klein"), tensors, tmp_path).message


# -- files that once went wrong ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["d_aitoolkit_bfl", "h_kohya_fp8", "m_kohya_dora", "u_default_adapter", "w_nan"]
)
def test_files_that_were_laid_wrongly_once(mini, name) -> None:
    file = CASES / f"{name}.safetensors"
    if not file.exists():
        pytest.skip(f"{file} is not here")
    if name == "w_nan":
        with pytest.raises(InvalidField, match="no numbers"):
            mini.adapters.lay([(file, 1.0)])
    else:
        mini.adapters.lay([(file, 1.0)])
        block = mini.transformer.transformer_blocks[0].attn
        layers = ("to_q", "to_k", "to_v", "to_out.0")
        changed = laid_over(mini)
        assert changed.keys() == {f"transformer_blocks.0.attn.{one}" for one in layers}
        assert all(change.isfinite().all() for change in changed.values())
        assert (len(block.to_out[0].lora_magnitude_vector) == 1) == (name == "m_kohya_dora")
    mini.adapters.lay([], spare=0)
