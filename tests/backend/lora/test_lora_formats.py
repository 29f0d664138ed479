"""Every kind of LoRA file changes each layer by what its weights say, or is refused for the true reason.

The oracle is the change of the layer's matrix, computed here from the file's tensors; what lies over the model is
found by running its layers on the unit matrix.
"""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file

from standee_backend.catalog import catalog
from standee_backend.engine.families.base import Family
from standee_backend.engine.loading.load import load
from standee_backend.hardware.options import Options
from support import single_files
from support.lora_methods import (
    LAYERS,
    METHODS,
    SPELLINGS,
    agree,
    base,
    difference,
    dora,
    kohya,
    laid_over,
    loha,
    lokr,
    lokr_products,
    make,
    matrices,
    over,
    plain,
    random,
    split,
)


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
