"""LoRA files that cannot be laid: each is refused by name, with the true reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from standee.errors import InvalidField
from standee_backend.engine.families.base import Family
from support.lora_methods import (
    SPELLINGS,
    Changes,
    laid_over,
    make,
    over,
    plain,
    random,
)

CASES = Path(__file__).parents[4] / "shared" / "cases"


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
